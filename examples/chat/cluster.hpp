#pragma once

#include <string>
#include <utility>

#include "serve.hpp"

namespace chat {

/// All processes with the same broker are one chat.
template <class Broker>
struct ClusterPolicy : ChatPolicy {
    using Backplane = Broker;
};

template <class Broker>
hubbub::ServerEnd serve_over(Arguments const& arguments, std::string const& url) {
    auto options = hub_options<ClusterPolicy<Broker>>();
    options.backplane.url = url;
    options.backplane.prefix = "hubbub_chat";
    return serve<hubbub::TcpConnection, ClusterPolicy<Broker>>(arguments, std::move(options));
}

}  // namespace chat
