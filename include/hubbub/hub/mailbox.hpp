#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>

#include <hubbub/hub/mail.hpp>

namespace hubbub::inline v0 {

/// How much may wait in a shard's mailbox.
struct MailboxLimits {
    std::size_t bytes = 4 * 1024 * 1024;
    std::size_t letters = 65'536;
};

/// Where other threads and shards leave what they have for one shard. Bounded: who is from outside is told that it is full,
/// another shard keeps its mail and is woken when there is room.
///
/// Threading: `put` and `congested` on any thread, `take` on the shard's.
/// Cost: one lock for each call, which is never held while anything else happens.
class Mailbox {
   public:
    explicit Mailbox(MailboxLimits const& limits) : limits_(limits) {}

    /// One letter of a thread that is no shard's. False: full.
    bool put(Mail const& mail, std::string_view topic, MessageView message, Frame const* frame,
             std::shared_ptr<PendingReceipt> receipt) {
        std::lock_guard lock(mutex_);
        if (!has_room(MailBag::size_of(topic, message.size()), 1)) return false;
        bag_.put(mail, topic, message.payload(), frame, std::move(receipt));
        has_mail_.store(true, std::memory_order_seq_cst);
        return true;
    }
    /// Everything that a shard has. False: full, and the shard is remembered.
    bool put(MailBag& from, ShardIndex sender) {
        std::lock_guard lock(mutex_);
        if (!has_room(from.bytes(), from.letters())) {
            waiting_ |= std::uint64_t{1} << sender.value;
            return false;
        }
        bag_.append(from);
        has_mail_.store(true, std::memory_order_seq_cst);
        return true;
    }
    bool has_mail() const noexcept { return has_mail_.load(std::memory_order_seq_cst); }
    /// Swaps the mail into `into`, which is empty. Returns the shards that wait for room.
    std::uint64_t take(MailBag& into) {
        has_mail_.store(false, std::memory_order_seq_cst);
        std::lock_guard lock(mutex_);
        bag_.swap(into);
        return std::exchange(waiting_, 0);
    }

    /// Set by the shard while it cannot get rid of its own mail: who publishes through it should pause.
    std::atomic<bool> congested{false};

   private:
    bool has_room(std::size_t bytes, std::size_t letters) const noexcept {
        return bag_.empty() || (bag_.bytes() + bytes <= limits_.bytes && bag_.letters() + letters <= limits_.letters);
    }

    MailboxLimits limits_;
    std::atomic<bool> has_mail_{false};
    std::mutex mutex_;
    MailBag bag_;
    std::uint64_t waiting_ = 0;
};

}  // namespace hubbub::inline v0
