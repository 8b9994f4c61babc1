#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <hubbub/core/exceptions.hpp>

namespace hubbub::inline v0 {

/// A listening socket that a service manager has opened before it started this process.
struct InheritedSocket {
    int descriptor = -1;
    std::string name;  ///< `FileDescriptorName=` of its unit, or empty
};

namespace detail {

inline int parse_count(std::string_view variable, std::string_view text) {
    int value = -1;
    auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size() || value < 0)
        throw_exception(std::invalid_argument("$" + std::string(variable) + " is no number: \"" + std::string(text) + "\""));
    return value;
}

/// What the three variables of sd_listen_fds(3) say to process `own`.
inline std::vector<InheritedSocket> parse_inherited_sockets(pid_t own, std::string_view process, std::string_view count,
                                                            std::string_view names) {
    constexpr int first = 3, most = 1024;  // behind the three standard streams
    std::vector<InheritedSocket> sockets;
    // A process that inherited the variables from the one that they are for has another number.
    if (process.empty() || count.empty() || parse_count("LISTEN_PID", process) != own) return sockets;
    int const wanted = parse_count("LISTEN_FDS", count);
    if (wanted > most) throw_exception(std::invalid_argument("$LISTEN_FDS is above " + std::to_string(most)));
    for (int i = 0; i < wanted; ++i) {
        std::size_t const colon = std::min(names.find(':'), names.size());
        sockets.push_back({first + i, std::string(names.substr(0, colon))});
        names.remove_prefix(std::min(colon + 1, names.size()));
    }
    return sockets;
}

}  // namespace detail

/// The sockets of systemd's socket activation: what $LISTEN_PID, $LISTEN_FDS and $LISTEN_FDNAMES say, as sd_listen_fds(3) has it.
/// None where they are not set, or are for another process. Each is closed on exec from here on.
///
/// Threading: while nobody changes the environment. Lifetime: they belong to whom the caller gives them: call it once.
/// Errors: std::invalid_argument that names the variable; std::system_error for a descriptor that is not there.
/// Example:
///     hubbub::ServerOptions<> options{.address = ""};
///     for (auto const& socket : hubbub::inherited_sockets()) options.listen.push_back("fd:" + std::to_string(socket.descriptor));
inline std::vector<InheritedSocket> inherited_sockets() {
    auto const variable = [](char const* name) {
        char const* const value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe)
        return std::string_view(value ? value : "");
    };
    auto sockets =
        detail::parse_inherited_sockets(::getpid(), variable("LISTEN_PID"), variable("LISTEN_FDS"), variable("LISTEN_FDNAMES"));
    for (InheritedSocket const& each : sockets)
        if (int const flags = ::fcntl(each.descriptor, F_GETFD);
            flags < 0 || ::fcntl(each.descriptor, F_SETFD, flags | FD_CLOEXEC) < 0)
            detail::throw_exception(std::system_error(errno, std::generic_category(),
                                                      "$LISTEN_FDS: descriptor " + std::to_string(each.descriptor)));
    return sockets;
}

}  // namespace hubbub::inline v0
