#pragma once

#include <array>
#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <hubbub/transport/connection.hpp>
#include <hubbub/transport/tcp/asio_loop.hpp>
#include <hubbub/transport/websocketpp/adopted_outbox.hpp>

namespace hubbub::inline v0 {

/// What adopted connections need once per shard: the way to their endpoints and back.
///
/// Threading: its loop's.
/// Lifetime: the io_contexts of the endpoints outlive it, or their connections have gone with them.
template <class Con>
class AdoptedDriver {
   public:
    /// What a hub makes of an io_context that it is given, the endpoint's own too if one thread runs that.
    using Loop = AsioLoop;
    struct Options {};
    using Link = detail::AdoptedLink<Con>;

    explicit AdoptedDriver(ShardLoop& loop) : AdoptedDriver(loop, Options{}) {}
    AdoptedDriver(ShardLoop& loop, Options const&)
        : loop_(static_cast<AsioLoop*>(loop.extension(&AsioLoop::key))), port_(std::make_shared<detail::AdoptedPort>(loop)) {}
    AdoptedDriver(AdoptedDriver const&) = delete;
    AdoptedDriver& operator=(AdoptedDriver const&) = delete;
    ~AdoptedDriver() {
        commit();
        port_->end();
    }

    void commit() {
        for (Shared& shared : shared_) shared.message = nullptr;
        for (auto const& each : outboxes_) each.outbox->commit();
    }

    // ---- connections

    void start(std::shared_ptr<Link> const& link, MessageConnectionOwner& owner) {
        link->attach(port_, owner, !outbox(*link).is_here());
    }
    void put(std::shared_ptr<Link> link, detail::AdoptedTask task) {
        auto& box = outbox(*link);
        box.put(std::move(link), task);
    }
    /// With a payload.
    void put(std::shared_ptr<Link> link, detail::AdoptedTask task, std::span<std::byte const> payload);
    /// Everything that a session has.
    void send(std::shared_ptr<Link> link, std::span<ws::Slice const> slices, std::size_t size);

   private:
    using MessagePtr = typename Link::MessagePtr;

    struct Endpoint {
        void const* context;
        std::shared_ptr<detail::AdoptedOutbox<Con>> outbox;
    };
    /// What was copied in this turn, for sessions that are offered the same: the members of a topic.
    struct Shared {
        std::vector<std::pair<std::byte const*, std::uint32_t>> ranges;
        MessagePtr message;

        bool is(std::span<ws::Slice const> slices) const noexcept;
    };

    detail::AdoptedOutbox<Con>& outbox(Link const& link);
    static MessagePtr make_message(Link const& link, std::size_t size);

    AsioLoop* loop_;  ///< or null: some other loop
    std::shared_ptr<detail::AdoptedPort> port_;
    std::vector<Endpoint> outboxes_;
    std::array<Shared, 4> shared_;
    std::size_t next_shared_ = 0;
};

template <class Con>
bool AdoptedDriver<Con>::Shared::is(std::span<ws::Slice const> slices) const noexcept {
    if (!message || slices.size() != ranges.size()) return false;
    for (std::size_t i = 0; i < slices.size(); ++i)
        if (slices[i].data() != ranges[i].first || slices[i].length != ranges[i].second) return false;
    return true;
}

template <class Con>
detail::AdoptedOutbox<Con>& AdoptedDriver<Con>::outbox(Link const& link) {
    auto& context = link.executor().context();
    for (auto const& each : outboxes_)
        if (each.context == &context) return *each.outbox;
    bool is_here = false;
    if constexpr (requires(asio::execution_context& ours) { &ours == &context; })
        is_here = loop_ && loop_->threading() == Threading::one_thread &&
                  static_cast<asio::execution_context*>(&loop_->context()) == &context;
    outboxes_.push_back({&context, std::make_shared<detail::AdoptedOutbox<Con>>(link.executor(), is_here)});
    return *outboxes_.back().outbox;
}

/// Null: the connection is gone, and that will be told.
template <class Con>
typename AdoptedDriver<Con>::MessagePtr AdoptedDriver<Con>::make_message(Link const& link, std::size_t size) {
    auto const connection = link.connection();
    MessagePtr message = connection ? connection->get_message(websocketpp::frame::opcode::binary, size) : nullptr;
    if (message) message->set_prepared(true);
    return message;
}

template <class Con>
void AdoptedDriver<Con>::put(std::shared_ptr<Link> link, detail::AdoptedTask task, std::span<std::byte const> payload) {
    MessagePtr message = make_message(*link, payload.size());
    if (!message) return;
    message->get_raw_payload().assign(reinterpret_cast<char const*>(payload.data()), payload.size());
    auto& box = outbox(*link);
    box.put(std::move(link), task, std::move(message));
}

template <class Con>
void AdoptedDriver<Con>::send(std::shared_ptr<Link> link, std::span<ws::Slice const> slices, std::size_t size) {
    auto& box = outbox(*link);
    for (Shared const& shared : shared_)
        if (shared.is(slices)) return box.put(std::move(link), detail::AdoptedTask::send, shared.message);
    MessagePtr message = make_message(*link, size);
    if (!message) return;
    std::string& bytes = message->get_raw_payload();
    Shared& shared = shared_[next_shared_++ % shared_.size()];
    shared.ranges.clear();
    for (ws::Slice const& slice : slices) {
        bytes.append(reinterpret_cast<char const*>(slice.data()), slice.length);
        shared.ranges.emplace_back(slice.data(), slice.length);
    }
    shared.message = message;
    box.put(std::move(link), detail::AdoptedTask::send, std::move(message));
}

}  // namespace hubbub::inline v0
