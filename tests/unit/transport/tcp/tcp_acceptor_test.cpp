#include <hubbub/transport/tcp/tcp_acceptor.hpp>

#include <sys/stat.h>

#include <cstdlib>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/contract/byte_connection_contract.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/transport/tcp/tcp_fixture.hpp"

using namespace hubbub_test;
using hubbub::Endpoint;
using hubbub::TcpAcceptor;
using hubbub::TcpSocket;

namespace {

class TemporaryFolder {
   public:
    TemporaryFolder() { REQUIRE(::mkdtemp(name_) != nullptr); }
    ~TemporaryFolder() {
        (void)::unlink(path("socket").c_str());
        (void)::rmdir(name_);
    }
    std::string path(std::string const& file) const { return std::string(name_) + "/" + file; }

   private:
    char name_[32] = "/tmp/hubbub-test-XXXXXX";
};

bool exists(std::string const& path) {
    struct stat status{};
    return ::lstat(path.c_str(), &status) == 0;
}

std::system_error error_of(Endpoint const& endpoint) {
    try {
        TcpAcceptor const acceptor(endpoint);
    } catch (std::system_error const& error) {
        return error;
    }
    FAIL("no error");
    std::abort();
}

std::string refusal_of(int descriptor) {
    try {
        TcpAcceptor const acceptor = TcpAcceptor::adopt(descriptor);
    } catch (std::system_error const& error) {
        return error.what();
    }
    return "";
}

bool defers(int descriptor) {
    int seconds = 0;
    socklen_t length = sizeof seconds;
    REQUIRE(::getsockopt(descriptor, IPPROTO_TCP, TCP_DEFER_ACCEPT, &seconds, &length) == 0);
    return seconds > 0;
}

/// One client, accepted and started as a host would; `at_accept` is what is done with it in the same call.
struct Accepted {
    explicit Accepted(TcpFixture& where) : fixture(where), owner(where.loop()) {
        acceptor.serve(fixture.driver(), [this](TcpSocket socket) {
            turn = fixture.turns();
            connection.emplace(fixture.driver(), std::move(socket));
            connection->start(owner);
            if (at_accept) at_accept();
        });
        CHECK(fixture.settles());
    }
    bool hears(std::string_view text) {
        return fixture.pump_until([&] { return owner.received == text; });
    }

    TcpFixture& fixture;
    hubbub_contract::RecordingOwner owner;
    std::optional<hubbub::TcpConnection> connection;
    TcpAcceptor acceptor{Endpoint("127.0.0.1:0")};
    std::function<void()> at_accept;
    int turn = -1;
};

bool refuses(Endpoint const& endpoint) {
    try {
        RawPeer const peer(endpoint);
    } catch (std::system_error const& error) {
        return error.code() == std::errc::connection_refused || error.code() == std::errc::no_such_file_or_directory;
    }
    return false;
}

}  // namespace

TEST_CASE("an acceptor serves IPv4, IPv6 and Unix sockets", "[tcp]") {
    TcpFixture::usual = GENERATE(from_range(TcpFixture::kinds));
    CAPTURE(TcpFixture::usual.name);
    TcpFixture fixture;
    TemporaryFolder const folder;
    std::string const text =
        GENERATE(as<std::string>{}, "127.0.0.1:0", "[::1]:0", "unix:FILE", "unix:@hubbub-test-" + std::to_string(::getpid()));
    CAPTURE(text);
    Endpoint const wanted(text == "unix:FILE" ? "unix:" + folder.path("socket") : text);
    TcpAcceptor acceptor(wanted);
    CHECK(acceptor.endpoint().family() == wanted.family());
    CHECK((acceptor.port() != 0) == (wanted.family() != Endpoint::Family::unix_socket));
    TcpSocket accepted;
    bool inside = false;
    acceptor.serve(fixture.driver(), [&](TcpSocket socket) {
        inside = fixture.loop().in_turn();
        accepted = std::move(socket);
    });
    RawPeer peer(acceptor.endpoint());
    peer.write("hello");
    REQUIRE(fixture.pump_until([&] { return bool(accepted); }));
    CHECK(inside);
    auto const family = accepted.peer().family;
    CHECK(static_cast<int>(family) == static_cast<int>(wanted.family()) + 1);
    if (family != hubbub::PeerAddress::Family::unix_socket) {
        CHECK(accepted.peer().port == hubbub::local_endpoint(peer.descriptor()).port());
        int no_delay = 0;
        socklen_t size = sizeof no_delay;
        REQUIRE(::getsockopt(accepted.descriptor(), IPPROTO_TCP, TCP_NODELAY, &no_delay, &size) == 0);
        CHECK(no_delay != 0);
    }
    CHECK((::fcntl(accepted.descriptor(), F_GETFL) & O_NONBLOCK) != 0);
    CHECK((::fcntl(accepted.descriptor(), F_GETFD) & FD_CLOEXEC) != 0);
    char buffer[6] = {};
    CHECK(fixture.pump_until([&] { return ::recv(accepted.descriptor(), buffer, 5, 0) == 5; }));
    CHECK(std::string(buffer) == "hello");
    CHECK(fixture.settles());
}

