#include <hubbub/hub/limit_table.hpp>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <hubbub/policy/limits.hpp>

#include "tests/support/catch.hpp"

using hubbub::LimitTable;
using hubbub::PeerAddress;
using Refused = LimitTable::Refused;

namespace {

PeerAddress ipv4(std::uint8_t last, std::uint16_t port = 1) {
    PeerAddress address;
    address.family = PeerAddress::Family::ipv4;
    address.bytes = {192, 0, 2, last};
    address.port = port;
    return address;
}

PeerAddress ipv6(std::uint8_t eighth, std::uint8_t last) {
    PeerAddress address;
    address.family = PeerAddress::Family::ipv6;
    address.bytes = {0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, eighth, 0, 0, 0, 0, 0, 0, 0, last};
    return address;
}

/// What is taken stays taken until `leases` is cut.
struct Table {
    explicit Table(hubbub::ConnectionLimits most) : limits(most) {}
    Refused take(PeerAddress const& address) {
        LimitTable::Lease lease;
        auto const refused = table.take(address, limits.in_all, limits.per_address, lease);
        if (refused == Refused::none) leases.push_back(std::move(lease));
        return refused;
    }
    Refused take(std::string const& user) {
        LimitTable::UserLease lease;
        auto const refused = table.take(user, limits.per_user, lease);
        if (refused == Refused::none) user_leases.push_back(std::move(lease));
        return refused;
    }
    hubbub::ConnectionLimits limits;
    LimitTable table;
    std::vector<LimitTable::Lease> leases;
    std::vector<LimitTable::UserLease> user_leases;
};

}  // namespace

TEST_CASE("The limit in all holds exactly, and a place that is given back is free") {
    Table table({.in_all = 3, .per_address = 0, .per_user = 0});
    for (std::uint8_t i = 0; i < 3; ++i) CHECK(table.take(ipv4(i)) == Refused::none);
    CHECK(table.take(ipv4(9)) == Refused::in_all);
    CHECK(table.table.in_all() == 3);  // a refusal takes nothing
    table.leases.pop_back();
    CHECK(table.take(ipv4(9)) == Refused::none);
    CHECK(table.take(ipv4(10)) == Refused::in_all);
}

TEST_CASE("Each address has its own limit, whatever the port, and an IPv6 one counts for its /64") {
    Table table({.in_all = 100, .per_address = 2, .per_user = 0});
    CHECK(table.take(ipv4(1, 1)) == Refused::none);
    CHECK(table.take(ipv4(1, 2)) == Refused::none);
    CHECK(table.take(ipv4(1, 3)) == Refused::address);
    CHECK(table.take(ipv4(2)) == Refused::none);
    CHECK(table.take(ipv6(1, 1)) == Refused::none);
    CHECK(table.take(ipv6(1, 2)) == Refused::none);
    CHECK(table.take(ipv6(1, 3)) == Refused::address);
    CHECK(table.take(ipv6(2, 3)) == Refused::none);
    CHECK(table.table.in_all() == 6);  // who was refused for his address does not count in all either
}

TEST_CASE("Connections without a network, over a Unix socket, count in all only") {
    PeerAddress local;
    local.family = PeerAddress::Family::unix_socket;
    Table table({.in_all = 4, .per_address = 1, .per_user = 0});
    for (int i = 0; i < 3; ++i) CHECK(table.take(local) == Refused::none);
    CHECK(table.take(PeerAddress{}) == Refused::none);
    CHECK(table.take(local) == Refused::in_all);
    table.leases.clear();
    CHECK(table.table.in_all() == 0);
}

TEST_CASE("Each user has his own limit, and nobody in particular has none") {
    Table table({.in_all = 0, .per_address = 0, .per_user = 2});
    CHECK(table.take("ada") == Refused::none);
    CHECK(table.take("ada") == Refused::none);
    CHECK(table.take("ada") == Refused::user);
    CHECK(table.take("bob") == Refused::none);
    for (int i = 0; i < 5; ++i) CHECK(table.take(std::string()) == Refused::none);
    table.user_leases.clear();
    CHECK(table.take("ada") == Refused::none);
}

TEST_CASE("Zero is no limit") {
    Table table({.in_all = 0, .per_address = 0, .per_user = 0});
    for (int i = 0; i < 300; ++i) CHECK(table.take(ipv4(1)) == Refused::none);
    for (int i = 0; i < 300; ++i) CHECK(table.take("ada") == Refused::none);
    CHECK(table.table.in_all() == 300);
}

TEST_CASE("A lease is given back once: when it is destroyed, or overwritten, not when it moves") {
    LimitTable table;
    LimitTable::Lease lease;
    REQUIRE(table.take(ipv4(1), 10, 1, lease) == Refused::none);
    {
        LimitTable::Lease moved = std::move(lease);
        LimitTable::Lease again;
        CHECK(table.take(ipv4(1), 10, 1, again) == Refused::address);
        auto& same = moved;
        moved = std::move(same);
        CHECK(table.in_all() == 1);
    }
    CHECK(table.in_all() == 0);
    REQUIRE(table.take(ipv4(1), 10, 1, lease) == Refused::none);
    REQUIRE(table.take(ipv4(2), 10, 1, lease) == Refused::none);  // the first is given back
    CHECK(table.in_all() == 1);
    LimitTable::Lease other;
    CHECK(table.take(ipv4(1), 10, 1, other) == Refused::none);
    CHECK(table.take(ipv4(2), 10, 1, other) == Refused::address);
    CHECK(table.in_all() == 2);  // what a refused `take` was given stays
}

TEST_CASE("Nothing is remembered of addresses and users that hold nothing") {
    Table table({.in_all = 0, .per_address = 5, .per_user = 5});
    for (std::uint8_t i = 0; i < 100; ++i) {
        table.take(ipv4(i));
        table.take("user" + std::to_string(i));
    }
    CHECK(table.table.keys() == 200);
    table.leases.clear();
    table.user_leases.clear();
    CHECK(table.table.keys() == 0);
}

TEST_CASE("Threads that take and give back never get past a limit, and leave nothing behind") {
    LimitTable table;
    std::atomic<int> in_all{0}, of_address{0}, of_user{0}, too_many{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t)
        threads.emplace_back([&, t] {
            for (int i = 0; i < 2000; ++i) {
                std::vector<LimitTable::Lease> leases;
                LimitTable::UserLease user;
                bool const is_shared = t % 2 == 0;
                for (int k = 0; k < 3; ++k) {
                    LimitTable::Lease lease;
                    if (table.take(ipv4(is_shared ? 1 : 2), 6, 4, lease) != Refused::none) continue;
                    leases.push_back(std::move(lease));
                    if (++in_all > 6) ++too_many;
                    if (is_shared && ++of_address > 4) ++too_many;
                }
                bool const has_user = table.take("ada", 3, user) == Refused::none;
                if (has_user && ++of_user > 3) ++too_many;
                if (has_user) --of_user;
                in_all -= static_cast<int>(leases.size());
                if (is_shared) of_address -= static_cast<int>(leases.size());
            }
        });
    for (auto& thread : threads) thread.join();
    CHECK(too_many == 0);
    CHECK(table.in_all() == 0);
    CHECK(table.keys() == 0);
}
