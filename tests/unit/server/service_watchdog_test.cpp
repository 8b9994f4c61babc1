#include <hubbub/server/service_watchdog.hpp>

#include <array>
#include <chrono>
#include <string>

#include <asio/io_context.hpp>

#include "tests/support/catch.hpp"
#include "tests/unit/server/notify_socket.hpp"

using namespace hubbub;
using namespace std::chrono_literals;
using hubbub_test::NotifySocket;

TEST_CASE("the watchdog hears that all is well for as long as every loop answers, and again when it does") {
    NotifySocket manager;
    asio::io_context first_context(1), second_context(1);
    AsioLoop first(first_context), second(second_context);
    std::array<ShardLoop*, 2> const loops{&first, &second};
    ServiceWatchdog const watchdog{ServiceNotifier(manager.name(), 2ms), first, loops};
    first_context.run_for(20ms);  // many rounds long; the second loop hangs
    CHECK(manager.hear_now().empty());
    second_context.poll();
    CHECK(manager.hear() == "WATCHDOG=1");
    CHECK(manager.hear_now().empty());
    first_context.run_for(20ms);
    CHECK(manager.hear_now().empty());
    second_context.restart();
    second_context.poll();
    CHECK(manager.hear() == "WATCHDOG=1");
}

TEST_CASE("a watchdog that has gone asks nobody, and one without a time never did") {
    NotifySocket manager;
    asio::io_context context(1);
    AsioLoop loop(context);
    std::array<ShardLoop*, 1> const loops{&loop};
    { ServiceWatchdog const gone{ServiceNotifier(manager.name(), 2ms), loop, loops}; }
    ServiceWatchdog const none{ServiceNotifier(manager.name()), loop, loops};
    context.run();                          // ends, because nothing waits
    CHECK(manager.hear() == "WATCHDOG=1");  // the round that had begun
    CHECK(manager.hear_now().empty());
}
