#include <stdexcept>

#include "serve.hpp"

#if __has_include(<openssl/evp.h>)

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <chrono>
#include <fstream>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include <hubbub/policy/jwt/jwt_auth.hpp>

namespace chat {

namespace {

/// Who has signed in has a token in a cookie; the user that it names is the name that others see.
struct SignedInPolicy : ChatPolicy {
    using Auth = hubbub::JwtAuth;
};
constexpr char const* cookie = "chat_token";
constexpr std::chrono::hours lifetime{12};

/// Signs tokens. It asks for no password: put your own question here, or leave the page away and let your identity provider sign.
class SignIn {
   public:
    /// With the secret in a file; without a file with one by chance, so that who has signed in has to do it again after a restart.
    explicit SignIn(std::string const& file)
        : secret_(file.empty() ? random_secret() : read(file)), keys_(std::make_shared<hubbub::JwtKeys>(keys_of(secret_))) {}

    /// Tokens that the old secret has signed are good no more.
    void reload(std::string const& file) {
        if (file.empty()) return;
        std::string fresh = read(file);
        keys_->replace(keys_of(fresh));
        std::lock_guard const lock(mutex_);
        secret_ = std::move(fresh);
    }

    hubbub::JwtAuth::Options options() const {
        hubbub::JwtAuth::Options result;
        result.algorithm = "HS256";
        result.keys = keys_;
        result.issuer = "hubbub chat";
        result.audience = {"hubbub chat"};
        result.source.cookie = cookie;
        return result;
    }
    std::string token(std::string const& user) const {
        auto const now = std::chrono::system_clock::now();
        auto const expires = std::chrono::duration_cast<std::chrono::seconds>((now + lifetime).time_since_epoch()).count();
        nlohmann::json const claims{{"sub", user}, {"iss", "hubbub chat"}, {"aud", "hubbub chat"}, {"exp", expires}};
        std::string const parts =
            hubbub::encode_base64url(R"({"alg":"HS256"})") + "." + hubbub::encode_base64url(claims.dump());
        unsigned char mac[EVP_MAX_MD_SIZE];
        unsigned size = 0;
        std::string const with = secret();
        HMAC(EVP_sha256(), with.data(), static_cast<int>(with.size()), reinterpret_cast<unsigned char const*>(parts.data()),
             parts.size(), mac, &size);
        return parts + "." + hubbub::encode_base64url({reinterpret_cast<char const*>(mac), size});
    }

   private:
    static std::string random_secret() {
        std::string secret(32, '\0');
        if (RAND_bytes(reinterpret_cast<unsigned char*>(secret.data()), static_cast<int>(secret.size())) != 1)
            throw std::runtime_error("there is no entropy for the secret of tokens");
        return secret;
    }
    static std::string read(std::string const& file) {
        std::ifstream stream(file);
        std::string secret;
        std::getline(stream, secret);
        if (secret.size() < 32)
            throw std::invalid_argument("--jwt-secret: the first line of " + file + " has less than 32 bytes");
        return secret;
    }
    static hubbub::JwtKeys::Set keys_of(std::string const& secret) { return {hubbub::JwtKey::secret(secret)}; }
    std::string secret() const {
        std::lock_guard const lock(mutex_);
        return secret_;
    }

    mutable std::mutex mutex_;
    std::string secret_;  // guarded by the mutex
    std::shared_ptr<hubbub::JwtKeys> keys_;
};

hubbub::http::Response go_to(char const* place) {
    hubbub::http::Response response(hubbub::http::Status::found, "");
    static_cast<void>(response.set_header("Location", place));
    static_cast<void>(response.set_header("Cache-Control", "no-store"));
    return response;
}

hubbub::http::Response sign_in_page(SignIn const& sign_in, hubbub::http::Request const& request) {
    if (std::string const name = name_in(request); !name.empty()) {
        auto response = go_to("/");
        // Behind TLS add `; Secure`.
        static_cast<void>(response.set_header(
            "Set-Cookie", std::string(cookie) + "=" + sign_in.token(name) + "; Path=/; HttpOnly; SameSite=Strict"));
        return response;
    }
    hubbub::http::Response page(hubbub::http::Status::ok,
                                "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>hubbub chat</title>"
                                "<form action=\"/sign-in\"><label>Your name <input name=\"name\" required autofocus></label> "
                                "<button>Sign in</button></form></html>",
                                "text/html; charset=utf-8");
    static_cast<void>(page.set_header("Content-Security-Policy",
                                      "default-src 'none'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"));
    static_cast<void>(page.set_header("Cache-Control", "no-store"));
    return page;
}

}  // namespace

hubbub::ServerEnd serve_signed_in(Arguments const& arguments) {
    SignIn sign_in(arguments.jwt_secret);
    auto options = hub_options<SignedInPolicy>();
    options.auth = sign_in.options();
    auto const add_pages = [&](hubbub::http::Routes& routes) {
        routes.add("/sign-in", [&sign_in](auto const& request) { return sign_in_page(sign_in, request); });
        // The page without a token would only see its connection fail.
        routes.add(
            "/", [auth = hubbub::JwtAuth(sign_in.options()), folder = arguments.page](hubbub::http::Request const& request) {
                auto const found = hubbub::find_jwt(request, {.authorization = false, .protocol = false, .cookie = cookie});
                bool const may = found.token && auth.judge(*found.token).status == hubbub::http::Status::switching_protocols;
                return may ? page_of("index.html", folder) : go_to("/sign-in");
            });
    };
    return serve<hubbub::TcpConnection, SignedInPolicy>(arguments, options, add_pages,
                                                        [&] { sign_in.reload(arguments.jwt_secret); });
}

}  // namespace chat

#else

hubbub::ServerEnd chat::serve_signed_in(Arguments const&) {
    throw std::invalid_argument("--jwt needs OpenSSL (libssl-dev) when the chat is built");
}

#endif
