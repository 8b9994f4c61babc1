#pragma once

#include <string>
#include <utility>
#include <vector>

#include <hubbub/core/peer_address.hpp>
#include <hubbub/core/verdict.hpp>
#include <hubbub/http/operators_only.hpp>
#include <hubbub/http/request.hpp>
#include <hubbub/http/response.hpp>
#include <hubbub/http/routes.hpp>
#include <hubbub/hub/collect_options.hpp>
#include <hubbub/hub/hub_snapshot.hpp>
#include <hubbub/operations/hub_metrics.hpp>
#include <hubbub/operations/prometheus/prometheus_text.hpp>

namespace hubbub::inline v0 {

struct MetricsPageOptions {
    std::string path = "/metrics";
    std::vector<std::string> topics{};  ///< whose subscriptions, publications and drops are metrics of their own
    http::OperatorsOnly allow{};        ///< who may read it; by default this machine alone
};

/// Adds the page that a Prometheus server scrapes.
///
/// `hub` may be an OperationsServer instead, which has the same `collect`, and makes the text on its own thread.
///
/// Lifetime: the hub outlives the routes. Cost of a scrape: see Hub::collect; the text is made where that completes.
/// Example: `hubbub::add_metrics(server.routes(), server.hub());`
template <class Hub>
void add_metrics(http::Routes& routes, Hub& hub, MetricsPageOptions options = {}) {
    routes.add(std::move(options.path),
               [&hub, topics = std::move(options.topics), allow = std::move(options.allow)](
                   http::Request const& request, PeerAddress const& peer, Verdict<http::Response> verdict) {
                   if (auto const refusal = allow.refusal(request, peer)) return verdict.answer(http::Response(*refusal));
                   CollectOptions collected;
                   collected.topics = topics;
                   hub.collect(std::move(collected), [verdict = std::move(verdict)](HubSnapshot const& all) mutable {
                       PrometheusText text;
                       write_metrics(text, all);
                       verdict.answer(http::Response(http::Status::ok, text.text(), PrometheusText::content_type));
                   });
               });
}

}  // namespace hubbub::inline v0
