#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <hubbub/core/peer_address.hpp>
#include <hubbub/core/verdict.hpp>
#include <hubbub/http/request.hpp>
#include <hubbub/http/response.hpp>
#include <hubbub/http/routes.hpp>
#include <hubbub/hub/hub_snapshot.hpp>

namespace hubbub::inline v0 {

/// Whether clients are better sent elsewhere, and why. Who is connected stays: only a drain ends sessions.
struct Readiness {
    struct Part {
        std::string name;
        bool is_ready;
        std::string why;  ///< if it is not
    };
    std::vector<Part> parts;

    bool is_ready() const noexcept {
        for (Part const& part : parts)
            if (!part.is_ready) return false;
        return true;
    }
    /// A line for each part: "backplane: no, 1 of 2 brokers is away".
    std::string text() const {
        std::string result;
        for (Part const& part : parts) result += part.name + (part.is_ready ? ": yes\n" : ": no, " + part.why + "\n");
        return result;
    }

    static Readiness of(HubSnapshot const& hub) {
        auto const& brokers = hub.backplane;
        auto const of_all = [](std::size_t some, std::size_t all) {
            return std::to_string(some) + " of " + std::to_string(all);
        };
        return {
            {{"accepting", !hub.is_draining(), "the hub drains"},
             {"backplane", brokers.continuous,
              of_all(brokers.brokers - brokers.ready, brokers.brokers) + " brokers cannot be reached or are still connecting"},
             {"memory", hub.memory_used <= hub.memory_high,
              of_all(hub.memory_used, hub.memory_limit) + " bytes are used: new clients are refused"}}};
    }
};

/// Adds `/healthz`, which says that this process is alive: what it needs is not asked, since starting it again would not help; and
/// `/readyz`, which says with 503 that clients are better sent elsewhere, and which part is not ready. For everybody: they tell nothing else.
///
/// Lifetime: the hub outlives the routes. A server that drains has closed its listeners as a rule, and is found out by that.
template <class Hub>
void add_health(http::Routes& routes, Hub& hub) {
    auto const page = [](http::Status status, std::string text) {
        http::Response response(status, std::move(text));
        static_cast<void>(response.set_header("Cache-Control", "no-store"));
        return response;
    };
    routes.add("/healthz", [page](http::Request const&) { return page(http::Status::ok, "alive\n"); });
    routes.add("/readyz", [page, &hub](http::Request const&, PeerAddress const&, Verdict<http::Response> verdict) {
        hub.collect([page, verdict = std::move(verdict)](HubSnapshot const& all) mutable {
            Readiness const readiness = Readiness::of(all);
            verdict.answer(page(readiness.is_ready() ? http::Status::ok : http::Status::service_unavailable, readiness.text()));
        });
    });
}

}  // namespace hubbub::inline v0
