#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>

#include <hubbub/core/exceptions.hpp>
#include <hubbub/core/peer_address.hpp>

namespace hubbub::inline v0 {

/// Where a server listens: "127.0.0.1:8080", "[::1]:0" (port 0: the system chooses), "unix:/run/hub.sock", or
/// "unix:@name" for a name outside of the file system (Linux). Names are not resolved.
///
/// Errors: std::invalid_argument that quotes the text and says what is wrong with it.
class Endpoint {
   public:
    enum class Family : std::uint8_t { ipv4, ipv6, unix_socket };

    explicit Endpoint(std::string_view text);
    Endpoint(sockaddr const* address, socklen_t length);

    Family family() const noexcept { return family_; }
    /// 0 for a Unix socket.
    std::uint16_t port() const noexcept { return port_; }
    /// Of a Unix socket; begins with '@' outside of the file system.
    std::string const& path() const noexcept { return path_; }
    bool is_file() const noexcept { return !path_.empty() && path_.front() != '@'; }

    /// The text that makes the same endpoint.
    std::string to_string() const;

    /// Fills `storage` for bind() or connect(), and returns how much of it counts.
    socklen_t to_sockaddr(sockaddr_storage& storage) const noexcept;

    bool operator==(Endpoint const&) const = default;

   private:
    [[noreturn]] static void refuse(std::string_view text, std::string_view why) {
        detail::throw_exception(std::invalid_argument("endpoint \"" + std::string(text) + "\": " + std::string(why)));
    }
    void parse_path(std::string_view text, std::string_view path);
    void parse_address(std::string_view text, std::string_view address);
    void parse_port(std::string_view text, std::string_view digits);