TEST_CASE("all who wait are accepted, a bounded number a turn", "[tcp]") {
    TcpFixture::usual = GENERATE(TcpFixture::epoll_on_one_thread, TcpFixture::asio_on_one_thread);
    CAPTURE(TcpFixture::usual.name);
    TcpFixture fixture;
    TcpAcceptor acceptor(Endpoint("127.0.0.1:0"));
    std::vector<RawPeer> peers;
    for (int i = 0; i < 150; ++i) peers.push_back(speaking_peer(acceptor.endpoint()));
    std::vector<TcpSocket> accepted;
    int turn = -1, in_this_turn = 0, most = 0;
    acceptor.serve(fixture.driver(), [&](TcpSocket socket) {
        if (std::exchange(turn, fixture.turns()) != fixture.turns()) in_this_turn = 0;
        most = std::max(most, ++in_this_turn);
        accepted.push_back(std::move(socket));
    });
    CHECK(fixture.pump_until([&] { return accepted.size() == peers.size(); }));
    CHECK(most == 64);
}

TEST_CASE("who speaks at once is heard in the turn in which it is accepted, and from then on", "[tcp]") {
    TcpFixture::usual = GENERATE(TcpFixture::epoll_on_one_thread, TcpFixture::epoll_on_strand, TcpFixture::epoll_without_asio,
                                 TcpFixture::asio_on_one_thread, TcpFixture::asio_on_strand);
    CAPTURE(TcpFixture::usual.name);
    TcpFixture fixture;
    Accepted accepted(fixture);
    int heard_in = -2;
    accepted.owner.at_bytes = [&] {
        if (heard_in < 0) heard_in = fixture.turns();
    };
    RawPeer peer(accepted.acceptor.endpoint());
    peer.write("hello");
    REQUIRE(accepted.hears("hello"));
    CHECK(heard_in == accepted.turn);
    peer.write(" again");
    CHECK(accepted.hears("hello again"));
    peer.end();
    CHECK(fixture.pump_until([&] { return accepted.owner.ends == 1; }));
    CHECK(accepted.owner.callbacks_outside_of_turns == 0);
}

