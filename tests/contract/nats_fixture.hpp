// What the tests of NatsBackplane share.
#pragma once

#include <chrono>
#include <string>
#include <utility>

#include <hubbub/backplane/nats/nats_backplane.hpp>

#include "tests/contract/backplane_contract.hpp"
#include "tests/support/nats_server.hpp"

namespace hubbub_test {

using NatsNode = hubbub_contract::BackplaneNode<hubbub::NatsBackplane>;

inline bool has_nats() {
    if (NatsServer::is_installed()) return true;
    WARN("left out: nats-server is not installed");
    return false;
}

/// Limits so short that losses are soon noticed.
inline hubbub::NatsOptions impatient(std::string url = {}) {
    hubbub::NatsOptions options;
    if (!url.empty()) options.url = std::move(url);
    options.probe_every = std::chrono::milliseconds(100);
    options.probe_limit = std::chrono::milliseconds(1000);
    options.connect_limit = std::chrono::milliseconds(2000);
    options.pause_first = std::chrono::milliseconds(20);
    options.pause_most = std::chrono::milliseconds(200);
    return options;
}

}  // namespace hubbub_test
