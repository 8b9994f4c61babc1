#include <hubbub/transport/socket/tcp_socket.hpp>

#include <cerrno>
#include <utility>

#include "tests/support/catch.hpp"
#include "tests/unit/transport/tcp/tcp_fixture.hpp"

using namespace hubbub_test;

namespace {

bool is_open(int descriptor) { return ::fcntl(descriptor, F_GETFD) >= 0; }

int accepted_from(hubbub::detail::ListeningSocket const& listener) {
    int descriptor = -1;
    for (int i = 0; i < 1000000 && descriptor < 0; ++i) descriptor = ::accept(listener.descriptor(), nullptr, nullptr);
    return descriptor;
}

}  // namespace

TEST_CASE("an adopted socket is set up for a loop and knows its peer") {
    hubbub::detail::ListeningSocket const listener(hubbub::Endpoint("127.0.0.1:0"), {});
    RawPeer const peer(listener.endpoint());
    auto const socket = hubbub::TcpSocket::adopt(accepted_from(listener), {.send_buffer = 20000});
    CHECK((::fcntl(socket.descriptor(), F_GETFL) & O_NONBLOCK) != 0);
    CHECK((::fcntl(socket.descriptor(), F_GETFD) & FD_CLOEXEC) != 0);
    int value = 0;
    socklen_t size = sizeof value;
    REQUIRE(::getsockopt(socket.descriptor(), IPPROTO_TCP, TCP_NODELAY, &value, &size) == 0);
    CHECK(value != 0);
    REQUIRE(::getsockopt(socket.descriptor(), SOL_SOCKET, SO_SNDBUF, &value, &size) == 0);
    CHECK(value == 40000);  // the kernel doubles it
    REQUIRE(::getsockopt(socket.descriptor(), IPPROTO_TCP, TCP_NOTSENT_LOWAT, &value, &size) == 0);
    CHECK(value == 128 * 1024);
    CHECK(socket.peer().to_string() == "127.0.0.1");
    CHECK(socket.peer().port == hubbub::local_endpoint(peer.descriptor()).port());
}

TEST_CASE("what the kernel keeps of what was not sent is bounded, if it is not left to the system") {
    auto const unsent_of = [](int descriptor) {
        int value = -1;
        socklen_t size = sizeof value;
        REQUIRE(::getsockopt(descriptor, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &value, &size) == 0);
        return value;
    };
    int const of_system = [&] {
        int const plain = ::socket(AF_INET, SOCK_STREAM, 0);
        int const value = unsent_of(plain);
        ::close(plain);
        return value;
    }();
    for (auto const& [wanted, has] : {std::pair{4096, 4096}, {0, of_system}}) {
        hubbub::detail::ListeningSocket const listener(hubbub::Endpoint("127.0.0.1:0"), {.unsent = wanted});
        RawPeer const peer(listener.endpoint());
        hubbub::TcpSocket const accepted(accepted_from(listener), {});  // as it comes from there
        CHECK(unsent_of(accepted.descriptor()) == has);
        RawPeer const another(listener.endpoint());
        CHECK(unsent_of(hubbub::TcpSocket::adopt(accepted_from(listener), {.unsent = 8192}).descriptor()) == 8192);
    }
}

TEST_CASE("a TcpSocket closes its descriptor once, unless it was released") {
    int pair[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    {
        auto first = hubbub::TcpSocket::adopt(pair[0]);
        CHECK(first.peer().family == hubbub::PeerAddress::Family::unix_socket);
        hubbub::TcpSocket second(std::move(first));
        CHECK_FALSE(first);
        CHECK(second.descriptor() == pair[0]);
        auto third = hubbub::TcpSocket::adopt(pair[1]);
        third = std::move(second);
        CHECK_FALSE(is_open(pair[1]));
        CHECK(is_open(pair[0]));
        CHECK(third.release() == pair[0]);
    }
    CHECK(is_open(pair[0]));
    { hubbub::TcpSocket const closes(pair[0], {}); }
    CHECK_FALSE(is_open(pair[0]));
}

TEST_CASE("what is no descriptor cannot be adopted") { CHECK_THROWS_AS(hubbub::TcpSocket::adopt(-1), std::system_error); }