TEST_CASE("what is done with a connection in the call that accepts it holds, though its bytes are there already", "[tcp]") {
    TcpFixture::usual = GENERATE(from_range(TcpFixture::kinds));
    CAPTURE(TcpFixture::usual.name);
    TcpFixture fixture;
    Accepted accepted(fixture);
    RawPeer peer(accepted.acceptor.endpoint());
    SECTION("paused, it hears nothing until it is resumed") {
        accepted.at_accept = [&] { accepted.connection->pause_reading(); };
        peer.write("hello");
        REQUIRE(fixture.pump_until([&] { return accepted.turn >= 0; }));
        CHECK(fixture.settles());
        CHECK(accepted.owner.received.empty());
        fixture.loop().post([&] { accepted.connection->resume_reading(); });
        CHECK(accepted.hears("hello"));
    }
    SECTION("paused and resumed, it hears all of it once") {
        accepted.at_accept = [&] {
            accepted.connection->pause_reading();
            accepted.connection->resume_reading();
        };
        peer.write("hello");
        CHECK(accepted.hears("hello"));
        peer.write(" again");
        CHECK(accepted.hears("hello again"));
    }
    SECTION("detached, its bytes go with the socket") {
        TcpSocket socket;
        accepted.at_accept = [&] { socket = accepted.connection->detach(); };
        peer.write("hello");
        REQUIRE(fixture.pump_until([&] { return bool(socket); }));
        CHECK(fixture.settles());
        CHECK(accepted.owner.callbacks == 0);
        accepted.at_accept = nullptr;
        fixture.loop().post([&] {
            accepted.connection.emplace(fixture.driver(), std::move(socket));
            accepted.connection->start(accepted.owner);
        });
        CHECK(accepted.hears("hello"));
    }
    SECTION("reset, it hears nothing, and neither does who comes next in its place") {
        accepted.at_accept = [&] { accepted.connection->reset(); };
        peer.write("hello");
        CHECK(fixture.pump_until([&] { return (void)peer.read(), peer.was_reset(); }));
        CHECK(accepted.owner.callbacks == 0);
        accepted.at_accept = nullptr;
        RawPeer next(accepted.acceptor.endpoint());
        next.write("next");
        CHECK(accepted.hears("next"));
    }
    SECTION("it may be closed while it is heard") {
        accepted.owner.at_bytes = [&] { accepted.connection->close(); };
        peer.write("hello");
        CHECK(fixture.pump_until([&] { return (void)peer.read(), peer.has_ended(); }));
        CHECK(accepted.owner.callbacks == 1);
    }
    SECTION("it may be moved, and is heard where it is then") {
        std::optional<hubbub::TcpConnection> moved;
        accepted.at_accept = [&] {
            moved.emplace(std::move(*accepted.connection));
            moved->start(accepted.owner);
        };
        peer.write("hello");
        CHECK(accepted.hears("hello"));
        peer.write(" again");
        CHECK(accepted.hears("hello again"));
    }
}

TEST_CASE("a client that says nothing is accepted a little later, or at once if that is asked for", "[tcp]") {
    TcpFixture fixture(TcpFixture::epoll_on_one_thread);
    bool const waits = GENERATE(true, false);
    CAPTURE(waits);
    TcpAcceptor acceptor(Endpoint("127.0.0.1:0"), {.defer_accept = waits});
    CHECK(defers(acceptor.descriptor()) == waits);
    TcpAcceptor const heir = TcpAcceptor::adopt(::dup(acceptor.descriptor()), {.defer_accept = !waits});
    CHECK(defers(heir.descriptor()) == waits);  // it belongs to others, too
    TcpSocket accepted;
    acceptor.serve(fixture.driver(), [&](TcpSocket socket) { accepted = std::move(socket); });
    CHECK(fixture.settles());
    RawPeer const peer(acceptor.endpoint());
    CHECK(fixture.pump_until([&] { return bool(accepted); }));
    CHECK(accepted.has_bytes() == waits);
}

TEST_CASE("several loops accept from one socket, each connection once", "[tcp]") {
    TcpFixture::usual = GENERATE(TcpFixture::epoll_on_one_thread, TcpFixture::asio_on_one_thread);
    CAPTURE(TcpFixture::usual.name);
    TcpFixture first, second;
    TcpAcceptor acceptor(Endpoint("127.0.0.1:0"));
    std::vector<TcpSocket> by_first, by_second;
    acceptor.serve(first.driver(), [&](TcpSocket socket) { by_first.push_back(std::move(socket)); });
    acceptor.serve(second.driver(), [&](TcpSocket socket) { by_second.push_back(std::move(socket)); });
    std::vector<RawPeer> peers;
    for (int i = 0; i < 10; ++i) {
        peers.push_back(speaking_peer(acceptor.endpoint()));
        REQUIRE(first.pump_until([&] { return by_first.size() == static_cast<std::size_t>(i) + 1; }));
    }
    (void)second.settles();
    for (int i = 0; i < 10; ++i) {
        peers.push_back(speaking_peer(acceptor.endpoint()));
        REQUIRE(second.pump_until([&] { return by_second.size() == static_cast<std::size_t>(i) + 1; }));
    }
    CHECK(by_first.size() == 10);
}

