#pragma once

#include <chrono>
#include <functional>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <hubbub/core/siphash.hpp>
#include <hubbub/operations/live/hub_dump.hpp>
#include <hubbub/operations/readiness.hpp>
#include <hubbub/protocol/protocol_hash.hpp>
#include <hubbub/protocol/retry_hint.hpp>
#include <hubbub/server/inherited_sockets.hpp>
#include <hubbub/server/server.hpp>

#include "arguments.hpp"
#include "chat.hpp"
#include "limits.hpp"
#include "operators.hpp"
#include "page.hpp"

namespace chat {

/// What a client calls its publication is hashed with a secret. Processes that are one chat have the same: so a client whose connection
/// was lost publishes again on any of them, and the room has it once.
inline hubbub::ProtocolHash hash_of(std::string_view cluster_key) {
    if (cluster_key.empty()) return {};
    return {.hash{hubbub::SipHash{1, 2}(cluster_key), hubbub::SipHash{3, 4}(cluster_key)}};
}
inline hubbub::ProtocolHandler<Chat> handler(std::string_view cluster_key, std::shared_ptr<Limits const> limits) {
    Chat chat;
    chat.limits = std::move(limits);
    return hubbub::ProtocolHandler{std::move(chat), {.mistakes = Rules::mistakes}, hash_of(cluster_key)};
}

inline void set(Limits& limits, Arguments const& arguments) {
    limits.says_at_once = arguments.says_at_once;
    limits.says_per_second = arguments.says_per_second;
}

/// For a bug report; it names nobody.
void dump(auto& hub) {
    hub.collect({.sessions = 20, .busiest = 20},
                [](hubbub::HubSnapshot const& all) { std::cerr << hubbub::hub_dump(all).dump() << std::endl; });
}

/// The server, until a signal ends it or another process takes over. `add_more(routes)` adds pages, or puts others in their place;
/// `load_more()` is called by SIGHUP behind what is loaded here.
///
/// What differs is a type: the connection, or an axis of the policy. Each kind is in a file of its own, which says no more than
///     struct OtherPolicy : ChatPolicy { using Backplane = ...; };
///     hubbub::ServerEnd chat::serve_otherwise(Arguments const& arguments) {
///         return serve<hubbub::TcpConnection, OtherPolicy>(arguments, options);
///     }
template <class Connection, class Policy = ChatPolicy>
hubbub::ServerEnd serve(
    Arguments const& arguments, hubbub::HubOptions<Policy> options = hub_options<Policy>(),
    std::function<void(hubbub::http::Routes&)> const& add_more = [](hubbub::http::Routes&) {},
    std::function<void()> const& load_more = [] {}) {
    auto const limits = std::make_shared<Limits>();
    set(*limits, arguments);
    hubbub::Server<Policy, Connection>* running = nullptr;
    hubbub::ServerOptions<Policy> all;
    all.address = arguments.address;
    all.port = arguments.port;
    all.tls.certificate = arguments.certificate;
    all.tls.key = arguments.key;
    all.threads = arguments.threads;
    all.hub = std::move(options);
    all.handover = arguments.handover;
    all.service = hubbub::ServiceNotifier::from_environment();
    all.on_ready = [scheme = arguments.certificate.empty() ? "http" : "https"](hubbub::Endpoint const& where) {
        std::cout << "open " << scheme << "://" << where.to_string() << "/ in a few browser windows; end with Ctrl-C"
                  << std::endl;
    };
    all.on_reload = [&] {
        set(*limits, arguments.again());
        load_more();
    };
    all.on_dump = [&] { dump(running->hub()); };
    if (auto const inherited = hubbub::inherited_sockets(); !inherited.empty()) {
        all.address.clear();
        for (auto const& each : inherited) all.listen.push_back("fd:" + std::to_string(each.descriptor));
    }
    all.drain.reason = hubbub::with_retry_hint("the server restarts", std::chrono::seconds(2));  // not all come back at once
    if (!arguments.proxy.empty()) all.hub.proxies.networks = {arguments.proxy};
    hubbub::Server<Policy, Connection> server{handler(arguments.cluster_key, limits), std::move(all)};
    running = &server;
    hubbub::add_health(server.routes(), server.hub());
    add_page(server.routes(), arguments.page);
    add_more(server.routes());
    std::optional<Operators<typename hubbub::Server<Policy, Connection>::HubType>> operators;
    if (arguments.operations) operators.emplace(server.hub(), *arguments.operations, !arguments.handover.empty());
    return server.run_until_signal();
}

inline hubbub::ServerEnd serve_alone(Arguments const& arguments) { return serve<hubbub::TcpConnection>(arguments); }

/// The same over connections that are read with websocketpp. In a file of its own, for who has no use for it leaves it away.
hubbub::ServerEnd serve_with_websocketpp(Arguments const& arguments);

/// The same for who has signed in. In a file of its own, too.
hubbub::ServerEnd serve_signed_in(Arguments const& arguments);

/// One of several processes that are one chat.
hubbub::ServerEnd serve_over_redis(Arguments const& arguments);
hubbub::ServerEnd serve_over_nats(Arguments const& arguments);

}  // namespace chat
