#include <hubbub/hub/shard_port.hpp>

#include <memory>

#include <hubbub/transport/memory/manual_loop.hpp>

#include "tests/support/catch.hpp"

using hubbub::ManualLoop;
using hubbub::ShardPort;

TEST_CASE("A shard that sleeps is woken by mail, and one that is awake looks for itself") {
    ManualLoop loop;
    ShardPort port(loop, {});
    port.notify();
    CHECK(loop.has_work());
    loop.run_turn();
    port.wake_up();
    port.notify();
    CHECK_FALSE(loop.has_work());
    CHECK_FALSE(port.fall_asleep());
    port.notify();
    CHECK(loop.has_work());
}

TEST_CASE("Mail that came while a shard was about to sleep keeps it awake") {
    ManualLoop loop;
    ShardPort port(loop, {});
    port.wake_up();
    hubbub::Mail mail{};
    REQUIRE(port.mailbox().put(mail, "room", hubbub::MessageView::text("x"), nullptr, nullptr));
    port.notify();
    CHECK(port.fall_asleep());
}

TEST_CASE("After its end a port runs nothing, wakes nobody and lets go of what it was given") {
    auto const token = std::make_shared<int>(0);
    ManualLoop loop;
    ShardPort port(loop, {});
    int ran = 0;
    CHECK(port.post([&] { ++ran; }));
    loop.run_turn();
    CHECK(ran == 1);
    CHECK(port.runs_here());
    CHECK(port.now() == loop.now());
    port.end();
    CHECK(port.has_ended());
    CHECK_FALSE(port.post([&ran, token] { ++ran; }));
    CHECK(token.use_count() == 1);
    port.notify();
    CHECK_FALSE(loop.has_work());
    CHECK_FALSE(port.runs_here());
    CHECK(ran == 1);
}
