// A WebSocket client over TLS that waits for what it asks for, as testing::SocketClient is one without.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

#include <hubbub/testing/server_stream.hpp>
#include <hubbub/ws/client_handshake.hpp>
#include <hubbub/ws/encoder.hpp>

namespace hubbub_test {

class TlsSocketClient {
   public:
    TlsSocketClient(std::uint16_t port, SSL_CTX* context) : ssl_(SSL_new(context), SSL_free) {
        (void)std::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes without a flag against it
        descriptor_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        timeval const patience{10, 0};
        (void)::setsockopt(descriptor_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        if (::connect(descriptor_, reinterpret_cast<sockaddr const*>(&address), sizeof address) != 0) fail("connect");
        SSL_set_fd(ssl_.get(), descriptor_);
        if (!persist([this] { return SSL_connect(ssl_.get()); })) fail("handshake");
    }
    TlsSocketClient(TlsSocketClient const&) = delete;
    TlsSocketClient& operator=(TlsSocketClient const&) = delete;
    ~TlsSocketClient() { ::close(descriptor_); }

    SSL* ssl() const { return ssl_.get(); }
    void upgrade() {
        write(hubbub::ws::make_upgrade_request({}));
        while (stream_.status() == 0) read_more();
        if (stream_.status() != 101) throw std::runtime_error("refused with " + std::to_string(stream_.status()));
    }
    /// The status of the answer to an upgrade that is refused.
    unsigned refusal() {
        write(hubbub::ws::make_upgrade_request({}));
        while (stream_.status() == 0) read_more();
        return stream_.status();
    }
    void send(std::string_view text) { write(hubbub::ws::encode_frame(hubbub::ws::ClientFrame::text(text))); }
    std::string receive() {
        while (stream_.messages().size() == taken_) read_more();
        return stream_.messages()[taken_++].payload;
    }
    void write(std::string_view bytes) {
        std::size_t written = 0;
        if (!persist([&] { return SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &written); })) fail("write");
    }
    /// Until the server ends.
    std::string read_all() {
        char buffer[16384];
        std::size_t got = 0;
        while (persist([&] { return SSL_read_ex(ssl_.get(), buffer, sizeof buffer, &got); })) bytes_.append(buffer, got);
        return bytes_;
    }

   private:
    /// One step of OpenSSL, again as long as it was only interrupted: the kernel interrupts the reads of the thread that set
    /// an io_uring up, and a read with a time limit is not taken up again by itself. True: it succeeded.
    template <class Step>
    bool persist(Step step) {
        for (;;) {
            errno = 0;
            int const result = step();
            if (result == 1) return true;
            int const error = SSL_get_error(ssl_.get(), result);
            bool const would_block = error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE;
            if (!would_block || errno != EINTR) return false;
        }
    }
    [[noreturn]] static void fail(char const* what) {
        char const* const reason = ERR_reason_error_string(ERR_peek_last_error());
        std::string const text = std::string("TlsSocketClient: ") + what + ": " + (reason ? reason : "the end");
        ERR_clear_error();
        throw std::runtime_error(text);
    }
    void read_more() {
        char buffer[16384];
        std::size_t got = 0;
        if (!persist([&] { return SSL_read_ex(ssl_.get(), buffer, sizeof buffer, &got); })) fail("read");
        bytes_.append(buffer, got);
        stream_.read(bytes_);
        if (!stream_.problem().empty()) throw std::runtime_error(stream_.problem());
    }

    std::unique_ptr<SSL, void (*)(SSL*)> ssl_;
    int descriptor_ = -1;
    std::string bytes_;
    hubbub::testing::ServerStream stream_;
    std::size_t taken_ = 0;
};

}  // namespace hubbub_test
