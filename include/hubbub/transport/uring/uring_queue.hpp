#pragma once

#include <liburing.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <thread>
#include <utility>
#include <vector>

#include <hubbub/core/assert.hpp>
#include <hubbub/transport/uring/io_ring.hpp>
#include <hubbub/transport/uring/iovec_arena.hpp>

namespace hubbub::inline v0::detail {

/// What a completion means to its engine.
struct UringTag {
    enum class Kind : std::uint8_t {
        nobody,      // of entries whose end interests nobody
        receive,     // a connection's
        writable,    // a connection's, once
        broken,      // of a connection that is paused: an error of the socket, once
        send,        // by its place among the sends of this commit
        accept,      // a listener's, with a descriptor
        acceptable,  // a listener's, for which the kernel does not accept
        pause,       // a listener's: it is over
    };
    static constexpr std::uint32_t most_numbers = 1u << 24;

    Kind kind = Kind::nobody;
    std::uint32_t number = 0;      // of the slot, listener or place
    std::uint32_t generation = 0;  // of the slot, or of the commit

    std::uint64_t packed() const noexcept {
        return std::uint64_t{static_cast<std::uint8_t>(kind)} << 56 | std::uint64_t{number} << 32 | generation;
    }
    static UringTag of(std::uint64_t packed) noexcept {
        return {static_cast<Kind>(packed >> 56), static_cast<std::uint32_t>(packed >> 32) & (most_numbers - 1),
                static_cast<std::uint32_t>(packed)};
    }
};

/// Entries on their way to a ring, and completions on their way from it. It exists so that results of sends are known when the
/// submission returns, while all else that came with them waits for its turn.
class UringQueue {
   public:
    using Kind = UringTag::Kind;

    struct Completion {
        UringTag tag;
        int result;
        std::uint32_t flags;

        bool has_buffer() const noexcept { return (flags & IORING_CQE_F_BUFFER) != 0; }
        std::uint32_t buffer() const noexcept { return flags >> IORING_CQE_BUFFER_SHIFT; }
        /// The entry goes on.
        bool goes_on() const noexcept { return (flags & IORING_CQE_F_MORE) != 0; }
    };
    struct Send {
        std::uint32_t slot, generation, size;
        int result;  // bytes, or an errno value below 0; `all` without a completion
    };
    static constexpr int all = 0;  // nothing is never sent, so that no completion says 0

    explicit UringQueue(std::unique_ptr<IoRing> ring) : ring_(std::move(ring)) {}

    IoRing& ring() noexcept { return *ring_; }

    /// `fill` gets an entry that has no tag yet.
    template <class Fill>
    void prepare(UringTag tag, unsigned flags, Fill fill) {
        io_uring_sqe* entry = ring_->entry();
        while (!entry) {
            submit();
            entry = ring_->entry();
        }
        fill(entry);
        entry->flags = static_cast<std::uint8_t>(entry->flags | flags);
        entry->user_data = tag.packed();
    }
    /// The bytes stay where they are until `submit`.
    void prepare_send(int descriptor, std::uint32_t slot, std::uint32_t generation, std::span<ws::Slice const> slices,
                      std::uint32_t size);
    /// Behind all that was prepared for it.
    void prepare_close(int descriptor);
    void prepare_cancel(UringTag tag) {
        prepare({}, IOSQE_CQE_SKIP_SUCCESS, [&](auto* entry) { io_uring_prep_cancel64(entry, tag.packed(), 0); });
    }

    bool has_entries() const noexcept { return ring_->has_entries() || !sends_.empty(); }
    /// One system call, usually. What comes is in the inbox afterwards.
    void submit();

    /// All sends since the last call, each with its result. All of them are submitted.
    std::vector<Send>& take_sends() noexcept {
        taken_sends_.clear();
        taken_sends_.swap(sends_);
        ++commit_;
        return taken_sends_;
    }
    std::vector<Completion>& inbox() noexcept { return inbox_; }
    void collect();

    /// Another ring from now on. What the old one had finished is in the inbox, with buffers of the ring that is returned.
    std::unique_ptr<IoRing> exchange(std::unique_ptr<IoRing> ring);
    /// Closes by itself what no ring will close any more.
    void abandon() noexcept {
        for (int const descriptor : closing_) ::close(descriptor);
        closing_.clear();
    }

   private:
    static constexpr int send_flags = MSG_DONTWAIT | MSG_WAITALL | MSG_NOSIGNAL;

    std::unique_ptr<IoRing> ring_;
    std::vector<Send> sends_, taken_sends_;
    std::uint32_t commit_ = 0;
    IovecArena vectors_;
    std::vector<int> closing_;  // their entries are not submitted yet
    std::vector<Completion> inbox_;
};

inline void UringQueue::prepare_send(int descriptor, std::uint32_t slot, std::uint32_t generation,
                                     std::span<ws::Slice const> slices, std::uint32_t size) {
    UringTag const tag{Kind::send, static_cast<std::uint32_t>(sends_.size()), commit_};
    HUBBUB_ASSERT(tag.number < UringTag::most_numbers);
    prepare(tag, IOSQE_CQE_SKIP_SUCCESS, [&](auto* entry) {
        if (slices.size() == 1)
            io_uring_prep_send(entry, descriptor, slices[0].data(), size, send_flags);
        else
            io_uring_prep_sendmsg(entry, descriptor, vectors_.make(slices), send_flags);
    });
    sends_.push_back({slot, generation, size, all});
}

inline void UringQueue::prepare_close(int descriptor) {
    prepare({}, IOSQE_CQE_SKIP_SUCCESS, [&](auto* entry) { io_uring_prep_close(entry, descriptor); });
    closing_.push_back(descriptor);
}

inline void UringQueue::submit() {
    while (!ring_->enter()) {
        collect();  // the kernel wants room first, or is short of memory for a moment
        std::this_thread::yield();
    }
    vectors_.clear();
    closing_.clear();
    collect();
}

inline void UringQueue::collect() {
    ring_->take_completions([this](io_uring_cqe const& completion) {
        auto const tag = UringTag::of(completion.user_data);
        if (tag.kind == Kind::nobody) return;
        if (tag.kind != Kind::send) return inbox_.push_back({tag, completion.res, completion.flags});
        bool const is_prompt = tag.generation == commit_ && tag.number < sends_.size();
        HUBBUB_ASSERT(is_prompt);  // a send is over when the submission returns
        if (is_prompt) sends_[tag.number].result = completion.res;
    });
}

inline std::unique_ptr<IoRing> UringQueue::exchange(std::unique_ptr<IoRing> ring) {
    collect();
    abandon();
    vectors_.clear();
    return std::exchange(ring_, std::move(ring));
}

}  // namespace hubbub::inline v0::detail
