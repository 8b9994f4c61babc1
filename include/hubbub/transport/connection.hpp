#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include <hubbub/core/peer_address.hpp>
#include <hubbub/core/shard_loop.hpp>
#include <hubbub/ws/block.hpp>
#include <hubbub/ws/close_code.hpp>
#include <hubbub/ws/decoder.hpp>
#include <hubbub/ws/message_view.hpp>

namespace hubbub::inline v0 {

/// What a connection did with the slices that it was offered, in bytes from the front. The rest was refused.
struct WriteResult {
    std::uint32_t taken = 0;  ///< out; the connection reads them no more
    std::uint32_t held = 0;   ///< in the connection's hands until `on_written`
    bool failed = false;      ///< the connection is lost; nothing else counts
};

/// What every connection tells the session that owns it.
struct ConnectionOwner {
    /// Once, after something was refused and there is room again.
    virtual void on_writable() noexcept = 0;
    /// Settles all of `held`: `taken` bytes are out, the rest is the owner's again.
    virtual void on_written(std::uint32_t taken) noexcept = 0;
    /// Peer or network gone; at most once, and nothing comes after it.
    virtual void on_lost() noexcept = 0;

   protected:
    ~ConnectionOwner() = default;
};

/// The owner of a ByteConnection.
struct ByteConnectionOwner : ConnectionOwner {
    /// Writable (it is unmasked in place), valid until return. Empty: the peer has ended its side (half-close).
    virtual void on_bytes(std::span<std::byte> borrowed) noexcept = 0;

   protected:
    ~ByteConnectionOwner() = default;
};

/// The owner of a MessageConnection: the protocol engine below has decoded already.
struct MessageConnectionOwner : ConnectionOwner {
    virtual void on_message(MessageView message) noexcept = 0;
    virtual void on_pong(std::span<std::byte const> payload) noexcept = 0;
    virtual void on_peer_close(CloseCode code, std::string_view reason) noexcept = 0;
    /// The peer broke the protocol, and the engine below has said so with this Close: nothing more is read.
    virtual void on_peer_violation(CloseCode code, std::string_view reason) noexcept = 0;

