// A chat for the browser: rooms, names, members, over as many cores as you like.
//   hubbub_chat [--address A] [--port N] [--threads N] [--page FOLDER] [--transport KIND] [--jwt]
//               [--tls CERTIFICATE KEY] [--redis URL | --nats URL] [--cluster-key TEXT] [--proxy NETWORK]
//               [--config FILE] [--handover PATH] [--jwt-secret FILE]
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
    auto const arguments = chat::Arguments::parse({argv + 1, argv + argc});
    if (arguments.help) {
        std::cout << chat::Arguments::usage;
        return 0;
    }
    if (arguments.self_test) return chat::self_test();

    auto const serve = arguments.jwt                          ? &chat::serve_signed_in
                       : !arguments.redis.empty()             ? &chat::serve_over_redis
                       : !arguments.nats.empty()              ? &chat::serve_over_nats
                       : arguments.transport == "websocketpp" ? &chat::serve_with_websocketpp
                                                              : &chat::serve_alone;
    return serve(arguments) == hubbub::ServerEnd::drained ? 0 : 3;
} catch (std::invalid_argument const& error) {
    std::cerr << "hubbub_chat: " << error.what() << '\n' << chat::Arguments::usage;
    return 2;
} catch (std::exception const& error) {
    std::cerr << "hubbub_chat: " << error.what() << '\n';
    return 1;
}
