#pragma once

#include <liburing.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include <hubbub/transport/uring/io_ring.hpp>

namespace hubbub::inline v0::detail {

/// Tries on two sockets whether this kernel does what the engine relies on: features, not versions. A ring that a seccomp
/// profile or a sysctl forbids fails at the first step.
class UringTrial {
   public:
    UringTrial() = default;
    UringTrial(UringTrial const&) = delete;
    UringTrial& operator=(UringTrial const&) = delete;
    ~UringTrial() {
        for (int const descriptor : sockets_)
            if (descriptor >= 0) ::close(descriptor);
    }

    /// Once. Empty if all is well, else a sentence without its end.
    std::string find_fault();

   private:
    static constexpr std::uint64_t receive_mark = 1, send_mark = 2;

    struct Seen {
        std::uint64_t mark;
        int result;
        std::uint32_t flags;
    };

    std::string try_receive();
    std::string try_send();
    std::optional<Seen> seen(std::uint64_t mark);
    void prepare_send(void const* data, std::size_t size);

    std::array<int, 2> sockets_{-1, -1};
    std::unique_ptr<IoRing> ring_;
};

inline std::string UringTrial::find_fault() {
    IoRing::Failure failure;
    ring_ = IoRing::make({.submissions = 8, .completions = 16, .buffers = 2, .buffer_size = 64}, failure);
    if (!failure.what) {
        failure.error = ring_->enable();
        if (failure.error) failure.what = "IORING_REGISTER_ENABLE_RINGS";
    }
    if (!failure.what && ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, sockets_.data()) != 0)
        failure = {"socketpair", errno};
    if (failure.what) {
        bool const forbidden = failure.error == EPERM || failure.error == EACCES || failure.error == ENOSYS;
        return std::string(failure.what) + ": " + std::generic_category().message(failure.error) +
               (forbidden ? " (a seccomp profile, the sysctl kernel.io_uring_disabled or an old kernel)" : "");
    }
    std::string fault = try_receive();
    return fault.empty() ? try_send() : fault;
}

inline std::string UringTrial::try_receive() {
    io_uring_sqe* const receive = ring_->entry();
    io_uring_prep_recv_multishot(receive, sockets_[0], nullptr, 0, 0);
    receive->flags |= IOSQE_BUFFER_SELECT;
    receive->buf_group = IoRing::buffer_group;
    receive->user_data = receive_mark;
    if (!ring_->enter()) return "entries are not taken";
    for (int i = 0; i < 2; ++i) {
        if (::write(sockets_[1], "x", 1) != 1) return "a pair of sockets does not work";
        pollfd ready{.fd = ring_->descriptor(), .events = POLLIN, .revents = 0};
        if (::poll(&ready, 1, 1000) != 1) return "the ring does not say that there is work";
        ring_->stop_listening();
        if (!ring_->has_deferred()) return "the ring does not flag deferred work";
        (void)ring_->enter();
        auto const got = seen(receive_mark);
        constexpr std::uint32_t wanted = IORING_CQE_F_BUFFER | IORING_CQE_F_MORE;
        if (!got || got->result != 1 || (got->flags & wanted) != wanted) return "there is no multishot receive with buffers";
        ring_->give_back(got->flags >> IORING_CQE_BUFFER_SHIFT);
        ring_->publish_buffers();
        if (ring_->listen_again()) return "the ring does not come to rest";
    }
    return {};
}

/// The engine takes no completion for "all was written", at the moment at which the submission returns.
inline std::string UringTrial::try_send() {
    prepare_send("y", 1);
    if (!ring_->enter() || seen(send_mark)) return "a send that succeeds is not silent";
    char got = 0;
    if (::read(sockets_[1], &got, 1) != 1 || got != 'y') return "a send is not over when it is submitted";
    std::vector<std::byte> const large(std::size_t{8} << 20);
    prepare_send(large.data(), large.size());
    (void)ring_->enter();
    auto const part = seen(send_mark);
    if (!part || part->result <= 0 || static_cast<std::size_t>(part->result) >= large.size())
        return "a short send does not say how short it was";
    prepare_send("z", 1);
    (void)ring_->enter();
    auto const none = seen(send_mark);
    if (!none || none->result != -EAGAIN) return "a send to a full socket does not fail";
    return {};
}

inline void UringTrial::prepare_send(void const* data, std::size_t size) {
    io_uring_sqe* const send = ring_->entry();
    io_uring_prep_send(send, sockets_[0], data, size, MSG_DONTWAIT | MSG_WAITALL | MSG_NOSIGNAL);
    send->flags |= IOSQE_CQE_SKIP_SUCCESS;
    send->user_data = send_mark;
}

inline std::optional<UringTrial::Seen> UringTrial::seen(std::uint64_t mark) {
    std::optional<Seen> found;
    ring_->take_completions([&](io_uring_cqe const& completion) {
        if (completion.user_data == mark) found = Seen{completion.user_data, completion.res, completion.flags};
    });
    return found;
}

/// Why the uring engine does not run here, or nothing if it does. Tried once in a process.
///
/// Threading: any.
inline std::string const& uring_fault() {
    // It is kept: the kernel interrupts a thread whose ring goes.
    static UringTrial trial;
    static std::string const fault = trial.find_fault();
    return fault;
}

}  // namespace hubbub::inline v0::detail
