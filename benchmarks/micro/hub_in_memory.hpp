#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <hubbub/hub/hub.hpp>
#include <hubbub/transport/memory/manual_loop.hpp>

/// A hub on connections that swallow everything, for what measures the hub alone.
namespace hub_in_memory {

using namespace hubbub;

/// Takes everything at once, and forgets it.
class SwallowingConnection {
   public:
    struct Driver {
        struct Options {};
        using Loop = ShardLoop;
        Driver(ShardLoop&, Options const&) {}
        void commit() {}
    };
    struct Socket {
        ByteConnectionOwner** owner = nullptr;  ///< where to say who has to be told of bytes that come
        PeerAddress peer() const { return {}; }
    };

    SwallowingConnection(Driver&, Socket socket) : socket_(socket) {}
    void start(ByteConnectionOwner& owner) {
        if (socket_.owner) *socket_.owner = &owner;
    }
    WriteResult write(std::span<ws::Slice const> slices) {
        ++writes;
        std::uint32_t bytes = 0;
        for (ws::Slice const& slice : slices) {
            bytes += slice.length;
            touched += std::to_integer<std::uint64_t>(*slice.data());
        }
        return {bytes, 0};
    }
    void pause_reading() {}
    void resume_reading() {}
    void shutdown() {}
    void close() {}
    void reset() {}
    Socket detach() { return socket_; }
    PeerAddress peer() const { return {}; }

    static inline std::uint64_t writes = 0, touched = 0;
    std::uint64_t rest_of_a_tcp_connection[2] = {};  // so that sessions lie as far apart as over sockets

   private:
    Socket socket_;
};
static_assert(ByteConnection<SwallowingConnection>);

using MemoryHub = Hub<SwallowingConnection>;
using MemorySession = MemoryHub::SessionType;

/// Remembers who has come, and echoes.
struct Keeper : NoopHandler {
    std::vector<MemorySession*>* sessions;
    explicit Keeper(std::vector<MemorySession*>& kept) : sessions(&kept) {}
    void on_open(MemorySession& session) { sessions->push_back(&session); }
    void on_message(MemorySession& session, MessageView message) { session.send(message); }
};

/// A hub, its loops and its sessions.
struct World {
    /// So many sessions on each of the shards.
    explicit World(std::size_t count, std::size_t shards = 1) : hub(make_loops(shards), Keeper{sessions}, options()) {
        owners.resize(count * shards);
        for (std::size_t i = 0; i < owners.size(); ++i) hub.adopt({&owners[i]}, Upgrade{}, i / count);
        run();
    }

    /// One turn of the first loop; time passes, so that heartbeats are at work.
    template <class Events>
    void turn(Events&& events) {
        loops[0]->run_events(std::forward<Events>(events));
        if (++turns % 64 == 0) pass(std::chrono::milliseconds(100));
    }
    /// All loops, until they rest.
    void run() {
        for (bool did = true; did;) {
            did = false;
            for (auto const& loop : loops)
                while (loop->run_turn() || loop->run_timer()) did = true;
        }
    }
    void pass(std::chrono::milliseconds duration) {
        time.now += duration;
        run();
    }
    /// Sessions of shard `shard` subscribe to `topic`.
    void subscribe_all(std::string_view topic, std::size_t shard = 0) {
        loops[shard]->run_events([&] {
            for (MemorySession* session : sessions)
                if (session->id().shard.value == shard) session->subscribe(topic);
        });
        run();
    }
    std::uint64_t deliveries() {
        std::uint64_t sum = 0;
        for (std::size_t i = 0; i < loops.size(); ++i) sum += hub.snapshot(i).delivery.deliveries;
        return sum;
    }

    std::span<ShardLoop* const> make_loops(std::size_t count) {
        time.solo = count == 1;
        for (std::size_t i = 0; i < count; ++i) {
            loops.push_back(std::make_unique<ManualLoop>(time));
            pointers.push_back(loops.back().get());
        }
        return pointers;
    }
    static HubOptions<> options() {
        HubOptions options;
        options.queue = {.bytes = 64u << 20, .messages = 32'000, .high_bytes = 32u << 20};
        options.subscriptions = 200'000;
        options.rates.session.subscriptions = {};                      // as many as there is time for
        options.heartbeat.silence_limit = std::chrono::hours(10'000);  // pings go out, and nobody answers
        options.seed = 1;
        return options;
    }

    ManualLoop::World time;
    std::vector<std::unique_ptr<ManualLoop>> loops;
    std::vector<ShardLoop*> pointers;
    std::vector<MemorySession*> sessions;
    std::vector<ByteConnectionOwner*> owners;  ///< of each connection
    MemoryHub hub;
    std::uint64_t turns = 0;
};

inline std::vector<std::string> topic_names(std::size_t count) {
    std::vector<std::string> names;
    for (std::size_t i = 0; i < count; ++i) names.push_back("room/" + std::to_string(i * 7919));
    return names;
}

}  // namespace hub_in_memory