TEST_CASE("two loops on one io_context accept from one socket with the asio engine") {
    asio::io_context context;
    hubbub::AsioLoop first(context, hubbub::Threading::several_threads), second(context, hubbub::Threading::several_threads);
    hubbub::TcpDriver first_driver(first, {.engine = hubbub::EngineKind::asio});
    hubbub::TcpDriver second_driver(second, {.engine = hubbub::EngineKind::asio});
    std::vector<TcpSocket> accepted;
    std::string trouble;
    TcpAcceptor acceptor(Endpoint("127.0.0.1:0"),
                         {.on_trouble = [&](std::string_view what, std::error_code) { trouble = what; }});
    acceptor.serve(first_driver, [&](TcpSocket socket) { accepted.push_back(std::move(socket)); });
    acceptor.serve(second_driver, [&](TcpSocket socket) { accepted.push_back(std::move(socket)); });
    context.poll();
    RawPeer const peer = speaking_peer(acceptor.endpoint());
    for (int i = 0; i < 10000 && accepted.empty(); ++i) (void)context.run_one_for(std::chrono::milliseconds(1));
    context.poll();
    CHECK(accepted.size() == 1);
    CHECK(trouble.empty());
}

TEST_CASE("a port in use and an address that is not local are errors that name the endpoint") {
    TcpAcceptor const acceptor(Endpoint("127.0.0.1:0"));
    auto const in_use = error_of(acceptor.endpoint());
    CHECK(in_use.code() == std::errc::address_in_use);
    CHECK(std::string(in_use.what()).find("cannot listen on 127.0.0.1:" + std::to_string(acceptor.port())) == 0);
    auto const foreign = error_of(Endpoint("192.0.2.1:0"));
    CHECK(foreign.code() == std::errc::address_not_available);
    CHECK(std::string(foreign.what()).find("192.0.2.1:0") != std::string::npos);
    CHECK(error_of(Endpoint("unix:/no/such/folder/socket")).code() == std::errc::no_such_file_or_directory);
}

TEST_CASE("an IPv6 socket leaves the IPv4 port alone") {
    bool side_by_side = false;
    for (int i = 0; i < 20 && !side_by_side; ++i) {
        TcpAcceptor const v6(Endpoint("[::]:0"));
        try {
            TcpAcceptor const v4(Endpoint("0.0.0.0:" + std::to_string(v6.port())));
            side_by_side = true;
        } catch (std::system_error const&) {
            // Somebody else may have this port.
        }
    }
    CHECK(side_by_side);
}

TEST_CASE("the path of a Unix socket comes and goes with the acceptor") {
    TemporaryFolder const folder;
    std::string const path = folder.path("socket");
    Endpoint const endpoint("unix:" + path);
    SECTION("removed at the end") {
        {
            TcpAcceptor const acceptor(endpoint);
            CHECK(exists(path));
        }
        CHECK_FALSE(exists(path));
    }
    SECTION("one on which nobody answers is replaced") {
        sockaddr_storage storage;
        socklen_t const length = endpoint.to_sockaddr(storage);
        int const dead = ::socket(AF_UNIX, SOCK_STREAM, 0);
        REQUIRE(::bind(dead, reinterpret_cast<sockaddr*>(&storage), length) == 0);
        ::close(dead);
        REQUIRE(exists(path));
        TcpAcceptor const acceptor(endpoint);
        CHECK_NOTHROW(RawPeer(endpoint));
    }
    SECTION("one that is served is in use, and stays") {
        TcpAcceptor const acceptor(endpoint);
        CHECK(error_of(endpoint).code() == std::errc::address_in_use);
        CHECK_NOTHROW(RawPeer(endpoint));
    }
    SECTION("a file that is no socket is never removed") {
        std::ofstream(path) << "precious";
        CHECK(error_of(endpoint).code() == std::errc::address_in_use);
        CHECK(exists(path));
    }
    SECTION("a path that somebody else has made since then stays") {
        std::optional<TcpAcceptor> first;
        first.emplace(endpoint);
        REQUIRE(::unlink(path.c_str()) == 0);
        TcpAcceptor const second(endpoint);
        first.reset();
        CHECK(exists(path));
        CHECK_NOTHROW(RawPeer(endpoint));
    }
}

