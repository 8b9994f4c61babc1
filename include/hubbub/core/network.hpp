#pragma once

#include <arpa/inet.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>

#include <hubbub/core/peer_address.hpp>

namespace hubbub::inline v0 {

/// "192.0.2.1" or "2001:db8::1", without a port; an IPv4 address that is written as IPv6 (RFC 4291 2.5.5.2) is the IPv4 one.
inline std::optional<PeerAddress> parse_address(std::string_view text) noexcept {
    std::array<char, INET6_ADDRSTRLEN + 1> terminated{};
    if (text.empty() || text.size() >= terminated.size()) return std::nullopt;
    std::copy(text.begin(), text.end(), terminated.begin());
    PeerAddress address;
    if (::inet_pton(AF_INET, terminated.data(), address.bytes.data()) == 1) {
        address.family = PeerAddress::Family::ipv4;
        return address;
    }
    if (::inet_pton(AF_INET6, terminated.data(), address.bytes.data()) != 1) return std::nullopt;
    address.family = PeerAddress::Family::ipv6;
    return address.unmapped();
}

/// A range of addresses: "10.0.0.0/8", "2001:db8::/32", "192.0.2.1", or "unix", which is every Unix socket.
class Network {
   public:
    /// Nothing if the text is none. Bits behind the prefix are ignored.
    static std::optional<Network> parse(std::string_view text) noexcept {
        Network network;
        if (text == "unix") {
            network.address_.family = PeerAddress::Family::unix_socket;
            return network;
        }
        std::size_t const slash = text.find('/');
        auto const address = parse_address(text.substr(0, slash));
        if (!address) return std::nullopt;
        network.address_ = *address;
        unsigned const most = address->family == PeerAddress::Family::ipv4 ? 32 : 128;
        network.prefix_ = most;
        if (slash == std::string_view::npos) return network;
        std::string_view const digits = text.substr(slash + 1);
        auto const [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), network.prefix_);
        if (error != std::errc{} || end != digits.data() + digits.size() || network.prefix_ > most) return std::nullopt;
        return network;
    }

    bool contains(PeerAddress const& peer) const noexcept {
        PeerAddress const address = peer.unmapped();
        if (address.family != address_.family) return false;
        unsigned const whole = prefix_ / 8, rest = prefix_ % 8;
        if (!std::equal(address.bytes.begin(), address.bytes.begin() + whole, address_.bytes.begin())) return false;
        return !rest || ((address.bytes[whole] ^ address_.bytes[whole]) >> (8 - rest)) == 0;
    }

   private:
    PeerAddress address_;
    unsigned prefix_ = 0;
};

}  // namespace hubbub::inline v0
