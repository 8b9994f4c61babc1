// What only this engine has: a ring that may be too small, bytes that came before they were wanted, a loop that changes its
// thread. What every engine must do is in tests/contract.
#include <hubbub/transport/uring/uring_engine.hpp>

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cstddef>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <hubbub/transport/tcp/tcp_acceptor.hpp>
#include <hubbub/transport/tcp/tcp_connection.hpp>

#include "tests/contract/byte_connection_contract.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/transport/tcp/tcp_fixture.hpp"

using namespace hubbub_test;
using hubbub::EngineKind;
using hubbub::RingOptions;
using hubbub_contract::RecordingOwner;

namespace {

/// Whether this system has what is tested here; told once, else it would seem tested.
bool runs_here() {
    std::string const& fault = hubbub::detail::uring_fault();
    if (!fault.empty()) WARN("io_uring is not tested: " << fault);
    return fault.empty();
}

struct CommitHook final : hubbub::TurnHook {
    explicit CommitHook(hubbub::TcpDriver& which) : driver(which) {}
    void on_turn_begin() noexcept override {}
    void on_turn_end() noexcept override { driver.commit(); }
    void on_wake() noexcept override {}
    hubbub::TcpDriver& driver;
};

/// A loop, a driver with a ring of that size, and clients that say something.
struct Crowd {
    struct Guest {
        Guest(Crowd& crowd, hubbub::TcpSocket socket) : owner(crowd.host.loop()), connection(crowd.driver, std::move(socket)) {}
        RecordingOwner owner;
        hubbub::TcpConnection connection;
    };

    explicit Crowd(RingOptions const& ring, std::size_t size)
        : host(hubbub::Threading::one_thread), driver(host.loop(), {.engine = EngineKind::uring, .ring = ring}) {
        REQUIRE(driver.engine_name() == "uring");
        host.loop().attach(&hook);
        hubbub::detail::ListeningSocket const listener(hubbub::Endpoint("127.0.0.1:0"), {});
        for (std::size_t i = 0; i < size; ++i) {
            peers.push_back(std::make_unique<RawPeer>(listener.endpoint()));
            int descriptor = -1;
            while (descriptor < 0) descriptor = ::accept(listener.descriptor(), nullptr, nullptr);
            guests.push_back(std::make_unique<Guest>(*this, hubbub::TcpSocket::adopt(descriptor)));
        }
        in_turn([&] {
            for (auto& guest : guests) guest->connection.start(guest->owner);
        });
    }
    ~Crowd() { host.loop().attach(nullptr); }

    void in_turn(std::function<void()> function) {
        bool done = false;
        host.loop().post([&] {
            function();
            done = true;
        });
        REQUIRE(pump_until([&] { return done; }));
    }
    bool pump_until(std::function<bool()> const& is_done) {
        for (int i = 0; i < 20000 && !is_done(); ++i) (void)host.pump(i < 10 ? 0 : 1);
        return is_done();
    }

    PumpedAsioLoop host;
    hubbub::TcpDriver driver;
    CommitHook hook{driver};
    std::vector<std::unique_ptr<Guest>> guests;
    std::vector<std::unique_ptr<RawPeer>> peers;
};

/// Each peer says its own text in pieces; everything arrives, whole and in order.
void all_are_heard(Crowd& crowd, std::size_t size) {
    std::string const text = hubbub_contract::pattern(size);
    std::size_t const piece = size / 4 + 1;
    for (std::size_t from = 0; from < size; from += piece)
        for (auto& peer : crowd.peers) peer->write(text.substr(from, piece));
    auto const has_all = [&](auto const& guest) { return guest->owner.received.size() >= size; };
    CHECK(crowd.pump_until([&] { return std::all_of(crowd.guests.begin(), crowd.guests.end(), has_all); }));
    for (auto const& guest : crowd.guests) CHECK(guest->owner.received == text);
}

hubbub::WriteResult offer(hubbub::TcpConnection& connection, std::string& text, std::size_t pieces = 1) {
    hubbub::ws::Block block{};
    block.bytes = reinterpret_cast<std::byte*>(text.data());
    std::vector<hubbub::ws::Slice> slices;
    for (std::size_t i = 0; i < pieces; ++i) {
        std::size_t const from = text.size() * i / pieces, to = text.size() * (i + 1) / pieces;
        slices.push_back({&block, static_cast<std::uint32_t>(from), static_cast<std::uint32_t>(to - from)});
    }
    return connection.write(slices);
}

}  // namespace

TEST_CASE("who finds no receive buffer is heard in the next round") {
    if (!runs_here()) return;
    Crowd crowd({.submissions = 64, .completions = 256, .buffers = 2, .buffer_size = 64}, 40);
    all_are_heard(crowd, 1000);
}

TEST_CASE("more completions than the ring holds are lost by nobody") {
    if (!runs_here()) return;
    Crowd crowd({.submissions = 4, .completions = 8, .buffers = 64, .buffer_size = 64}, 60);
    all_are_heard(crowd, 1000);
}