TEST_CASE("close refuses new clients at once, and accepts none of those who wait", "[tcp]") {
    TcpFixture::usual = GENERATE(TcpFixture::epoll_on_one_thread, TcpFixture::epoll_on_strand, TcpFixture::asio_on_one_thread,
                                 TcpFixture::asio_on_strand);
    CAPTURE(TcpFixture::usual.name);
    TcpFixture fixture;
    TemporaryFolder const folder;
    Endpoint const where(GENERATE(0, 1) == 0 ? "127.0.0.1:0" : "unix:" + folder.path("socket"));
    int accepted = 0;
    TcpAcceptor acceptor(where);
    Endpoint const endpoint = acceptor.endpoint();
    acceptor.serve(fixture.driver(), [&](TcpSocket) { ++accepted; });
    CHECK(fixture.settles());
    RawPeer waiting = speaking_peer(endpoint);
    acceptor.close();
    acceptor.close();
    CHECK(refuses(endpoint));
    CHECK(fixture.settles());
    CHECK(accepted == 0);
    CHECK(fixture.pump_until([&] {
        (void)waiting.read();
        return waiting.has_ended() || waiting.was_reset();
    }));
}

TEST_CASE("close is allowed inside on_accept, which is not called again", "[tcp]") {
    TcpFixture::usual = GENERATE(TcpFixture::epoll_on_one_thread, TcpFixture::asio_on_one_thread);
    CAPTURE(TcpFixture::usual.name);
    TcpFixture fixture;
    std::optional<TcpAcceptor> acceptor;
    acceptor.emplace(Endpoint("127.0.0.1:0"));
    std::vector<RawPeer> peers;
    for (int i = 0; i < 3; ++i) peers.push_back(speaking_peer(acceptor->endpoint()));
    int accepted = 0;
    acceptor->serve(fixture.driver(), [&](TcpSocket) {
        ++accepted;
        acceptor.reset();
    });
    CHECK(fixture.pump_until([&] { return accepted > 0; }));
    CHECK(fixture.settles());
    CHECK(accepted == 1);
}

TEST_CASE("acceptor, driver and loop may end in any order", "[tcp]") {
    TcpFixture::usual = GENERATE(TcpFixture::epoll_on_one_thread, TcpFixture::asio_on_one_thread);
    CAPTURE(TcpFixture::usual.name);
    auto fixture = std::make_unique<TcpFixture>();
    auto acceptor = std::make_unique<TcpAcceptor>(Endpoint("127.0.0.1:0"));
    auto const guard = std::make_shared<int>(0);
    acceptor->serve(fixture->driver(), [guard](TcpSocket) {});
    CHECK(guard.use_count() == 2);
    SECTION("the loop first, before it ever ran") { fixture.reset(); }
    SECTION("the loop first") {
        CHECK(fixture->settles());
        fixture.reset();
    }
    SECTION("the acceptor first, before the loop ever ran") {
        acceptor.reset();
        CHECK(fixture->settles());
        fixture.reset();
    }
    SECTION("the acceptor first") {
        CHECK(fixture->settles());
        acceptor.reset();
        CHECK(fixture->settles());
        CHECK(guard.use_count() == 1);
        fixture.reset();
    }
    SECTION("the acceptor first, and the loop does not run any more") {
        CHECK(fixture->settles());
        acceptor.reset();
        fixture.reset();
    }
    CHECK(guard.use_count() == 1);
    if (acceptor) CHECK_NOTHROW(acceptor->close());
}

TEST_CASE("a socket that listens already is adopted, and others may go on with it") {
    TcpFixture fixture(TcpFixture::epoll_on_one_thread);
    hubbub::detail::ListeningSocket const original(Endpoint("127.0.0.1:0"), {});
    std::optional<TcpAcceptor> acceptor(TcpAcceptor::adopt(::dup(original.descriptor())));
    CHECK(acceptor->endpoint() == original.endpoint());
    TcpSocket accepted;
    acceptor->serve(fixture.driver(), [&](TcpSocket socket) { accepted = std::move(socket); });
    RawPeer const peer(original.endpoint());
    CHECK(fixture.pump_until([&] { return bool(accepted); }));
    acceptor.reset();
    CHECK(fixture.settles());
    CHECK_NOTHROW(RawPeer(original.endpoint()));
    int const plain = ::socket(AF_INET, SOCK_STREAM, 0);
    CHECK_THROWS_AS(TcpAcceptor::adopt(plain), std::system_error);
    CHECK(::close(plain) == 0);  // it is still ours
}

