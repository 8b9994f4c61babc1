#pragma once

#include <chrono>
#include <functional>
#include <iostream>
#include <string_view>
#include <utility>

#include <hubbub/core/siphash.hpp>
#include <hubbub/protocol/protocol_hash.hpp>
#include <hubbub/protocol/retry_hint.hpp>
#include <hubbub/server/server.hpp>

#include "arguments.hpp"
#include "chat.hpp"
#include "health.hpp"
#include "page.hpp"

namespace chat {

/// What a client calls its publication is hashed with a secret. Processes that are one chat have the same: so a client whose connection
/// was lost publishes again on any of them, and the room has it once.
inline hubbub::ProtocolHash hash_of(std::string_view cluster_key) {
    if (cluster_key.empty()) return {};
    return {.hash{hubbub::SipHash{1, 2}(cluster_key), hubbub::SipHash{3, 4}(cluster_key)}};
}
inline hubbub::ProtocolHandler<Chat> handler(std::string_view cluster_key) {
    return hubbub::ProtocolHandler{Chat{}, {.mistakes = Rules::mistakes}, hash_of(cluster_key)};
}

/// The server, until a signal ends it. `add_more(routes)` adds pages, or puts others in their place.
///
/// What differs is a type: the connection, or an axis of the policy. Each kind is in a file of its own, which says no more than
///     struct OtherPolicy : ChatPolicy { using Backplane = ...; };
///     void chat::serve_otherwise(Arguments const& arguments) { serve<hubbub::TcpConnection, OtherPolicy>(arguments, options); }
template <class Connection, class Policy = ChatPolicy>
void serve(
    Arguments const& arguments, hubbub::HubOptions<Policy> options = hub_options<Policy>(),
    std::function<void(hubbub::http::Routes&)> const& add_more = [](hubbub::http::Routes&) {}) {
    hubbub::ServerOptions<Policy> all{.address = arguments.address,
                                      .port = arguments.port,
                                      .tls = {.certificate = arguments.certificate, .key = arguments.key},
                                      .threads = arguments.threads,
                                      .hub = std::move(options)};
    all.drain.reason = hubbub::with_retry_hint("the server restarts", std::chrono::seconds(2));  // not all come back at once
    if (!arguments.proxy.empty()) all.hub.proxies.networks = {arguments.proxy};
    hubbub::Server<Policy, Connection> server{handler(arguments.cluster_key), std::move(all)};
    add_health(server.routes(), server.hub());
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

/// One of several processes that are one chat.
void serve_over_redis(Arguments const& arguments);
void serve_over_nats(Arguments const& arguments);

}  // namespace chat
