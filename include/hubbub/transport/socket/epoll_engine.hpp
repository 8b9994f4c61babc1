#pragma once

#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <memory>
#include <system_error>
#include <utility>
#include <vector>

#include <hubbub/core/exceptions.hpp>
#include <hubbub/transport/socket/readiness_engine.hpp>

namespace hubbub::inline v0::detail {

/// One level-triggered epoll per loop, whose descriptor the loop watches: no system call to arm a read, and none of it
/// belongs to the loop, so that it runs over any of them.
///
/// Interest is given up late: a paused socket, or one whose peer has ended, is taken out when it reports something that
/// nobody wants, so that pausing and resuming cost nothing where nothing comes in between.
///
/// Cost: per 64 events one epoll_wait, per 512 one turn; per read one recv. After a turn of 8 events or less one more epoll_wait.
class EpollEngine final : public ReadinessEngine {
   public:
    explicit EpollEngine(ShardLoop& loop);
    ~EpollEngine() override {
        if (destroyed_) *destroyed_ = true;
        drop_listeners();
        watch_.reset();
        ::close(epoll_);
    }

    std::string_view name() const noexcept override { return "epoll"; }
    std::unique_ptr<ListenWatch> listen(int descriptor, ListenOwner& owner) override;

   private:
    EpollEngine(ShardLoop& loop, int epoll) : ReadinessEngine(loop), epoll_(epoll) {}

    class Listener;
    enum class Source : std::uint8_t { connection, listener, timer };

    // So few that what the kernel has looked at to report a socket is still in the processor's cache when the socket is read.
    static constexpr int batch_size = 64;
    static constexpr int max_batches = 8;  // of a turn
    static constexpr int few = 8;          // sockets, for which to go round in the loop costs as much as to ask again
    static constexpr int max_turns = 8;    // then the loop's other work has its turn

    void arm(SocketState& state) override { set_interest(state, state.wants_read(), state.wants_write()); }
    void unwatch(SocketState& state, Leaving leaving) noexcept override;
    void set_interest(SocketState& state, bool read, bool write);

    int wait() noexcept { return ::epoll_wait(epoll_, events_.data(), batch_size, 0); }
    void on_ready();
    bool dispatch_turn(int count, bool const& destroyed);
    void dispatch(epoll_event const& event, bool const& destroyed);
    void dispatch_connection(std::uint32_t slot, std::uint32_t events, bool const& destroyed);
    void give_up_interest(SocketState& state, std::uint32_t events);

    static epoll_data_t tag(Source source, std::uint32_t index) noexcept {
        epoll_data_t data{};
        data.u64 = std::uint64_t{static_cast<std::uint8_t>(source)} << 32 | index;
        return data;
    }

    int epoll_ = -1;
    std::unique_ptr<Watch> watch_;
    std::array<epoll_event, batch_size> events_;
    std::vector<Listener*> listening_;
    std::uint32_t next_listener_ = 0;
    bool* destroyed_ = nullptr;  // set by the destructor while on_ready is on the stack
};

/// A listening descriptor in the epoll, and a timer that brings it back after a pause. The timer exists from the beginning:
/// when it is needed there are no descriptors left.
class EpollEngine::Listener final : public ListenWatch {
   public:
    Listener(EpollEngine& engine, int descriptor, ListenOwner& owner)
        : engine_(engine), number_(engine.next_listener_++), descriptor_(descriptor), owner_(owner) {
        timer_ = ::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
        if (timer_ < 0) throw_exception(std::system_error(errno, std::generic_category(), "timerfd_create"));
        epoll_event event{.events = EPOLLIN, .data = tag(Source::timer, number_)};
        if (::epoll_ctl(engine_.epoll_, EPOLL_CTL_ADD, timer_, &event) != 0 || !watch()) {
            int const error = errno;
            ::close(timer_);
            throw_exception(std::system_error(error, std::generic_category(), "epoll_ctl for a listening socket"));
        }
        engine_.listening_.push_back(this);
    }
    ~Listener() override {
        unwatch();
        ::close(timer_);
        std::erase(engine_.listening_, this);
    }

    std::uint32_t number() const noexcept { return number_; }
    void finish() override { unwatch(); }

    void pause_for(Duration pause) override {
        unwatch();
        auto const seconds = std::chrono::duration_cast<std::chrono::seconds>(pause);
        itimerspec when{};
        when.it_value.tv_sec = static_cast<time_t>(seconds.count());
        when.it_value.tv_nsec = static_cast<long>(std::chrono::nanoseconds(pause - seconds).count());
        (void)::timerfd_settime(timer_, 0, &when, nullptr);
    }

    void on_event(Source source) {
        if (source == Source::listener) {
            if (watched_) owner_.on_acceptable();
            return;
        }
        std::uint64_t expirations = 0;
        if (::read(timer_, &expirations, sizeof expirations) <= 0) return;
        if (!watched_ && !watch()) pause_for(std::chrono::seconds(1));
    }

