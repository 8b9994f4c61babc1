#pragma once

// What the servers of websocketpp share: the command line, and how they begin and end. They are C++17, as websocketpp is, and see
// nothing of hubbub.
#include <charconv>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <string>
#include <string_view>

#include <asio/ip/tcp.hpp>
#include <asio/signal_set.hpp>

namespace peer {

struct Arguments {
    std::uint16_t port = 0;
    bool is_echo = false;
};

/// A wrong command line ends the program with a sentence and exit code 2.
inline Arguments parse(int argc, char** argv) {
    Arguments result;
    bool is_wrong = argc % 2 == 0;
    for (int i = 1; i + 1 < argc; i += 2) {
        std::string_view const name = argv[i], value = argv[i + 1];
        if (name == "--port") {
            auto const [end, error] = std::from_chars(value.data(), value.data() + value.size(), result.port);
            is_wrong = is_wrong || error != std::errc{} || end != value.data() + value.size();
        } else if (name == "--mode" && (value == "echo" || value == "broadcast")) {
            result.is_echo = value == "echo";
        } else {
            is_wrong = true;
        }
    }
    if (!is_wrong) return result;
    std::cerr << "usage: " << argv[0] << " [--port N] [--mode echo|broadcast]\n";
    std::exit(2);
}

/// Listens on 127.0.0.1 and serves until SIGTERM or SIGINT. The first line of output names the port.
template <class Server>
void serve(Server& server, Arguments const& arguments) {
    asio::signal_set signals(server.get_io_service(), SIGTERM, SIGINT);
    signals.async_wait([&server](auto const& error, int) {
        if (!error) server.stop();
    });
    server.set_reuse_addr(true);
    server.listen(asio::ip::tcp::endpoint(asio::ip::address_v4::loopback(), arguments.port));
    server.start_accept();
    asio::error_code ignored;
    std::cout << "listening on port " << server.get_local_endpoint(ignored).port() << std::endl;
    server.run();
}

}  // namespace peer
