#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/unit/hub/memory_world.hpp"

using namespace memory_world;

namespace {

constexpr std::size_t mebi = std::size_t{1} << 20;

/// A hub whose queues and messages alone could take much more than its budget of a mebibyte, and two kinds of client.
struct TightWorld : World<Told<>> {
    explicit TightWorld(std::shared_ptr<MemoryBudget> of = std::make_shared<MemoryBudget>(mebi))
        : World(answering(), 1, tight(of)), memory(std::move(of)) {}

    /// Begins a message of that size and never ends it.
    std::shared_ptr<MemoryWire> begin(std::size_t size) { return begin(connect(), size); }
    std::shared_ptr<MemoryWire> begin(std::shared_ptr<MemoryWire> wire, std::size_t size) {
        std::string const payload(size, 'x');
        std::string frame = ws::encode_frame(ws::ClientFrame::text(payload));
        frame.pop_back();
        wire->to_server += frame;
        run();
        return wire;
    }
    MemoryBudget const& budget() { return *memory; }

    std::shared_ptr<MemoryBudget> memory;

   private:
    static HubOptions<> tight(std::shared_ptr<MemoryBudget> memory) {
        HubOptions<> options;
        options.memory = std::move(memory);
        options.message.message = 512 * 1024;
        options.queue = {.bytes = 8 * mebi, .messages = 10'000, .high_bytes = 4 * mebi, .low_bytes = mebi};
        options.limits = {.in_all = 0, .per_address = 0, .per_user = 0};
        return options;
    }
    /// A number is answered with so many bytes.
    static Told<> answering() {
        Told<> handler;
        handler.hooks->message = [](auto& session, MessageView message) {
            session.send(std::string(std::stoul(std::string(message.view())), 'y'));
        };
        return handler;
    }
};

}  // namespace

TEST_CASE("Messages that never end are kept within the budget: who keeps most goes first, with 1013") {
    TightWorld world;
    world.split = 4096;
    auto const modest = world.begin(1000), greedy = world.begin(400'000);
    std::vector<std::shared_ptr<MemoryWire>> many;
    for (int i = 0; i < 20; ++i) many.push_back(world.connect());
    for (auto const& each : many) world.begin(each, 100'000);
    CHECK(messages(*greedy) == Messages{"close 1013"});
    CHECK(messages(*modest).empty());
    CHECK(world.budget().used() <= mebi + MemoryAccount::step);
    auto const sums = world.hub.snapshot(0);
    CHECK(sums.shed > 0);
    CHECK(sums.memory_of_inbound + sums.memory_of_queues <= mebi);
}

TEST_CASE("Above the high mark nobody new is let in, and again when it has passed") {
    TightWorld world;
    auto const first = world.begin(450'000);
    std::vector<std::shared_ptr<MemoryWire>> others;  // how much each holds is the allocator's and the library's
    while (!world.budget().is_high() && others.size() < 20) others.push_back(world.begin(50'000));
    CHECK(world.budget().is_high());
    CHECK_FALSE(world.budget().is_over());
    auto const refused = world.connect();
    CHECK(refused->received.substr(0, 12) == "HTTP/1.1 503");
    CHECK(refused->received.find("the server is short of memory") != std::string::npos);
    CHECK(world.hub.snapshot(0).refused[static_cast<std::size_t>(ConnectionRefusal::memory)] == 1);
    first->to_server += "x";  // the last byte
    for (auto const& each : others) each->lost = true;
    world.pass(std::chrono::seconds(1));
    CHECK_FALSE(world.budget().is_high());
    CHECK(world.connect()->received.substr(0, 12) == "HTTP/1.1 101");
}

TEST_CASE("What is queued for who does not read is kept within the budget, and who reads loses nothing") {
    TightWorld world;
    auto const honest = world.connect();
    std::vector<std::shared_ptr<MemoryWire>> stalled;
    for (int i = 0; i < 10; ++i) {
        stalled.push_back(world.connect());
        stalled.back()->room = 0;
    }
    std::size_t most = 0;
    for (int i = 0; i < 100; ++i) {
        for (auto const& each : stalled) world.say(*each, "10000");
        world.say(*honest, std::to_string(i));
        most = std::max(most, world.budget().used());
    }
    CHECK(most <= mebi + 2 * MemoryAccount::step);
    CHECK(messages(*honest).size() == 100);
    CHECK(messages(*honest).back() == std::string(99, 'y'));
    CHECK(world.hub.snapshot(0).shed >= 1);
    world.sums();
}

TEST_CASE("A session that is closing is ended at once when it keeps too much") {
    TightWorld world;
    auto const stalled = world.connect(), first = world.connect(), second = world.connect();
    stalled->room = 0;
    for (int i = 0; i < 50; ++i) world.say(*stalled, "10000");
    stalled->to_server += ws::encode_frame(ws::ClientFrame::make(ws::Opcode::close, {}));
    world.run();
    CHECK_FALSE(stalled->was_reset);
    world.begin(first, 300'000);
    world.begin(second, 300'000);
    CHECK(stalled->was_reset);
    world.sums();
}

TEST_CASE("Everything goes back to the budget when the sessions and the hub have gone") {
    std::shared_ptr<MemoryBudget> memory;
    {
        TightWorld world;
        memory = world.memory;
        world.begin(100'000);
        auto const stalled = world.connect();
        stalled->room = 0;
        world.say(*stalled, "50000");
        CHECK(memory->used() > 150'000);
        for (auto const& wire : world.wires) wire->lost = true;
        world.pass(std::chrono::seconds(30));
        CHECK(world.hub.snapshot(0).memory_of_inbound == 0);
        CHECK(memory->used() <= 4 * MemoryAccount::step);
        world.begin(100'000);
    }
    CHECK(memory->used() == 0);
}
