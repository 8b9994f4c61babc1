#pragma once

#include <memory>
#include <span>
#include <utility>

#include <hubbub/transport/connection.hpp>
#include <hubbub/transport/socket/socket_engine.hpp>
#include <hubbub/transport/socket/tcp_socket.hpp>
#include <hubbub/transport/tcp/tcp_driver.hpp>

namespace hubbub::inline v0 {
#ifdef HUBBUB_HAS_URING
inline namespace with_uring {
#endif

/// A TCP or Unix stream connection, on whichever engine its driver runs, plain or with TLS: see TlsContext.
///
/// `close` with bytes of the peer unread makes the system reset the connection, and the peer may miss what was written
/// last: who minds calls `shutdown` and reads to the end first.
///
/// Cost: 24 bytes, and 28 in the engine.
class TcpConnection {
   public:
    using Driver = TcpDriver;
    using Socket = TcpSocket;

    TcpConnection(TcpDriver& driver, TcpSocket socket) { driver.engine_for(socket).enter(state_, std::move(socket)); }
    TcpConnection(TcpConnection&& other) noexcept : state_(std::exchange(other.state_, {})) {
        state_.owner = nullptr;
        if (state_.descriptor >= 0) state_.engine->moved(state_);
    }
    TcpConnection& operator=(TcpConnection&&) = delete;
    ~TcpConnection() { close(); }

    void start(ByteConnectionOwner& owner) { state_.engine->start(state_, owner); }
    WriteResult write(std::span<ws::Slice const> slices) { return state_.engine->write(state_, slices); }
    void pause_reading() { state_.engine->pause(state_); }
    void resume_reading() { state_.engine->resume(state_); }
    void shutdown() { state_.engine->shutdown(state_); }
    void close() {
        if (state_.descriptor >= 0) state_.engine->close(state_);
    }
    void reset() {
        if (state_.descriptor >= 0) state_.engine->reset(state_);
    }
    TcpSocket detach() { return state_.engine->detach(state_); }

    /// What the client has shown of itself, if TLS asked for it and found it good; else null.
    std::shared_ptr<http::ClientCertificate const> certificate() const {
        return state_.descriptor >= 0 ? state_.engine->certificate(state_) : nullptr;
    }

    /// Bytes of memory that it takes beyond its own size: for TLS, else none.
    std::size_t footprint() const noexcept { return state_.descriptor >= 0 ? state_.engine->footprint(state_) : 0; }
    /// Family::none once it is closed.
    PeerAddress peer() const { return state_.descriptor >= 0 ? state_.engine->peer(state_) : PeerAddress{}; }

   private:
    detail::SocketState state_;
};

static_assert(ByteConnection<TcpConnection>);
static_assert(sizeof(TcpConnection) == 24);

#ifdef HUBBUB_HAS_URING
}  // namespace with_uring
#endif
}  // namespace hubbub::inline v0
