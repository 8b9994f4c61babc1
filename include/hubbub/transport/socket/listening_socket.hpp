#pragma once

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>
#include <utility>

#include <hubbub/core/exceptions.hpp>
#include <hubbub/transport/socket/endpoint.hpp>
#include <hubbub/transport/socket/send_limits.hpp>

namespace hubbub::inline v0::detail {

/// A socket that listens, set up so that what it accepts inherits TCP_NODELAY and the bounds of what is sent.
///
/// A Unix path is removed when the socket goes, if it still is the one that was made here.
///
/// Errors: std::system_error that names the endpoint.
class ListeningSocket {
   public:
    struct Options {
        int backlog = SOMAXCONN;
        int send_buffer = 0;        // SO_SNDBUF in bytes; 0 leaves it to the system
        int unsent = usual_unsent;  // TCP_NOTSENT_LOWAT, likewise
        bool defer_accept = false;  // TCP_DEFER_ACCEPT; not of an adopted one
    };

    ListeningSocket(Endpoint const& endpoint, Options const& options);
    /// Takes one that somebody else has opened, who may serve it too: a service manager, or the process that this one replaces.
    ListeningSocket(int adopted, Options const& options);
    ListeningSocket(ListeningSocket const&) = delete;
    ListeningSocket& operator=(ListeningSocket const&) = delete;
    ~ListeningSocket() {
        remove_path();
        if (descriptor_ >= 0) ::close(descriptor_);
    }

    int descriptor() const noexcept { return descriptor_; }
    Endpoint const& endpoint() const noexcept { return endpoint_; }
    /// Who is accepted has sent something already, but for who has said nothing for a second.
    bool defers_accept() const noexcept { return defers_accept_; }

    /// New clients are refused from now on, while loops may still watch the descriptor. A shared socket is left as it is.
    void stop() noexcept {
        remove_path();
        if (!is_shared_) (void)::shutdown(descriptor_, SHUT_RDWR);
    }
    /// Others serve it from now on: nothing that is done here to end it may disturb them.
    void share() noexcept {
        is_shared_ = true;
        inode_ = 0;
    }
    /// It was shared, and nobody else serves it any more.
    void own() noexcept {
        is_shared_ = false;
        remember_path();
    }
    bool is_shared() const noexcept { return is_shared_; }

   private:
    explicit ListeningSocket(Endpoint const& endpoint) : endpoint_(endpoint) {}
    [[noreturn]] void fail(char const* what) const {
        int const error = errno;
        throw_exception(
            std::system_error(error, std::generic_category(), "cannot " + std::string(what) + " " + endpoint_.to_string()));
    }
    void open(Options const& options);
    void bind();
    bool is_abandoned(sockaddr_storage const& address, socklen_t length) const;
    void set_options(Options const& options) noexcept;
    void defer_accept() noexcept;
    void note_defer_accept() noexcept;
    void remember_path() noexcept;
    void remove_path() noexcept;

