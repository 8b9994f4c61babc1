// A client of OpenSSL's own, and connections of ours to it over each engine.
#pragma once

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <cerrno>
#include <cstddef>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include <hubbub/transport/tls/tls_context.hpp>

#include "tests/support/test_certificate.hpp"
#include "tests/unit/transport/tcp/tcp_fixture.hpp"

namespace hubbub_test {

/// What a client knows and wants.
class TlsClient {
   public:
    TlsClient() : context_(SSL_CTX_new(TLS_client_method()), SSL_CTX_free) {}
    SSL_CTX* context() const { return context_.get(); }

    void trust(TestCertificate const& authority) {
        BIO* const bio = BIO_new_mem_buf(authority.certificate.data(), static_cast<int>(authority.certificate.size()));
        X509* const certificate = PEM_read_bio_X509(bio, nullptr, nullptr, nullptr);
        BIO_free(bio);
        X509_STORE_add_cert(SSL_CTX_get_cert_store(context()), certificate);
        X509_free(certificate);
        SSL_CTX_set_verify(context(), SSL_VERIFY_PEER, nullptr);
    }
    void show(TestCertificate const& own) {
        BIO* bio = BIO_new_mem_buf(own.certificate.data(), static_cast<int>(own.certificate.size()));
        X509* const certificate = PEM_read_bio_X509(bio, nullptr, nullptr, nullptr);
        BIO_free(bio);
        bio = BIO_new_mem_buf(own.key.data(), static_cast<int>(own.key.size()));
        EVP_PKEY* const key = PEM_read_bio_PrivateKey(bio, nullptr, nullptr, nullptr);
        BIO_free(bio);
        SSL_CTX_use_certificate(context(), certificate);
        SSL_CTX_use_PrivateKey(context(), key);
        X509_free(certificate);
        EVP_PKEY_free(key);
    }
    void speak(int version) {
        SSL_CTX_set_security_level(context(), 0);  // else this system's OpenSSL refuses old versions itself
        SSL_CTX_set_min_proto_version(context(), version);
        SSL_CTX_set_max_proto_version(context(), version);
    }

    std::string host;                ///< SNI; empty: none is named
    std::string protocols;           ///< ALPN, in its wire form
    SSL_SESSION* resumed = nullptr;  ///< to come back with

   private:
    std::shared_ptr<SSL_CTX> context_;
};

/// The client's end of one connection. Nothing of it waits.
class TlsPeer {
   public:
    static constexpr std::size_t large = RawPeer::large;
    struct InexactRoom {};  ///< what is held may be settled while there is still room

    TlsPeer(RawPeer raw, TlsClient const& client) : raw_(std::move(raw)), ssl_(SSL_new(client.context()), end) {
        SSL_set_fd(ssl_.get(), raw_.descriptor());
        SSL_set_connect_state(ssl_.get());
        if (!client.host.empty()) SSL_set_tlsext_host_name(ssl_.get(), client.host.c_str());
        if (!client.protocols.empty())
            SSL_set_alpn_protos(ssl_.get(), reinterpret_cast<unsigned char const*>(client.protocols.data()),
                                static_cast<unsigned>(client.protocols.size()));
        if (client.resumed) SSL_set_session(ssl_.get(), client.resumed);
    }

    /// Goes on with the handshake. True: it is over, well or not.
    bool handshake() {
        ERR_clear_error();
        int const result = SSL_do_handshake(ssl_.get());
        if (result == 1) return true;
        int const error = SSL_get_error(ssl_.get(), result);
        if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) return false;
        char const* const reason = ERR_reason_error_string(ERR_peek_last_error());
        failure_ = reason ? reason : "the end";
        return true;
    }
    std::string const& failure() const { return failure_; }
    SSL* ssl() const { return ssl_.get(); }

