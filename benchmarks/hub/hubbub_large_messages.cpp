// Large messages beside small ones: 1 MiB is published to 1,000 subscribers over TCP, again and again, while one more client measures
// how long it waits for the echo of a small one. Prints how long that was, with and without the large ones, and what a delivery of a
// large one took of the server's thread.
//   hubbub_large_messages [--engine asio|epoll|uring] [--subscribers N] [--bytes N] [--messages N]
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <asio/io_context.hpp>

#include <hubbub/hub/hub.hpp>
#include <hubbub/transport/tcp/asio_loop.hpp>
#include <hubbub/transport/tcp/tcp_acceptor.hpp>
#include <hubbub/transport/tcp/tcp_connection.hpp>
#include <hubbub/ws/encoder.hpp>

namespace {

using namespace hubbub;
using Clock = std::chrono::steady_clock;

struct Handler : NoopHandler {
    void on_open(auto& session) {
        if (session.request()->target() == "/large") session.subscribe("large");
    }
    void on_message(auto& session, MessageView message) { session.send(message); }
};

void check(bool good, char const* what) {
    if (good) return;
    std::perror(what);
    std::exit(1);
}

int connect_to(std::uint16_t port, std::string_view path) {
    int const descriptor = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    check(::connect(descriptor, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0, "connect");
    std::string const request = "GET " + std::string(path) +
                                " HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                                "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
    check(::send(descriptor, request.data(), request.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(request.size()), "send");
    std::string answer;
    for (char byte; !answer.ends_with("\r\n\r\n"); answer += byte) check(::recv(descriptor, &byte, 1, 0) == 1, "recv");
    return descriptor;
}

/// Reads and forgets what the subscribers get, until told to end.
void drain(std::vector<int> const& descriptors, std::atomic<std::uint64_t>& bytes, std::atomic<bool> const& is_over) {
    int const epoll = ::epoll_create1(EPOLL_CLOEXEC);
    for (int const descriptor : descriptors) {
        epoll_event event{.events = EPOLLIN, .data = {.fd = descriptor}};
        check(::epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event) == 0, "epoll_ctl");
    }
    std::vector<char> buffer(1 << 20);
    std::array<epoll_event, 64> events;
    while (!is_over) {
        int const count = ::epoll_wait(epoll, events.data(), static_cast<int>(events.size()), 20);
        for (int i = 0; i < count; ++i) {
            ssize_t const got = ::recv(events[static_cast<std::size_t>(i)].data.fd, buffer.data(), buffer.size(), MSG_DONTWAIT);
            if (got > 0) bytes += static_cast<std::uint64_t>(got);
        }
    }
    ::close(epoll);
}

/// Sends a small message and waits for its echo, with a pause, until `enough` says so.
template <class Enough>
std::vector<double> echoes(int descriptor, Enough&& enough) {
    std::string const frame = ws::encode_frame(ws::ClientFrame::text("a small one"));
    std::vector<double> milliseconds;
    while (!enough()) {
        auto const begin = Clock::now();
        check(::send(descriptor, frame.data(), frame.size(), MSG_NOSIGNAL) > 0, "send");
        char answer[13];
        check(::recv(descriptor, answer, sizeof answer, MSG_WAITALL) == sizeof answer, "recv");
        milliseconds.push_back(std::chrono::duration<double, std::milli>(Clock::now() - begin).count());
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return milliseconds;
}

void print(char const* what, std::vector<double> times) {
    std::sort(times.begin(), times.end());
    auto const at = [&](double part) { return times[std::min(times.size() - 1, std::size_t(double(times.size()) * part))]; };
    std::printf("%-32s %6zu echoes: p50 %8.2f  p99 %8.2f  max %8.2f ms\n", what, times.size(), at(0.5), at(0.99), times.back());
}

double cpu_seconds(clockid_t clock) {
    timespec now{};
    clock_gettime(clock, &now);
    return double(now.tv_sec) + double(now.tv_nsec) / 1e9;
}

}  // namespace

int main(int argc, char** argv) {
    std::size_t subscribers = 1000, bytes = 1 << 20, messages = 5;
    TcpDriver::Options driver;
    driver.engine = EngineKind::epoll;
    for (int i = 1; i + 1 < argc; i += 2) {
        std::string_view const option = argv[i], value = argv[i + 1];
        if (option == "--engine")
            driver.engine = value == "uring" ? EngineKind::uring : value == "asio" ? EngineKind::asio : EngineKind::epoll;
        if (option == "--subscribers") subscribers = std::strtoul(argv[i + 1], nullptr, 10);
        if (option == "--bytes") bytes = std::strtoul(argv[i + 1], nullptr, 10);
        if (option == "--messages") messages = std::strtoul(argv[i + 1], nullptr, 10);
    }
    asio::io_context context(1);
    AsioLoop loop(context);
    HubOptions options;
    options.queue = {.bytes = 64u << 20, .messages = 1000, .high_bytes = 32u << 20};
    options.limits = {.in_all = 0, .per_address = 0, .per_user = 0};
    Hub<TcpConnection> hub(loop, Handler{}, options, driver);
    TcpAcceptor acceptor(Endpoint{"127.0.0.1:0"});
    acceptor.serve(hub.driver(0), [&hub](TcpSocket socket) { hub.adopt(std::move(socket)); });
    std::thread server([&] { context.run(); });
    clockid_t server_clock{};
    pthread_getcpuclockid(server.native_handle(), &server_clock);

    std::vector<int> receivers;
    for (std::size_t i = 0; i < subscribers; ++i) receivers.push_back(connect_to(acceptor.port(), "/large"));
    int const small = connect_to(acceptor.port(), "/small");
    std::atomic<std::uint64_t> received{0};
    std::atomic<bool> is_over{false};
    std::thread client([&] { drain(receivers, received, is_over); });

    int left = 300;
    print("alone", echoes(small, [&] { return left-- == 0; }));
    Frame const frame = Frame::binary(std::vector<std::byte>(bytes));
    double const before = cpu_seconds(server_clock);
    std::uint64_t const size = frame.wire().size() * subscribers;
    std::size_t published = 0;
    auto const is_done = [&] {
        if (received < published * size) return false;
        if (published == messages) return true;
        hub.publish("large", frame);
        ++published;
        return false;
    };
    print("beside large ones", echoes(small, is_done));
    double const spent = cpu_seconds(server_clock) - before;
    std::printf("%-32s %6.1f us of the server's thread\n", "a delivery of a large one",
                spent * 1e6 / double(messages * subscribers));
    is_over = true;
    client.join();
    context.stop();
    server.join();
}
