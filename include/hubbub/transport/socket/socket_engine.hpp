#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <hubbub/core/clock.hpp>
#include <hubbub/core/shard_loop.hpp>
#include <hubbub/http/client_certificate.hpp>
#include <hubbub/transport/connection.hpp>
#include <hubbub/transport/socket/slot_table.hpp>
#include <hubbub/transport/socket/tcp_socket.hpp>

namespace hubbub::inline v0 {

/// How a driver talks to the kernel.
enum class EngineKind : std::uint8_t {
    automatic,  ///< the best that this build and system have
    epoll,      ///< one level-triggered epoll per loop, over any ShardLoop; Linux
    asio,       ///< Asio's descriptors; portable, needs an AsioLoop
    uring,      ///< one io_uring per loop; a target of its own
};

namespace detail {

class SocketEngine;

/// What an engine keeps of a connection inside the connection.
struct SocketState {
    SocketEngine* engine = nullptr;
    ByteConnectionOwner* owner = nullptr;  // null before `start` and after a move
    int descriptor = -1;                   // -1: closed, detached or moved from
    std::uint32_t slot : 22 = 0;
    bool paused : 1 = false;
    bool ended : 1 = false;        // the peer has ended its side and the owner knows
    bool refused : 1 = false;      // the owner waits for on_writable
    bool lost : 1 = false;         // failed or on_lost: no more callbacks
    bool unread : 1 = false;       // the engine keeps bytes that come before all that the socket still has
    bool watched : 1 = false;      // engine: the kernel knows the descriptor
    bool read_armed : 1 = false;   // engine: readable will be reported, or bytes will come
    bool write_armed : 1 = false;  // engine: writable will be reported
    bool sending : 1 = false;      // engine: a send is prepared
    bool fresh : 1 = false;        // engine: it was accepted a moment ago and is read before it is watched

    bool wants_read() const noexcept { return owner && !paused && !ended && !lost && !unread; }
    bool wants_write() const noexcept { return owner && refused && !lost; }
};
static_assert(sizeof(SocketState) == 24);

/// Watches one listening descriptor; ends when destroyed.
struct ListenWatch {
    virtual ~ListenWatch() = default;
    /// Not ready for so long, however many wait.
    virtual void pause_for(Duration pause) = 0;
    /// Accepts no more, and is told of no connection any more; what the system has accepted for it is given to the owner before this
    /// returns. Inside a turn.
    virtual void finish() {}
};

/// Who accepts. An engine says that connections wait, or hands them over; each call is inside a turn.
struct ListenOwner {
    /// Connections wait: accept them.
    virtual void on_acceptable() = 0;
    /// One that the system has accepted, non-blocking and closed on exec; it is the owner's.
    virtual void on_accepted(int descriptor) = 0;
    /// The errno value of an accept that failed.
    virtual void on_accept_error(int error) = 0;

   protected:
    ~ListenOwner() = default;
};

/// What makes bytes move for all connections of one loop. It exists so that one connection class serves epoll, Asio and
/// io_uring, chosen at run time; a virtual call is free beside a system call.
///
/// Threading: the loop's thread, but `handle`.
/// Lifetime: outlives its connections. Not destroyed inside a callback of a connection; in a posted function or at the end
/// of a turn it may be.
class SocketEngine {
   public:
    explicit SocketEngine(ShardLoop& loop) : loop_(loop), handle_(std::make_shared<SocketEngine*>(this)) {}
    SocketEngine(SocketEngine const&) = delete;
    SocketEngine& operator=(SocketEngine const&) = delete;
    virtual ~SocketEngine() = default;

    virtual std::string_view name() const noexcept = 0;
    ShardLoop& loop() noexcept { return loop_; }
    /// Any thread may take it; the loop's thread finds out with it whether the engine still lives.
    std::weak_ptr<SocketEngine*> handle() const noexcept { return handle_; }

