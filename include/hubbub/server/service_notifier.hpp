#pragma once

#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <hubbub/core/exceptions.hpp>
#include <hubbub/transport/socket/endpoint.hpp>

namespace hubbub::inline v0 {

/// Tells a service manager how this process is, as sd_notify(3) does: systemd's `Type=notify`, `Type=notify-reload` and watchdog. One
/// that is made without a socket tells nobody.
///
/// Threading: any, also at the same time. Errors: what cannot be told within a second is not told, and the answer is false.
/// Cost: of each call a socket that is opened and closed, and a datagram.
/// Example: `options.service = hubbub::ServiceNotifier::from_environment();`
class ServiceNotifier {
   public:
    ServiceNotifier() = default;
    /// `socket` is a path, or "@name" outside of the file system. A watchdog of 0 is none.
    ///
    /// Errors: std::invalid_argument if it is neither.
    explicit ServiceNotifier(std::string const& socket, std::chrono::microseconds watchdog = {});
    /// As $NOTIFY_SOCKET, $WATCHDOG_USEC and $WATCHDOG_PID say; one that tells nobody where the first is not set.
    ///
    /// Threading: while nobody changes the environment. Errors: std::invalid_argument that names the variable.
    static ServiceNotifier from_environment();

    explicit operator bool() const noexcept { return !socket_.empty(); }
    /// How long the manager waits for `alive` before it ends this process; 0: it does not. Tell it twice as often.
    std::chrono::microseconds watchdog() const noexcept { return watchdog_; }

    bool ready() const noexcept { return send("READY=1"); }
    bool stopping() const noexcept { return send("STOPPING=1"); }
    /// `ready` follows when it is over.
    bool reloading() const {
        auto const now = std::chrono::duration_cast<std::chrono::microseconds>(clock_of_system());
        return send("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(now.count()));
    }
    /// A line for `systemctl status`.
    bool status(std::string_view text) const { return send("STATUS=" + std::string(text.substr(0, text.find('\n')))); }
    bool alive() const noexcept { return send("WATCHDOG=1"); }

    /// Any assignments of sd_notify(3), a line each.
    bool send(std::string_view state) const noexcept;

   private:
    /// CLOCK_MONOTONIC, whatever std::chrono::steady_clock is.
    static std::chrono::nanoseconds clock_of_system() noexcept {
        timespec now{};
        (void)::clock_gettime(CLOCK_MONOTONIC, &now);
        return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
    }

    std::string socket_;
    std::chrono::microseconds watchdog_{};
};

inline ServiceNotifier::ServiceNotifier(std::string const& socket, std::chrono::microseconds watchdog)
    : socket_("unix:" + socket), watchdog_(watchdog) {
    if (!socket.starts_with('/') && !socket.starts_with('@'))
        detail::throw_exception(
            std::invalid_argument("ServiceNotifier: \"" + socket + R"(" is neither an absolute path nor "@name")"));
    static_cast<void>(Endpoint(socket_));
}

inline ServiceNotifier ServiceNotifier::from_environment() {
    auto const variable = [](char const* name) {
        char const* const value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe)
        return std::string(value ? value : "");
    };
    auto const number = [&](char const* name) {
        std::string const text = variable(name);
        std::int64_t value = 0;
        auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
        if (!text.empty() && (error != std::errc{} || end != text.data() + text.size() || value <= 0))
            detail::throw_exception(std::invalid_argument("$" + std::string(name) + " is no number: \"" + text + "\""));
        return value;
    };
    std::string const socket = variable("NOTIFY_SOCKET");
    if (socket.empty()) return {};
    std::int64_t const whose = number("WATCHDOG_PID");
    bool const is_watched = whose == 0 || whose == ::getpid();
    return ServiceNotifier(socket, std::chrono::microseconds(is_watched ? number("WATCHDOG_USEC") : 0));
}

inline bool ServiceNotifier::send(std::string_view state) const noexcept {
    if (socket_.empty()) return false;
    int const descriptor = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (descriptor < 0) return false;
    timeval const patience{1, 0};  // a manager that hangs must not stop this process for longer
    (void)::setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    sockaddr_storage storage;
    socklen_t const length = Endpoint(socket_).to_sockaddr(storage);
    // A datagram comes with the number of its process: the manager looks at that.
    ssize_t const sent =
        ::sendto(descriptor, state.data(), state.size(), MSG_NOSIGNAL, reinterpret_cast<sockaddr const*>(&storage), length);
    ::close(descriptor);
    return sent == static_cast<ssize_t>(state.size());
}

}  // namespace hubbub::inline v0
