#include <hubbub/server/server.hpp>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <hubbub/events/json_lines.hpp>
#include <hubbub/testing/socket_client.hpp>

#include "tests/support/catch.hpp"
#include "tests/support/secrets.hpp"
#include "tests/support/test_certificate.hpp"
#include "tests/support/tls_socket_client.hpp"
#include "tests/unit/events/descriptors.hpp"

namespace tls_secrets {

using namespace hubbub;

struct LoggedPolicy : DefaultPolicy {
    using EventSink = JsonLines;
};
struct Thrower : NoopHandler {
    void on_message(auto&, MessageView message) { throw std::runtime_error(std::string(message.view())); }
};

/// Says something to a port, and waits for the end.
inline void say(std::uint16_t port, std::string const& text) {
    int const client = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::connect(client, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    (void)::send(client, text.data(), text.size(), MSG_NOSIGNAL);
    (void)::shutdown(client, SHUT_WR);
    char answer[4096];
    while (::recv(client, answer, sizeof answer, 0) > 0) continue;
    ::close(client);
}

}  // namespace tls_secrets

using namespace tls_secrets;

TEST_CASE("A server's events hold no secret over TLS and TCP either: neither its key nor what clients say", "[tcp]") {
    hubbub_test::Secrets secrets;
    descriptors::File file;
    auto const own = hubbub_test::TestCertificate::make();
    secrets.also("key", own.key.substr(own.key.find('\n') + 1, 48));
    ServerOptions<LoggedPolicy> options;
    options.port = 0;
    options.tls = {.certificate = own.certificate, .key = own.key};
    options.threads = 1;
    options.hub.close_limit = std::chrono::milliseconds(100);  // the client below does not answer a Close
    options.hub.events.sink = {.writer = std::make_shared<LineWriter>(file.descriptor()), .least = EventLevel::debug};
    Server<LoggedPolicy> server(Thrower{}, std::move(options));
    std::thread runner([&] { server.run(); });

    say(server.port(), "GET /" + secrets.plant("plain") + " HTTP/1.1\r\nCookie: " + secrets.plant("cookie") + "\r\n\r\n");
    say(server.port(), std::string("\x16\x03\x01\x00\x30", 5) + secrets.plant("hello"));
    {
        std::unique_ptr<SSL_CTX, void (*)(SSL_CTX*)> const context(SSL_CTX_new(TLS_client_method()), SSL_CTX_free);
        hubbub_test::TlsSocketClient client(server.port(), context.get());
        client.upgrade();
        client.send(secrets.plant("message"));
        CHECK_THROWS(client.receive());
    }
    server.stop();
    runner.join();
    std::string const log = file.text();
    for (auto const* name :
         {"tls_failed", "engine_chosen", "session_opened", "callback_threw", "session_closed", "drain_begun"}) {
        INFO(name);
        CHECK(log.find('"' + std::string(name) + '"') != std::string::npos);
    }
    CHECK(secrets.found_in(log) == std::vector<std::string>());
    CHECK(secrets.found_in(own.key).size() == 1);
}