TEST_CASE("more writes than the ring has entries leave in one turn") {
    if (!runs_here()) return;
    Crowd crowd({.submissions = 4, .completions = 64, .buffers = 4, .buffer_size = 64}, 50);
    std::string text = "to all of you";
    crowd.in_turn([&] {
        for (auto& guest : crowd.guests) CHECK(offer(guest->connection, text).held == text.size());
    });
    for (std::size_t i = 0; i < crowd.peers.size(); ++i) {
        CHECK(crowd.guests[i]->owner.settled == text.size());
        CHECK(crowd.peers[i]->read() == text);
    }
}

TEST_CASE("more slices than one call takes are refused from there on, and asked for again") {
    if (!runs_here()) return;
    Crowd crowd({}, 1);
    std::string text = hubbub_contract::pattern(6000);
    hubbub::WriteResult result;
    crowd.in_turn([&] { result = offer(crowd.guests[0]->connection, text, 1500); });
    CHECK(result.taken == 0);
    CHECK(result.held == 4 * 1024);
    CHECK(crowd.pump_until([&] { return crowd.guests[0]->owner.writables == 1; }));
    CHECK(crowd.guests[0]->owner.settled == 4 * 1024);
    CHECK(crowd.peers[0]->read() == text.substr(0, 4 * 1024));
}

TEST_CASE("what came before a socket was detached goes with it") {
    if (!runs_here()) return;
    Crowd crowd({}, 1), other({}, 0);
    auto& guest = *crowd.guests[0];
    crowd.peers[0]->write("first ");
    CHECK(crowd.pump_until([&] { return guest.owner.received == "first "; }));
    crowd.in_turn([&] { guest.connection.pause_reading(); });
    crowd.peers[0]->write("second ");
    // The receive goes on by itself: it takes what nobody wants to hear yet, and keeps it.
    for (int i = 0; i < 20; ++i) (void)crowd.host.pump(1);
    CHECK(guest.owner.received == "first ");
    hubbub::TcpSocket socket;
    crowd.in_turn([&] { socket = guest.connection.detach(); });
    CHECK(socket.unread().size() == 7);
    crowd.peers[0]->write("third");
    bool const to_ring = GENERATE(true, false);
    TcpFixture on_epoll(TcpFixture::epoll_on_one_thread);
    RecordingOwner owner(to_ring ? other.host.loop() : on_epoll.loop());
    hubbub::TcpConnection connection(to_ring ? other.driver : on_epoll.driver(), std::move(socket));
    auto const hears_all = [&] { return owner.received == "second third"; };
    if (to_ring) {
        other.in_turn([&] { connection.start(owner); });
        CHECK(other.pump_until(hears_all));
    } else {
        on_epoll.loop().post([&] { connection.start(owner); });
        CHECK(on_epoll.pump_until(hears_all));
    }
}

TEST_CASE("what came while reading was paused is heard after it, before the rest") {
    if (!runs_here()) return;
    Crowd crowd({.buffers = 4, .buffer_size = 64}, 1);
    auto& guest = *crowd.guests[0];
    crowd.peers[0]->write("1");
    CHECK(crowd.pump_until([&] { return guest.owner.received == "1"; }));
    std::string const text = hubbub_contract::pattern(3000);
    crowd.in_turn([&] { guest.connection.pause_reading(); });
    crowd.peers[0]->write(text);
    for (int i = 0; i < 20; ++i) (void)crowd.host.pump(1);
    CHECK(guest.owner.received == "1");
    crowd.in_turn([&] { guest.connection.resume_reading(); });
    CHECK(crowd.pump_until([&] { return guest.owner.received.size() > text.size(); }));
    CHECK(guest.owner.received == "1" + text);
}

TEST_CASE("a loop that another thread runs goes on with a ring of that thread") {
    if (!runs_here()) return;
    Crowd crowd({}, 3);
    hubbub::TcpAcceptor acceptor(hubbub::Endpoint("127.0.0.1:0"));
    int accepted = 0;
    acceptor.serve(crowd.driver, [&](hubbub::TcpSocket) { ++accepted; });
    all_are_heard(crowd, 100);
    for (auto& guest : crowd.guests) guest->owner.received.clear();
    for (auto& peer : crowd.peers) peer->write("lies there");
    std::thread([&] {
        for (int i = 0; i < 200; ++i) (void)crowd.host.pump(1);
        RawPeer const client(acceptor.endpoint());
        for (int i = 0; i < 2000 && accepted == 0; ++i) (void)crowd.host.pump(1);
    }).join();
    CHECK(accepted == 1);
    for (auto const& guest : crowd.guests) {
        CHECK(guest->owner.received == "lies there");
        CHECK(guest->owner.losses == 0);
    }
    static_cast<hubbub::AsioLoop&>(crowd.host.loop()).claim();
}

