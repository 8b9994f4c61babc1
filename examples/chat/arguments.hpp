#pragma once

#include <charconv>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>

namespace chat {

struct Arguments {
    static constexpr std::string_view usage =
        "usage: hubbub_chat [--address A] [--port N] [--threads N] [--page FOLDER] [--transport KIND] [--jwt]\n"
        "                   [--tls CERTIFICATE KEY] [--redis URL | --nats URL] [--cluster-key TEXT] [--proxy NETWORK]\n"
        "  --address A       where to listen: 127.0.0.1 (default), 0.0.0.0 or :: for everybody\n"
        "  --port N          8080 by default; 0: the system chooses\n"
        "  --threads N       from 1 to 64; 2 by default\n"
        "  --page FOLDER     serve the page from there instead of from the program, to change it without a build\n"
        "  --transport KIND  tcp (default), or websocketpp: its parser, our sockets\n"
        "  --jwt             only for who has signed in, on a page that gives a token\n"
        "  --tls CERTIFICATE KEY   speak TLS, with these two files\n"
        "  --redis URL       one chat with all processes that are given the same Redis: redis://HOST:PORT\n"
        "  --nats URL        the same over NATS, which needs JetStream: nats://HOST:PORT\n"
        "  --cluster-key TEXT   a secret, the same for all these processes\n"
        "  --proxy NETWORK   whose X-Forwarded-For is believed, such as 127.0.0.1 or 10.0.0.0/8\n"
        "  --self-test       try it without a network, and end\n";

    std::string address = "127.0.0.1";
    std::uint16_t port = 8080;
    unsigned threads = 2;
    std::string page;
    std::string transport = "tcp";
    bool jwt = false;
    std::string certificate, key;
    std::string redis, nats;  // at most one of them
    std::string cluster_key;
    std::string proxy;
    bool self_test = false;
    bool help = false;

    /// Throws std::invalid_argument with a sentence that names the argument.
    static Arguments parse(int argc, char** argv);
};

inline Arguments Arguments::parse(int argc, char** argv) {
    Arguments result;
    for (int i = 1; i < argc; ++i) {
        std::string const name = argv[i];
        auto const value = [&]() -> std::string {
            if (++i == argc) throw std::invalid_argument(name + " needs a value");
            return argv[i];
        };
        auto const number = [&](auto least, auto most) {
            std::string const text = value();
            auto parsed = least;
            auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), parsed);
            if (error != std::errc{} || end != text.data() + text.size() || parsed < least || parsed > most)
                throw std::invalid_argument(name + " must be a number from " + std::to_string(least) + " to " +
                                            std::to_string(most) + ", not \"" + text + "\"");
            return parsed;
        };
        if (name == "--address") {
            result.address = value();
        } else if (name == "--port") {
            result.port = number(std::uint16_t{0}, std::uint16_t{65535});
        } else if (name == "--threads") {
            result.threads = number(1u, 64u);
        } else if (name == "--page") {
            result.page = value();
        } else if (name == "--transport") {
            result.transport = value();
            if (result.transport != "tcp" && result.transport != "websocketpp")
                throw std::invalid_argument("--transport must be tcp or websocketpp, not \"" + result.transport + "\"");
        } else if (name == "--jwt") {
            result.jwt = true;
        } else if (name == "--tls") {
            result.certificate = value();
            result.key = value();
        } else if (name == "--redis") {
            result.redis = value();
        } else if (name == "--nats") {
            result.nats = value();
        } else if (name == "--cluster-key") {
            result.cluster_key = value();
        } else if (name == "--proxy") {
            result.proxy = value();
        } else if (name == "--self-test") {
            result.self_test = true;
        } else if (name == "--help") {
            result.help = true;
        } else {
            throw std::invalid_argument("there is no argument \"" + name + "\"");
        }
    }
    bool const clustered = !result.redis.empty() || !result.nats.empty();
    if (result.jwt && result.transport != "tcp") throw std::invalid_argument("--jwt goes with --transport tcp");
    if (!result.redis.empty() && !result.nats.empty()) throw std::invalid_argument("--redis and --nats exclude each other");
    // Each process would sign with a secret of its own.
    if (clustered && result.jwt) throw std::invalid_argument("--jwt goes neither with --redis nor with --nats");
    if (clustered && result.transport != "tcp") throw std::invalid_argument("--redis and --nats go with --transport tcp");
    // Without one a process would not know again what a client has published on another, and would have it twice.
    if (clustered == result.cluster_key.empty())
        throw std::invalid_argument("--cluster-key, a secret that all processes share, goes with --redis or --nats");
    return result;
}

}  // namespace chat
