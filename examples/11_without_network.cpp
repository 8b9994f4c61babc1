// A handler is tested without a network and without waiting: clients, their sockets and the clock are simulated, and a seed
// decides what happens in which order.
//   11_without_network --self-test
#include <chrono>
#include <iostream>
#include <string>
#include <vector>

#include <hubbub/testing/simulation.hpp>

using namespace std::chrono_literals;

struct Chat : hubbub::NoopHandler {
    void on_open(auto& session) { session.subscribe("lobby"); }
    void on_message(auto& session, hubbub::MessageView message) { session.publish("lobby", message); }
};

static bool holds(bool condition, std::string const& what, unsigned long seed) {
    if (!condition) std::cerr << "not so with seed " << seed << ": " << what << '\n';
    return condition;
}

int main() {
    bool fine = true;
    for (unsigned long seed = 1; seed <= 100; ++seed) {
        // [test]
        hubbub::testing::Simulation sim{seed, 2};  // two shards, which take turns in an order that the seed chooses
        auto hub = sim.hub(Chat{});
        auto alice = sim.connect(hub), bob = sim.connect(hub);
        sim.run_until_idle();

        bob.stall();  // his socket takes nothing more
        alice.send_text("hi");
        sim.run_until_idle();
        fine &= holds(alice.texts() == std::vector<std::string>{"hi"}, "alice hears herself, although bob is stalled", seed);
        fine &= holds(bob.texts().empty(), "bob hears nothing", seed);

        sim.run_for(31s);  // takes no time
        fine &= holds(sim.ended(bob).by == hubbub::CloseInfo::By::us, "who reads nothing for 30 seconds is ended", seed);
        // [/test]
    }
    std::cout << (fine ? "100 seeds passed\n" : "");
    return fine ? 0 : 1;
}
