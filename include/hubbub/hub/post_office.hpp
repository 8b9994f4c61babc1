#pragma once

#include <bit>
#include <cstddef>
#include <memory>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include <hubbub/hub/shard_port.hpp>

namespace hubbub::inline v0 {

/// One shard's end of the channels between shards, each first-in, first-out: what it writes in a turn goes out in one piece, and what
/// others wrote is read once a turn. A shard whose mail is not taken keeps it and is congested.
///
/// Threading: its shard's. Cost: one lock for each shard that is written to, and turn.
class PostOffice {
   public:
    using Ports = std::vector<std::shared_ptr<ShardPort>>;

    /// The first `shards` of the ports are those of shards.
    PostOffice(ShardIndex mine, Ports const& ports, std::size_t shards)
        : mine_(mine), shards_(shards), ports_(&ports), outgoing_(ports.size()) {}

    std::size_t shard_count() const noexcept { return shards_; }

    /// `frame` holds `payload`, if it is given.
    void write(ShardIndex to, Mail mail, std::string_view topic, std::span<std::byte const> payload,
               Frame const* frame = nullptr, std::shared_ptr<PendingReceipt> receipt = {}) {
        mail.from = mine_;
        ++written_;
        outgoing_[to.value].put(mail, topic, payload, frame, std::move(receipt));
        has_outgoing_ = true;
    }
    /// Letters so far.
    std::uint64_t written() const noexcept { return written_; }
    /// Calls `read(Mail const&, string_view topic, MessageView, Frame const*, shared_ptr<PendingReceipt>)` for each letter.
    template <class Read>
    void take_mail(Read&& read);
    /// Hands over what was written. Before the fan-out: the others can begin at once.
    void post_mail();
    bool has_unposted() const noexcept { return has_outgoing_ && !is_congested_; }

    /// What is written to that shard now would wait, or wait there.
    bool is_congested(ShardIndex to) const noexcept {
        return is_congested_ || (*ports_)[to.value]->mailbox().congested.load(std::memory_order_relaxed);
    }
    /// Bytes that wait to be handed over to it.
    std::size_t bytes_for(ShardIndex to) const noexcept { return outgoing_[to.value].bytes(); }
    bool is_any_congested() const noexcept {
        for (auto const& port : *ports_)
            if (port->mailbox().congested.load(std::memory_order_relaxed)) return true;
        return false;
    }

   private:
    ShardPort& mine() const noexcept { return *(*ports_)[mine_.value]; }

    ShardIndex mine_;
    std::size_t shards_;
    Ports const* ports_;
    std::vector<MailBag> outgoing_;  ///< by shard
    std::uint64_t written_ = 0;
    bool has_outgoing_ = false;
    bool is_congested_ = false;
    MailBag reading_;
};

template <class Read>
void PostOffice::take_mail(Read&& read) {
    if (!mine().mailbox().has_mail()) return;
    std::uint64_t waiting = mine().mailbox().take(reading_);
    reading_.read_all(std::forward<Read>(read));
    for (; waiting; waiting &= waiting - 1) (*ports_)[static_cast<std::size_t>(std::countr_zero(waiting))]->notify_of_room();
}

inline void PostOffice::post_mail() {
    if (!has_outgoing_) return;
    has_outgoing_ = false;
    mine().look_for_room();
    for (std::size_t i = 0; i < outgoing_.size(); ++i) {
        if (outgoing_[i].empty()) continue;
        if ((*ports_)[i]->mailbox().put(outgoing_[i], mine_))
            (*ports_)[i]->notify();
        else
            has_outgoing_ = true;
    }
    if (is_congested_ == has_outgoing_) return;
    is_congested_ = has_outgoing_;
    mine().mailbox().congested.store(is_congested_, std::memory_order_relaxed);
    if (!is_congested_)
        for (auto const& port : *ports_) port->notify_of_room();  // publishers that paused for this shard go on
}

}  // namespace hubbub::inline v0
