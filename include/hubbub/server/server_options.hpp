#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <hubbub/hub/drain.hpp>
#include <hubbub/hub/hub_options.hpp>
#include <hubbub/server/service_notifier.hpp>
#include <hubbub/transport/socket/endpoint.hpp>
#include <hubbub/transport/socket/tls_options.hpp>
#include <hubbub/transport/tcp/tcp_driver.hpp>

namespace hubbub::inline v0 {

/// Where a Server listens, on how many threads, and what its hub is like.
template <HubPolicy Policy = DefaultPolicy>
struct ServerOptions {
    std::string address = "127.0.0.1";  ///< "0.0.0.0" or "::" for everybody; without a name. Empty: only `listen`
    std::uint16_t port = 8080;          ///< 0: the system chooses, and `Server::port` tells
    /// Further endpoints, such as "unix:/run/hub.sock"; see Endpoint. "fd:3" is a descriptor that listens already, which becomes the
    /// server's; see inherited_sockets. With "plain:" or "tls:" before it, else as `address`.
    std::vector<std::string> listen{};
    TlsOptions tls{};      ///< with a certificate, `address` speaks TLS; needs the target hubbub::tls
    unsigned threads = 0;  ///< loops, and shards of the hub, at most 64; 0 for one a core
    HubOptions<Policy> hub{};
    TcpDriver::Options driver{};  ///< which engine
    DrainOptions drain{};         ///< how it ends

    /// A path, or "@name", for hot restarts: a server that is started with it takes the listening sockets of the one that was started
    /// with it before, which then drains. See Takeover.
    std::string handover{};
    ServiceNotifier service{};  ///< who is told that it is ready, reloads, stops and is alive
    /// Called once, on the first loop, with the first listener's endpoint: every loop accepts, a server from before has handed over, and
    /// signals do what `run_until_signal` says. Who tells others the address tells it here: a signal that comes before ends the process as
    /// it ends any other. What it throws is told as an event.
    std::function<void(Endpoint const&)> on_ready{};
    /// What `Server::reload` does beside loading certificates, on the first loop; what it throws is told as an event.
    std::function<void()> on_reload{};
    /// What SIGUSR1 does, on the first loop: write a `hub_dump` of its own hub, for one.
    std::function<void()> on_dump{};
};

}  // namespace hubbub::inline v0
