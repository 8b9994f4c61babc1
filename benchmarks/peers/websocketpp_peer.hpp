#pragma once

// What the servers of websocketpp share: how they begin and end.
#include <csignal>
#include <iostream>

#include <asio/ip/tcp.hpp>
#include <asio/signal_set.hpp>

#include "peer_arguments.hpp"

namespace peer {

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
