// A server of hubbub.v1.json for who has a token, for tests/integration/js_client/tokens_test.py: jwt_protocol_server SECRET_FILE
// A token ends when it says so, and clients are warned a second before: what takes minutes elsewhere happens here in seconds.
#include <chrono>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>

#include <hubbub/policy/jwt/jwt_auth.hpp>
#include <hubbub/protocol/protocol_handler.hpp>
#include <hubbub/server/server.hpp>

namespace {

using namespace std::chrono_literals;

struct TokenPolicy : hubbub::DefaultPolicy {
    using Auth = hubbub::JwtAuth;
    using Topics = hubbub::TopicsByName;
    using Codec = hubbub::ProtocolCodec;
    using SessionData = hubbub::ProtocolState;
};

struct Rooms : hubbub::ProtocolApp {
    hubbub::JwtAuth auth;

    explicit Rooms(hubbub::JwtAuth::Options const& options) : auth(options) {}

    void judge(auto&, std::string_view token, hubbub::Verdict<hubbub::Authenticated> verdict) {
        verdict.answer(auth.judge(token));
    }
};

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) return std::cerr << "usage: " << argv[0] << " SECRET_FILE\n", 2;
    std::ifstream file(argv[1], std::ios::binary);
    hubbub::ServerOptions<TokenPolicy> options{.port = 0, .threads = 2};
    options.hub.auth.algorithm = "HS256";
    options.hub.auth.key = std::string(std::istreambuf_iterator<char>(file), {});
    options.hub.auth.leeway = 0s;
    options.hub.rates.address
        .failures = {};  // clients whose token function is out of order come again and again, all from one address
    options.hub.expiry_warning = 1s;
    options.hub.expiry_grace = 4s;  // a busy machine may take its time to refresh a token
    options.hub.protocols = {std::string(hubbub::protocol_name)};
    options.hub.topics.prefixes = {{"room/", {.history = {.messages = 20'000, .age = 5min}}}};  // minutes of traffic
    options.on_ready = [](hubbub::Endpoint const& where) { std::cout << "listening on port " << where.port() << std::endl; };
    hubbub::Server<TokenPolicy> server{hubbub::ProtocolHandler{Rooms{options.hub.auth}}, options};
    server.run_until_signal();
}
