#pragma once

#include <memory>
#include <string>
#include <utility>

#include <hubbub/core/peer_address.hpp>
#include <hubbub/core/verdict.hpp>
#include <hubbub/http/request.hpp>
#include <hubbub/http/response.hpp>
#include <hubbub/http/routes.hpp>
#include <hubbub/profiling/gperftools.hpp>
#include <hubbub/profiling/profile_page.hpp>
#include <hubbub/profiling/profiling_options.hpp>
#include <hubbub/profiling/profiling_pages.hpp>

namespace hubbub::inline v0 {

namespace detail {
inline void add_profiling(http::Routes& routes, ProfilingOptions options, Gperftools const& tools) {
    auto const pages = std::make_shared<ProfilingPages>(std::move(options), tools);
    auto const add = [&](std::string name, auto answer) {
        routes.add("/debug/pprof/" + std::move(name),
                   [pages, answer](http::Request const& request, PeerAddress const& peer, Verdict<http::Response> verdict) {
                       if (auto const refusal = pages->allow().refusal(request, peer))
                           return verdict.answer(no_profile(refusal->status, std::string(refusal->reason)));
                       answer(*pages, request, verdict);
                   });
    };
    add("profile", [](auto& of, auto const& request, auto& verdict) { of.profile(request, std::move(verdict)); });
    add("heap", [](auto& of, auto const& request, auto& verdict) { verdict.answer(of.heap(request)); });
    add("growth", [](auto& of, auto const& request, auto& verdict) { verdict.answer(of.growth(request)); });
    add("cmdline", [](auto& of, auto const& request, auto& verdict) { verdict.answer(of.cmdline(request)); });
    add("symbol", [](auto& of, auto const& request, auto& verdict) { verdict.answer(of.symbol(request)); });
}
}  // namespace detail

/// Adds the pages that `google-pprof` and `go tool pprof` ask for: `/debug/pprof/` with `profile?seconds=N`, `heap`, `growth`,
/// `cmdline` and `symbol`. Who may not see them gets 403; for what is not linked there is 503, with a sentence that says what to link.
///
/// Threading: while a CPU profile is taken there is one thread more, and a handler of SIGPROF, which gperftools installs.
/// Lifetime: the end of `routes` ends a profile that is being taken.
/// Errors: throws std::invalid_argument that names an option.
/// Cost: `heap` and `growth` hold up one loop while tcmalloc writes its samples.
/// Example:
///     hubbub::add_profiling(server.routes());
inline http::Routes& add_profiling(http::Routes& routes, ProfilingOptions options = {}) {
    detail::add_profiling(routes, std::move(options), detail::Gperftools::linked());
    return routes;
}

}  // namespace hubbub::inline v0