    int descriptor_ = -1;
    bool is_shared_ = false;
    bool defers_accept_ = false;
    Endpoint endpoint_;
    dev_t device_ = 0;  // of the path that is removed at the end
    ino_t inode_ = 0;
};

// It calls another constructor first, so that the destructor cleans up where the rest throws.
inline ListeningSocket::ListeningSocket(Endpoint const& endpoint, Options const& options) : ListeningSocket(endpoint) {
    int const domain = endpoint.family() == Endpoint::Family::ipv4   ? AF_INET
                       : endpoint.family() == Endpoint::Family::ipv6 ? AF_INET6
                                                                     : AF_UNIX;
    descriptor_ = ::socket(domain, SOCK_STREAM, 0);
    if (descriptor_ < 0) fail("open a socket for");
    open(options);
}

inline ListeningSocket::ListeningSocket(int adopted, Options const& options)
    : descriptor_(adopted), is_shared_(true), endpoint_(local_endpoint(adopted)) {
    auto const is = [adopted](int option, int wanted) {
        int value = 0;
        socklen_t length = sizeof value;
        return ::getsockopt(adopted, SOL_SOCKET, option, &value, &length) == 0 && value == wanted;
    };
    auto const refuse = [this](char const* what) {
        throw_exception(
            std::system_error(EINVAL, std::generic_category(), "the adopted socket " + endpoint_.to_string() + what));
    };
    if (!is(SO_TYPE, SOCK_STREAM)) refuse(" is no stream socket");
    if (!is(SO_ACCEPTCONN, 1)) refuse(" does not listen");
    set_options(options);
    note_defer_accept();
}

inline void ListeningSocket::open(Options const& options) {
    set_options(options);
    int const on = 1;
    if (endpoint_.family() != Endpoint::Family::unix_socket)
        (void)::setsockopt(descriptor_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    // So that an IPv4 and an IPv6 endpoint of the same port can be opened side by side, whatever the system's default.
    if (endpoint_.family() == Endpoint::Family::ipv6)
        (void)::setsockopt(descriptor_, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    if (options.defer_accept) defer_accept();
    bind();
    if (::listen(descriptor_, options.backlog) != 0) fail("listen on");
    endpoint_ = local_endpoint(descriptor_);
}

inline void ListeningSocket::bind() {
    sockaddr_storage storage;
    socklen_t const length = endpoint_.to_sockaddr(storage);
    auto const* address = reinterpret_cast<sockaddr const*>(&storage);
    if (::bind(descriptor_, address, length) != 0) {
        if (errno != EADDRINUSE || !is_abandoned(storage, length)) fail("listen on");
        (void)::unlink(endpoint_.path().c_str());
        if (::bind(descriptor_, address, length) != 0) fail("listen on");
    }
    remember_path();
}

/// True for the path of a Unix socket on which nobody answers: its server died. Keeps errno.
inline bool ListeningSocket::is_abandoned(sockaddr_storage const& address, socklen_t length) const {
    int const error = errno;
    bool abandoned = false;
    struct stat status{};
    if (endpoint_.is_file() && ::lstat(endpoint_.path().c_str(), &status) == 0 && S_ISSOCK(status.st_mode)) {
        int const probe = ::socket(AF_UNIX, SOCK_STREAM, 0);
        if (probe >= 0) {
            (void)::fcntl(probe, F_SETFL, O_NONBLOCK);
            abandoned = ::connect(probe, reinterpret_cast<sockaddr const*>(&address), length) != 0 && errno == ECONNREFUSED;
            ::close(probe);
        }
    }
    errno = error;
    return abandoned;
}

/// O_NONBLOCK belongs to the socket and not to the descriptor: who shares it accepts without waiting, too.
inline void ListeningSocket::set_options(Options const& options) noexcept {
    (void)::fcntl(descriptor_, F_SETFL, ::fcntl(descriptor_, F_GETFL) | O_NONBLOCK);
    (void)::fcntl(descriptor_, F_SETFD, ::fcntl(descriptor_, F_GETFD) | FD_CLOEXEC);
    int const on = 1;
    (void)::setsockopt(descriptor_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    (void)set_send_limits(descriptor_, options.send_buffer, options.unsent);
}

/// The kernel hands over a client with its first bytes: both are one event, and there is no waiting for the second. The client
/// who says nothing is handed over when the kernel has asked him once more, after the second that is named here.
inline void ListeningSocket::defer_accept() noexcept {
#ifdef TCP_DEFER_ACCEPT
    int const seconds = 1;
    if (endpoint_.family() != Endpoint::Family::unix_socket)
        (void)::setsockopt(descriptor_, IPPROTO_TCP, TCP_DEFER_ACCEPT, &seconds, sizeof seconds);
    note_defer_accept();
#endif
}

inline void ListeningSocket::note_defer_accept() noexcept {
#ifdef TCP_DEFER_ACCEPT
    int seconds = 0;
    socklen_t length = sizeof seconds;
    defers_accept_ = ::getsockopt(descriptor_, IPPROTO_TCP, TCP_DEFER_ACCEPT, &seconds, &length) == 0 && seconds > 0;
#endif
}

inline void ListeningSocket::remember_path() noexcept {
    struct stat status{};
    if (!endpoint_.is_file() || ::stat(endpoint_.path().c_str(), &status) != 0) return;
    device_ = status.st_dev;
    inode_ = status.st_ino;
}

inline void ListeningSocket::remove_path() noexcept {
    ino_t const inode = std::exchange(inode_, 0);
    struct stat status{};
    if (inode == 0 || ::stat(endpoint_.path().c_str(), &status) != 0) return;
    if (status.st_dev == device_ && status.st_ino == inode) (void)::unlink(endpoint_.path().c_str());
}

}  // namespace hubbub::inline v0::detail
