// A client whose records a test holds in its hands.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "tests/unit/transport/tls/tls_fixture.hpp"

namespace hubbub_test {

class OfflineClient {
   public:
    explicit OfflineClient(TlsClient const& client)
        : ssl_(SSL_new(client.context()), SSL_free), in_(BIO_new(BIO_s_mem())), out_(BIO_new(BIO_s_mem())) {
        SSL_set_bio(ssl_.get(), in_, out_);
        SSL_set_connect_state(ssl_.get());
    }

    /// Reads what the server sent; true once the handshake is over.
    bool handshake(std::string_view from_server) {
        give(from_server);
        return SSL_do_handshake(ssl_.get()) == 1;
    }
    void give(std::string_view from_server) {
        if (!from_server.empty()) BIO_write(in_, from_server.data(), static_cast<int>(from_server.size()));
    }
    /// The records of that text.
    std::string seal(std::string_view text) {
        (void)SSL_write(ssl_.get(), text.data(), static_cast<int>(text.size()));
        return take();
    }
    /// The record that ends it.
    std::string seal_end() {
        (void)SSL_shutdown(ssl_.get());
        return take();
    }
    /// All that the client has to send.
    std::string take() {
        char* bytes = nullptr;
        long const size = BIO_get_mem_data(out_, &bytes);
        std::string const result(bytes, static_cast<std::size_t>(size));
        (void)BIO_reset(out_);
        return result;
    }
    /// What the server has said.
    std::string open() {
        std::string text;
        char buffer[16384];
        std::size_t got = 0;
        while (SSL_read_ex(ssl_.get(), buffer, sizeof buffer, &got) == 1) text.append(buffer, got);
        return text;
    }
    bool has_ended() const { return (SSL_get_shutdown(ssl_.get()) & SSL_RECEIVED_SHUTDOWN) != 0; }
    SSL* ssl() const { return ssl_.get(); }

   private:
    std::unique_ptr<SSL, void (*)(SSL*)> ssl_;
    BIO* in_;   // the SSL's
    BIO* out_;  // the SSL's
};

}  // namespace hubbub_test