   protected:
    ~MessageConnectionOwner() = default;
};

/// What a transport needs once per shard: an engine, a ring, buffers. It exists so that all writes of a turn can leave
/// together.
///
/// Exemplar:
///     struct DriverExemplar {
///         struct Options {};
///         DriverExemplar(ShardLoop&, Options const&);
///         void commit();
///         bool writes_at_once() const;  // may be left out
///     };
///
/// `writes_at_once`: its connections write when they are told to, and not at `commit`. Then what a session is sent while it is heard
/// leaves before the next one is heard, if there is nothing of its topics to go with it.
///
/// Required behaviour:
/// - What the connections of this driver were offered before `commit` is read no more when it has returned: what a
///   connection still holds it has copied.
/// - Events of its connections are delivered inside `ShardLoop::turn` only.
/// - It outlives its connections, and is destroyed on the loop's thread or when the loop no longer runs.
template <class T>
concept Driver = requires(T& driver) {
    typename T::Options;
    requires std::constructible_from<T, ShardLoop&, typename T::Options const&>;
    driver.commit();
};

/// False for a driver that does not say.
template <class T>
bool writes_at_once(T const& driver) noexcept {
    if constexpr (requires { driver.writes_at_once(); })
        return driver.writes_at_once();
    else
        return false;
}

/// One open byte stream or message channel to a client, as a session sees it. It exists so that a hub runs over sockets,
/// TLS, foreign protocol engines and memory alike.
///
/// Exemplar:
///     struct ConnectionExemplar {
///         using Driver = DriverExemplar;
///         using Socket = SocketExemplar;                // movable: a connection that no driver watches, with `peer()`
///         ConnectionExemplar(Driver&, Socket);
///         ConnectionExemplar(ConnectionExemplar&&);     // keeps what is registered; `start` again with the new owner
///         void start(Owner&);
///         WriteResult write(std::span<ws::Slice const>);
///         void pause_reading();
///         void resume_reading();
///         void shutdown();
///         void close();
///         void reset();
///         Socket detach();
///         PeerAddress peer() const;
///     };
///
/// Required behaviour:
/// - `taken + held` never exceeds what was offered. If it is less (and not `failed`), exactly one `on_writable` follows,
///   after any `on_written`; the connection arms that itself.
/// - `held > 0` is followed by exactly one `on_written`, never from inside the `write` that returned it; no `write` comes
///   while something is held.
/// - `write`, `on_written` and `on_writable` run no user code.
/// - After `failed` no callback comes; the owner calls `close`.
/// - `shutdown` ends the sending side after what was taken; reading goes on, until `on_bytes` with nothing or `on_lost`.
/// - `close` is silent and idempotent, allowed in every callback, also of another connection; nothing comes after it.
///   What was taken still reaches the peer. `reset` is the same, but throws away what the peer has not read.
/// - `pause_reading` and `resume_reading` are idempotent; while paused no `on_bytes` begins. Writing goes on.
/// - `detach` at a quiet moment (nothing held): the connection is as if closed, and the socket can be given to another driver
///   of the same kind, on another thread. No byte is lost by it.
/// - A moved-from connection may only be destroyed. A move happens at a quiet moment on the loop's thread; until `start` is
///   called on the new one no callback comes, and none is lost.
/// - Destruction closes.
template <class T>
concept BasicConnection = std::move_constructible<T> && std::movable<typename T::Socket> && Driver<typename T::Driver> &&
                          std::constructible_from<T, typename T::Driver&, typename T::Socket> &&
                          requires(T& connection, T const& constant, std::span<ws::Slice const> slices) {
                              { connection.write(slices) } -> std::same_as<WriteResult>;
                              connection.pause_reading();
                              connection.resume_reading();
                              connection.shutdown();
                              connection.close();
                              connection.reset();
                              { connection.detach() } -> std::same_as<typename T::Socket>;
                              { constant.peer() } -> std::same_as<PeerAddress>;
                          };

/// A connection that brings bytes; the session decodes them, with its `Decoder` if it names one (ws::MessageDecoder). Models:
/// MemoryConnection, TcpConnection, OneOf, WebsocketppConnection.
template <class T>
concept ByteConnection = BasicConnection<T> && requires(T& connection, ByteConnectionOwner& owner) { connection.start(owner); };

namespace detail {
template <class Conn>
struct NamedDecoder {
    using type = ws::Decoder;
};
template <class Conn>
    requires requires { typename Conn::Decoder; }
struct NamedDecoder<Conn> {
    using type = typename Conn::Decoder;
};
}  // namespace detail

/// What the bytes of a ByteConnection are decoded with.
template <class Conn>
using DecoderOf = typename detail::NamedDecoder<Conn>::type;

/// A connection whose engine below owns the protocol's state, so that it brings messages and writes control frames itself.
/// Models: MemoryMessageConnection.
///
/// Required behaviour, beyond that of every connection:
/// - `on_message` has passed all checks of RFC 6455; pings were answered below.
/// - `send_ping` and `send_close` go out behind what `write` took before; after `send_close` no `write` comes.
template <class T>
concept MessageConnection =
    BasicConnection<T> && requires(T& connection, MessageConnectionOwner& owner, std::span<std::byte const> payload) {
        connection.start(owner);
        connection.send_ping(payload);
        connection.send_close(CloseCode::normal, std::string_view{});
    };

/// A connection of which only running tells which of the two it is: bytes, unless `has_engine()`. Models: OneOf of both kinds.
template <class T>
concept EitherConnection =
    ByteConnection<T> && requires(T& connection, T const& constant, ByteConnectionOwner& of_bytes,
                                  MessageConnectionOwner& of_messages, std::span<std::byte const> payload) {
        connection.start(of_bytes, of_messages);
        { constant.has_engine() } -> std::same_as<bool>;
        connection.send_ping(payload);
        connection.send_close(CloseCode::normal, std::string_view{});
    };

/// Either of the two.
template <class T>
concept Connection = ByteConnection<T> || MessageConnection<T>;

}  // namespace hubbub::inline v0