TEST_CASE("connects, messages, closes and resets at random leave nothing behind") {
    if (!runs_here()) return;
    std::uint64_t random = 12345;
    auto const draw = [&](std::uint64_t below) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        return (random >> 33) % below;
    };
    auto const descriptors = [] {
        int const next = ::dup(0);
        ::close(next);
        return next;
    };
    int const before = descriptors();
    {
        Crowd crowd({.submissions = 16, .completions = 64, .buffers = 8, .buffer_size = 64}, 0);
        hubbub::detail::ListeningSocket const listener(hubbub::Endpoint("127.0.0.1:0"), {});
        std::string text = hubbub_contract::pattern(500);
        for (int round = 0; round < 3000; ++round) {
            if (crowd.guests.size() < 20) {
                crowd.peers.push_back(std::make_unique<RawPeer>(listener.endpoint()));
                int descriptor = -1;
                while (descriptor < 0) descriptor = ::accept(listener.descriptor(), nullptr, nullptr);
                crowd.guests.push_back(std::make_unique<Crowd::Guest>(crowd, hubbub::TcpSocket::adopt(descriptor)));
                crowd.in_turn([&] { crowd.guests.back()->connection.start(crowd.guests.back()->owner); });
            }
            std::size_t const at = draw(crowd.guests.size());
            auto& guest = *crowd.guests[at];
            RawPeer& peer = *crowd.peers[at];
            bool gone = false;
            switch (draw(8)) {
                case 0: peer.write(text.substr(0, draw(200) + 1)); break;
                case 1: crowd.in_turn([&] { guest.connection.pause_reading(); }); break;
                case 2: crowd.in_turn([&] { guest.connection.resume_reading(); }); break;
                case 3: gone = draw(2) == 0 && (crowd.in_turn([&] { guest.connection.close(); }), true); break;
                case 4: gone = draw(2) == 0 && (crowd.in_turn([&] { guest.connection.reset(); }), true); break;
                case 5: gone = draw(4) == 0 && (peer.reset(), true); break;
                case 6:  // written and closed in one turn
                    crowd.in_turn([&] {
                        (void)offer(guest.connection, text, 1 + draw(3));
                        guest.connection.close();
                    });
                    gone = true;
                    break;
                default: crowd.in_turn([&] { (void)offer(guest.connection, text); }); break;
            }
            if (gone) {
                crowd.in_turn([&] { guest.connection.close(); });
                crowd.guests.erase(crowd.guests.begin() + static_cast<std::ptrdiff_t>(at));
                crowd.peers.erase(crowd.peers.begin() + static_cast<std::ptrdiff_t>(at));
            }
        }
        crowd.in_turn([&] { crowd.guests.clear(); });
    }
    CHECK(descriptors() == before);
}

TEST_CASE("where io_uring is forbidden the engine is epoll, and says why") {
    // In a process of its own, because a filter cannot be taken away again.
    pid_t const child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        sock_filter code[] = {
            BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
            BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_io_uring_setup, 0, 1),
            BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
            BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        };
        sock_fprog const program{.len = 4, .filter = code};
        if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
            ::_exit(3);
        std::string const fault = hubbub::detail::UringTrial().find_fault();
        ::_exit(fault.starts_with("io_uring_setup: ") && fault.find("seccomp") != std::string::npos ? 0 : 1);
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == 0);
}

TEST_CASE("a loop that is a strand gets epoll, and the reason") {
    PumpedAsioLoop strand(hubbub::Threading::several_threads);
    hubbub::TcpDriver const driver(strand.loop(), {.engine = EngineKind::uring});
    CHECK(driver.engine_name() == "epoll");
    CHECK(driver.engine_remark() == "the uring engine needs a loop that runs on one thread, and this one is a strand");
}

TEST_CASE("clients whom the ring has accepted, and nobody heard of, are delivered by an acceptor that leaves", "[tcp]") {
    if (!runs_here()) return;
    hubbub::ManualLoop loop;
    hubbub::TcpDriver driver(loop, {.engine = EngineKind::uring});
    CommitHook hook(driver);
    loop.attach(&hook);
    hubbub::TcpAcceptor acceptor(hubbub::Endpoint("127.0.0.1:0"));
    hubbub::Endpoint const endpoint = acceptor.endpoint();
    std::vector<hubbub::TcpSocket> accepted;
    acceptor.serve(driver, [&](hubbub::TcpSocket socket) { accepted.push_back(std::move(socket)); });
    loop.run_until_idle();
    std::vector<RawPeer> peers;
    for (int i = 0; i < 5; ++i) peers.emplace_back(endpoint);
    bool has_left = false;
    acceptor.leave([&] { has_left = true; });
    REQUIRE(loop.poll_watched(5000));  // what has come is taken from the ring, and then comes the turn that leaves
    loop.run_until_idle();
    CHECK(has_left);
    CHECK(accepted.size() == peers.size());
    loop.attach(nullptr);
}
