#include <array>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/unit/hub/memory_world.hpp"

using namespace memory_world;

namespace {

/// A loop that counts how often it was woken, and runs when it is told to.
class CountingLoop final : public ShardLoop {
   public:
    static inline CountingLoop const* running = nullptr;  ///< null: a thread that is no loop's

    ~CountingLoop() override { drop_posted(); }
    TimePoint now() const noexcept override { return TimePoint(std::chrono::hours(1)); }
    bool runs_here() const noexcept override { return running == this; }
    void wake_at(TimePoint) override {}
    std::unique_ptr<Watch> watch(int, UniqueFunction<void()>) override { return nullptr; }

    bool run() {
        if (!std::exchange(is_scheduled, false)) return false;
        running = this;
        run_scheduled_turn();
        running = nullptr;
        return true;
    }
    template <class F>
    void run_events(F&& events) {
        running = this;
        turn(std::forward<F>(events));
        running = nullptr;
    }

    int woken = 0;
    bool is_scheduled = false;

   private:
    void schedule() override {
        ++woken;
        is_scheduled = true;
    }
};

struct TwoShards {
    explicit TwoShards(Told<> handler) : hub(std::array<ShardLoop*, 2>{&loops[0], &loops[1]}, std::move(handler), seeded()) {
        for (std::size_t i = 0; i < 2; ++i) {
            MemorySocket socket;
            wires[i] = socket.wire;
            hub.adopt(std::move(socket), Upgrade{}, i);
        }
        rest();
    }
    static HubOptions<> seeded() {
        HubOptions options;
        options.seed = 1;
        return options;
    }
    void rest() {
        while (loops[0].run() || loops[1].run()) {}
        loops[0].woken = loops[1].woken = 0;
    }
    std::size_t heard(std::size_t shard) const { return wires[shard]->received.size() / message.size(); }

    std::string message = "\x81\x01x";  // as it is on the wire
    CountingLoop loops[2];
    std::shared_ptr<MemoryWire> wires[2];
    Hub<MemoryConnection> hub;
};

}  // namespace

TEST_CASE("Mail of a thread wakes the owner once, whatever its number, and that one wakes each other shard once a turn") {
    Told<> handler;
    handler.hooks->open = [](auto& session) { session.subscribe("room"); };
    TwoShards world(handler);
    for (int round = 1; round <= 3; ++round) {
        for (int i = 0; i < 1000; ++i) REQUIRE(world.hub.publish("room", Frame::text("x")) == PublishResult::accepted);
        REQUIRE(world.loops[0].woken + world.loops[1].woken == 1);
        std::size_t const owner = world.loops[0].woken ? 0 : 1;
        world.loops[owner].run();
        CHECK(world.heard(owner) == static_cast<std::size_t>(round) * 1000);
        CHECK(world.loops[1 - owner].woken == 1);
        world.loops[1 - owner].run();
        CHECK(world.heard(1 - owner) == static_cast<std::size_t>(round) * 1000);
        CHECK(world.loops[owner].woken == 1);
        CHECK_FALSE((world.loops[0].is_scheduled || world.loops[1].is_scheduled));
        world.rest();
    }
}

TEST_CASE("A shard that is awake is not woken, and hears what came meanwhile in the same turn") {
    Told<> handler;
    handler.hooks->open = [](auto& session) { session.subscribe("room"); };
    TwoShards world(handler);
    world.hub.publish("room", Frame::text("x"));
    std::size_t const owner = world.loops[0].woken ? 0 : 1;
    world.rest();
    world.loops[owner].run_events([&] {
        CountingLoop::running = nullptr;  // another thread, while this one is in its turn
        for (int i = 0; i < 1000; ++i) REQUIRE(world.hub.publish("room", Frame::text("x")) == PublishResult::accepted);
        CountingLoop::running = &world.loops[owner];
    });
    CHECK(world.loops[owner].woken == 0);
    CHECK(world.heard(owner) == 1001);
}

TEST_CASE("No lock is held while code of the user runs: it may publish, post, subscribe and collect wherever it is called") {
    Told<> handler;
    int receipts = 0, collected = 0, posted = 0;
    Hub<MemoryConnection>* hub = nullptr;
    // Each of these would wait for itself if its caller held a mutex of a mailbox, a port, a loop or a receipt.
    auto const everything = [&](SessionId id) {
        hub->publish("room", Frame::text("x"), {.on_receipt = [&](PublishReceipt const&) {
                         ++receipts;
                         hub->publish("room", Frame::text("x"));
                         hub->collect([&](HubSnapshot const&) {
                             ++collected;
                             hub->publish("other", Frame::text("x"));
                         });
                     }});
        hub->post(id, [&](auto& session) {
            ++posted;
            session.subscribe("other");
            hub->publish("room", Frame::text("x"));
            hub->post(session.id(), [&](auto& again) { hub->send(again.id(), Frame::text("x")); });
        });
    };
    std::vector<SessionId> ids;
    handler.hooks->open = [&](auto& session) {
        session.subscribe("room");
        ids.push_back(session.id());
    };
    TwoShards world(handler);
    hub = &world.hub;
    for (int round = 0; round < 10; ++round) {
        everything(ids[0]);
        everything(ids[1]);
        world.rest();
    }
    CHECK(receipts == 20);
    CHECK(collected == 20);
    CHECK(posted == 20);
    for (auto const& wire : world.wires) CHECK(wire->received.size() > 40 * world.message.size());
}
