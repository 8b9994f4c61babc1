#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <hubbub/core/exceptions.hpp>
#include <hubbub/hub/hub.hpp>
#include <hubbub/testing/choices.hpp>
#include <hubbub/testing/client.hpp>
#include <hubbub/testing/watched.hpp>
#include <hubbub/transport/memory/manual_loop.hpp>
#include <hubbub/transport/memory/memory_connection.hpp>

namespace hubbub::inline v0::testing {

/// A hub, its clients and their networks in one thread, with virtual time: the same seed does the same things in the same order.
///
/// Which shard goes on next, how many events one turn takes and how what clients send is split comes from the seed. Time stands
/// still until `run_for` moves it.
///
/// Threading: one thread. Calls from outside of every hook count as calls from a thread that is no shard's.
/// Lifetime: outlives the hub and the clients.
/// Example:
///     hubbub::testing::Simulation sim{seed};
///     auto hub = sim.hub(Chat{});
///     auto alice = sim.connect(hub), bob = sim.connect(hub);
///     bob.stall();
///     alice.send_text("hi");
///     sim.run_for(31s);
///     REQUIRE(sim.ended(bob).by == hubbub::CloseInfo::By::us);
class Simulation {
   public:
    explicit Simulation(std::uint64_t seed, std::size_t shards = 1) : Simulation(Choices(seed), shards) {}
    /// With choices that come from elsewhere, such as a fuzzer.
    explicit Simulation(Choices choices, std::size_t shards = 1);
    Simulation(Simulation const&) = delete;
    Simulation& operator=(Simulation const&) = delete;

    /// A hub over all loops, whose sessions `ended` knows of. What it draws by chance comes from the seed. Its connections are in
    /// memory, or made of such.
    template <HubPolicy Policy = DefaultPolicy, HubConnection Conn = MemoryConnection, class Handler>
    Hub<Conn, Policy> hub(Handler handler, HubOptions<Policy> options = {}) {
        options.seed = random_() | 1;
        return Hub<Conn, Policy>(loops(), Watched<Handler>(std::move(handler), clients_), std::move(options));
    }
    /// For who makes the hub himself.
    std::span<ShardLoop* const> loops() const noexcept { return pointers_; }

    /// A client whose request is under way; it is open once the simulation has run.
    template <HubConnection Conn, HubPolicy Policy>
    Client connect(Hub<Conn, Policy>& hub, ClientOptions options = {}) {
        std::size_t const shard = options.shard;
        MemorySocket socket;
        Client client = make(socket.wire, std::move(options));
        hub.adopt(std::move(socket), std::string(), shard);
        return client;
    }

    // ---- going on

    /// One turn of one loop that has something to do. False: nobody has, now.
    bool step();
    /// Until nobody has anything to do at this time. Errors: std::logic_error if they never rest.
    void run_until_idle();
    /// Lets time pass, from event to event.
    void run_for(Duration duration);

    TimePoint now() const noexcept { return world_.now; }
    /// Turns so far, of all loops.
    std::uint64_t turns() const noexcept { return turns_; }

    // ---- for hooks

    /// The number of the loop that runs now, if one does.
    std::optional<std::size_t> running() const noexcept {
        for (std::size_t i = 0; i < loops_.size(); ++i)
            if (world_.running == loops_[i].get()) return i;
        return std::nullopt;
    }
    /// Calls `function` as if on a thread that is no shard's, although a hook runs.
    template <class F>
    decltype(auto) elsewhere(F&& function) {
        struct Restore {
            ManualLoop::World& world;
            ManualLoop const* running;
            ~Restore() { world.running = running; }
        } const restore{world_, std::exchange(world_.running, nullptr)};
        return std::forward<F>(function)();
    }
    /// Inside a hook: another shard, if one has something to do, takes a turn in the midst of this one.
    bool interleave() { return run_one(); }

    // ---- chance

    /// A number below `end`, from the seed.
    std::uint64_t pick(std::uint64_t end) { return random_() % end; }
    bool one_in(std::uint64_t times) { return pick(times) == 0; }

    /// How the hub ended the client's session, as `on_close` was told: what the server says; a stalled peer may have seen less.
    /// Errors: std::logic_error if it has not ended.
    CloseInfo const& ended(Client const& client) const {
        if (!client.ended()) detail::throw_exception(std::logic_error("Simulation::ended: that session has not ended"));
        return *client.ended();
    }
    std::vector<Client> const& clients() const noexcept { return clients_->all; }

   private:
    Client make(std::shared_ptr<MemoryWire> wire, ClientOptions options);
    bool can_run(ManualLoop const& loop) const;
    bool run_one();
    void take_turn(ManualLoop& loop);
    void deliver(std::size_t index);
    void settle();
    bool is_ready_on(Client const& client, ManualLoop const& loop) const {
        MemoryEndpoint const* const endpoint = client.wire().endpoint;
        return endpoint && &endpoint->loop() == &loop && endpoint->is_ready();
    }