   private:
    bool watch() {
        // With several loops on one socket not all of them need to wake up for each connection.
        epoll_event event{.events = EPOLLIN | EPOLLEXCLUSIVE, .data = tag(Source::listener, number_)};
        watched_ = ::epoll_ctl(engine_.epoll_, EPOLL_CTL_ADD, descriptor_, &event) == 0;
        return watched_;
    }
    void unwatch() noexcept {
        if (std::exchange(watched_, false)) (void)::epoll_ctl(engine_.epoll_, EPOLL_CTL_DEL, descriptor_, nullptr);
    }

    EpollEngine& engine_;
    std::uint32_t number_;
    int descriptor_;
    int timer_ = -1;
    bool watched_ = false;
    ListenOwner& owner_;
};

// It calls another constructor first, so that the destructor cleans up where `watch` throws.
inline EpollEngine::EpollEngine(ShardLoop& loop) : EpollEngine(loop, ::epoll_create1(EPOLL_CLOEXEC)) {
    if (epoll_ < 0) throw_exception(std::system_error(errno, std::generic_category(), "epoll_create1"));
    watch_ = loop.watch(epoll_, [this] { on_ready(); });
}

inline std::unique_ptr<ListenWatch> EpollEngine::listen(int descriptor, ListenOwner& owner) {
    return std::make_unique<Listener>(*this, descriptor, owner);
}

inline void EpollEngine::on_ready() {
    bool destroyed = false;
    destroyed_ = &destroyed;
    bool more = true;
    for (int turns = 0; more && turns < max_turns; ++turns) {
        // Before the wait: what it reports is looked at behind the posted functions of the turn, which may close and adopt.
        slots().begin_batch();
        int const count = wait();
        more = count > 0;
        if (more) loop().turn([&] { more = !destroyed && dispatch_turn(count, destroyed); });
        if (destroyed) return;
        slots().end_batch();
    }
    destroyed_ = nullptr;
}

/// The batch that was waited for and those behind it. True: ask for more at once.
inline bool EpollEngine::dispatch_turn(int count, bool const& destroyed) {
    for (int batch = 1;; ++batch) {
        for (int i = 0; i < count && !destroyed; ++i) dispatch(events_[static_cast<std::size_t>(i)], destroyed);
        if (destroyed) return false;
        if (count < batch_size) return batch == 1 && count <= few;
        if (batch == max_batches) return true;
        count = wait();
    }
}

inline void EpollEngine::dispatch(epoll_event const& event, bool const& destroyed) {
    auto const index = static_cast<std::uint32_t>(event.data.u64);
    auto const source = static_cast<Source>(event.data.u64 >> 32);
    if (source == Source::connection) [[likely]]
        return dispatch_connection(index, event.events, destroyed);
    auto const found = std::find_if(listening_.begin(), listening_.end(), [&](auto* each) { return each->number() == index; });
    if (found != listening_.end()) (*found)->on_event(source);
}

inline void EpollEngine::dispatch_connection(std::uint32_t slot, std::uint32_t events, bool const& destroyed) {
    SocketState* state = slots().find(slot);
    if (!state) [[unlikely]]  // closed since it was reported
        return;
    constexpr std::uint32_t broken = EPOLLHUP | EPOLLERR;
    std::uint32_t unwanted = events;
    if (events & (EPOLLOUT | broken) && state->wants_write()) [[unlikely]] {
        unwanted &= ~(EPOLLOUT | broken);
        state->refused = false;
        state->owner->on_writable();
        if (destroyed || !(state = slots().find(slot))) return;
    }
    if (events & (EPOLLIN | broken) && state->wants_read()) [[likely]] {
        unwanted &= ~(EPOLLIN | broken);
        receive(*state);
        if (destroyed || !(state = slots().find(slot))) return;
    }
    if (unwanted && state->watched) [[unlikely]]
        give_up_interest(*state, unwanted);
}

inline void EpollEngine::give_up_interest(SocketState& state, std::uint32_t events) {
    // An error is no end of the stream: there is nothing left to wait for, even if reading is paused.
    if (events & EPOLLERR && state.owner) return lose(state);
    // Both sides have ended, or nobody owns the connection at the moment; these two cannot be masked.
    if (events & (EPOLLHUP | EPOLLERR)) return unwatch(state, Leaving::to_live);
    set_interest(state, state.read_armed && !(events & EPOLLIN), state.write_armed && !(events & EPOLLOUT));
}

inline void EpollEngine::set_interest(SocketState& state, bool read, bool write) {
    if (state.fresh || (!state.owner && !state.watched)) return;
    if (state.lost || (state.watched && state.read_armed == read && state.write_armed == write)) return;
    epoll_event event{};
    event.events = (read ? std::uint32_t{EPOLLIN} : 0u) | (write ? std::uint32_t{EPOLLOUT} : 0u);
    event.data = tag(Source::connection, state.slot);
    if (::epoll_ctl(epoll_, state.watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, state.descriptor, &event) != 0)
        return lose_later(state);
    state.watched = true;
    state.read_armed = read;
    state.write_armed = write;
}

inline void EpollEngine::unwatch(SocketState& state, Leaving leaving) noexcept {
    // A descriptor that is about to be closed leaves the epoll by itself.
    if (state.watched && leaving == Leaving::to_live) (void)::epoll_ctl(epoll_, EPOLL_CTL_DEL, state.descriptor, nullptr);
    state.watched = state.read_armed = state.write_armed = false;
}

}  // namespace hubbub::inline v0::detail
