#include <hubbub/transport/tcp/tcp_driver.hpp>

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <hubbub/transport/memory/manual_loop.hpp>

#include "tests/contract/byte_connection_contract.hpp"
#include "tests/support/engines.hpp"
#include "tests/unit/transport/tcp/tcp_fixture.hpp"

using namespace hubbub_test;
using hubbub::EngineKind;
using hubbub::TcpConnection;
using hubbub_contract::RecordingOwner;

namespace {

std::string refusal(hubbub::ShardLoop& loop, EngineKind kind) {
    try {
        hubbub::TcpDriver const driver(loop, {.engine = kind});
    } catch (std::invalid_argument const& error) {
        return error.what();
    }
    return "";
}

}  // namespace

TEST_CASE("the engine is chosen by an option, and what cannot be had is refused with a sentence") {
    hubbub::ManualLoop manual;
    asio::io_context context;
    hubbub::AsioLoop loop(context);
    hubbub::TcpDriver const on_any_loop(manual), on_asio(loop);
    CHECK(on_any_loop.engine_name() == on_asio.engine_name());
    CHECK(hubbub::TcpDriver(loop, {.engine = EngineKind::epoll}).engine_name() == "epoll");
    CHECK(hubbub::TcpDriver(loop, {.engine = EngineKind::asio}).engine_name() == "asio");
#ifdef HUBBUB_HAS_URING
    CHECK(refusal(loop, EngineKind::uring) == "");
    CHECK((on_asio.engine_name() == "uring") == on_asio.engine_remark().empty());
#else
    CHECK(refusal(loop, EngineKind::uring) ==
          "the uring engine is not part of this build: link hubbub::uring, or choose epoll, asio or automatic");
    CHECK(on_asio.engine_name() == "epoll");
#endif
    CHECK(refusal(manual, EngineKind::asio) == "the asio engine needs an AsioLoop; choose epoll or automatic for other loops");
}

TEST_CASE("a driver may end in a function posted to its loop while its sockets are ready") {
    PumpedAsioLoop host(hubbub::Threading::one_thread);
    auto driver = std::make_unique<hubbub::TcpDriver>(host.loop(), hubbub::TcpDriver::Options{GENERATE(from_range(engines))});
    hubbub::detail::ListeningSocket const listener(hubbub::Endpoint("127.0.0.1:0"), {});
    RawPeer peer(listener.endpoint());
    int descriptor = -1;
    while (descriptor < 0) descriptor = ::accept(listener.descriptor(), nullptr, nullptr);
    auto connection = std::make_unique<TcpConnection>(*driver, hubbub::TcpSocket::adopt(descriptor));
    RecordingOwner owner(host.loop());
    connection->start(owner);
    host.loop().post([] {});
    (void)host.pump(0);
    peer.write("ready");
    // Posted without a wake-up of its own: it runs in the turn that the socket begins.
    std::function<void()> const end = [&] {
        connection.reset();
        driver.reset();
    };
    bool posted = false;
    asio::post(host.context, [&] {
        host.loop().post(end);
        posted = true;
    });
    for (int i = 0; i < 100 && (driver || !posted); ++i) (void)host.pump(1);
    CHECK_FALSE(driver);
    for (int i = 0; i < 5; ++i) (void)host.pump(0);
    CHECK(owner.ends + owner.losses == 0);
}

TEST_CASE("what a socket reports never reaches who takes its place in the same turn") {
    PumpedManualLoop host;
    hubbub::TcpDriver driver(host.loop(), {.engine = GENERATE(EngineKind::epoll, EngineKind::automatic)});
    CAPTURE(driver.engine_name());
    hubbub::detail::ListeningSocket const listener(hubbub::Endpoint("127.0.0.1:0"), {});
    RecordingOwner before(host.loop()), after(host.loop());
    auto const adopt = [&](RecordingOwner& owner) {
        int descriptor = -1;
        while (descriptor < 0) descriptor = ::accept(listener.descriptor(), nullptr, nullptr);
        auto connection = std::make_unique<TcpConnection>(driver, hubbub::TcpSocket::adopt(descriptor));
        connection->start(owner);
        driver.commit();
        return connection;
    };
    std::unique_ptr<TcpConnection> connection;
    RawPeer first(listener.endpoint()), second(listener.endpoint());
    host.loop().post([&] { connection = adopt(before); });
    for (int i = 0; i < 5; ++i) (void)host.pump(0);
    REQUIRE(connection);

    first.reset();
    host.loop().post([&] {
        connection.reset();
        connection = adopt(after);
        connection->pause_reading();
    });
    // The report of the reset begins the turn in which the posted function runs.
    REQUIRE(host.manual_loop.poll_watched(1000));
    for (int i = 0; i < 5; ++i) (void)host.pump(1);
    CHECK(before.callbacks == 0);
    CHECK(after.callbacks == 0);
    second.write("still here");
    host.loop().post([&] {
        connection->resume_reading();
        driver.commit();
    });
    for (int i = 0; i < 100 && after.received.empty(); ++i) (void)host.pump(1);
    CHECK(after.received == "still here");
}

