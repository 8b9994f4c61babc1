// A loop, a driver and peers in memory.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <hubbub/transport/memory/manual_loop.hpp>
#include <hubbub/transport/memory/memory_connection.hpp>

namespace hubbub_contract {

/// The other end of a wire. What it reads makes room.
struct MemoryPeer {
    static constexpr std::size_t room = 16'000, large = 16 * room;

    explicit MemoryPeer(std::shared_ptr<hubbub::MemoryWire> of) : wire(std::move(of)) { wire->room = room; }

    void write(std::string_view bytes) { wire->to_server.append(bytes); }
    std::string read(std::size_t most = std::string::npos) {
        std::string bytes = wire->received.substr(0, most);
        wire->received.erase(0, bytes.size());
        wire->room += bytes.size();
        return bytes;
    }
    bool has_ended() const { return wire->received.empty() && (wire->server_ended || wire->server_closed); }
    bool was_reset() const { return wire->was_reset; }
    void end() { wire->client_ended = true; }
    void reset() { wire->lost = true; }

    std::shared_ptr<hubbub::MemoryWire> wire;
};

/// Runs a manual loop and moves what the wires of one driver have. A socket may come from another fixture on another thread,
/// so the wires are everybody's.
class MemoryNetwork {
   public:
    static hubbub::MemorySocket connect(hubbub::MemoryMode mode) {
        hubbub::MemorySocket socket;
        socket.wire->mode = mode;
        socket.wire->peer.family = hubbub::PeerAddress::Family::ipv4;
        socket.wire->peer.bytes = {192, 0, 2, 1};
        wires_.push_back(socket.wire);
        return socket;
    }
    /// One step of each connection. False if there was nothing to do.
    static bool move(hubbub::ManualLoop& loop, hubbub::MemoryDriver& driver) {
        bool did = loop.run_turn();
        std::erase_if(wires_, [](auto const& wire) { return wire.expired(); });
        auto const snapshot = wires_;
        for (auto const& each : snapshot) {
            auto const wire = each.lock();
            auto* const endpoint = wire ? driver.find(*wire) : nullptr;
            if (!endpoint || !endpoint->is_ready()) continue;
            loop.run_events([&] {
                did |= endpoint->deliver(1'000);
                if (driver.find(*wire) == endpoint) did |= endpoint->make_progress();
            });
        }
        return did;
    }

   private:
    static inline std::vector<std::weak_ptr<hubbub::MemoryWire>> wires_;
};

/// See byte_connection_contract.hpp.
template <class Conn, class PeerType = MemoryPeer>
class MemoryFixture {
   public:
    using Connection = Conn;
    using Peer = PeerType;
    static inline hubbub::MemoryMode mode = hubbub::MemoryMode::direct;
    struct Pair {
        hubbub::MemorySocket socket;
        Peer peer;
    };

    MemoryFixture() { loop_.attach(&hook_); }
    ~MemoryFixture() { loop_.attach(nullptr); }

    hubbub::MemoryDriver& driver() { return driver_; }
    hubbub::ShardLoop& loop() { return loop_; }

    Pair connect() {
        hubbub::MemorySocket socket = MemoryNetwork::connect(mode);
        Peer peer(socket.wire);
        return {std::move(socket), std::move(peer)};
    }
    bool pump_until(std::function<bool()> const& is_done) {
        for (int i = 0; i < 20000; ++i) {
            if (is_done()) return true;
            (void)MemoryNetwork::move(loop_, driver_);
        }
        return is_done();
    }
    bool settles() {
        for (int i = 0; i < 1000; ++i)
            if (!MemoryNetwork::move(loop_, driver_)) return true;
        return false;
    }

   private:
    struct Hook final : hubbub::TurnHook {
        explicit Hook(hubbub::MemoryDriver& of) : driver(of) {}
        void on_turn_begin() noexcept override {}
        void on_turn_end() noexcept override { driver.commit(); }
        void on_wake() noexcept override {}
        hubbub::MemoryDriver& driver;
    };

    hubbub::ManualLoop loop_;
    hubbub::MemoryDriver driver_{loop_};
    Hook hook_{driver_};
};

}  // namespace hubbub_contract
