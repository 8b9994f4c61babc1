#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <hubbub/core/peer_address.hpp>
#include <hubbub/ws/close_code.hpp>
#include <hubbub/ws/opcode.hpp>

namespace hubbub::inline v0 {

struct MemoryEndpoint;

/// How a MemoryConnection treats what it is offered: as each kind of real transport does.
enum class MemoryMode : std::uint8_t {
    direct,    ///< like a socket under epoll: takes what fits, holds nothing
    deferred,  ///< like io_uring: says how much was written only when the turn is committed
    records,   ///< like TLS: seals records and holds the rest of one that left by half
};

/// The network and the client at the other end of a MemoryConnection, as a script: it has room for so many bytes, hands over
/// bytes when told to, and keeps all that it was sent.
///
/// Lifetime: shared by the connection and the test, so that either may go first.
struct MemoryWire {
    static constexpr std::size_t unlimited = std::numeric_limits<std::size_t>::max();

    /// What a message-mode peer sends.
    struct Event {
        enum class Kind : std::uint8_t { message, pong, close } kind;
        ws::Opcode opcode;
        CloseCode code;
        std::string payload;
    };

    MemoryMode mode = MemoryMode::direct;
    PeerAddress peer;
    MemoryEndpoint* endpoint = nullptr;  ///< the connection at the server's end, while there is one that has been started
    std::size_t room = unlimited;        ///< bytes that the network takes before it is full
    std::string received;                ///< all that the client got, in order
    std::string to_server;               ///< bytes that are under way to the server
    std::deque<Event> events;            ///< the same for a message-mode connection
    bool client_ended = false;           ///< the client will send no more
    bool lost = false;                   ///< the network or the client is gone
    bool server_ended = false;           ///< the server has shut down its sending side
    bool server_closed = false;          ///< the server has closed
    bool was_reset = false;              ///< ... by a reset
    std::uint64_t writes = 0;            ///< calls of `write`: one a turn is the promise

    /// Takes as much as there is room for; the client gets it.
    std::size_t put(std::string_view bytes) {
        std::size_t const taken = bytes.size() < room ? bytes.size() : room;
        if (room != unlimited) room -= taken;
        received.append(bytes.substr(0, taken));
        return taken;
    }
};

/// A connection that no driver watches yet: what `MemoryConnection` is made of. Who drops it closes it, as with a descriptor.
struct MemorySocket {
    MemorySocket() : wire(std::make_shared<MemoryWire>()) {}
    explicit MemorySocket(std::shared_ptr<MemoryWire> of) : wire(std::move(of)) {}
    MemorySocket(MemorySocket&&) noexcept = default;
    MemorySocket& operator=(MemorySocket&& other) noexcept {
        std::swap(wire, other.wire);
        return *this;
    }
    ~MemorySocket() {
        if (wire) wire->server_closed = true;
    }

    std::shared_ptr<MemoryWire> wire;

    PeerAddress peer() const { return wire->peer; }
};

}  // namespace hubbub::inline v0
