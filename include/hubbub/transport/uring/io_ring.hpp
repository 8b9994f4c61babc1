#pragma once

#include <liburing.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <thread>
#include <utility>

#include <hubbub/core/assert.hpp>
#include <hubbub/transport/socket/ring_options.hpp>

namespace hubbub::inline v0::detail {

/// One io_uring with its receive buffers. It belongs to the thread that first submits to it (SINGLE_ISSUER): what the kernel
/// has to say is worked out on that thread when it asks (DEFER_TASKRUN), and not between two instructions of it.
///
/// A descriptor becomes readable when there is something to ask for, so that any loop can watch it. It is an eventfd: the ring's
/// own descriptor wakes nobody for work that is deferred.
///
/// Threading: made on any thread, used on one. Destroyed on that one, or when it does not run the loop any more.
class IoRing {
   public:
    /// Why there is none: what failed, and the errno value.
    struct Failure {
        char const* what = nullptr;
        int error = 0;
    };

    /// Null where the system has no such ring; `failure` says why.
    static std::unique_ptr<IoRing> make(RingOptions const& options, Failure& failure);

    IoRing(IoRing const&) = delete;
    IoRing& operator=(IoRing const&) = delete;
    ~IoRing();

    int descriptor() const noexcept { return event_; }
    /// The descriptor is not readable any more, and stays so until `listen_again`.
    void stop_listening() noexcept {
        std::uint64_t events = 0;
        (void)!::read(event_, &events, sizeof events);
        (void)io_uring_cq_eventfd_toggle(&ring_, false);
    }
    /// True if something has come in the meantime, which the descriptor does not tell.
    bool listen_again() noexcept {
        (void)io_uring_cq_eventfd_toggle(&ring_, true);
        std::atomic_thread_fence(std::memory_order_seq_cst);  // the kernel flags first and asks then whether we listen
        return has_deferred() || io_uring_cq_ready(&ring_) != 0;
    }
    bool is_enabled() const noexcept { return thread_ != std::thread::id(); }
    bool is_mine() const noexcept { return thread_ == std::this_thread::get_id(); }
    /// The calling thread is the one from now on. An errno value.
    int enable() noexcept;

    /// An entry to fill in, or null: `enter`, then ask again.
    io_uring_sqe* entry() noexcept { return io_uring_get_sqe(&ring_); }
    bool has_entries() const noexcept { return io_uring_sq_ready(&ring_) != 0; }
    /// Submits all entries and lets the kernel work out what it has deferred: one system call. False if something is left
    /// because completions have to be taken first.
    bool enter() noexcept;
    /// More would come from `enter`.
    bool has_deferred() const noexcept {
        return (IO_URING_READ_ONCE(*ring_.sq.kflags) & (IORING_SQ_TASKRUN | IORING_SQ_CQ_OVERFLOW)) != 0;
    }
    /// Takes all completions that are there.
    template <class Each>
    void take_completions(Each each);

    /// What a receive with `buffer_group` brought.
    std::span<std::byte> buffer(std::uint32_t id, std::size_t size) noexcept { return {buffers_ + stride_ * id, size}; }
    void give_back(std::uint32_t id) noexcept {
        io_uring_buf_ring_add(buffer_ring_, buffers_ + stride_ * id, options_.buffer_size, static_cast<unsigned short>(id),
                              static_cast<int>(options_.buffers - 1), returned_++);
    }
    /// Those that were given back can be used again.
    void publish_buffers() noexcept {
        if (returned_ != 0) io_uring_buf_ring_advance(buffer_ring_, std::exchange(returned_, 0));
    }
    static constexpr std::uint16_t buffer_group = 1;

   private:
    explicit IoRing(RingOptions const& options);
    Failure open();
    Failure register_buffers();
    void cancel_all() noexcept;

    // Small messages touch the beginning of each buffer. At a distance of a power of two those would share a few sets of the
    // caches.
    static constexpr std::size_t stagger = 192;

