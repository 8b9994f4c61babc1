// A server that lets in who has a token, for tests/attacks/tokens.py: jwt_server ALGORITHM KEY_FILE. It says on "who" who one is.
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>

#include <hubbub/policy/jwt/jwt_auth.hpp>
#include <hubbub/server/server.hpp>

namespace {
struct TokenPolicy : hubbub::DefaultPolicy {
    using Auth = hubbub::JwtAuth;
};
struct Who : hubbub::NoopHandler {
    void on_open(auto& session) { session.send(session.identity().user + " " + std::string(session.request()->target())); }
};
}  // namespace

int main(int argc, char** argv) {
    if (argc != 3) return std::cerr << "usage: " << argv[0] << " ALGORITHM KEY_FILE\n", 2;
    std::ifstream file(argv[2], std::ios::binary);
    hubbub::ServerOptions<TokenPolicy> options{.port = 0, .threads = 2};
    options.hub.rates.address.failures = {};  // all these attacks come from one address
    options.hub.protocols = {"chat"};
    options.hub.auth.algorithm = argv[1];
    options.hub.auth.key = std::string(std::istreambuf_iterator<char>(file), {});
    options.hub.auth.issuer = "test";
    options.hub.auth.audience = {"chat"};
    options.hub.auth.source = {.cookie = "session", .query = "token"};
    options.on_ready = [](hubbub::Endpoint const& where) { std::cout << "listening on port " << where.port() << std::endl; };
    hubbub::Server<TokenPolicy> server{Who{}, std::move(options)};
    server.run_until_signal();
}
