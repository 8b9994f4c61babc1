// A whole hub over TLS, with a client of OpenSSL's.
#include <hubbub/transport/tls/tls_context.hpp>

#include "tests/conformance/tcp_echo.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/test_certificate.hpp"

namespace {

using namespace conformance;

class TlsEcho {
   public:
    explicit TlsEcho(hubbub::EngineKind engine) : engine_(engine), client_(SSL_CTX_new(TLS_client_method()), SSL_CTX_free) {
        SSL_CTX_set_mode(client_.get(), SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    }

    void connect(ServerOptions const& options) {
        auto& server = servers_[{options.message, options.fragments}];
        if (!server)
            server = std::make_unique<EchoServer<hubbub::TcpConnection>>(
                options, engine_, [this](hubbub::TcpSocket socket) { return context_.wrap(std::move(socket)); });
        ssl_.reset();
        socket_ = asio::ip::tcp::socket(asio_);
        socket_.connect({asio::ip::make_address("127.0.0.1"), server->port()});
        socket_.set_option(asio::ip::tcp::no_delay(true));
        ssl_.reset(SSL_new(client_.get()));
        SSL_set_fd(ssl_.get(), socket_.native_handle());
        if (SSL_connect(ssl_.get()) != 1) throw std::runtime_error("the TLS handshake failed");
        socket_.native_non_blocking(true);
        came_.clear();
        ended_ = refused_ = false;
    }
    void send(std::string_view bytes) {
        while (!bytes.empty() && !refused_) {
            ERR_clear_error();
            std::size_t sent = 0;
            if (SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &sent) == 1) {
                bytes.remove_prefix(sent);
                continue;
            }
            int const error = SSL_get_error(ssl_.get(), 0);
            if (error != SSL_ERROR_WANT_WRITE && error != SSL_ERROR_WANT_READ) {
                refused_ = true;
                break;
            }
            wait(POLLOUT | (ended_ ? 0 : POLLIN));
            take();
        }
    }
    std::optional<std::string> receive() {
        take();
        while (came_.empty() && !ended_) {
            wait(POLLIN);
            take();
        }
        if (came_.empty()) return std::nullopt;
        return std::exchange(came_, {});
    }

   private:
    void wait(int events) {
        pollfd descriptor{socket_.native_handle(), static_cast<short>(events), 0};
        if (::poll(&descriptor, 1, 20'000) <= 0) throw std::runtime_error("nothing came for 20 s");
    }
    void take() {
        char buffer[65536];
        for (;;) {
            std::size_t got = 0;
            ERR_clear_error();
            if (SSL_read_ex(ssl_.get(), buffer, sizeof buffer, &got) == 1) {
                came_.append(buffer, got);
                continue;
            }
            int const error = SSL_get_error(ssl_.get(), 0);
            if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) ended_ = true;
            return;
        }
    }

    hubbub::EngineKind engine_;
    hubbub_test::TestCertificate own_ = hubbub_test::TestCertificate::make();
    hubbub::TlsContext context_{{.certificate = own_.certificate, .key = own_.key}};
    std::map<std::pair<std::size_t, std::uint32_t>, std::unique_ptr<EchoServer<hubbub::TcpConnection>>> servers_;
    std::unique_ptr<SSL_CTX, void (*)(SSL_CTX*)> client_;
    asio::io_context asio_;
    asio::ip::tcp::socket socket_{asio_};
    std::unique_ptr<SSL, decltype([](SSL* ssl) { SSL_free(ssl); })> ssl_;
    std::string came_;
    bool ended_ = false, refused_ = false;
};

}  // namespace

TEST_CASE("A hub over TCP with TLS conforms to RFC 6455") {
    auto const split = GENERATE(Split::whole, Split::coalesced);
    CAPTURE(static_cast<int>(split));
    TlsEcho server(hubbub::EngineKind::automatic);
    Report const report = run_all(server, split, largest_case);
    for (std::string const& failure : report.failures) FAIL_CHECK(failure);
    CHECK(report.cases > 300);
}
