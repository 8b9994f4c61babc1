#include <hubbub/transport/socket/slot_table.hpp>

#include <set>
#include <vector>

#include <hubbub/transport/socket/socket_engine.hpp>

#include "tests/support/catch.hpp"

using hubbub::PeerAddress;
using hubbub::detail::SlotTable;
using hubbub::detail::SocketState;

TEST_CASE("each slot leads to its connection and its address, and to nobody when it is given back") {
    SlotTable table;
    std::vector<SocketState> states(1000);
    std::set<std::uint32_t> slots;
    for (std::uint16_t i = 0; i < 1000; ++i) {
        PeerAddress peer;
        peer.port = i;
        auto const slot = table.take(states[i], peer);
        CHECK(slots.insert(slot).second);
        CHECK(table.find(slot) == &states[i]);
        CHECK(table.peer(slot).port == i);
    }
    CHECK(*slots.rbegin() == 999);  // dense
    table.put_back(17);
    CHECK(table.find(17) == nullptr);
    CHECK(table.take(states[0], {}) == 17);
}

TEST_CASE("a slot that is given back in a batch is used again only after it") {
    SlotTable table;
    SocketState first, second, third;
    auto const slot = table.take(first, {});
    table.begin_batch();
    table.put_back(slot);
    CHECK(table.take(second, {}) != slot);
    CHECK(table.find(slot) == nullptr);
    table.end_batch();
    CHECK(table.take(third, {}) == slot);
}
