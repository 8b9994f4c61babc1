// Tokens: who signs people in is elsewhere; the hub checks what was signed, warns before it expires, and takes a new one in a message.
//   14_tokens               serves ws://127.0.0.1:8080/ and prints a token that holds for a minute
//   14_tokens --self-test
#include <chrono>
#include <iostream>
#include <string>
#include <string_view>
#include <thread>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <hubbub/policy/jwt/jwt_auth.hpp>
#include <hubbub/server/server.hpp>
#include <hubbub/testing/socket_client.hpp>

// [policy]
struct TokenPolicy : hubbub::DefaultPolicy {
    using Auth = hubbub::JwtAuth;  // 401 before the upgrade
};

struct Members : hubbub::NoopHandler {
    hubbub::JwtAuth auth;  // for tokens that come in messages

    explicit Members(hubbub::JwtAuth::Options const& options) : auth(options) {}

    void on_open(auto& session) { session.send("hello " + session.identity().user); }
    void on_expiring(auto& session) { session.send("a new token, please"); }
    void on_message(auto& session, hubbub::MessageView message) {
        auto const result = session.refresh(auth.judge(message.view()));
        session.send(result == hubbub::RefreshResult::refreshed ? "thank you" : "that is none of yours");
    }
};
// [/policy]

/// What your identity provider does. With ES256 or EdDSA the hub needs only the public key; this secret could sign, too.
static std::string const secret = "32 bytes at least, drawn by chance";

static std::string sign(std::string const& user, std::chrono::seconds lifetime) {
    auto const expires = std::chrono::system_clock::now() + lifetime;
    auto const seconds = std::chrono::duration_cast<std::chrono::seconds>(expires.time_since_epoch()).count();
    std::string const claims = R"({"sub":")" + user + R"(","aud":"members","exp":)" + std::to_string(seconds) + "}";
    std::string text = hubbub::encode_base64url(R"({"alg":"HS256"})") + "." + hubbub::encode_base64url(claims);
    unsigned char mac[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()), reinterpret_cast<unsigned char const*>(text.data()),
         text.size(), mac, &size);
    return text + "." + hubbub::encode_base64url({reinterpret_cast<char const*>(mac), size});
}

// [options]
static hubbub::JwtAuth::Options options() {
    hubbub::JwtAuth::Options result;
    result.algorithm = "HS256";
    result.key = secret;
    result.audience = {"members"};
    result.source.query = "token";  // for this example; pages send it as a subprotocol, programs in a header
    return result;
}
// [/options]

static int test() {
    hubbub::ServerOptions<TokenPolicy> server_options{.port = 0, .threads = 2};
    server_options.hub.auth = options();
    hubbub::Server<TokenPolicy> server{Members{options()}, server_options};
    std::thread runner([&] { server.run(); });
    bool fine = true;
    for (std::string const& bad : {std::string(), std::string("?token=x"), "?token=" + sign("ada", std::chrono::seconds(-60))})
        try {
            hubbub::testing::SocketClient nobody(server.port(), "/" + bad);
            fine = false;
        } catch (std::runtime_error const&) {}
    {
        hubbub::testing::SocketClient ada(server.port(), "/?token=" + sign("ada", std::chrono::seconds(4)));
        fine = fine && ada.receive() == "hello ada" && ada.receive() == "a new token, please";
        ada.send(sign("bob", std::chrono::minutes(5)));
        fine = fine && ada.receive() == "that is none of yours";
        ada.send(sign("ada", std::chrono::minutes(5)));
        fine = fine && ada.receive() == "thank you";
        server.hub().revoke(hubbub::Target::user("ada"));
        fine = fine && ada.receive_close() == hubbub::CloseCode::identity_revoked;
    }
    server.stop();
    runner.join();
    return fine ? 0 : 1;
}

int main(int argc, char** argv) {
    if (argc > 1 && std::string_view(argv[1]) == "--self-test") return test();
    hubbub::ServerOptions<TokenPolicy> server_options{.port = 8080};
    server_options.hub.auth = options();
    hubbub::Server<TokenPolicy> server{Members{options()}, server_options};
    std::cout << "ws://127.0.0.1:" << server.port() << "/?token=" << sign("ada", std::chrono::minutes(1)) << std::endl;
    server.run_until_signal();
}