    Family family_ = Family::ipv4;
    std::uint16_t port_ = 0;
    std::array<std::uint8_t, 16> bytes_{};  // IPv4 uses the first four
    std::string path_;
};

/// Where a socket is bound; what a listener on port 0 got.
///
/// Errors: std::system_error.
inline Endpoint local_endpoint(int descriptor) {
    sockaddr_storage storage{};
    socklen_t length = sizeof storage;
    if (::getsockname(descriptor, reinterpret_cast<sockaddr*>(&storage), &length) != 0)
        detail::throw_exception(std::system_error(errno, std::generic_category(), "getsockname"));
    return Endpoint(reinterpret_cast<sockaddr const*>(&storage), length);
}

/// A socket address as limits and logs see it. An IPv4 client of an IPv6 socket is an IPv4 client.
inline PeerAddress to_peer_address(sockaddr const* address) noexcept {
    PeerAddress peer;
    if (address->sa_family == AF_INET) {
        auto const& in = *reinterpret_cast<sockaddr_in const*>(address);
        peer.family = PeerAddress::Family::ipv4;
        peer.port = ntohs(in.sin_port);
        std::memcpy(peer.bytes.data(), &in.sin_addr, 4);
    } else if (address->sa_family == AF_INET6) {
        auto const& in = *reinterpret_cast<sockaddr_in6 const*>(address);
        peer.port = ntohs(in.sin6_port);
        if (IN6_IS_ADDR_V4MAPPED(&in.sin6_addr)) {
            peer.family = PeerAddress::Family::ipv4;
            std::memcpy(peer.bytes.data(), in.sin6_addr.s6_addr + 12, 4);
        } else {
            peer.family = PeerAddress::Family::ipv6;
            std::memcpy(peer.bytes.data(), in.sin6_addr.s6_addr, 16);
        }
    } else if (address->sa_family == AF_UNIX) {
        peer.family = PeerAddress::Family::unix_socket;
    }
    return peer;
}

/// Who is at the other end of a connected socket; Family::none if nobody is.
inline PeerAddress peer_address(int descriptor) noexcept {
    sockaddr_storage storage{};
    socklen_t length = sizeof storage;
    if (::getpeername(descriptor, reinterpret_cast<sockaddr*>(&storage), &length) != 0) return {};
    return to_peer_address(reinterpret_cast<sockaddr const*>(&storage));
}

inline Endpoint::Endpoint(std::string_view text) {
    if (text.starts_with("unix:")) {
        parse_path(text, text.substr(5));
        return;
    }
    std::size_t const colon = text.rfind(':');
    if (text.starts_with('[')) {
        std::size_t const bracket = text.find(']');
        if (bracket == std::string_view::npos) refuse(text, "the ']' behind the IPv6 address is missing");
        if (colon != bracket + 1) refuse(text, "a ':' and a port are expected behind the ']'");
        family_ = Family::ipv6;
        parse_address(text, text.substr(1, bracket - 1));
    } else {
        if (colon == std::string_view::npos) refuse(text, "the port is missing (\"address:port\")");
        if (text.find(':') != colon) refuse(text, "an IPv6 address is written in brackets (\"[::1]:8080\")");
        parse_address(text, text.substr(0, colon));
    }
    parse_port(text, text.substr(colon + 1));
}

inline void Endpoint::parse_path(std::string_view text, std::string_view path) {
    family_ = Family::unix_socket;
    if (path.empty() || path == "@") refuse(text, "the path of the Unix socket is missing");
    // The terminating zero needs a byte; in an abstract name the '@' stands for one.
    if (path.size() >= sizeof(sockaddr_un::sun_path)) refuse(text, "the path of a Unix socket has at most 107 bytes");
    if (path.find('\0') != std::string_view::npos) refuse(text, "a zero byte in the path");
    path_ = path;
}

inline void Endpoint::parse_address(std::string_view text, std::string_view address) {
    std::string const terminated(address);
    bool const is_v6 = family_ == Family::ipv6;
    if (::inet_pton(is_v6 ? AF_INET6 : AF_INET, terminated.c_str(), bytes_.data()) != 1 ||
        terminated.find('\0') != std::string::npos)
        refuse(text, "\"" + terminated + "\" is not an " + (is_v6 ? "IPv6" : "IPv4") + " address (names are not resolved)");
}

inline void Endpoint::parse_port(std::string_view text, std::string_view digits) {
    if (digits.empty()) refuse(text, "the port is missing");
    auto const is_digit = [](char character) { return character >= '0' && character <= '9'; };
    if (!std::all_of(digits.begin(), digits.end(), is_digit))
        refuse(text, "the port \"" + std::string(digits) + "\" is not a number");
    auto const [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port_);
    if (error != std::errc{} || end != digits.data() + digits.size())
        refuse(text, "the port " + std::string(digits) + " is above 65535");
}

inline Endpoint::Endpoint(sockaddr const* address, socklen_t length) {
    if (address->sa_family == AF_UNIX) {
        family_ = Family::unix_socket;
        auto const& un = *reinterpret_cast<sockaddr_un const*>(address);
        std::size_t const size = length > offsetof(sockaddr_un, sun_path) ? length - offsetof(sockaddr_un, sun_path) : 0;
        if (size > 0 && un.sun_path[0] == '\0')
            path_ = "@" + std::string(un.sun_path + 1, size - 1);
        else
            path_ = std::string(un.sun_path, ::strnlen(un.sun_path, size));
        return;
    }
    if (address->sa_family == AF_INET6) {
        auto const& in = *reinterpret_cast<sockaddr_in6 const*>(address);
        family_ = Family::ipv6;
        port_ = ntohs(in.sin6_port);
        std::memcpy(bytes_.data(), in.sin6_addr.s6_addr, 16);
        return;
    }
    if (address->sa_family != AF_INET)
        detail::throw_exception(std::invalid_argument("a socket that is neither IPv4, IPv6 nor Unix"));
    auto const& in = *reinterpret_cast<sockaddr_in const*>(address);
    port_ = ntohs(in.sin_port);
    std::memcpy(bytes_.data(), &in.sin_addr, 4);
}

inline std::string Endpoint::to_string() const {
    if (family_ == Family::unix_socket) return "unix:" + path_;
    char buffer[INET6_ADDRSTRLEN] = {};
    ::inet_ntop(family_ == Family::ipv6 ? AF_INET6 : AF_INET, bytes_.data(), buffer, sizeof buffer);
    std::string const address = family_ == Family::ipv6 ? "[" + std::string(buffer) + "]" : std::string(buffer);
    return address + ":" + std::to_string(port_);
}

inline socklen_t Endpoint::to_sockaddr(sockaddr_storage& storage) const noexcept {
    storage = {};
    if (family_ == Family::unix_socket) {
        auto& un = reinterpret_cast<sockaddr_un&>(storage);
        un.sun_family = AF_UNIX;
        std::memcpy(un.sun_path, path_.data(), path_.size());
        std::size_t const used = offsetof(sockaddr_un, sun_path) + path_.size();
        if (is_file()) return static_cast<socklen_t>(used + 1);
        un.sun_path[0] = '\0';
        return static_cast<socklen_t>(used);
    }
    if (family_ == Family::ipv6) {
        auto& in = reinterpret_cast<sockaddr_in6&>(storage);
        in.sin6_family = AF_INET6;
        in.sin6_port = htons(port_);
        std::memcpy(in.sin6_addr.s6_addr, bytes_.data(), 16);
        return sizeof in;
    }
    auto& in = reinterpret_cast<sockaddr_in&>(storage);
    in.sin_family = AF_INET;
    in.sin_port = htons(port_);
    std::memcpy(&in.sin_addr, bytes_.data(), 4);
    return sizeof in;
}

}  // namespace hubbub::inline v0
