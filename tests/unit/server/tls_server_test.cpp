#include <hubbub/server/server.hpp>

#include <memory>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <hubbub/policy/certificate_user.hpp>
#include <hubbub/testing/socket_client.hpp>

#include "tests/support/catch.hpp"
#include "tests/support/engines.hpp"
#include "tests/support/running_server.hpp"
#include "tests/support/test_certificate.hpp"
#include "tests/support/tls_socket_client.hpp"

using namespace hubbub;
using hubbub_test::RunningServer;
using hubbub_test::TestCertificate;
using hubbub_test::TlsSocketClient;
using testing::SocketClient;

namespace {

struct Room : NoopHandler {
    void on_open(auto& session) { session.subscribe("room"); }
    void on_message(auto& session, MessageView message) { session.publish("room", message); }
};
struct TellUser : NoopHandler {
    void on_open(auto& session) { session.send(session.identity().user); }
};

/// Everybody goes to the shard after the one that accepted it.
struct Away : DefaultPolicy {
    struct Sharding {
        ShardIndex operator()(SessionInfo const&, ShardCount count) {
            return ShardIndex{static_cast<std::uint16_t>(turns++ % count.value)};
        }
        unsigned turns = 0;
    };
};
struct ByCertificate : DefaultPolicy {
    using Auth = CertificateUser;
};

std::unique_ptr<SSL_CTX, void (*)(SSL_CTX*)> make_client() { return {SSL_CTX_new(TLS_client_method()), SSL_CTX_free}; }

std::string refusal_of_tls(ServerOptions<> options) {
    try {
        Server const server{Room{}, std::move(options)};
    } catch (std::exception const& error) {
        return error.what();
    }
    return "";
}

}  // namespace

TEST_CASE("A server speaks TLS and plain on different ports, and has one hub for both", "[tcp]") {
    TestCertificate const own = TestCertificate::make();
    auto const engine = GENERATE(from_range(hubbub_test::engines));
    CAPTURE(static_cast<int>(engine));
    Server server{Room{},
                  {.port = 0,
                   .listen = {"plain:unix:@hubbub-tls-" + std::to_string(::getpid())},
                   .tls = {.certificate = own.certificate, .key = own.key},
                   .threads = 2,
                   .driver = {.engine = engine}}};
    REQUIRE(server.tls());
    RunningServer const running(server);
    auto const client = make_client();
    TlsSocketClient one(server.port(), client.get()), two(server.port(), client.get());
    one.upgrade();
    two.upgrade();
    one.send("from one");
    CHECK(one.receive() == "from one");
    two.send("from two");
    CHECK(one.receive() == "from two");
    CHECK_THROWS(SocketClient(server.port()));  // plain on the TLS port
    CHECK(server.tls()->counts().not_tls == 1);
    CHECK(server.tls()->counts().handshakes == 2);
}

TEST_CASE("A session over TLS goes to the shard that the policy chooses, with all that it has", "[tcp]") {
    TestCertificate const own = TestCertificate::make();
    auto const engine = GENERATE(from_range(hubbub_test::engines));
    CAPTURE(static_cast<int>(engine));
    Server<Away> server{
        Room{},
        {.port = 0, .tls = {.certificate = own.certificate, .key = own.key}, .threads = 3, .driver = {.engine = engine}}};
    RunningServer const running(server);
    auto const client = make_client();
    std::vector<std::unique_ptr<TlsSocketClient>> clients;
    for (int i = 0; i < 24; ++i) {
        clients.push_back(std::make_unique<TlsSocketClient>(server.port(), client.get()));
        clients.back()->upgrade();
        std::string const text = std::string(static_cast<std::size_t>(i) * 1000, 'x') + std::to_string(i);
        clients.back()->send(text);
        for (auto& each : clients) CHECK(each->receive() == text);
    }
}

TEST_CASE("Certificates of clients are identities", "[tcp]") {
    TestCertificate const own = TestCertificate::make();
    TestCertificate const authority = TestCertificate::make({.common_name = "authority", .names = "", .is_authority = true});
    TestCertificate const anna =
        TestCertificate::make({.common_name = "anna", .names = "email:anna@example.org", .issuer = &authority});
    Server<ByCertificate> server{TellUser{},
                                 {.port = 0,
                                  .tls = {.certificate = own.certificate,
                                          .key = own.key,
                                          .clients = TlsClients::may_show,
                                          .client_authorities = authority.certificate},
                                  .threads = 1}};
    RunningServer const running(server);
    auto const client = make_client();
    CHECK(TlsSocketClient(server.port(), client.get()).refusal() == 401);
    BIO* bio = BIO_new_mem_buf(anna.certificate.data(), static_cast<int>(anna.certificate.size()));
    X509* const certificate = PEM_read_bio_X509(bio, nullptr, nullptr, nullptr);
    BIO_free(bio);
    bio = BIO_new_mem_buf(anna.key.data(), static_cast<int>(anna.key.size()));
    EVP_PKEY* const key = PEM_read_bio_PrivateKey(bio, nullptr, nullptr, nullptr);
    BIO_free(bio);
    SSL_CTX_use_certificate(client.get(), certificate);
    SSL_CTX_use_PrivateKey(client.get(), key);
    X509_free(certificate);
    EVP_PKEY_free(key);
    TlsSocketClient known(server.port(), client.get());
    known.upgrade();
    CHECK(known.receive() == "anna");
}

TEST_CASE("A server with wrong options of TLS says which", "[tcp]") {
    TestCertificate const own = TestCertificate::make(), other = TestCertificate::make();
    CHECK(
        refusal_of_tls({.port = 0, .tls = {.certificate = "/nowhere/chain.pem", .key = own.key}}).find("/nowhere/chain.pem") !=
        std::string::npos);
    CHECK(refusal_of_tls({.port = 0, .tls = {.certificate = own.certificate, .key = other.key}}).find("does not belong") !=
          std::string::npos);
    CHECK(refusal_of_tls({.port = 0, .tls = {.key = own.key}}).find("ServerOptions::tls") != std::string::npos);
    CHECK(refusal_of_tls({.port = 0, .listen = {"tls:127.0.0.1:0"}}).find("tls:127.0.0.1:0") != std::string::npos);
}
