#pragma once

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <memory>
#include <span>
#include <system_error>
#include <utility>
#include <vector>

#include <hubbub/core/exceptions.hpp>
#include <hubbub/core/peer_address.hpp>
#include <hubbub/transport/socket/endpoint.hpp>
#include <hubbub/transport/socket/record_layer.hpp>
#include <hubbub/transport/socket/send_limits.hpp>

namespace hubbub::inline v0 {

/// An open TCP or Unix stream socket that no driver watches: what an acceptor hands out, a host gives away, and `detach`
/// returns.
///
/// Threading: may be handed from thread to thread.
/// Lifetime: closes the descriptor unless it was released.
class TcpSocket {
   public:
    struct Options {
        int send_buffer = 0;                ///< SO_SNDBUF in bytes; 0 leaves it to the system
        int unsent = detail::usual_unsent;  ///< what the kernel may keep unsent (TCP_NOTSENT_LOWAT), likewise
    };

    TcpSocket() = default;

    /// Takes a descriptor that is set up already (non-blocking, close-on-exec, without Nagle's delay).
    TcpSocket(int descriptor, PeerAddress const& peer) noexcept : descriptor_(descriptor), peer_(peer) {}

    /// Takes any connected stream socket and sets it up.
    ///
    /// Errors: std::system_error; the descriptor then still belongs to the caller.
    static TcpSocket adopt(int descriptor) { return adopt(descriptor, Options{}); }
    static TcpSocket adopt(int descriptor, Options const& options);

    TcpSocket(TcpSocket&& other) noexcept
        : descriptor_(std::exchange(other.descriptor_, -1)),
          has_bytes_(other.has_bytes_),
          peer_(other.peer_),
          unread_(std::move(other.unread_)),
          layer_(std::move(other.layer_)) {}
    TcpSocket& operator=(TcpSocket&& other) noexcept {
        if (this != &other) {
            close();
            descriptor_ = std::exchange(other.descriptor_, -1);
            has_bytes_ = other.has_bytes_;
            peer_ = other.peer_;
            unread_ = std::move(other.unread_);
            layer_ = std::move(other.layer_);
        }
        return *this;
    }
    ~TcpSocket() { close(); }

    explicit operator bool() const noexcept { return descriptor_ >= 0; }
    int descriptor() const noexcept { return descriptor_; }
    PeerAddress const& peer() const noexcept { return peer_; }
    /// For who knows better than the socket, behind a proxy for example.
    void set_peer(PeerAddress const& peer) noexcept { peer_ = peer; }

    /// Bytes of the peer very likely wait in the socket: who reads at once need not be told by the kernel first.
    bool has_bytes() const noexcept { return has_bytes_; }
    void set_has_bytes(bool likely) noexcept { has_bytes_ = likely; }

    /// What a connection had read and its owner not heard when it was detached, nearly always nothing: io_uring reads ahead.
    /// Who takes the descriptor for himself begins with these bytes.
    std::span<std::byte const> unread() const noexcept { return unread_; }
    std::vector<std::byte> take_unread() noexcept { return std::exchange(unread_, {}); }
    void set_unread(std::vector<std::byte> bytes) noexcept { unread_ = std::move(bytes); }

    /// What its bytes are wrapped in, as TlsContext::wrap says; null for a plain socket. All that is `unread` is wrapped.
    detail::RecordLayer const* layer() const noexcept { return layer_.get(); }
    std::unique_ptr<detail::RecordLayer> take_layer() noexcept { return std::move(layer_); }
    void set_layer(std::unique_ptr<detail::RecordLayer> layer) noexcept { layer_ = std::move(layer); }

    /// The descriptor is the caller's.
    int release() noexcept { return std::exchange(descriptor_, -1); }
    void close() noexcept {
        if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
    }

   private:
    int descriptor_ = -1;
    bool has_bytes_ = false;
    PeerAddress peer_;
    std::vector<std::byte> unread_;
    std::unique_ptr<detail::RecordLayer> layer_;
};

inline TcpSocket TcpSocket::adopt(int descriptor, Options const& options) {
    auto const check = [](bool succeeded, char const* what) {
        if (!succeeded) detail::throw_exception(std::system_error(errno, std::generic_category(), what));
    };
    int const status = ::fcntl(descriptor, F_GETFL);
    check(status >= 0 && ::fcntl(descriptor, F_SETFL, status | O_NONBLOCK) == 0, "O_NONBLOCK");
    int const flags = ::fcntl(descriptor, F_GETFD);
    check(flags >= 0 && ::fcntl(descriptor, F_SETFD, flags | FD_CLOEXEC) == 0, "FD_CLOEXEC");
    int const on = 1;
    // A Unix socket has no Nagle to switch off, and a peer that has gone already is seen by the first read.
    (void)::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
#ifdef SO_NOSIGPIPE
    (void)::setsockopt(descriptor, SOL_SOCKET, SO_NOSIGPIPE, &on, sizeof on);
#endif
    check(detail::set_send_limits(descriptor, options.send_buffer, options.unsent), "SO_SNDBUF");
    return {descriptor, peer_address(descriptor)};
}

}  // namespace hubbub::inline v0
