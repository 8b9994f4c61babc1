// A chat for the browser: rooms, names, members, over as many cores as you like.
//   hubbub_chat [--address A] [--port N] [--threads N] [--page FOLDER]
//   hubbub_chat --self-test
// README.md says what is in which file.
#include <exception>
#include <iostream>
#include <stdexcept>
#include <string_view>

#include <hubbub/server/server.hpp>

#include "arguments.hpp"
#include "chat.hpp"
#include "page.hpp"
#include "self_test.hpp"

int main(int argc, char** argv) try {
    auto const arguments = chat::Arguments::parse(argc, argv);
    if (arguments.help) {
        std::cout << chat::Arguments::usage;
        return 0;
    }
    if (arguments.self_test) return chat::self_test();

    chat::Chat handler;
    hubbub::Server<chat::ChatPolicy> server{
        handler,
        {.address = arguments.address, .port = arguments.port, .threads = arguments.threads, .hub = chat::hub_options()}};
    handler.rooms->publish = [broadcaster = server.hub().broadcaster()](std::string_view topic, hubbub::Frame const& frame) {
        broadcaster.publish(topic, frame);
    };
    chat::add_page(server.routes(), arguments.page);

    std::cout << "open http://" << server.endpoint().to_string() << "/ in a few browser windows; end with Ctrl-C" << std::endl;
    server.run_until_signal();
    return 0;
} catch (std::invalid_argument const& error) {
    std::cerr << "hubbub_chat: " << error.what() << '\n' << chat::Arguments::usage;
    return 2;
} catch (std::exception const& error) {
    std::cerr << "hubbub_chat: " << error.what() << '\n';
    return 1;
}
