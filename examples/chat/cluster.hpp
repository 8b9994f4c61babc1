#pragma once

#include <string>
#include <utility>

#include "serve.hpp"
#include "teller.hpp"

namespace chat {

/// All processes with the same broker are one chat.
template <class Broker>
struct ClusterPolicy : ChatPolicy {
    using Backplane = Broker;
    using EventSink = Teller;
};

template <class Broker>
void serve_over(Arguments const& arguments, std::string const& url) {
    auto options = hub_options<ClusterPolicy<Broker>>();
    options.backplane.url = url;
    options.backplane.prefix = "hubbub_chat";
    serve<hubbub::TcpConnection, ClusterPolicy<Broker>>(arguments, std::move(options));
}

}  // namespace chat
