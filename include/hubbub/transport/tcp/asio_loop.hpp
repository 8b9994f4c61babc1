#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>

#include <asio/basic_waitable_timer.hpp>
#include <asio/bind_executor.hpp>
#include <asio/io_context.hpp>
#include <asio/posix/basic_stream_descriptor.hpp>
#include <asio/post.hpp>
#include <asio/strand.hpp>

#include <hubbub/core/shard_loop.hpp>
#include <hubbub/transport/tcp/handler_memory.hpp>

namespace hubbub::inline v0 {

/// How many threads run the io_context of an AsioLoop.
enum class Threading : std::uint8_t {
    one_thread,       ///< at a time
    several_threads,  ///< the loop is a strand
};

/// A loop in the io_context of a host.
///
/// With one thread the loop belongs to the thread that ran it last; before it ran at all, or to hand it over, a thread
/// may claim it with `claim`.
///
/// Threading: as every ShardLoop. Destroyed on its thread (in its strand) or when the io_context does not run.
/// Lifetime: the io_context outlives the loop, or destroys it with a handler that owns it. Handlers that are still
/// pending when the loop goes do nothing; posted functions that never ran go with the loop.
/// Cost: a turn that is asked for is one asio::post without an allocation (in a strand: one).
/// Example: `asio::io_context context; hubbub::AsioLoop loop{context};`
class AsioLoop final : public ShardLoop {
   public:
    using Executor = asio::io_context::executor_type;
    using Descriptor = asio::posix::basic_stream_descriptor<Executor>;
    using Timer = asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>, Executor>;

    /// Any handler of a wait.
    struct WaitHandler {
        UniqueFunction<void(std::error_code)> function;
        void operator()(std::error_code error) { function(error); }
    };

    /// For `extension`: the answer is a pointer to the AsioLoop.
    static inline constexpr char key = 0;

    explicit AsioLoop(asio::io_context& context, Threading threading = Threading::one_thread);
    ~AsioLoop() override {
        drop_posted();
        core_->loop = nullptr;
    }

    /// Destroys a loop behind what was posted to it, or with the io_context.
    static void dispose(std::unique_ptr<AsioLoop> loop);

    TimePoint now() const noexcept override { return std::chrono::steady_clock::now(); }
    bool runs_here() const noexcept override {
        return strand_ ? strand_->running_in_this_thread()
                       : thread_.load(std::memory_order_relaxed) == std::this_thread::get_id();
    }
    void wake_at(TimePoint when) override;
    std::unique_ptr<Watch> watch(int descriptor, UniqueFunction<void()> ready) override;
    void* extension(void const* wanted) noexcept override { return wanted == &key ? this : nullptr; }

    /// The calling thread is the one that runs the loop from now on. Without effect on a strand.
    void claim() noexcept {
        if (!strand_ && !runs_here()) thread_.store(std::this_thread::get_id(), std::memory_order_relaxed);
    }

    asio::io_context& context() noexcept { return context_; }
    Threading threading() const noexcept { return strand_ ? Threading::several_threads : Threading::one_thread; }
    Executor executor() noexcept { return context_.get_executor(); }

    /// Waits on an Asio object in this loop: the handler runs on the loop's thread, outside of a turn.
    ///
    /// Cost: what Asio makes of a wait takes long to compile, once for each type of handler. So each type has one only for the loop
    /// that counts, which is no strand, and a handler for which speed matters little is best given as a `WaitHandler`.
    template <class Object, class... Arguments, class Handler>
    void wait_in_loop(Object& object, Handler handler, Arguments... arguments) {
        if (strand_)
            object.async_wait(arguments..., asio::bind_executor(*strand_, WaitHandler{std::move(handler)}));
        else
            object.async_wait(arguments..., std::move(handler));
    }

   private:
    class DescriptorWatch;

    // What handlers hold on to. `loop` is null once the loop has gone.
    struct Core {
        AsioLoop* loop;
        detail::HandlerMemory posted;
        detail::HandlerMemory timer;
    };
    struct PostHandler;
    struct TimerHandler;

    void schedule() override;
    void set_timer(TimePoint when);
    void on_timer();

