#pragma once

#include <algorithm>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include <hubbub/transport/connection.hpp>
#include <hubbub/transport/memory/memory_driver.hpp>

namespace hubbub::inline v0 {

/// A connection to a script instead of a network: see MemoryWire. What tests and simulations use.
class MemoryConnection : public MemoryEndpoint {
   public:
    using Driver = MemoryDriver;
    using Socket = MemorySocket;

    MemoryConnection(MemoryDriver& driver, MemorySocket socket) : driver_(&driver), wire_(std::move(socket.wire)) {}
    MemoryConnection(MemoryConnection&& other) noexcept
        : driver_(other.driver_),
          wire_(std::exchange(other.wire_, nullptr)),
          held_(other.held_),
          wants_room_(other.wants_room_),
          paused_(other.paused_),
          end_told_(other.end_told_) {
        other.owner_ = nullptr;  // nobody is told until `start`
        driver_->replace(&other, this);
        if (wire_ && wire_->endpoint == &other) wire_->endpoint = this;
    }
    MemoryConnection& operator=(MemoryConnection&&) = delete;
    virtual ~MemoryConnection() { close(); }  // WebsocketppConnection derives from it

    void start(ByteConnectionOwner& owner) {
        owner_ = &owner;
        wire_->endpoint = this;
    }

    WriteResult write(std::span<ws::Slice const> slices) {
        ++wire_->writes;
        std::string offered;
        for (ws::Slice const& slice : slices) offered.append(reinterpret_cast<char const*>(slice.data()), slice.length);
        if (wire_->lost) {
            owner_ = nullptr;  // it knows now
            return {0, 0, true};
        }
        auto const all = static_cast<std::uint32_t>(offered.size());
        WriteResult result;
        switch (wire_->mode) {
            case MemoryMode::direct: result.taken = static_cast<std::uint32_t>(wire_->put(offered)); break;
            case MemoryMode::deferred:
                result.held = held_ = all;
                record_ = std::move(offered);
                driver_->defer(*this);
                return result;
            case MemoryMode::records: {
                auto const out = static_cast<std::uint32_t>(wire_->put(offered));
                result.taken = out / record_size * record_size;  // whole records only
                if (out == all) result.taken = all;
                if (result.taken < out) {
                    result.held = held_ = std::min(record_size, all - result.taken);
                    record_ = offered.substr(out, result.taken + held_ - out);
                }
                break;
            }
        }
        wants_room_ = result.taken + result.held < all;
        return result;
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

    // ---- what the script does

    bool deliver(std::size_t bytes) noexcept override {
        if (!owner_ || paused_) return false;
        if (wire_->lost) {
            std::exchange(owner_, nullptr)->on_lost();
            return true;
        }
        if (wire_->to_server.empty()) {
            if (!wire_->client_ended || std::exchange(end_told_, true)) return false;
            owner_->on_bytes({});
            return true;
        }
        std::string piece = wire_->to_server.substr(0, bytes);
        wire_->to_server.erase(0, piece.size());
        owner_->on_bytes(std::as_writable_bytes(std::span(piece)));
        return true;
    }
    bool make_progress() noexcept override {
        if (!owner_) return false;
        bool did = false;
        if (held_ && wire_->mode == MemoryMode::records) {
            record_.erase(0, wire_->put(record_));
            if (!record_.empty()) return false;
            did = true;
            owner_->on_written(std::exchange(held_, 0));
        }
        if (owner_ && wants_room_ && wire_->room && !held_) {
            wants_room_ = false;
            owner_->on_writable();
            did = true;
        }
        return did;
    }
    bool is_ready() const noexcept override {
        if (!owner_) return false;
        if (!paused_ && (wire_->lost || !wire_->to_server.empty() || (wire_->client_ended && !end_told_))) return true;
        if (held_) return wire_->mode == MemoryMode::records && wire_->room;
        return wants_room_ && wire_->room;
    }
    ShardLoop& loop() const noexcept override { return driver_->loop(); }
    void settle() noexcept override {
        if (!owner_ || !held_) return;
        auto const out = static_cast<std::uint32_t>(wire_->put(record_));
        wants_room_ = out < std::exchange(held_, 0);
        owner_->on_written(out);
    }

   private:
    static constexpr std::uint32_t record_size = 200;

    void leave() noexcept {
        owner_ = nullptr;
        held_ = 0;
        driver_->replace(this, nullptr);
        if (wire_ && wire_->endpoint == this) wire_->endpoint = nullptr;
        wire_ = nullptr;
    }

    MemoryDriver* driver_;
    std::shared_ptr<MemoryWire> wire_;
    ByteConnectionOwner* owner_ = nullptr;
    std::string record_;  ///< what is held, copied
    std::uint32_t held_ = 0;
    bool wants_room_ = false;
    bool paused_ = false;
    bool end_told_ = false;
};

static_assert(ByteConnection<MemoryConnection>);

}  // namespace hubbub::inline v0
