#include <hubbub/transport/memory/memory_wire.hpp>

#include <hubbub/transport/memory/manual_loop.hpp>
#include <hubbub/transport/memory/memory_connection.hpp>

#include <utility>

#include "tests/support/catch.hpp"

using namespace hubbub;

namespace {

struct Nobody final : ByteConnectionOwner {
    void on_bytes(std::span<std::byte>) noexcept override { ++bytes; }
    void on_writable() noexcept override {}
    void on_written(std::uint32_t) noexcept override {}
    void on_lost() noexcept override {}
    int bytes = 0;
};

}  // namespace

TEST_CASE("A wire takes what there is room for and no more, and keeps it in order") {
    MemoryWire wire;
    wire.room = 5;
    CHECK(wire.put("abc") == 3);
    CHECK(wire.put("defg") == 2);
    CHECK(wire.put("h") == 0);
    CHECK(wire.received == "abcde");
    CHECK(wire.room == 0);
    wire.room = MemoryWire::unlimited;
    CHECK(wire.put("rest") == 4);
    CHECK(wire.room == MemoryWire::unlimited);
}

TEST_CASE("A socket that nobody took is closed when it is dropped, and one that was given on is not") {
    std::shared_ptr<MemoryWire> dropped, given;
    {
        MemorySocket first, second;
        dropped = first.wire;
        given = second.wire;
        MemorySocket const kept(std::move(second));
        CHECK_FALSE(given->server_closed);
        CHECK(kept.wire == given);
        given = nullptr;
    }
    CHECK(dropped->server_closed);
}

TEST_CASE("A driver finds the connection of a wire while it owns it, wherever it has moved") {
    ManualLoop loop, other_loop;
    MemoryDriver driver(loop), other(other_loop);
    Nobody owner;
    MemorySocket socket;
    auto const wire = socket.wire;
    CHECK(driver.find(*wire) == nullptr);
    {
        MemoryConnection connection(driver, std::move(socket));
        connection.start(owner);
        CHECK(driver.find(*wire) == &connection);
        CHECK(other.find(*wire) == nullptr);
        MemoryConnection moved(std::move(connection));
        moved.start(owner);
        CHECK(driver.find(*wire) == &moved);
        wire->to_server = "abc";
        CHECK(moved.is_ready());
        CHECK(moved.deliver(2));
        CHECK(wire->to_server == "c");
        CHECK(owner.bytes == 1);
    }
    CHECK(driver.find(*wire) == nullptr);
    CHECK(wire->server_closed);
}
