#pragma once

#include <algorithm>
#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace hubbub::inline v0 {

/// Where a connection comes from, as its transport saw it.
struct PeerAddress {
    enum class Family : std::uint8_t { none, ipv4, ipv6, unix_socket };

    std::array<std::uint8_t, 16> bytes{};  ///< IPv4 uses the first four
    std::uint16_t port = 0;
    Family family = Family::none;

    auto operator<=>(PeerAddress const&) const = default;

    /// An IPv4 address that a socket for both families shows as IPv6 (RFC 4291 2.5.5.2) as what it is.
    PeerAddress unmapped() const noexcept {
        static constexpr std::array<std::uint8_t, 12> prefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
        if (family != Family::ipv6 || !std::equal(prefix.begin(), prefix.end(), bytes.begin())) return *this;
        PeerAddress result{.port = port, .family = Family::ipv4};
        std::copy(bytes.begin() + 12, bytes.end(), result.bytes.begin());
        return result;
    }

    /// The unit of limits per address: an IPv4 address, or the /64 network of an IPv6 one (what one subscriber gets).
    PeerAddress network() const noexcept {
        PeerAddress result = unmapped();
        result.port = 0;
        if (result.family == Family::ipv6)
            for (std::size_t i = 8; i < 16; ++i) result.bytes[i] = 0;
        return result;
    }

    /// "192.0.2.1", "2001:db8:0:0:0:0:0:1", "unix" or "none"; without the port.
    std::string to_string() const {
        switch (family) {
            case Family::ipv4: {
                std::string text;
                for (std::size_t i = 0; i < 4; ++i) text += (i ? "." : "") + std::to_string(bytes[i]);
                return text;
            }
            case Family::ipv6: {
                static constexpr std::string_view digits = "0123456789abcdef";
                std::string text;
                for (std::size_t i = 0; i < 16; i += 2) {
                    unsigned const group = static_cast<unsigned>(bytes[i]) << 8 | bytes[i + 1];
                    if (i) text += ':';
                    bool begun = false;
                    for (int shift = 12; shift >= 0; shift -= 4) {
                        unsigned const digit = group >> shift & 15;
                        begun = begun || digit != 0 || shift == 0;
                        if (begun) text += digits[digit];
                    }
                }
                return text;
            }
            case Family::unix_socket: return "unix";
            case Family::none: break;
        }
        return "none";
    }
};

}  // namespace hubbub::inline v0

template <>
struct std::hash<hubbub::PeerAddress> {
    std::size_t operator()(hubbub::PeerAddress const& address) const noexcept {
        return std::hash<std::string_view>{}({reinterpret_cast<char const*>(address.bytes.data()), address.bytes.size()}) ^
               (std::size_t{address.port} << 8 | static_cast<std::size_t>(address.family));
    }
};