    Choices random_;
    ManualLoop::World world_;
    std::shared_ptr<ClientTable> clients_ = std::make_shared<ClientTable>();
    std::vector<std::unique_ptr<ManualLoop>> loops_;
    std::vector<ShardLoop*> pointers_;
    std::uint64_t turns_ = 0;
};

inline Simulation::Simulation(Choices choices, std::size_t shards) : random_(choices) {
    world_.solo = false;
    for (std::size_t i = 0; i < shards; ++i) {
        loops_.push_back(std::make_unique<ManualLoop>(world_));
        pointers_.push_back(loops_.back().get());
    }
}

inline Client Simulation::make(std::shared_ptr<MemoryWire> wire, ClientOptions options) {
    auto state = std::make_shared<Client::State>();
    std::size_t const number = clients_->all.size() + 1;
    PeerAddress peer = options.peer;
    if (peer.family == PeerAddress::Family::none) {
        peer.family = PeerAddress::Family::ipv4;
        peer.bytes = {10, static_cast<std::uint8_t>(number >> 16), static_cast<std::uint8_t>(number >> 8),
                      static_cast<std::uint8_t>(number)};
    }
    if (!peer.port) peer.port = static_cast<std::uint16_t>(1024 + number % 60'000);
    std::string request = options.request;
    if (request.empty())
        request = "GET " + options.target +
                  " HTTP/1.1\r\nHost: simulation.test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n" +
                  options.headers + "\r\n";
    wire->mode = options.mode;
    wire->peer = peer;
    state->world = &world_;
    state->wire = std::move(wire);
    state->options = std::move(options);
    state->stream.inflate_with(state->options.inflate);
    Client client(std::move(state));
    client.send_bytes(std::move(request));
    clients_->all.push_back(client);
    clients_->by_address.insert_or_assign(peer, client);
    return client;
}

inline bool Simulation::can_run(ManualLoop const& loop) const {
    if (loop.has_work() || loop.next_wake() <= world_.now) return true;
    return std::any_of(clients_->all.begin(), clients_->all.end(),
                       [&](Client const& client) { return is_ready_on(client, loop); });
}

inline bool Simulation::step() {
    settle();
    return run_one();
}

/// One of the loops that can run and are not in a turn already.
inline bool Simulation::run_one() {
    ManualLoop* chosen = nullptr;
    std::size_t able = 0;
    for (auto const& loop : loops_)
        if (!loop->in_turn() && can_run(*loop) && pick(++able) == 0) chosen = loop.get();
    if (!chosen) return false;
    take_turn(*chosen);
    settle();
    return true;
}

inline void Simulation::take_turn(ManualLoop& loop) {
    ++turns_;
    std::vector<std::size_t> ready;
    for (std::size_t i = 0; i < clients_->all.size(); ++i)
        if (is_ready_on(clients_->all[i], loop)) ready.push_back(i);
    if (loop.next_wake() <= world_.now && (ready.empty() || one_in(2))) {
        loop.run_timer();
        return;
    }
    if (loop.has_work() && (ready.empty() || one_in(3))) {
        loop.run_turn();
        return;
    }
    if (ready.empty()) return;
    std::shuffle(ready.begin(), ready.end(), random_);
    std::size_t const events = one_in(2) ? ready.size() : 1 + pick(ready.size());
    loop.run_events([&] {
        for (std::size_t i = 0; i < events; ++i)
            if (is_ready_on(clients_->all[ready[i]], loop)) deliver(ready[i]);
    });
}

inline void Simulation::deliver(std::size_t index) {
    Client const client = clients_->all[index];  // a hook may connect another
    MemoryWire& wire = client.wire();
    std::size_t const whole = std::min(client.state_->options.largest_piece, wire.to_server.size());
    std::size_t const piece =
        whole < 2 || client.state_->options.largest_piece == MemoryWire::unlimited ? whole : 1 + pick(whole);
    MemoryEndpoint* const endpoint = wire.endpoint;
    if (one_in(2)) {
        endpoint->deliver(piece);
        if (wire.endpoint == endpoint) endpoint->make_progress();
    } else if (!endpoint->make_progress() && wire.endpoint == endpoint) {
        endpoint->deliver(piece);
    }
}

/// Clients react, and what is due arrives.
inline void Simulation::settle() {
    for (std::size_t i = 0; i < clients_->all.size(); ++i) {
        clients_->all[i].react();
        clients_->all[i].state_->arrive();
    }
}

inline void Simulation::run_until_idle() {
    for (std::uint64_t left = 1'000'000; step(); --left)
        if (!left) detail::throw_exception(std::logic_error("Simulation::run_until_idle: they never rest"));
}

inline void Simulation::run_for(Duration duration) {
    TimePoint const end = world_.now + duration;
    run_until_idle();
    for (;;) {
        TimePoint next = TimePoint::max();
        for (auto const& loop : loops_) next = std::min(next, loop->next_wake());
        for (Client const& client : clients_->all)
            if (!client.state_->under_way.empty()) next = std::min(next, client.state_->under_way.front().due);
        if (next > end) break;
        world_.now = std::max(world_.now, next);
        run_until_idle();
    }
    world_.now = end;
    run_until_idle();
}

}  // namespace hubbub::inline v0::testing