TEST_CASE("data that nobody wants to read wakes the loop no more than a few times", "[tcp]") {
    TcpFixture::usual = GENERATE(from_range(TcpFixture::kinds));
    CAPTURE(TcpFixture::usual.name);
    TcpFixture fixture;
    hubbub_contract::Party<TcpFixture> party(fixture);
    bool const by_end = GENERATE(false, true);
    party.in_turn([&] { party.connection->pause_reading(); });
    party.peer.write("unread");
    if (by_end) {
        party.in_turn([&] { party.connection->shutdown(); });
        party.peer.end();
    }
    int const before = fixture.turns();
    for (int i = 0; i < 100; ++i) (void)fixture.pump(1);
    CHECK(fixture.turns() - before <= 3);
    CHECK(party.owner.callbacks == 0);
}

TEST_CASE("a paused connection hears of a reset by its peer", "[tcp]") {
    TcpFixture::usual = GENERATE(TcpFixture::epoll_on_one_thread, TcpFixture::epoll_without_asio);
    CAPTURE(TcpFixture::usual.name);
    TcpFixture fixture;
    hubbub_contract::Party<TcpFixture> party(fixture);
    party.in_turn([&] { party.connection->pause_reading(); });
    if (GENERATE(false, true)) {
        party.peer.write("unread");
        CHECK(fixture.settles());
    }
    party.peer.reset();
    CHECK(fixture.pump_until([&] { return party.owner.losses == 1; }));
    CHECK(fixture.settles());
    CHECK(party.owner.callbacks == 1);
}

TEST_CASE("more sockets than one batch holds are all served, a turn for each batch", "[tcp]") {
    TcpFixture::usual = GENERATE(TcpFixture::epoll_on_one_thread, TcpFixture::asio_on_one_thread);
    CAPTURE(TcpFixture::usual.name);
    constexpr std::size_t count = 600;
    TcpFixture fixture;
    std::vector<std::unique_ptr<hubbub_contract::Party<TcpFixture>>> parties;
    for (std::size_t i = 0; i < count; ++i) parties.push_back(std::make_unique<hubbub_contract::Party<TcpFixture>>(fixture));
    CHECK(fixture.settles());
    for (auto& party : parties) party->peer.write("x");
    int const before = fixture.turns();
    CHECK(fixture.pump_until([&] {
        return std::all_of(parties.begin(), parties.end(), [](auto const& party) { return party->owner.received == "x"; });
    }));
    CHECK(fixture.turns() - before <= 20);
    // Slots are used again, each for its own connection.
    for (std::size_t i = 0; i < count; i += 2) parties[i]->in_turn([&] { parties[i]->connection.reset(); });
    for (std::size_t i = 0; i < count; i += 2) parties[i] = std::make_unique<hubbub_contract::Party<TcpFixture>>(fixture);
    for (auto& party : parties) party->peer.write("y");
    CHECK(fixture.pump_until([&] {
        std::size_t right = 0;
        for (std::size_t i = 0; i < count; ++i) right += parties[i]->owner.received == (i % 2 == 0 ? "y" : "xy");
        return right == count;
    }));
}

TEST_CASE("a socket that always has more leaves the loop to its other work") {
    PumpedAsioLoop host(hubbub::Threading::one_thread);
    hubbub::TcpDriver driver(host.loop(), {GENERATE(from_range(engines))});
    CAPTURE(driver.engine_name());
    hubbub::detail::ListeningSocket const listener(hubbub::Endpoint("127.0.0.1:0"), {});
    RawPeer peer(listener.endpoint());
    int descriptor = -1;
    while (descriptor < 0) descriptor = ::accept(listener.descriptor(), nullptr, nullptr);
    TcpConnection connection(driver, hubbub::TcpSocket::adopt(descriptor));
    RecordingOwner owner(host.loop());
    constexpr int all = 1000;
    int heard = 0, heard_by_other_work = all;
    owner.at_bytes = [&] {
        if (++heard == 1) asio::post(host.context, [&] { heard_by_other_work = heard; });
        if (heard < all) peer.write("x");
    };
    host.loop().post([&] {
        connection.start(owner);
        driver.commit();
    });
    peer.write("x");
    for (int i = 0; i < 10000 && heard < all; ++i) (void)host.pump(1);
    CHECK(heard == all);
    CHECK(heard_by_other_work <= 16);
}

TEST_CASE("a connection knows its peer until it is closed, also when the peer has gone") {
    TcpFixture fixture(TcpFixture::epoll_on_one_thread);
    auto pair = fixture.connect();
    auto const port = hubbub::local_endpoint(pair.peer.descriptor()).port();
    hubbub_contract::Party<TcpFixture> party(fixture, std::move(pair));
    party.peer.reset();
    REQUIRE(fixture.pump_until([&] { return party.owner.losses == 1; }));
    CHECK(party.connection->peer().to_string() == "127.0.0.1");
    CHECK(party.connection->peer().port == port);
    hubbub::PeerAddress told;
    told.family = hubbub::PeerAddress::Family::ipv4;
    told.bytes = {192, 0, 2, 1};
    auto other = fixture.connect();
    other.socket.set_peer(told);
    TcpConnection const behind_a_proxy(fixture.driver(), std::move(other.socket));
    CHECK(behind_a_proxy.peer() == told);
}
