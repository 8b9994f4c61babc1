#pragma once

#include <memory>
#include <string_view>
#include <utility>

#include <hubbub/hub/shard.hpp>

namespace hubbub::inline v0 {

/// What a thread of the application keeps to publish with: may outlive the hub, and then answers `closed`.
///
/// Threading: any thread; copies are independent. One thread's publications of a topic keep their order.
/// Cost: of each function, from outside the loops: a lock for each shard, to see whose thread it is, those of the mailbox and of the
/// wake-up, which many messages share, and one copy of a message below 4 KiB, a reference to a larger frame. On a loop of the hub as a
/// session's own. Nothing is allocated in steady state, and no lock held while anything of the user runs.
template <BasicConnection Conn, HubPolicy Policy = DefaultPolicy>
class Broadcaster {
   public:
    using ShardType = Shard<Conn, Policy>;

    explicit Broadcaster(std::shared_ptr<typename ShardType::Shared> shared) : shared_(std::move(shared)) {}

    PublishResult publish(std::string_view topic, MessageView message, PublishOptions options = {}) const {
        if (!is_topic_name(topic)) return PublishResult::malformed_name;
        return put(topic, message, nullptr, std::move(options));
    }
    PublishResult publish(std::string_view topic, Frame const& frame, PublishOptions options = {}) const {
        if (!is_topic_name(topic)) return PublishResult::malformed_name;
        return put(topic, frame.message(), &frame, std::move(options));
    }
    PublishResult publish(std::string_view topic, std::string_view text, PublishOptions options = {}) const {
        return publish(topic, MessageView::text(text), std::move(options));
    }
    PublishResult publish(Target const& target, Frame const& frame, PublishOptions options = {}) const {
        return put(target.name(), frame.message(), &frame, std::move(options));
    }

    /// To one session. `accepted` says that it is on its way; a session that has gone gets nothing.
    PublishResult send(SessionId session, Frame const& frame) const;

   private:
    PublishResult put(std::string_view topic, MessageView message, Frame const* frame, PublishOptions&& options) const;
    bool fits(std::size_t payload) const noexcept { return ws::server_frame_size(payload) <= shared_->options.queue.bytes; }
    /// The shard whose thread this is, or null.
    std::shared_ptr<ShardType> here() const {
        for (std::size_t i = 0; i < shared_->shard_count; ++i)
            if (shared_->ports[i]->runs_here()) return shared_->shards[i].lock();
        return nullptr;
    }
    PublishResult leave(ShardIndex at, Mail const& mail, std::string_view topic, MessageView message, Frame const* frame,
                        std::shared_ptr<PendingReceipt> receipt) const {
        ShardPort& port = *shared_->ports[at.value];
        if (port.has_ended() || shared_->is_over.load(std::memory_order_relaxed)) return PublishResult::closed;
        bool const is_stuck = port.mailbox().congested.load(std::memory_order_relaxed);  // it cannot get rid of what it has
        if (is_stuck || !port.mailbox().put(mail, topic, message, frame, std::move(receipt))) return PublishResult::busy;
        port.notify();
        return PublishResult::accepted;
    }

    std::shared_ptr<typename ShardType::Shared> shared_;
};

template <BasicConnection Conn, HubPolicy Policy>
PublishResult Broadcaster<Conn, Policy>::put(std::string_view topic, MessageView message, Frame const* frame,
                                             PublishOptions&& options) const {
    if (!fits(message.size())) return PublishResult::too_big;
    if (auto const shard = here()) {
        if (shard->has_ended()) return PublishResult::closed;
        shard->publish_between_turns(topic, message, frame, std::move(options));
        return PublishResult::accepted;
    }
    ShardIndex const owner = shared_->owner_of(topic);
    auto outgoing = ShardType::outgoing(message, frame, std::move(options), shared_->ports[0]->now());
    Mail const mail = outgoing.letter(Mail::Kind::publish);
    return leave(owner, mail, topic, message, frame, std::move(outgoing.receipt));
}

template <BasicConnection Conn, HubPolicy Policy>
PublishResult Broadcaster<Conn, Policy>::send(SessionId session, Frame const& frame) const {
    if (!session || session.shard.value >= shared_->shard_count) return PublishResult::closed;
    if (!fits(frame.size())) return PublishResult::too_big;
    if (auto const shard = here()) {
        if (shard->has_ended()) return PublishResult::closed;
        shard->send(session, frame.message(), &frame);
        return PublishResult::accepted;
    }
    Outgoing const outgoing{.message = frame.message(), .frame = &frame, .except = session};
    return leave(session.shard, outgoing.letter(Mail::Kind::direct), {}, frame.message(), &frame, nullptr);
}

}  // namespace hubbub::inline v0
