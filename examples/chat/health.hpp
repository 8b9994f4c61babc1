#pragma once

#include <string>
#include <utility>

#include <hubbub/http/routes.hpp>

namespace chat {

inline hubbub::http::Response health(hubbub::http::Status status, std::string why) {
    hubbub::http::Response response(status, std::move(why));
    static_cast<void>(response.set_header("Cache-Control", "no-store"));
    return response;
}

/// For whoever watches this process or sends clients to it. `/healthz`: it is alive, and starting it again would help nobody. `/readyz`: 503
/// while what is said here is not heard elsewhere, so that clients better go to another one; who is here already stays. A server
/// that drains has closed its listeners, and is found out by that.
void add_health(hubbub::http::Routes& routes, auto& hub) {
    using hubbub::http::Status;
    routes.add("/healthz", [](hubbub::http::Request const&) { return health(Status::ok, "alive\n"); });
    routes.add("/readyz", [&hub](hubbub::http::Request const&) {
        auto const brokers = hub.backplane();
        if (brokers.continuous) return health(Status::ok, "ready\n");
        return health(Status::service_unavailable, std::to_string(brokers.brokers - brokers.ready) + " of " +
                                                       std::to_string(brokers.brokers) +
                                                       " brokers cannot be reached or are still connecting\n");
    });
}

}  // namespace chat
