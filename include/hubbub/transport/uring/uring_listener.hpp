#pragma once

#include <liburing.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <utility>

#include <hubbub/core/clock.hpp>
#include <hubbub/transport/socket/socket_engine.hpp>
#include <hubbub/transport/uring/uring_queue.hpp>

namespace hubbub::inline v0::detail {

/// A listening descriptor in a ring. The kernel accepts; where it does not do that for a descriptor that does not block, it says
/// when connections wait.
class UringListener {
   public:
    UringListener(UringQueue& queue, std::uint32_t number, int descriptor, ListenOwner& owner)
        : queue_(queue), number_(number), descriptor_(descriptor), owner_(owner) {}

    bool is_armed() const noexcept { return is_armed_; }
    bool needs_entries() const noexcept { return is_paused_ ? !is_waiting_ : !is_armed_; }
    void prepare_entries();
    /// Nothing of it is in the ring any more.
    void forget_entries() noexcept { is_armed_ = is_waiting_ = false; }
    void cancel();
    /// The kernel accepts no more; it tells when, which is not prompt.
    void cancel_accept() { queue_.prepare_cancel(accept_tag()); }
    void pause_for(Duration pause);
    void on_completion(UringQueue::Completion const& completion);

   private:
    using Kind = UringTag::Kind;

    UringTag accept_tag() const noexcept { return {is_polled_ ? Kind::acceptable : Kind::accept, number_, 0}; }
    UringTag pause_tag() const noexcept { return {Kind::pause, number_, 0}; }
    void on_accept(UringQueue::Completion const& completion);

    UringQueue& queue_;
    std::uint32_t number_;
    int descriptor_;
    ListenOwner& owner_;
    __kernel_timespec pause_{};
    bool is_armed_ = false, is_paused_ = false, is_waiting_ = false;
    bool is_polled_ = false;
};

inline void UringListener::prepare_entries() {
    if (is_paused_) {
        is_waiting_ = true;
        return queue_.prepare(pause_tag(), 0, [&](auto* entry) { io_uring_prep_timeout(entry, &pause_, 0, 0); });
    }
    is_armed_ = true;
    queue_.prepare(accept_tag(), 0, [&](auto* entry) {
        if (is_polled_)
            io_uring_prep_poll_multishot(entry, descriptor_, POLLIN);
        else
            io_uring_prep_multishot_accept(entry, descriptor_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    });
}

inline void UringListener::cancel() {
    if (std::exchange(is_armed_, false)) queue_.prepare_cancel(accept_tag());
    if (std::exchange(is_waiting_, false)) queue_.prepare_cancel(pause_tag());
}

inline void UringListener::pause_for(Duration pause) {
    auto const seconds = std::chrono::duration_cast<std::chrono::seconds>(pause);
    pause_.tv_sec = seconds.count();
    pause_.tv_nsec = std::chrono::nanoseconds(pause - seconds).count();
    is_paused_ = true;
    if (is_armed_) cancel_accept();  // its end is told
}

inline void UringListener::on_completion(UringQueue::Completion const& completion) {
    if (completion.tag.kind == Kind::pause) {
        is_paused_ = is_waiting_ = false;
    } else {
        if (!completion.goes_on()) is_armed_ = false;
        on_accept(completion);
    }
}

inline void UringListener::on_accept(UringQueue::Completion const& completion) {
    int const result = completion.result;
    if (result == -ECANCELED || result == -EINTR) return;
    if (completion.tag.kind == Kind::acceptable) {
        if (result >= 0 && !is_paused_) owner_.on_acceptable();
    } else if (result >= 0) {
        owner_.on_accepted(result);
    } else if (result == -EAGAIN) {
        is_polled_ = true;
    } else {
        owner_.on_accept_error(-result);
    }
}

}  // namespace hubbub::inline v0::detail
