// Row P6: what an idle session costs in user memory. A hub with the default policy over real sockets; a child process opens
// sessions with a real handshake, sends one message on each and reads its echo; each session is in one topic.
//   hubbub_session_memory [SESSIONS] [--json]
// Allocated: bytes that the allocator has given out (mallinfo2), exact. Resident: growth of the process (/proc/self/statm),
// with what the allocator keeps besides.
#include <malloc.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

#include <asio/connect.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/read_until.hpp>
#include <asio/write.hpp>

#include <hubbub/hub/hub.hpp>
#include <hubbub/transport/tcp/asio_loop.hpp>
#include <hubbub/transport/tcp/tcp_acceptor.hpp>
#include <hubbub/transport/tcp/tcp_connection.hpp>
#include <hubbub/ws/encoder.hpp>

namespace {

struct Echo : hubbub::NoopHandler {
    std::size_t* heard;
    explicit Echo(std::size_t& count) : heard(&count) {}
    void on_open(auto& session) { session.subscribe("room"); }
    void on_message(auto& session, hubbub::MessageView message) {
        session.send(message);
        ++*heard;
    }
};

/// The clients. Leaves when the other end of `until` is closed.
[[noreturn]] void run_clients(std::uint16_t port, std::size_t count, int until) {
    asio::io_context context;
    std::vector<asio::ip::tcp::socket> clients;
    std::string const out =
        "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
    for (std::size_t i = 0; i < count; ++i) {
        clients.emplace_back(context);
        clients.back().connect({asio::ip::make_address("127.0.0.1"), port});
        asio::write(clients.back(), asio::buffer(out));
        std::string in;
        asio::read_until(clients.back(), asio::dynamic_buffer(in), "\r\n\r\n");
        asio::write(clients.back(), asio::buffer(hubbub::ws::encode_frame(hubbub::ws::ClientFrame::text("hello"))));
        asio::read_until(clients.back(), asio::dynamic_buffer(in), "hello");
    }
    char byte = 0;
    _exit(read(until, &byte, 1) == 0 ? 0 : 1);
}

struct Memory {
    double allocated, resident;

    static Memory now() {
        struct mallinfo2 const info = mallinfo2();
        std::size_t pages = 0;
        std::ifstream("/proc/self/statm") >> pages >> pages;
        return {static_cast<double>(info.uordblks + info.hblkhd),
                static_cast<double>(pages) * static_cast<double>(sysconf(_SC_PAGESIZE))};
    }
};

}  // namespace

int main(int argc, char** argv) {
    std::size_t count = 10'000;
    bool as_json = false;
    for (int i = 1; i < argc; ++i) {
        if (std::string_view(argv[i]) == "--json")
            as_json = true;
        else
            count = std::strtoul(argv[i], nullptr, 10);
    }
    rlimit limit{};
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    if (count < 1 || limit.rlim_cur < count + 100) {
        std::cerr << "hubbub_session_memory: " << count << " sessions need as many descriptors; the limit is " << limit.rlim_cur
                  << '\n';
        return 2;
    }

    asio::io_context context{1};
    std::size_t heard = 0;
    hubbub::HubOptions options;
    options.limits = {.in_all = 0, .per_address = 0, .per_user = 0};  // all come from one address, at once
    options.rates = hubbub::TokenBuckets::off();
    hubbub::Hub<hubbub::TcpConnection> hub{context, Echo{heard}, options};
    hubbub::TcpAcceptor acceptor{hubbub::Endpoint{"127.0.0.1:0"}};
    acceptor.serve(hub.driver(0), [&hub](hubbub::TcpSocket socket) { hub.adopt(std::move(socket)); });

    auto const open = [&](std::size_t sessions) {
        int ends[2];
        if (pipe(ends) != 0) std::abort();
        heard = 0;
        pid_t const child = fork();
        if (child == 0) {
            close(ends[1]);
            run_clients(acceptor.port(), sessions, ends[0]);
        }
        close(ends[0]);
        while (heard < sessions) context.run_one();
        for (int i = 0; i < 5; ++i) {  // what is kept for a while only goes
            context.run_for(std::chrono::milliseconds(300));
            context.restart();
        }
        Memory const full = Memory::now();
        close(ends[1]);
        int status = 0;
        waitpid(child, &status, 0);
        while (hub.snapshot(0).sessions) context.run_one();
        return full;
    };
    Memory const empty = Memory::now();
    Memory const one = open(1);
    Memory const full = open(count);
    auto const number = static_cast<double>(count);
    double const allocated = (full.allocated - one.allocated) / (number - 1);
    double const resident = (full.resident - one.resident) / (number - 1);
    if (as_json) {
        std::cout << "[{\"row\": \"P6\", \"what\": \"memory of an idle session\", \"figure\": " << allocated
                  << ", \"unit\": \"bytes\", \"bar\": 300, \"resident\": " << resident
                  << ", \"loop\": " << one.allocated - empty.allocated << "}]\n";
        return 0;
    }
    std::cout << "P6  an idle session, of " << count << ": " << allocated << " bytes allocated (bar 300), " << resident
              << " resident; buffers of the loop and a first session: " << one.allocated - empty.allocated << " bytes\n";
    return 0;
}
