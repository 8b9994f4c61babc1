#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <hubbub/core/ids.hpp>
#include <hubbub/hub/close_info.hpp>
#include <hubbub/testing/server_stream.hpp>
#include <hubbub/transport/memory/manual_loop.hpp>
#include <hubbub/transport/memory/memory_wire.hpp>
#include <hubbub/ws/encoder.hpp>
#include <hubbub/ws/message_view.hpp>

namespace hubbub::inline v0::testing {

/// What a simulated client and its network are like.
struct ClientOptions {
    MemoryMode mode = MemoryMode::direct;  ///< how its connection treats what it is offered
    std::string target = "/";
    std::string headers{};  ///< further lines of the request, each with its CR LF
    std::string request{};  ///< the whole request, instead of all that; empty for one that is right
    PeerAddress peer{};     ///< where it comes from; by default each client has an address of its own
    std::size_t shard = 0;  ///< whose loop accepts it
    Duration latency{};     ///< what it sends arrives that much later
    std::size_t largest_piece = std::numeric_limits<std::size_t>::max();  ///< bytes that arrive at once, at most
    ServerStream::Inflate inflate{};  ///< for one that offers permessage-deflate, in `headers`
    bool answers = true;              ///< pings with pongs, a Close with a Close, and the server's end with its own
};

/// One client of a simulation, as a handle: copies mean the same client. What it sends arrives when the simulation runs.
///
/// Threading: the simulation's thread, in hooks too. Lifetime: may outlive the hub, the simulation outlives it.
class Client {
   public:
    // ---- what the client does

    void send_text(std::string_view text) { send(MessageView::text(text)); }
    void send(MessageView message) { put(ws::ClientFrame::make(message.opcode(), message.view())); }
    void ping(std::string_view payload = {}) { put(ws::ClientFrame::make(ws::Opcode::ping, payload)); }
    /// Sends a Close. With `options.answers` its end follows when the server has ended.
    void close(CloseCode code = CloseCode::normal, std::string_view reason = {}) {
        std::array<std::byte, ws::max_control_payload> payload;
        std::size_t const size = ws::encode_close_payload(payload, code, reason);
        put(ws::ClientFrame::make(ws::Opcode::close, {reinterpret_cast<char const*>(payload.data()), size}));
        state_->has_closed = true;
    }
    /// Bytes as they are: frames that are wrong, or the half of one.
    void send_bytes(std::string bytes) {
        State& it = *state_;
        if (it.wire->lost || it.wire->client_ended || it.ends) return;
        if (it.options.latency == Duration{} && it.under_way.empty())
            it.wire->to_server += bytes;
        else
            it.under_way.push_back({it.world->now + it.options.latency, std::move(bytes)});
    }
    /// Ends its sending side, behind what is under way: a half-close.
    void end() {
        state_->ends = true;
        state_->arrive();
    }
    /// Is gone from one moment to the next, with what is under way.
    void reset() {
        state_->wire->lost = true;
        state_->under_way.clear();
        state_->wire->to_server.clear();
    }

    /// Nothing of what it sent is under way.
    bool has_arrived() const noexcept { return state_->under_way.empty() && state_->wire->to_server.empty(); }

    // ---- what its network does

    /// Its socket takes nothing more.
    void stall() { limit_to(0); }
    void unstall() { limit_to(MemoryWire::unlimited); }
    /// It takes so many bytes more.
    void limit_to(std::size_t bytes) { state_->wire->room = bytes; }

    // ---- what it has got

    std::vector<Received> const& received() const { return read().messages(); }
    std::vector<std::string> texts() const {
        std::vector<std::string> result;
        for (Received const& each : received()) result.push_back(each.payload);
        return result;
    }
    /// The Close that it was sent, if one came.
    std::optional<ServerStream::Close> const& close_seen() const { return read().close(); }
    /// Everything, control frames and problems too.
    ServerStream const& stream() const { return read(); }
    /// Of the answer to its handshake; 0 while there is none.
    unsigned status() const { return read().status(); }
    /// The server has closed the connection, or reset it.
    bool is_closed() const noexcept { return state_->wire->server_closed; }
    bool was_reset() const noexcept { return state_->wire->was_reset; }

    /// What the hub told its handler in `on_close`; nothing while it lives. Needs `Simulation::hub`.
    std::optional<CloseInfo> const& ended() const noexcept { return state_->ended; }
    /// Its session, from `on_open` on. Needs `Simulation::hub`.
    SessionId session() const noexcept { return state_->session; }
    /// The script underneath.
    MemoryWire& wire() const noexcept { return *state_->wire; }

    bool operator==(Client const&) const = default;

   private:
    friend class Simulation;
    friend struct ClientTable;

    struct UnderWay {
        TimePoint due;
        std::string bytes;
    };
    struct State {
        ManualLoop::World const* world = nullptr;
        ClientOptions options;
        std::shared_ptr<MemoryWire> wire;
        ServerStream stream;
        std::deque<UnderWay> under_way;
        bool ends = false;
        bool has_closed = false;
        std::size_t ponged = 0;
        SessionId session;
        std::optional<CloseInfo> ended;

        /// What is due is at the server.
        void arrive() {
            while (!under_way.empty() && under_way.front().due <= world->now) {
                wire->to_server += under_way.front().bytes;
                under_way.pop_front();
            }
            if (ends && under_way.empty()) wire->client_ended = true;
        }
    };

    explicit Client(std::shared_ptr<State> state) : state_(std::move(state)) {}
    void put(ws::ClientFrame const& frame) { send_bytes(ws::encode_frame(frame)); }
    ServerStream const& read() const {
        state_->stream.read(state_->wire->received);
        return state_->stream;
    }
    /// What a client does by itself.
    void react() {
        State& it = *state_;
        ServerStream const& stream = read();
        if (!it.options.answers || it.wire->lost) return;
        for (; it.ponged < stream.pings().size(); ++it.ponged)
            put(ws::ClientFrame::make(ws::Opcode::pong, stream.pings()[it.ponged]));
        if (stream.close() && !it.has_closed)
            close(stream.close()->code == CloseCode::no_status ? CloseCode::normal : stream.close()->code);
        if ((it.wire->server_ended || it.wire->server_closed) && !it.ends) end();
    }

    std::shared_ptr<State> state_;
};

}  // namespace hubbub::inline v0::testing
