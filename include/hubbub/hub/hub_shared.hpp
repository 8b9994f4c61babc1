#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <hubbub/core/completes.hpp>
#include <hubbub/core/entropy.hpp>
#include <hubbub/core/memory_budget.hpp>
#include <hubbub/core/siphash.hpp>
#include <hubbub/core/unique_function.hpp>
#include <hubbub/hub/backplane_state.hpp>
#include <hubbub/hub/control_message.hpp>
#include <hubbub/hub/history_page.hpp>
#include <hubbub/hub/hub_options.hpp>
#include <hubbub/hub/limit_table.hpp>
#include <hubbub/hub/post_office.hpp>
#include <hubbub/hub/rate_table.hpp>
#include <hubbub/policy/presence.hpp>
#include <hubbub/policy/shard_loads.hpp>
#include <hubbub/transport/connection.hpp>

namespace hubbub::inline v0 {

template <BasicConnection Conn, HubPolicy Policy>
class Shard;

/// What all shards of a hub share, and the ways from any thread to one of them.
///
/// Threading: any thread. Lifetime: shared by the hub, its shards and its Broadcasters.
template <BasicConnection Conn, HubPolicy Policy>
struct HubShared {
    using ShardType = Shard<Conn, Policy>;

    HubShared(HubOptions<Policy> given, std::size_t count)
        : options(std::move(given)),
          shard_count(count),
          loads(count),
          memory(options.memory ? options.memory : std::make_shared<MemoryBudget>()) {}

    HubOptions<Policy> options;
    std::size_t shard_count;
    LimitTable limits;
    RateTable rates;
    ShardLoads loads;
    std::shared_ptr<MemoryBudget> memory;
    PostOffice::Ports ports;  ///< of the shards, and behind them that of the desk, if there is a broker
    BackplaneCounts backplane;
    std::uint64_t node = 0;  ///< this process, among those that a broker connects; 0 without one
    std::vector<std::weak_ptr<ShardType>> shards;
    SipHash hash;
    std::atomic<bool> is_over{false};  ///< the hub is destroyed: no hook begins from here on

    /// A number by chance, or the one that the seed gives for `purpose`.
    std::uint64_t draw(std::uint64_t purpose) const {
        if (options.seed) return SipHash{options.seed, purpose}({});
        return detail::entropy();
    }
    ShardIndex owner_of(std::string_view topic) const noexcept {
        return {static_cast<std::uint16_t>(hash(topic) % shard_count)};
    }
    /// Runs `function(shard)` in a turn of that shard, from any thread. False: it has ended, and the function is gone.
    template <class F>
    bool post(ShardIndex index, F function) {
        return ports[index.value]->post([weak = shards[index.value], function = std::move(function)]() mutable {
            if (auto const shard = weak.lock(); shard && !shard->has_ended()) function(*shard);
        });
    }
    /// Tells all other nodes, those too that are cut off and come back. Without a broker there are none.
    void tell_nodes([[maybe_unused]] ControlMessage const& message) {
        if constexpr (RemoteBackplane<typename Policy::Backplane>)
            post(owner_of(internal_topics::control), [text = message.write()](ShardType& shard) {
                shard.router().publish(internal_topics::control,
                                       {.message = MessageView(ws::Opcode::binary, std::as_bytes(std::span(text)))});
            });
    }
    /// `completion` is called on the loop of the topic's owner, with what it keeps of the topic.
    bool read_history(std::string_view topic, HistoryQuery query, UniqueFunction<void(HistoryPage const&)> completion) {
        return at_owner(
            topic, std::move(completion),
            [](auto& router, std::string const& name, auto then) { router.when_known(name, std::move(then)); },
            [query](auto& router, std::string const& name) { return router.read_history(name, query); });
    }
    bool read_presence(std::string_view topic, std::size_t most, UniqueFunction<void(PresencePage const&)> completion) {
        return at_owner(
            topic, std::move(completion),
            [](auto& router, std::string const& name, auto then) { router.when_members_known(name, std::move(then)); },
            [most](auto& router, std::string const& name) { return router.read_presence(name, most); });
    }

   private:
    template <class Completion, class When, class Read>
    bool at_owner(std::string_view topic, Completion completion, When when, Read read) {
        return post(owner_of(topic),
                    [name = std::string(topic), completion = std::move(completion), when, read](ShardType& shard) mutable {
                        shard.router().take_mail();  // what was written before is read before
                        auto answer = [&router = shard.router(), name, completion = std::move(completion), read]() mutable {
                            auto const page = read(router, name);
                            completes([&] { completion(page); });
                        };
                        when(shard.router(), name, std::move(answer));
                    });
    }
};

}  // namespace hubbub::inline v0
