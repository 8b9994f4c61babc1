#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <hubbub/core/unique_function.hpp>
#include <hubbub/http/request.hpp>
#include <hubbub/http/response.hpp>
#include <hubbub/http/status.hpp>

namespace hubbub::inline v0::http {

/// Answers one path.
struct Route {
    std::string path;
    UniqueFunction<Response(Request const&)> handler;
};

/// Plain pages beside the hub: a path, compared whole, and what answers it. Everything else is 404.
///
/// Threading: handlers run on the loop that accepted the connection; with several loops, each runs them.
/// Example:
///     routes.add("/healthz", [](http::Request const&) { return http::Response(http::Status::ok, "ok\n"); });
class Routes {
   public:
    /// The last handler that is added for a path is the one that answers.
    Routes& add(std::string path, UniqueFunction<Response(Request const&)> handler) {
        return add(Route{std::move(path), std::move(handler)});
    }
    Routes& add(Route route);
    Routes& add(Routes more) {
        for (Route& each : more.routes_) add(std::move(each));
        return *this;
    }

    bool contains(std::string_view path) const noexcept { return find(path) != routes_.size(); }
    std::size_t size() const noexcept { return routes_.size(); }

    /// Errors: what a handler throws passes through.
    Response answer(Request const& request) {
        std::size_t const at = find(request.path());
        if (at == routes_.size()) return Response(Refusal{Status::not_found, "there is no such page", request.is_head()});
        return routes_[at].handler(request);
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
    std::size_t const at = static_cast<std::size_t>(lower_bound(route.path) - routes_.cbegin());
    if (at != routes_.size() && routes_[at].path == route.path) {
        routes_[at] = std::move(route);
    } else {
        routes_.insert(routes_.begin() + static_cast<std::ptrdiff_t>(at), std::move(route));
    }
    return *this;
}

}  // namespace hubbub::inline v0::http
