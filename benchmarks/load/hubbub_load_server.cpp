// A whole hub as a load server: echo, or broadcast of each message to every client; see --help.
#include <exception>
#include <iostream>
#include <stdexcept>

#include "load_server.hpp"
#include "transports.hpp"

int main(int argc, char** argv) try {
    load::Arguments const arguments = load::Parser::parse(argc, argv);
    switch (arguments.transport) {
        case load::Transport::tcp:
            arguments.deflate ? load::run_deflate(arguments) : load::Server<hubbub::TcpConnection>(arguments).run();
            break;
        case load::Transport::websocketpp: load::run_websocketpp(arguments); break;
        case load::Transport::websocketpp_adopted: load::run_websocketpp_adopted(arguments); break;
    }
    return 0;
} catch (std::invalid_argument const& error) {
    std::cerr << "hubbub_load_server: " << error.what() << '\n';
    return 2;
} catch (std::exception const& error) {
    std::cerr << "hubbub_load_server: " << error.what() << '\n';
    return 1;
}
