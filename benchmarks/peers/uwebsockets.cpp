// A server on uWebSockets: topics of its own, no compression, one thread. Only built where the user has its source, which is no
// package: tools/bench --uwebsockets PATH.
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <string_view>

#include <App.h>

#include "peer_arguments.hpp"

namespace {

struct Nothing {};

[[noreturn]] void end(int) { std::_Exit(0); }

}  // namespace

int main(int argc, char** argv) {
    peer::Arguments const arguments = peer::parse(argc, argv);
    std::signal(SIGTERM, end);
    std::signal(SIGINT, end);
    uWS::App app;
    uWS::App::WebSocketBehavior<Nothing> behavior;
    behavior.compression = uWS::DISABLED;
    behavior.maxPayloadLength = 1 << 20;
    behavior.maxBackpressure = 16 << 20;  // the limit of the hub's load server
    behavior.closeOnBackpressureLimit = true;
    if (arguments.is_echo) {
        behavior.message = [](auto* socket, std::string_view message, uWS::OpCode code) { socket->send(message, code); };
    } else {
        behavior.open = [](auto* socket) { socket->subscribe("all"); };
        // The app publishes to all; a socket would leave itself out.
        behavior.message = [&app](auto*, std::string_view message, uWS::OpCode code) { app.publish("all", message, code); };
    }
    app.ws<Nothing>("/*", std::move(behavior));
    bool listens = false;
    app.listen("127.0.0.1", arguments.port, LIBUS_LISTEN_EXCLUSIVE_PORT, [&listens](us_listen_socket_t* socket) {
        listens = socket != nullptr;
        if (!listens) return;
        std::cout << "listening on port " << us_socket_local_port(0, reinterpret_cast<us_socket_t*>(socket)) << std::endl;
    });
    if (!listens) {
        std::cerr << "port " << arguments.port << " is taken\n";
        return 1;
    }
    app.run();
    return 0;
}