TEST_CASE("what listens, but not for streams, or does not listen, is not adopted") {
    int const packets = ::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    sockaddr_storage storage;
    socklen_t const length = Endpoint("unix:@hubbub-test-" + std::to_string(::getpid())).to_sockaddr(storage);
    REQUIRE(::bind(packets, reinterpret_cast<sockaddr*>(&storage), length) == 0);
    REQUIRE(::listen(packets, 1) == 0);
    CHECK(refusal_of(packets).find("is no stream socket") != std::string::npos);
    int const stream = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(refusal_of(stream).find("does not listen") != std::string::npos);
    CHECK(::close(packets) == 0);
    CHECK(::close(stream) == 0);
}

TEST_CASE("who leaves a socket to another loses and refuses nobody, and delivers whom it has accepted", "[tcp]") {
    TcpFixture::usual = GENERATE(from_range(TcpFixture::kinds));
    CAPTURE(TcpFixture::usual.name);
    TemporaryFolder const folder;
    Endpoint const where(GENERATE(0, 1) == 0 ? "127.0.0.1:0" : "unix:" + folder.path("socket"));
    TcpFixture before, after;
    TcpAcceptor old(where);
    std::optional<TcpAcceptor> fresh(TcpAcceptor::adopt(::dup(old.descriptor())));
    Endpoint const endpoint = old.endpoint();
    std::vector<TcpSocket> by_old, by_fresh;
    old.serve(before.driver(), [&](TcpSocket socket) { by_old.push_back(std::move(socket)); });
    CHECK(before.settles());
    std::vector<RawPeer> peers;
    for (int i = 0; i < 20; ++i) peers.push_back(speaking_peer(endpoint));  // a ring has accepted them without being looked at
    bool has_left = false;
    old.leave([&] { has_left = true; });
    CHECK(old.descriptor() == -1);
    CHECK(before.pump_until([&] { return has_left; }));
    for (int i = 0; i < 20; ++i) peers.push_back(speaking_peer(endpoint));
    CHECK(before.settles());
    std::size_t const of_old = by_old.size();
    CHECK(of_old <= 20);
    fresh->serve(after.driver(), [&](TcpSocket socket) { by_fresh.push_back(std::move(socket)); });
    CHECK(after.pump_until([&] { return by_fresh.size() + of_old == peers.size(); }));
    for (TcpSocket const& each : by_old) CHECK(::send(each.descriptor(), "a", 1, MSG_NOSIGNAL) == 1);
    for (TcpSocket const& each : by_fresh) CHECK(::send(each.descriptor(), "b", 1, MSG_NOSIGNAL) == 1);
    std::string heard;
    for (RawPeer& each : peers) {
        CHECK(after.pump_until([&] { return !(heard += each.read()).empty() || each.was_reset() || each.has_ended(); }));
        CHECK(heard.size() == 1);
        heard.clear();
    }
    CHECK(exists(folder.path("socket")) == (where.family() == Endpoint::Family::unix_socket));
    fresh->own();
    fresh.reset();
    CHECK(refuses(endpoint));
    CHECK_FALSE(exists(folder.path("socket")));
}

TEST_CASE("leaving is over at once where nobody accepts, and once where a loop has not begun", "[tcp]") {
    TcpFixture fixture;
    TcpAcceptor idle(Endpoint("127.0.0.1:0")), never_began(Endpoint("127.0.0.1:0"));
    int left = 0;
    idle.leave([&] { ++left; });
    CHECK(left == 1);
    idle.leave([&] { ++left; });
    CHECK(left == 2);
    never_began.serve(fixture.driver(), [](TcpSocket) { FAIL("nobody is accepted"); });
    never_began.leave([&] { ++left; });
    CHECK(left == 2);
    CHECK(fixture.settles());
    CHECK(left == 3);
}

TEST_CASE("serving one driver twice is reported, and does no harm") {
    TcpFixture fixture(TcpFixture::epoll_on_one_thread);
    int troubles = 0, accepted = 0;
    TcpAcceptor acceptor(Endpoint("127.0.0.1:0"), {.on_trouble = [&](std::string_view, std::error_code error) {
                             if (error == std::errc::file_exists) ++troubles;
                         }});
    acceptor.serve(fixture.driver(), [&](TcpSocket) { ++accepted; });
    acceptor.serve(fixture.driver(), [&](TcpSocket) { ++accepted; });
    RawPeer const peer = speaking_peer(acceptor.endpoint());
    CHECK(fixture.pump_until([&] { return accepted == 1; }));
    CHECK(troubles == 1);
}
