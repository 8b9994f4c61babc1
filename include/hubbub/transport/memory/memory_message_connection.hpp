#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <hubbub/transport/connection.hpp>
#include <hubbub/transport/memory/memory_driver.hpp>
#include <hubbub/ws/frame_header.hpp>

namespace hubbub::inline v0 {

/// A connection whose script speaks in messages: the model of an engine that owns the protocol itself. What the server writes is
/// whole unmasked frames in `MemoryWire::received`; control frames are added by this class, as such an engine does.
class MemoryMessageConnection final : public MemoryEndpoint {
   public:
    using Driver = MemoryDriver;
    using Socket = MemorySocket;

    MemoryMessageConnection(MemoryDriver& driver, MemorySocket socket) : driver_(&driver), wire_(std::move(socket.wire)) {}
    MemoryMessageConnection(MemoryMessageConnection&& other) noexcept
        : driver_(other.driver_),
          wire_(std::exchange(other.wire_, nullptr)),
          control_(std::move(other.control_)),
          frame_left_(other.frame_left_),
          wants_room_(other.wants_room_),
          paused_(other.paused_) {
        other.owner_ = nullptr;  // nobody is told until `start`
        if (wire_ && wire_->endpoint == &other) wire_->endpoint = this;
    }
    MemoryMessageConnection& operator=(MemoryMessageConnection&&) = delete;
    ~MemoryMessageConnection() { close(); }

    void start(MessageConnectionOwner& owner) {
        owner_ = &owner;
        wire_->endpoint = this;
    }
    WriteResult write(std::span<ws::Slice const> slices) {
        ++wire_->writes;
        if (wire_->lost) {
            owner_ = nullptr;  // it knows now
            return {0, 0, true};
        }
        WriteResult result;
        std::uint32_t offered = 0;
        for (ws::Slice const& slice : slices) {
            offered += slice.length;
            result.taken += put(slice);
        }
        wants_room_ = result.taken < offered;
        return result;
    }
    void send_ping(std::span<std::byte const> payload) { control(0x89, payload); }
    void send_close(CloseCode code, std::string_view reason) {
        std::string body{static_cast<char>(static_cast<unsigned>(code) >> 8),
                         static_cast<char>(static_cast<unsigned>(code) & 255)};
        body.append(reason);
        if (code == CloseCode::no_status) body.clear();
        control(0x88, std::as_bytes(std::span(body)));
        wire_->server_ended = true;
    }
    void pause_reading() { paused_ = true; }
    void resume_reading() { paused_ = false; }
    void shutdown() { wire_->server_ended = true; }
    void close() {
        if (!wire_) return;
        wire_->server_closed = true;
        leave();
    }
    void reset() {
        if (wire_) wire_->was_reset = true;
        close();
    }
    MemorySocket detach() {
        MemorySocket socket(wire_);
        leave();
        return socket;
    }
    PeerAddress peer() const { return wire_ ? wire_->peer : PeerAddress{}; }

    /// Delivers one event of the script.
    bool deliver(std::size_t) noexcept override {
        if (!owner_ || paused_) return false;
        if (wire_->lost) {
            std::exchange(owner_, nullptr)->on_lost();
            return true;
        }
        if (wire_->events.empty()) return false;
        MemoryWire::Event const event = std::move(wire_->events.front());
        wire_->events.pop_front();
        auto const payload = std::as_bytes(std::span(event.payload));
        switch (event.kind) {
            case MemoryWire::Event::Kind::message: owner_->on_message(MessageView(event.opcode, payload)); break;
            case MemoryWire::Event::Kind::pong: owner_->on_pong(payload); break;
            case MemoryWire::Event::Kind::close: owner_->on_peer_close(event.code, event.payload); break;
        }
        return true;
    }
    bool make_progress() noexcept override {
        if (!owner_ || !wants_room_ || !wire_->room) return false;
        wants_room_ = false;
        owner_->on_writable();
        return true;
    }
    bool is_ready() const noexcept override {
        return owner_ && ((!paused_ && (wire_->lost || !wire_->events.empty())) || (wants_room_ && wire_->room));
    }
    ShardLoop& loop() const noexcept override { return driver_->loop(); }
    void settle() noexcept override {}

   private:
    /// Whole frames, but that the first may be the rest of one.
    std::uint32_t put(ws::Slice const& slice) {
        std::uint32_t taken = 0;
        while (taken < slice.length) {
            std::byte const* const bytes = slice.data() + taken;
            auto const left = frame_left_ ? frame_left_ : static_cast<std::uint32_t>(ws::server_frame_size(bytes));
            std::uint32_t const length = std::min(left, slice.length - taken);
            auto const out = static_cast<std::uint32_t>(wire_->put({reinterpret_cast<char const*>(bytes), length}));
            if (!out) break;
            taken += out;
            frame_left_ = left - out;
            if (!frame_left_) wire_->received.append(std::exchange(control_, {}));
        }
        return taken;
    }
    /// The engine's own buffer takes it, whatever room there is; it leaves behind the frame that is half out.
    void control(unsigned first, std::span<std::byte const> payload) {
        std::string& out = frame_left_ ? control_ : wire_->received;
        out.push_back(static_cast<char>(first));
        out.push_back(static_cast<char>(payload.size()));
        out.append(reinterpret_cast<char const*>(payload.data()), payload.size());
    }
    void leave() noexcept {
        owner_ = nullptr;
        if (wire_->endpoint == this) wire_->endpoint = nullptr;
        wire_ = nullptr;
    }

    MemoryDriver* driver_;
    std::shared_ptr<MemoryWire> wire_;
    MessageConnectionOwner* owner_ = nullptr;
    std::string control_;           ///< waits for the end of that frame
    std::uint32_t frame_left_ = 0;  ///< bytes of a frame that is half out
    bool wants_room_ = false;
    bool paused_ = false;
};

static_assert(MessageConnection<MemoryMessageConnection>);

}  // namespace hubbub::inline v0
