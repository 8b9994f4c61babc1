#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <hubbub/core/exceptions.hpp>
#include <hubbub/core/peer_address.hpp>
#include <hubbub/core/unique_function.hpp>
#include <hubbub/core/verdict.hpp>
#include <hubbub/http/request.hpp>
#include <hubbub/http/response.hpp>
#include <hubbub/http/status.hpp>

namespace hubbub::inline v0::http {

/// Answers one path, now or later.
struct Route {
    std::string path;
    UniqueFunction<void(Request const&, PeerAddress const&, Verdict<Response>)> handler;
};

/// Plain pages beside the hub: a path, compared whole, and what answers it. Everything else is 404.
///
/// A handler has one of three forms: it makes an answer of the request; of the request and where it comes from; or it is given a
/// verdict besides, and answers that at once or later, on any thread. Then the request is gone when it returns, and HubOptions::page_limit
/// says how long the client waits.
///
/// Threading: handlers run on the loop that accepted the connection; with several loops, each runs them.
/// Example:
///     routes.add("/healthz", [](http::Request const&) { return http::Response(http::Status::ok, "ok\n"); });
class Routes {
   public:
    /// The last handler that is added for a path is the one that answers.
    ///
    /// Errors: throws std::invalid_argument for a path that no request has: one that does not begin with `/`, or has a query.
    template <class Handler>
        requires(std::invocable<Handler&, Request const&> || std::invocable<Handler&, Request const&, PeerAddress const&> ||
                 std::invocable<Handler&, Request const&, PeerAddress const&, Verdict<Response>>)
    Routes& add(std::string path, Handler handler) {
        return add(Route{std::move(path), [handler = std::move(handler)](Request const& request, PeerAddress const& peer,
                                                                         Verdict<Response> verdict) mutable {
                             if constexpr (std::invocable<Handler&, Request const&>)
                                 verdict.answer(handler(request));
                             else if constexpr (std::invocable<Handler&, Request const&, PeerAddress const&>)
                                 verdict.answer(handler(request, peer));
                             else
                                 handler(request, peer, std::move(verdict));
                         }});
    }
    Routes& add(Route route);
    Routes& add(Routes more) {
        for (Route& each : more.routes_) add(std::move(each));
        return *this;
    }

    bool contains(std::string_view path) const noexcept { return find(path) != routes_.size(); }
    std::size_t size() const noexcept { return routes_.size(); }

    /// Errors: what a handler throws passes through.
    void answer(Request const& request, PeerAddress const& peer, Verdict<Response> verdict) {
        std::size_t const at = find(request.path());
        if (at == routes_.size())
            return verdict.answer(Response(Refusal{Status::not_found, "there is no such page", request.is_head()}));
        routes_[at].handler(request, peer, std::move(verdict));
    }

   private:
    std::size_t find(std::string_view path) const noexcept {
        auto const found = lower_bound(path);
        return found != routes_.end() && found->path == path ? static_cast<std::size_t>(found - routes_.begin())
                                                             : routes_.size();
    }
    std::vector<Route>::const_iterator lower_bound(std::string_view path) const noexcept {
        return std::lower_bound(routes_.begin(), routes_.end(), path,
                                [](Route const& route, std::string_view wanted) { return route.path < wanted; });
    }

    std::vector<Route> routes_;  ///< ordered by path
};

inline Routes& Routes::add(Route route) {
    if (!route.path.starts_with('/') || route.path.find_first_of("?#") != std::string::npos)
        hubbub::detail::throw_exception(std::invalid_argument(
            "http::Routes: the path \"" + route.path + "\" must begin with / and be without a query, as Request::path is"));
    std::size_t const at = static_cast<std::size_t>(lower_bound(route.path) - routes_.cbegin());
    if (at != routes_.size() && routes_[at].path == route.path) {
        routes_[at] = std::move(route);
    } else {
        routes_.insert(routes_.begin() + static_cast<std::ptrdiff_t>(at), std::move(route));
    }
    return *this;
}

}  // namespace hubbub::inline v0::http
