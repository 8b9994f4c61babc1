#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <stdexcept>
#include <system_error>
#include <utility>
#include <vector>

#include <hubbub/core/exceptions.hpp>
#include <hubbub/transport/socket/readiness_engine.hpp>
#include <hubbub/transport/tcp/asio_loop.hpp>
#include <hubbub/transport/tcp/handler_memory.hpp>

namespace hubbub::inline v0::detail {

/// Sockets as Asio descriptors, for systems without epoll. Asio is only asked when a socket is ready; recv and send are
/// called directly, so that nothing reads offered bytes after `commit`.
///
/// What becomes ready in one round of the reactor is gathered and handled in one turn.
///
/// Cost: per read one recv and the reactor's call that waits again; about 300 bytes a connection.
class AsioEngine final : public ReadinessEngine {
   public:
    /// Errors: std::invalid_argument if the loop is no AsioLoop.
    explicit AsioEngine(ShardLoop& loop) : ReadinessEngine(loop), asio_(asio_loop(loop)), core_(std::make_shared<Core>()) {
        core_->engine = this;
    }
    ~AsioEngine() override {
        if (destroyed_) *destroyed_ = true;
        drop_listeners();
        core_->engine = nullptr;
    }

    std::string_view name() const noexcept override { return "asio"; }
    std::unique_ptr<ListenWatch> listen(int descriptor, ListenOwner& owner) override;

   private:
    class Listener;
    enum class Event : std::uint8_t { readable, writable };

    // What belongs to a slot and stays when connections come and go: a wait that was cancelled may still hold its memory.
    struct Entry {
        std::optional<AsioLoop::Descriptor> descriptor;
        std::uint32_t generation = 0;
        HandlerMemory read_memory;
    };
    struct Core {
        AsioEngine* engine = nullptr;  // null once it has gone
        std::deque<Entry> entries;
    };
    struct Ready {
        std::uint32_t slot;
        std::uint32_t generation;
        Event event;
    };
    struct ReadHandler;
    struct WriteHandler;

    static AsioLoop& asio_loop(ShardLoop& loop) {
        if (auto* found = static_cast<AsioLoop*>(loop.extension(&AsioLoop::key))) return *found;
        throw_exception(std::invalid_argument("the asio engine needs an AsioLoop; choose epoll or automatic for other loops"));
    }

    void arm(SocketState& state) override;
    void unwatch(SocketState& state, Leaving leaving) noexcept override;
    void on_event(Entry const& entry, Ready const& ready);
    void handle_ready();
    void dispatch(Ready ready, bool const& destroyed);

    AsioLoop& asio_;
    std::shared_ptr<Core> core_;
    std::vector<Ready> ready_, handling_;
    bool* destroyed_ = nullptr;  // set by the destructor while handle_ready is on the stack
};

// Both know their entry by address: Asio may ask for the allocator on any thread of the io_context.
struct AsioEngine::ReadHandler {
    using allocator_type = HandlerAllocator<std::byte>;
    std::shared_ptr<Core> core;
    Entry* entry;
    Ready ready;

    allocator_type get_allocator() const noexcept { return allocator_type({core, &entry->read_memory}); }
    void operator()(std::error_code) const {
        if (core->engine) core->engine->on_event(*entry, ready);
    }
};

struct AsioEngine::WriteHandler {
    std::shared_ptr<Core> core;
    Entry* entry;
    Ready ready;

    void operator()(std::error_code) const {
        if (core->engine) core->engine->on_event(*entry, ready);
    }
};

/// A listening socket under a descriptor of its own, because several loops may share one reactor, which knows each
/// descriptor once.
class AsioEngine::Listener final : public ListenWatch {
   public:
    Listener(AsioLoop& loop, int descriptor, ListenOwner& owner);
    ~Listener() override {
        state_->listener = nullptr;
        // Closing a duplicate does not take it out of the reactor, releasing it does.
        ::close(descriptor_.release());
    }

    void pause_for(Duration pause) override {
        paused_ = true;
        timer_.expires_after(pause);
        loop_.wait_in_loop(timer_, AsioLoop::WaitHandler{[state = state_](std::error_code error) {
                               if (error || !state->listener) return;
                               state->listener->paused_ = false;
                               state->listener->wait();
                           }});
    }

   private:
    struct State {
        Listener* listener = nullptr;  // null once it has gone
        ListenOwner* owner = nullptr;
    };

