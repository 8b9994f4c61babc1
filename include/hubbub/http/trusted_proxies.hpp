#pragma once

#include <algorithm>
#include <stdexcept>
#include <string>
#include <vector>

#include <hubbub/core/exceptions.hpp>
#include <hubbub/core/network.hpp>
#include <hubbub/http/forwarded.hpp>

namespace hubbub::inline v0::http {

/// Which proxies are believed when they say where a connection comes from. Nobody, unless networks are listed: what anybody can
/// write into a header is worth nothing.
///
/// Example: `{.networks = {"10.0.0.0/8", "unix"}}`
struct TrustedProxies {
    std::vector<std::string> networks{};  ///< see Network
    ForwardedHeader header = ForwardedHeader::x_forwarded_for;
    bool proxy_protocol = false;  ///< connections from there begin with the header of the PROXY protocol, and have to

    /// Throws std::invalid_argument with a sentence that names the network.
    void check() const {
        for (std::string const& each : networks)
            if (!Network::parse(each))
                hubbub::detail::throw_exception(
                    std::invalid_argument("HubOptions::proxies.networks: \"" + each +
                                          "\" is no network, such as 10.0.0.0/8, 2001:db8::/32, 192.0.2.1 or unix"));
    }
};

/// The same, ready to be asked.
class ProxyTrust {
   public:
    explicit ProxyTrust(TrustedProxies const& options) : header_(options.header), proxy_protocol_(options.proxy_protocol) {
        for (std::string const& each : options.networks)
            if (auto const network = Network::parse(each)) networks_.push_back(*network);
    }

    bool trusts(PeerAddress const& peer) const noexcept {
        return std::any_of(networks_.begin(), networks_.end(), [&](Network const& each) { return each.contains(peer); });
    }
    /// The connection of a proxy that is trusted begins with the header of the PROXY protocol.
    bool wants_proxy_header() const noexcept { return proxy_protocol_; }

    /// Where a request comes from that `nearest` has sent: the nearest hop that is no proxy of ours. What is said behind that is said
    /// by strangers. A hop that hides itself ends the search: then it is the proxy that told of it.
    PeerAddress origin_of(Request const& request, PeerAddress nearest) const {
        if (!trusts(nearest)) return nearest;
        visit_hops(request, header_, [&](std::optional<PeerAddress> const& hop) {
            if (hop) nearest = *hop;
            return hop && trusts(nearest);
        });
        return nearest;
    }

   private:
    std::vector<Network> networks_;
    ForwardedHeader header_;
    bool proxy_protocol_;
};

}  // namespace hubbub::inline v0::http
