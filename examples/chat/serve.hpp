#pragma once

#include <functional>
#include <iostream>
#include <string_view>
#include <utility>

#include <hubbub/server/server.hpp>

#include "arguments.hpp"
#include "chat.hpp"
#include "page.hpp"

namespace chat {

/// The server, until a signal ends it. `add_more(routes)` adds pages, or puts others in their place.
template <class Connection, class Policy = ChatPolicy>
void serve(
    Arguments const& arguments, hubbub::HubOptions<Policy> options = hub_options<Policy>(),
    std::function<void(hubbub::http::Routes&)> const& add_more = [](hubbub::http::Routes&) {}) {
    Chat handler;
    hubbub::Server<Policy, Connection> server{handler,
                                              {.address = arguments.address,
                                               .port = arguments.port,
                                               .tls = {.certificate = arguments.certificate, .key = arguments.key},
                                               .threads = arguments.threads,
                                               .hub = std::move(options)}};
    handler.rooms->publish = [broadcaster = server.hub().broadcaster()](std::string_view topic, hubbub::Frame const& frame) {
        broadcaster.publish(topic, frame);
    };
    add_page(server.routes(), arguments.page);
    add_more(server.routes());
    std::cout << "open " << (arguments.certificate.empty() ? "http" : "https") << "://" << server.endpoint().to_string()
              << "/ in a few browser windows; end with Ctrl-C" << std::endl;
    server.run_until_signal();
}

/// The same over connections that are read with websocketpp. In a file of its own, for who has no use for it leaves it away.
void serve_with_websocketpp(Arguments const& arguments);

/// The same for who has signed in. In a file of its own, too.
void serve_signed_in(Arguments const& arguments);

}  // namespace chat