    void wait() {
        auto handler = [state = state_](std::error_code error) {
            if (!error && state->listener) on_ready(*state);
        };
        loop_.wait_in_loop(descriptor_, AsioLoop::WaitHandler{std::move(handler)}, AsioLoop::Descriptor::wait_read);
    }
    static void on_ready(State& state) {
        AsioLoop& loop = state.listener->loop_;
        loop.claim();
        loop.turn([&] {
            if (state.listener) state.owner->on_acceptable();
        });
        if (state.listener && !state.listener->paused_) state.listener->wait();
    }

    AsioLoop& loop_;
    AsioLoop::Descriptor descriptor_;
    AsioLoop::Timer timer_;
    std::shared_ptr<State> state_ = std::make_shared<State>();
    bool paused_ = false;
};

inline AsioEngine::Listener::Listener(AsioLoop& loop, int descriptor, ListenOwner& owner)
    : loop_(loop), descriptor_(loop.executor()), timer_(loop.executor()) {
    int const own = ::fcntl(descriptor, F_DUPFD_CLOEXEC, 0);
    if (own < 0) throw_exception(std::system_error(errno, std::generic_category(), "F_DUPFD_CLOEXEC for a listening socket"));
    std::error_code error;
    descriptor_.assign(own, error);
    if (error) {
        ::close(own);
        throw_exception(std::system_error(error, "waiting on a listening socket"));
    }
    state_->listener = this;
    state_->owner = &owner;
    wait();
}

inline std::unique_ptr<ListenWatch> AsioEngine::listen(int descriptor, ListenOwner& owner) {
    return std::make_unique<Listener>(asio_, descriptor, owner);
}

inline void AsioEngine::arm(SocketState& state) {
    if (!state.owner || state.lost || state.fresh) return;
    while (core_->entries.size() <= state.slot) core_->entries.emplace_back();
    Entry& entry = core_->entries[state.slot];
    if (!state.watched) {
        std::error_code error;
        entry.descriptor.emplace(asio_.executor());
        entry.descriptor->assign(state.descriptor, error);
        if (error) {
            entry.descriptor.reset();
            return lose_later(state);
        }
        state.watched = true;
    }
    if (state.wants_read() && !state.read_armed) {
        state.read_armed = true;
        ReadHandler handler{core_, &entry, {state.slot, entry.generation, Event::readable}};
        asio_.wait_in_loop(*entry.descriptor, std::move(handler), AsioLoop::Descriptor::wait_read);
    }
    if (state.wants_write() && !state.write_armed) {
        state.write_armed = true;
        WriteHandler handler{core_, &entry, {state.slot, entry.generation, Event::writable}};
        asio_.wait_in_loop(*entry.descriptor, AsioLoop::WaitHandler{std::move(handler)}, AsioLoop::Descriptor::wait_write);
    }
}

inline void AsioEngine::unwatch(SocketState& state, Leaving) noexcept {
    if (!state.watched) return;
    Entry& entry = core_->entries[state.slot];
    ++entry.generation;  // waits that end now mean nobody
    entry.descriptor->release();
    entry.descriptor.reset();
    state.watched = state.read_armed = state.write_armed = false;
}

/// Gathers: handlers of one round of the reactor run one after the other, what they post runs behind them.
inline void AsioEngine::on_event(Entry const& entry, Ready const& ready) {
    asio_.claim();
    if (entry.generation != ready.generation) return;
    ready_.push_back(ready);
    if (ready_.size() > 1) return;
    loop().post([this, engine = handle()] {
        if (!engine.expired()) handle_ready();
    });
}

inline void AsioEngine::handle_ready() {
    bool destroyed = false;
    destroyed_ = &destroyed;
    handling_.swap(ready_);
    slots().begin_batch();
    for (std::size_t i = 0; !destroyed && i < handling_.size(); ++i) dispatch(handling_[i], destroyed);
    if (destroyed) return;
    slots().end_batch();
    handling_.clear();
    destroyed_ = nullptr;
}

inline void AsioEngine::dispatch(Ready ready, bool const& destroyed) {
    if (core_->entries[ready.slot].generation != ready.generation) return;
    SocketState* state = slots().find(ready.slot);
    if (ready.event == Event::writable) {
        state->write_armed = false;
        if (!state->wants_write()) return;
        state->refused = false;
        return state->owner->on_writable();
    }
    state->read_armed = false;
    if (!state->wants_read()) return;
    receive(*state);
    if (destroyed) return;
    if ((state = slots().find(ready.slot))) arm(*state);
}

}  // namespace hubbub::inline v0::detail
