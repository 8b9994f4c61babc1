#pragma once

#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstddef>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <hubbub/core/exceptions.hpp>
#include <hubbub/server/handover_socket.hpp>
#include <hubbub/transport/tcp/tcp_acceptor.hpp>

namespace hubbub::inline v0 {

/// The listening sockets of the process that this one replaces: a hot restart, in which no client is refused, because nothing is bound
/// anew. The old process, which has a HandoverOffer on the same path, goes on as it was until `ready`, and if this one ends before
/// that, as if nothing had been. Where there is no old process this one is the first, and binds its sockets itself.
///
/// Threading: one thread at a time. It waits: use it before loops run.
/// Lifetime: sockets that are not taken are closed with it. Afterwards it goes into this process' own HandoverOffer.
/// Errors: the constructor and `ready` throw std::system_error or std::runtime_error that names the path: the other process runs as
/// another user, speaks another version, does not answer, or gives its sockets to somebody else.
/// Example:
///     hubbub::Takeover takeover("/run/chat.sock");
///     hubbub::Endpoint const where("0.0.0.0:8080");
///     auto const socket = takeover.take(where);
///     auto acceptor = socket ? hubbub::TcpAcceptor::adopt(socket->descriptor) : hubbub::TcpAcceptor(where);
///     takeover.ready();
///     if (socket && !socket->is_shared) acceptor.own();
class Takeover {
   public:
    /// `path` may be "@name", which is outside of the file system (Linux). Each answer of the old process is waited for so long.
    explicit Takeover(std::string const& path, std::chrono::milliseconds patience = std::chrono::seconds(5));

    /// An old process is there.
    bool found() const noexcept { return static_cast<bool>(connection_); }
    /// The socket for an endpoint, as it was asked for or as it is bound; it is the caller's from then on.
    std::optional<HandoverSocket> take(Endpoint const& endpoint);
    /// All that may fail is done, and this process accepts from here on: the old one stops that, and drains. Once; does nothing if
    /// there is no old one, or none any more.
    void ready();

    Endpoint const& path() const noexcept { return path_; }

   private:
    friend class HandoverOffer;

    struct Handed {
        TcpSocket owner;
        HandoverSocket socket;
    };

    [[noreturn]] void fail(std::string const& what) const {
        detail::throw_exception(std::runtime_error("handover over " + path_.to_string() + ": " + what));
    }
    /// With errno.
    [[noreturn]] void fail_with_error(char const* what) const {
        int const error = errno;
        detail::throw_exception(
            std::system_error(error, std::generic_category(), "handover over " + path_.to_string() + ": " + std::string(what)));
    }
    bool connect();
    bool receive();
    void read(std::vector<std::string> const& words, std::vector<TcpSocket> descriptors);

    Endpoint path_;
    std::chrono::milliseconds patience_;
    TcpSocket connection_;
    std::vector<Handed> handed_;
    std::optional<TcpAcceptor> listener_;  // where the process that replaces this one will ask
};

inline Takeover::Takeover(std::string const& path, std::chrono::milliseconds patience)
    : path_("unix:" + path), patience_(patience) {
    // One that ends while it is asked may have been replaced by another, who is asked then.
    for (int tries = 0; connect(); ++tries) {
        if (receive()) return;
        connection_.close();
        if (tries == 10) fail("the other process closes the connection");
    }
    listener_.emplace(path_);
}

/// False: nobody is there.
inline bool Takeover::connect() {
    sockaddr_storage storage;
    socklen_t const length = path_.to_sockaddr(storage);
    connection_ = TcpSocket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), PeerAddress{});
    if (!connection_) fail_with_error("socket");
    auto const seconds = std::chrono::duration_cast<std::chrono::seconds>(patience_);
    timeval wait{};
    wait.tv_sec = static_cast<decltype(wait.tv_sec)>(seconds.count());
    wait.tv_usec = static_cast<decltype(wait.tv_usec)>(std::chrono::microseconds(patience_ - seconds).count());
    for (int const option : {SO_RCVTIMEO, SO_SNDTIMEO})
        (void)::setsockopt(connection_.descriptor(), SOL_SOCKET, option, &wait, sizeof wait);
    int connected;
    do connected = ::connect(connection_.descriptor(), reinterpret_cast<sockaddr const*>(&storage), length);
    while (connected != 0 && errno == EINTR);  // of a Unix socket that tries again
    if (connected != 0) {
        if (errno != ENOENT && errno != ECONNREFUSED) fail_with_error("connect");
        connection_.close();
        return false;
    }
    pid_t process = 0;
    if (!detail::is_of_same_user(connection_.descriptor(), process)) fail("the other process runs as another user");
    return true;
}

/// False: the other one has closed before it said all.
inline bool Takeover::receive() {
    detail::HandoverMessage message;
    for (;;) {
        ssize_t const got = message.receive(connection_.descriptor());
        if (got < 0 && errno == EINTR) continue;
        if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) fail("the other process does not answer");
        if (got <= 0) return false;
        if (auto const words = message.words()) {
            read(*words, std::move(message.descriptors));
            return true;
        }
    }
}

inline void Takeover::read(std::vector<std::string> const& words, std::vector<TcpSocket> descriptors) {
    if (words.size() == 2 && words[0] == detail::handover_busy) fail("process " + words[1] + " is taking the sockets already");
    if (words.empty() || words[0] != detail::handover_greeting || words.size() != 1 + 2 * descriptors.size())
        fail("the other process speaks another version");
    for (std::size_t i = 0; i < descriptors.size(); ++i) {
        HandoverSocket socket{descriptors[i].descriptor(), Endpoint(words[2 + 2 * i]), words[1 + 2 * i] == "shared"};
        if (socket.endpoint == path_)
            listener_.emplace(TcpAcceptor::adopt(descriptors[i].release()));
        else
            handed_.push_back({std::move(descriptors[i]), socket});
    }
    if (!listener_) fail("the other process does not hand over the socket of that path");
}

inline std::optional<HandoverSocket> Takeover::take(Endpoint const& endpoint) {
    for (Handed& each : handed_) {
        if (!each.owner) continue;
        if (each.socket.endpoint != endpoint && local_endpoint(each.owner.descriptor()) != endpoint) continue;
        (void)each.owner.release();
        return each.socket;
    }
    return std::nullopt;
}

inline void Takeover::ready() {
    if (!connection_) return;
    char answer = 0;
    ssize_t got = ::send(connection_.descriptor(), &detail::ready_to_serve, 1, MSG_NOSIGNAL);
    while (got > 0) {
        got = ::recv(connection_.descriptor(), &answer, 1, 0);
        if (got >= 0 || errno != EINTR) break;
        got = 1;
    }
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) fail("the other process does not answer");
    if (got > 0 && answer != detail::yours) fail("the other process speaks another version");
    // Else it has ended in the meantime, which it may: the sockets are here.
    connection_.close();
    handed_.clear();
    listener_->own();
}

}  // namespace hubbub::inline v0
