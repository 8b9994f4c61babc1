// A chat for the browser: rooms, names, members, over as many cores as you like.
//   hubbub_chat [--address A] [--port N] [--threads N] [--page FOLDER] [--transport KIND] [--jwt]
//               [--tls CERTIFICATE KEY] [--redis URL | --nats URL] [--cluster-key TEXT] [--proxy NETWORK]
//   hubbub_chat --self-test
// README.md says what is in which file.
#include <exception>
#include <iostream>
#include <stdexcept>
#include <string_view>

#include "arguments.hpp"
#include "self_test.hpp"
#include "serve.hpp"

int main(int argc, char** argv) try {
    auto const arguments = chat::Arguments::parse(argc, argv);
    if (arguments.help) {
        std::cout << chat::Arguments::usage;
        return 0;
    }
    if (arguments.self_test) return chat::self_test();

    if (arguments.jwt)
        chat::serve_signed_in(arguments);
    else if (!arguments.redis.empty())
        chat::serve_over_redis(arguments);
    else if (!arguments.nats.empty())
        chat::serve_over_nats(arguments);
    else if (arguments.transport == "websocketpp")
        chat::serve_with_websocketpp(arguments);
    else
        chat::serve<hubbub::TcpConnection>(arguments);
    return 0;
} catch (std::invalid_argument const& error) {
    std::cerr << "hubbub_chat: " << error.what() << '\n' << chat::Arguments::usage;
    return 2;
} catch (std::exception const& error) {
    std::cerr << "hubbub_chat: " << error.what() << '\n';
    return 1;
}
