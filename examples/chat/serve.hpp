#pragma once

#include <iostream>
#include <string_view>

#include <hubbub/server/server.hpp>

#include "arguments.hpp"
#include "chat.hpp"
#include "page.hpp"

namespace chat {

/// The server, until a signal ends it.
template <class Connection>
void serve(Arguments const& arguments) {
    Chat handler;
    hubbub::Server<ChatPolicy, Connection> server{
        handler, {.address = arguments.address, .port = arguments.port, .threads = arguments.threads, .hub = hub_options()}};
    handler.rooms->publish = [broadcaster = server.hub().broadcaster()](std::string_view topic, hubbub::Frame const& frame) {
        broadcaster.publish(topic, frame);
    };
    add_page(server.routes(), arguments.page);
    std::cout << "open http://" << server.endpoint().to_string() << "/ in a few browser windows; end with Ctrl-C" << std::endl;
    server.run_until_signal();
}

/// The same over connections that are read with websocketpp. In a file of its own, for who has no use for it leaves it away.
void serve_with_websocketpp(Arguments const& arguments);

}  // namespace chat
