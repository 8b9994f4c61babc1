#pragma once

#include <array>
#include <memory>
#include <random>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <hubbub/hub/noop_handler.hpp>
#include <hubbub/hub/shard.hpp>

namespace hubbub::inline v0 {

/// Sessions, topics and fan-out over one or several loops of the host.
///
/// Threading: `publish` and `adopt` on any thread; construction and destruction where no loop runs, or on the loop of a hub that
/// has one. Handlers run on the loops.
/// Lifetime: the loops outlive the hub. After destruction no hook runs.
/// Errors: constructors throw std::invalid_argument that names the option.
/// Example: `hubbub::Hub<hubbub::TcpConnection> hub{loop, Chat{}};`
template <ByteConnection Conn>
class Hub {
   public:
    using SessionType = Session<Conn>;
    using DriverOptions = typename Conn::Driver::Options;

    template <class Handler>
    Hub(ShardLoop& loop, Handler handler, HubOptions options = {}, DriverOptions const& driver = {})
        : Hub(std::array<ShardLoop*, 1>{&loop}, std::move(handler), std::move(options), driver) {}

    /// One shard a loop; each gets a copy of the handler.
    template <class Handler>
    Hub(std::span<ShardLoop* const> loops, Handler handler, HubOptions options = {}, DriverOptions const& driver = {})
        : state_(std::make_shared<State>()) {
        options.check();
        if (loops.empty() || loops.size() > 64) throw std::invalid_argument("Hub: the number of loops must be from 1 to 64");
        state_->options = std::move(options);
        std::random_device random;
        SipHash const hash{std::uint64_t{random()} << 32 | random(), std::uint64_t{random()} << 32 | random()};
        for (std::size_t i = 0; i < loops.size(); ++i)
            state_->shards.push_back(std::make_shared<Shard<Conn>>(*loops[i], ShardIndex{static_cast<std::uint16_t>(i)}, state_->options,
                                                                   driver, hash, AnyHandler<SessionType>::make(handler)));
        for (auto& shard : state_->shards) shard->begin(state_->shards);
    }
    Hub(Hub const&) = delete;
    Hub& operator=(Hub const&) = delete;
    ~Hub() {
        for (auto& shard : state_->shards) {
            ShardLoop& loop = shard->loop();
            if (loop.runs_here() && !loop.in_turn())
                shard->tear_down();
            else
                loop.post([end = std::make_unique<TearDown>(shard, state_)]() mutable { end.reset(); });
        }
    }

    std::size_t shard_count() const noexcept { return state_->shards.size(); }
    typename Conn::Driver& driver(std::size_t shard) { return state_->shards[shard]->driver(); }

    /// A connection whose request has not been read yet; any thread. `shard` does the handshake.
    void adopt(typename Conn::Socket socket, std::size_t shard = 0) {
        auto const& target = state_->shards[shard];
        if (target->loop().runs_here() && target->loop().in_turn()) return target->accept(std::move(socket));
        target->loop().post([target, socket = std::move(socket)]() mutable { target->accept(std::move(socket)); });
    }

    /// To all subscribers on every shard; any thread. One thread's publications of a topic keep their order.
    PublishResult publish(std::string_view topic, Frame const& frame) {
        for (auto const& shard : state_->shards)
            if (shard->loop().runs_here() && shard->loop().in_turn()) return shard->publish(topic, frame.message(), {});
        if (!fits(frame)) return PublishResult::too_big;
        auto const& first = state_->shards.front();
        first->loop().post([first, topic = std::string(topic), frame] { first->publish(topic, frame.message(), {}); });
        return PublishResult::accepted;
    }

    /// Each shard's sums; call it where no loop runs, or use `visit`.
    ShardSnapshot snapshot(std::size_t shard) { return state_->shards[shard]->snapshot(); }
    Shard<Conn>& shard(std::size_t index) { return *state_->shards[index]; }

   private:
    /// Lives until the last shard has been torn down.
    struct State {
        HubOptions options;
        std::vector<std::shared_ptr<Shard<Conn>>> shards;
    };
    /// Ends a shard when it runs, or with the loop that never ran it.
    struct TearDown {
        TearDown(std::shared_ptr<Shard<Conn>> which, std::shared_ptr<State> all) : shard(std::move(which)), state(std::move(all)) {}
        ~TearDown() { shard->tear_down(); }
        std::shared_ptr<Shard<Conn>> shard;
        std::shared_ptr<State> state;
    };
    bool fits(Frame const& frame) const noexcept { return frame.wire().size() <= state_->options.queue.bytes; }

    std::shared_ptr<State> state_;
};

}  // namespace hubbub::inline v0