    virtual void enter(SocketState& state, TcpSocket socket) {
        state.slot = slots_.take(state, socket.peer()) & (SlotTable::max_slots - 1);
        state.engine = this;
        if (!socket.unread().empty()) keep_unread(state, socket.take_unread());
        state.descriptor = socket.release();
    }
    /// An acceptor's callbacks come between the two. What enters in them with bytes that wait may be read in the second.
    virtual void begin_accept() {}
    virtual void end_accept() {}
    /// `state` is where the connection lives now; it has no owner until `start`.
    virtual void moved(SocketState& state) noexcept { slots_.find(state.slot) = &state; }
    PeerAddress const& peer(SocketState const& state) const noexcept { return slots_.peer(state.slot); }

    virtual void start(SocketState& state, ByteConnectionOwner& owner) = 0;
    virtual WriteResult write(SocketState& state, std::span<ws::Slice const> slices) = 0;
    virtual void pause(SocketState& state) = 0;
    virtual void resume(SocketState& state) = 0;
    virtual void shutdown(SocketState& state) = 0;
    virtual void close(SocketState& state) = 0;
    virtual void reset(SocketState& state) = 0;
    virtual TcpSocket detach(SocketState& state) = 0;
    virtual void commit() = 0;
    /// As of a Driver.
    virtual bool writes_at_once() const noexcept = 0;
    /// Bytes that clients make it keep, beside what each connection has anyway.
    virtual std::size_t footprint() const noexcept { return 0; }
    /// Bytes of memory that the connection takes beyond its states: TLS.
    virtual std::size_t footprint(SocketState const&) const noexcept { return 0; }
    /// Of the client, where it has shown one that was found good.
    virtual std::shared_ptr<http::ClientCertificate const> certificate(SocketState const&) const { return nullptr; }
    /// `on_writable` follows when there is room, as if something had been refused.
    void want_writable(SocketState& state) {
        state.refused = true;
        arm(state);
    }

    /// Tells `owner`, who outlives the watch, of connections that wait.
    ///
    /// Errors: std::system_error.
    virtual std::unique_ptr<ListenWatch> listen(int descriptor, ListenOwner& owner) = 0;

    /// What listens on this engine lives until the engine goes or `drop` is called.
    void keep(std::shared_ptr<void> listener) { listeners_.push_back(std::move(listener)); }
    void drop(void const* listener) {
        std::erase_if(listeners_, [&](auto const& kept) { return kept.get() == listener; });
    }

   protected:
    SlotTable& slots() noexcept { return slots_; }

    /// The owner gets these bytes before it gets anything from the socket. They are behind those that are kept already.
    void keep_unread(SocketState& state, std::vector<std::byte> bytes) {
        auto& kept = unread_[state.slot];
        kept.insert(kept.end(), bytes.begin(), bytes.end());
        state.unread = true;
    }
    std::vector<std::byte> take_unread(SocketState& state) {
        if (!state.unread) return {};
        state.unread = false;
        return std::move(unread_.extract(state.slot).mapped());
    }
    /// Brings them in a turn of its own, if they may be read then; and arms who lives after it.
    void bring_unread_later(SocketState const& state) {
        loop().post([this, engine = handle(), slot = state.slot] {
            if (!engine.expired()) bring_unread(slot);
        });
    }
    /// Makes sure that what the state wants will be reported; called when it wants more than before. Does not call back.
    virtual void arm(SocketState& state) = 0;

    /// The destructor of each model calls it first: what listens unregisters itself.
    void drop_listeners() noexcept { listeners_.clear(); }

   private:
    void bring_unread(std::uint32_t slot) {
        SocketState* state = slots_.find(slot);
        if (!state || !state->unread || !state->owner || state->paused || state->lost) return;
        auto bytes = take_unread(*state);
        std::weak_ptr<SocketEngine*> const alive = handle_;
        state->owner->on_bytes(bytes);
        if (alive.expired()) return;
        if ((state = slots_.find(slot))) arm(*state);
    }

    ShardLoop& loop_;
    SlotTable slots_;
    std::unordered_map<std::uint32_t, std::vector<std::byte>> unread_;  // by slot; of very few
    std::vector<std::shared_ptr<void>> listeners_;
    std::shared_ptr<SocketEngine*> handle_;
};

}  // namespace detail
}  // namespace hubbub::inline v0