    void write(std::string_view bytes) {
        std::size_t written = 0;
        if (SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &written) != 1 || written != bytes.size())
            throw std::runtime_error("the peer could not write everything");
    }
    std::string read() { return read(static_cast<std::size_t>(-1)); }
    /// At most so much, in little pieces.
    std::string read(std::size_t most) {
        std::string bytes;
        char buffer[4096];
        while (raw_.descriptor() >= 0 && bytes.size() < most) {
            std::size_t got = 0;
            ERR_clear_error();
            errno = 0;
            if (SSL_read_ex(ssl_.get(), buffer, std::min(sizeof buffer, most - bytes.size()), &got) == 1) {
                bytes.append(buffer, got);
                continue;
            }
            int const error = SSL_get_error(ssl_.get(), 0);
            if (error == SSL_ERROR_ZERO_RETURN) ended_ = true;
            if (error == SSL_ERROR_SYSCALL && errno == ECONNRESET) was_reset_ = true;
            if (error == SSL_ERROR_SSL) {
                char const* const reason = ERR_reason_error_string(ERR_peek_last_error());
                failure_ = reason ? reason : "unknown";
            }
            break;
        }
        return bytes;
    }
    bool has_ended() const { return ended_; }
    bool was_reset() const { return was_reset_; }
    void end() { (void)SSL_shutdown(ssl_.get()); }
    void reset() { raw_.reset(); }
    RawPeer& raw() { return raw_; }

   private:
    /// As if it had ended well: OpenSSL forgets sessions that did not.
    static void end(SSL* ssl) {
        SSL_set_shutdown(ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
        SSL_free(ssl);
    }

    RawPeer raw_;
    std::unique_ptr<SSL, void (*)(SSL*)> ssl_;
    bool ended_ = false, was_reset_ = false;
    std::string failure_;
};

/// See byte_connection_contract.hpp. Connections have shaken hands.
class TlsFixture {
   public:
    using Connection = hubbub::TcpConnection;
    using Peer = TlsPeer;
    struct Pair {
        hubbub::TcpSocket socket;
        TlsPeer peer;
    };

    static inline int version = 0;  ///< TLS1_2_VERSION; 0 for the newest

    explicit TlsFixture(TcpFixture::Kind kind = TcpFixture::usual) : tcp_(kind) {}

    /// One for all tests that want nothing special.
    static hubbub::TlsContext& usual_context() {
        static TestCertificate const own = TestCertificate::make();
        static hubbub::TlsContext context({.certificate = own.certificate, .key = own.key});
        return context;
    }

    hubbub::TcpDriver& driver() { return tcp_.driver(); }
    hubbub::ShardLoop& loop() { return tcp_.loop(); }
    bool pump_until(std::function<bool()> const& is_done) { return tcp_.pump_until(is_done); }
    bool settles() { return tcp_.settles(); }
    int turns() const { return tcp_.turns(); }

    /// Nothing has been said yet.
    Pair connect_only(TlsClient const& client, hubbub::TlsContext& context) {
        auto pair = tcp_.connect();
        return {context.wrap(std::move(pair.socket)), TlsPeer(std::move(pair.peer), client)};
    }
    /// The handshake is over; by that the session has left one connection for another already.
    Pair connect(TlsClient const& client, hubbub::TlsContext& context) {
        auto pair = connect_only(client, context);
        struct Nobody final : hubbub::ByteConnectionOwner {
            void on_bytes(std::span<std::byte>) noexcept override {}
            void on_writable() noexcept override {}
            void on_written(std::uint32_t) noexcept override {}
            void on_lost() noexcept override {}
        } nobody;
        hubbub::TcpConnection connection(driver(), std::move(pair.socket));
        in_turn([&] { connection.start(nobody); });
        if (!pump_until([&] { return pair.peer.handshake(); })) throw std::runtime_error("the handshake has no end");
        (void)settles();
        in_turn([&] { pair.socket = connection.detach(); });
        return pair;
    }
    Pair connect() {
        TlsClient client;
        if (version != 0) client.speak(version);
        return connect(client, usual_context());
    }
    void in_turn(std::function<void()> function) {
        bool done = false;
        loop().post([&] {
            function();
            done = true;
        });
        if (!pump_until([&] { return done; })) throw std::runtime_error("the turn did not come");
    }

   private:
    TcpFixture tcp_;
};

}  // namespace hubbub_test
