#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <hubbub/core/exceptions.hpp>
#include <hubbub/testing/server_stream.hpp>
#include <hubbub/ws/client_handshake.hpp>
#include <hubbub/ws/encoder.hpp>

namespace hubbub::inline v0::testing {

/// A client over a real socket to 127.0.0.1, which waits for what it asks for, 10 seconds at most: for tests of a whole server.
///
/// Threading: one thread at a time. Errors: std::system_error of the socket, std::runtime_error if the server ends, refuses the
/// upgrade or breaks the protocol.
/// Example: `SocketClient client(server.port()); client.send("hi"); CHECK(client.receive() == "hi");`
class SocketClient {
   public:
    /// `protocols` is a list for `Sec-WebSocket-Protocol`, or empty.
    explicit SocketClient(std::uint16_t port, std::string_view target = "/", std::string_view protocols = {})
        : SocketClient(Connected{connect_to(port)}) {
        write(ws::make_upgrade_request({.target = target, .protocols = protocols}));
        while (stream_.status() == 0) read_more();
        if (stream_.status() != 101)
            detail::throw_exception(std::runtime_error("the server refused with " + std::to_string(stream_.status())));
    }
    SocketClient(SocketClient&& other) noexcept
        : descriptor_(std::exchange(other.descriptor_, -1)),
          bytes_(std::move(other.bytes_)),
          stream_(std::move(other.stream_)),
          taken_(other.taken_) {}
    SocketClient& operator=(SocketClient&&) = delete;
    ~SocketClient() {
        if (descriptor_ >= 0) ::close(descriptor_);
    }

    void send(std::string_view text) { write(ws::encode_frame(ws::ClientFrame::text(text))); }
    void send_bytes(std::string_view bytes) { write(bytes); }

    /// The next message.
    std::string receive() {
        while (stream_.messages().size() == taken_) read_more();
        return stream_.messages()[taken_++].payload;
    }
    /// The server's Close, which is answered; messages before it are kept.
    CloseCode receive_close() {
        while (!stream_.close()) read_more();
        CloseCode const code = stream_.close()->code;
        std::array<std::byte, ws::max_control_payload> payload;
        std::size_t const size = ws::encode_close_payload(payload, code, {});
        write(
            ws::encode_frame(ws::ClientFrame::make(ws::Opcode::close, {reinterpret_cast<char const*>(payload.data()), size})));
        (void)::shutdown(descriptor_, SHUT_WR);  // else the server waits for its close limit: it has nobody else to wait for
        return code;
    }

    /// What a page of the server says: the whole answer to a GET.
    static std::string get(std::uint16_t port, std::string_view target) {
        SocketClient client{Connected{connect_to(port)}};
        client.write("GET " + std::string(target) + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
        while (client.read_some()) {}
        return std::move(client.bytes_);
    }

   private:
    struct Connected {
        int descriptor;
    };
    explicit SocketClient(Connected connected) : descriptor_(connected.descriptor) {}

    [[noreturn]] static void fail(char const* what) {
        detail::throw_exception(std::system_error(errno, std::generic_category(), what));
    }
    static int connect_to(std::uint16_t port) {
        int const descriptor = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (descriptor < 0) fail("SocketClient: socket");
        timeval const patience{10, 0};
        (void)::setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        (void)::setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        int error = ::connect(descriptor, reinterpret_cast<sockaddr const*>(&address), sizeof address) == 0 ? 0 : errno;
        if (error == EINTR) error = wait_connected(descriptor);
        if (error != 0) {
            ::close(descriptor);
            errno = error;
            fail("SocketClient: connect");
        }
        return descriptor;
    }
    /// What a signal interrupts goes on without us (connect(2)). Its error, or 0.
    static int wait_connected(int descriptor) {
        pollfd connecting{descriptor, POLLOUT, 0};
        int ready;
        do ready = ::poll(&connecting, 1, 10'000);
        while (ready < 0 && errno == EINTR);
        if (ready <= 0) return ready < 0 ? errno : ETIMEDOUT;
        int error = 0;
        socklen_t size = sizeof error;
        return ::getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : errno;
    }
    void write(std::string_view bytes) {
        while (!bytes.empty()) {
            ssize_t const sent = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (sent < 0 && errno == EINTR) continue;
            if (sent < 0) fail("SocketClient: send");
            bytes.remove_prefix(static_cast<std::size_t>(sent));
        }
    }
    bool read_some() {
        std::array<char, 16384> piece;
        ssize_t got;
        do got = ::recv(descriptor_, piece.data(), piece.size(), 0);
        while (got < 0 && errno == EINTR);
        if (got < 0) fail("SocketClient: recv");
        bytes_.append(piece.data(), static_cast<std::size_t>(got));
        return got > 0;
    }
    void read_more() {
        if (!read_some()) detail::throw_exception(std::runtime_error("SocketClient: the server has ended the connection"));
        stream_.read(bytes_);
        if (!stream_.problem().empty()) detail::throw_exception(std::runtime_error("SocketClient: " + stream_.problem()));
    }

    int descriptor_;
    std::string bytes_;
    ServerStream stream_;
    std::size_t taken_ = 0;
};

}  // namespace hubbub::inline v0::testing