    RingOptions options_;
    std::size_t stride_;
    std::size_t memory_size_ = 0;
    int event_ = -1;
    io_uring ring_{};
    std::thread::id thread_{};
    void* memory_ = MAP_FAILED;
    io_uring_buf_ring* buffer_ring_ = nullptr;
    std::byte* buffers_ = nullptr;
    int returned_ = 0;
};

inline IoRing::IoRing(RingOptions const& options) : options_(options) {
    // The kernel does it for the others, and says nothing about buffers.
    std::uint32_t count = 1;
    while (count < options.buffers && count < 32768) count *= 2;
    options_.buffers = count;
    stride_ = options_.buffer_size + stagger;
    ring_.ring_fd = -1;
}

inline std::unique_ptr<IoRing> IoRing::make(RingOptions const& options, Failure& failure) {
    std::unique_ptr<IoRing> ring(new IoRing(options));
    failure = ring->open();
    if (failure.what) ring.reset();
    return ring;
}

inline IoRing::Failure IoRing::open() {
    io_uring_params parameters{};
    // Not enabled yet, because it is made on another thread than it is used on.
    parameters.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_TASKRUN_FLAG |
                       IORING_SETUP_R_DISABLED | IORING_SETUP_SUBMIT_ALL | IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP;
    parameters.cq_entries = options_.completions;
    io_uring ring{};
    if (int const result = io_uring_queue_init_params(options_.submissions, &ring, &parameters); result < 0)
        return {"io_uring_setup", -result};
    ring_ = ring;
    event_ = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (event_ < 0) return {"eventfd", errno};
    // Before the first submission, or wake-ups are lost.
    if (int const result = io_uring_register_eventfd(&ring_, event_); result < 0) return {"io_uring_register_eventfd", -result};
    return register_buffers();
}

inline IoRing::Failure IoRing::register_buffers() {
    auto const page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    std::size_t const ring_size = (options_.buffers * sizeof(io_uring_buf) + page - 1) / page * page;
    memory_size_ = ring_size + options_.buffers * stride_;
    // Populated, or the pages would look like memory of connections as these come.
    memory_ = ::mmap(nullptr, memory_size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (memory_ == MAP_FAILED) return {"mmap", errno};
    buffer_ring_ = static_cast<io_uring_buf_ring*>(memory_);
    buffers_ = static_cast<std::byte*>(memory_) + ring_size;
    io_uring_buf_reg registration{};
    registration.ring_addr = reinterpret_cast<std::uintptr_t>(memory_);
    registration.ring_entries = options_.buffers;
    registration.bgid = buffer_group;
    if (int const result = io_uring_register_buf_ring(&ring_, &registration, 0); result < 0)
        return {"io_uring_register_buf_ring", -result};
    io_uring_buf_ring_init(buffer_ring_);
    for (std::uint32_t id = 0; id < options_.buffers; ++id) give_back(id);
    publish_buffers();
    return {};
}

inline IoRing::~IoRing() {
    bool const quiet = !is_enabled() || is_mine();
    if (ring_.ring_fd >= 0) {
        if (is_mine()) cancel_all();
        io_uring_queue_exit(&ring_);
    }
    if (event_ >= 0) ::close(event_);
    if (memory_ == MAP_FAILED) return;
    if (quiet) {
        ::munmap(memory_, memory_size_);
    } else {
        // From another thread nothing can be cancelled and waited for, so that an old kernel might still receive something while
        // it closes the ring: the addresses are kept for that, the memory is not.
        (void)::madvise(memory_, memory_size_, MADV_DONTNEED);
    }
}

inline int IoRing::enable() noexcept {
    // io_uring_enable_rings is missing in the library of 2.3, which declares it.
    int const result = io_uring_register(static_cast<unsigned>(ring_.ring_fd), IORING_REGISTER_ENABLE_RINGS, nullptr, 0);
    if (result < 0) return -result;
    thread_ = std::this_thread::get_id();
    return 0;
}

inline bool IoRing::enter() noexcept {
    int result;
    do result = io_uring_submit_and_get_events(&ring_);
    while (result == -EINTR);
    return !has_entries();
}

template <class Each>
void IoRing::take_completions(Each each) {
    unsigned head = 0, count = 0;
    io_uring_cqe* completion = nullptr;
    io_uring_for_each_cqe(&ring_, head, completion) {
        ++count;
        each(*completion);
    }
    io_uring_cq_advance(&ring_, count);
}

/// Waits until the kernel touches no memory of ours any more.
inline void IoRing::cancel_all() noexcept {
    io_uring_sync_cancel_reg what{};
    what.flags = IORING_ASYNC_CANCEL_ANY | IORING_ASYNC_CANCEL_ALL;
    what.timeout.tv_sec = 1;
    what.timeout.tv_nsec = 0;
    (void)io_uring_register_sync_cancel(&ring_, &what);
}

}  // namespace hubbub::inline v0::detail