    asio::io_context& context_;
    std::optional<asio::strand<Executor>> strand_;
    std::atomic<std::thread::id> thread_{};
    std::shared_ptr<Core> core_;
    Timer timer_;
    TimePoint wanted_ = TimePoint::max();
    TimePoint armed_ = TimePoint::max();
    std::uint32_t timer_number_ = 0;
};

inline void AsioLoop::dispose(std::unique_ptr<AsioLoop> loop) {
    AsioLoop& it = *loop;
    auto destroy = [loop = std::move(loop)] {};
    if (it.strand_)
        asio::post(*it.strand_, std::move(destroy));
    else
        asio::post(it.executor(), std::move(destroy));
}

struct AsioLoop::PostHandler {
    using allocator_type = detail::HandlerAllocator<std::byte>;
    std::shared_ptr<Core> core;

    allocator_type get_allocator() const noexcept { return allocator_type({core, &core->posted}); }
    void operator()() const {
        if (!core->loop) return;
        core->loop->claim();
        core->loop->run_scheduled_turn();
    }
};

struct AsioLoop::TimerHandler {
    using allocator_type = detail::HandlerAllocator<std::byte>;
    std::shared_ptr<Core> core;
    std::uint32_t number;

    allocator_type get_allocator() const noexcept { return allocator_type({core, &core->timer}); }
    void operator()(std::error_code) const {
        // Not the error but the number tells whether this wait is the current one: a timer that has expired already can
        // no longer be cancelled.
        if (!core->loop || core->loop->timer_number_ != number) return;
        core->loop->claim();
        core->loop->on_timer();
    }
};

/// One descriptor in the reactor of the io_context; never closes it.
class AsioLoop::DescriptorWatch final : public Watch {
   public:
    DescriptorWatch(std::shared_ptr<Core> core, int descriptor, UniqueFunction<void()> ready)
        : core_(std::move(core)), descriptor_(core_->loop->executor(), descriptor), state_(std::make_shared<State>()) {
        state_->watch = this;
        state_->ready = std::move(ready);
        wait();
    }
    ~DescriptorWatch() override {
        state_->watch = nullptr;
        descriptor_.release();
        if (!state_->running) state_->ready = nullptr;
    }

   private:
    struct State {
        DescriptorWatch* watch = nullptr;  // null once it has gone
        bool running = false;
        UniqueFunction<void()> ready;
        detail::HandlerMemory memory;
    };
    struct Handler {
        using allocator_type = detail::HandlerAllocator<std::byte>;
        std::shared_ptr<State> state;

        allocator_type get_allocator() const noexcept { return allocator_type({state, &state->memory}); }
        void operator()(std::error_code error) const {
            if (!state->watch || error || !state->watch->core_->loop) return;
            state->watch->core_->loop->claim();
            state->running = true;
            state->ready();
            state->running = false;
            if (state->watch)
                state->watch->wait();
            else
                state->ready = nullptr;
        }
    };

    void wait() { core_->loop->wait_in_loop(descriptor_, Handler{state_}, Descriptor::wait_read); }

    std::shared_ptr<Core> core_;
    Descriptor descriptor_;
    std::shared_ptr<State> state_;
};

inline AsioLoop::AsioLoop(asio::io_context& context, Threading threading)
    : context_(context), core_(std::make_shared<Core>()), timer_(context.get_executor()) {
    core_->loop = this;
    if (threading == Threading::several_threads) strand_.emplace(context.get_executor());
}

inline void AsioLoop::schedule() {
    if (strand_)
        asio::post(*strand_, PostHandler{core_});
    else
        asio::post(context_.get_executor(), PostHandler{core_});
}

inline std::unique_ptr<Watch> AsioLoop::watch(int descriptor, UniqueFunction<void()> ready) {
    return std::make_unique<DescriptorWatch>(core_, descriptor, std::move(ready));
}

inline void AsioLoop::wake_at(TimePoint when) {
    wanted_ = when;
    if (when == TimePoint::max()) {
        // Cancelled for good, so that an io_context with nothing else to do may return from run().
        if (std::exchange(armed_, TimePoint::max()) != TimePoint::max()) {
            ++timer_number_;
            timer_.cancel();
        }
    } else if (when < armed_) {
        set_timer(when);
    }
    // Later than what is armed: the wait that ends too early looks at `wanted_` and goes on.
}

inline void AsioLoop::set_timer(TimePoint when) {
    armed_ = when;
    timer_.expires_at(when);
    wait_in_loop(timer_, TimerHandler{core_, ++timer_number_});
}

inline void AsioLoop::on_timer() {
    armed_ = TimePoint::max();
    if (wanted_ > now()) {
        if (wanted_ != TimePoint::max()) set_timer(wanted_);
        return;
    }
    wanted_ = TimePoint::max();
    run_wake();
}

}  // namespace hubbub::inline v0
