#pragma once

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "config.hpp"
#include "rules.hpp"

namespace chat {

struct Arguments {
    static constexpr std::string_view usage =
        "usage: hubbub_chat [--address A] [--port N] [--threads N] [--page FOLDER] [--transport KIND] [--jwt]\n"
        "                   [--tls CERTIFICATE KEY] [--redis URL | --nats URL] [--cluster-key TEXT] [--proxy NETWORK]\n"
        "                   [--config FILE] [--handover PATH] [--jwt-secret FILE] [--operations PORT]\n"
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
        "  --config FILE     settings in JSON; what is said here goes before what is said there\n"
        "  --handover PATH   a hot restart: take over from the process that was started with that PATH, which then drains\n"
        "  --jwt-secret FILE what tokens are signed with; else a new secret each time\n"
        "  --operations PORT a page for operators there, for this machine alone\n"
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
    std::string config, handover, jwt_secret;
    std::optional<std::uint16_t> operations;
    double says_at_once = Rules::says_at_once, says_per_second = Rules::says_per_second;  // in the file alone
    std::vector<std::string> words{};                                                     // that all this was read from
    bool self_test = false;
    bool help = false;

    /// Throws std::invalid_argument with a sentence that names the argument, or the file and its member.
    static Arguments parse(std::vector<std::string> words);
    /// The same with what the file has now.
    Arguments again() const { return parse(words); }

   private:
    void read(std::string const& path);
    void take(std::vector<std::string> const& all);
    void check() const;
};

inline Arguments Arguments::parse(std::vector<std::string> words) {
    Arguments result;
    for (std::size_t i = 0; i + 1 < words.size(); ++i)
        if (words[i] == "--config") result.read(words[i + 1]);
    result.take(words);
    result.check();
    result.words = std::move(words);
    return result;
}

inline void Arguments::read(std::string const& path) {
    Config file(path);
    file.take("address", address);
    file.take("port", port, std::uint16_t{0}, std::uint16_t{65535});
    file.take("threads", threads, 1u, 64u);
    file.take("page", page);
    file.take("transport", transport);
    file.take("jwt", jwt);
    file.take("jwt_secret", jwt_secret);
    file.take("redis", redis);
    file.take("nats", nats);
    file.take("cluster_key", cluster_key);
    file.take("proxy", proxy);
    file.take("handover", handover);
    unsigned operators = 65'536;  // no port
    file.take("operations", operators, 0u, 65'535u);
    if (operators < 65'536) operations = static_cast<std::uint16_t>(operators);
    Config tls = file.part("tls");
    tls.take("certificate", certificate);
    tls.take("key", key);
    tls.end();
    Config limits = file.part("limits");
    limits.take("says_at_once", says_at_once, 1.0, 1e6);
    limits.take("says_per_second", says_per_second, 0.01, 1e6);
    limits.end();
    file.end();
}

inline void Arguments::take(std::vector<std::string> const& all) {
    for (std::size_t i = 0; i < all.size(); ++i) {
        std::string const& name = all[i];
        auto const value = [&] {
            if (++i == all.size()) throw std::invalid_argument(name + " needs a value");
            return all[i];
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
            address = value();
        } else if (name == "--port") {
            port = number(std::uint16_t{0}, std::uint16_t{65535});
        } else if (name == "--threads") {
            threads = number(1u, 64u);
        } else if (name == "--page") {
            page = value();
        } else if (name == "--transport") {
            transport = value();
        } else if (name == "--jwt") {
            jwt = true;
        } else if (name == "--tls") {
            certificate = value();
            key = value();
        } else if (name == "--redis") {
            redis = value();
        } else if (name == "--nats") {
            nats = value();
        } else if (name == "--cluster-key") {
            cluster_key = value();
        } else if (name == "--proxy") {
            proxy = value();
        } else if (name == "--operations") {
            operations = number(std::uint16_t{0}, std::uint16_t{65535});
        } else if (name == "--config") {
            config = value();
        } else if (name == "--handover") {
            handover = value();
        } else if (name == "--jwt-secret") {
            jwt_secret = value();
        } else if (name == "--self-test") {
            self_test = true;
        } else if (name == "--help") {
            help = true;
        } else {
            throw std::invalid_argument("there is no argument \"" + name + "\"");
        }
    }
}

inline void Arguments::check() const {
    if (transport != "tcp" && transport != "websocketpp")
        throw std::invalid_argument("--transport must be tcp or websocketpp, not \"" + transport + "\"");
    bool const clustered = !redis.empty() || !nats.empty();
    if (jwt && transport != "tcp") throw std::invalid_argument("--jwt goes with --transport tcp");
    if (!redis.empty() && !nats.empty()) throw std::invalid_argument("--redis and --nats exclude each other");
    if (!jwt_secret.empty() && !jwt) throw std::invalid_argument("--jwt-secret goes with --jwt");
    // Each process would sign with a secret of its own.
    if (clustered && jwt) throw std::invalid_argument("--jwt goes neither with --redis nor with --nats");
    if (clustered && transport != "tcp") throw std::invalid_argument("--redis and --nats go with --transport tcp");
    // Without one a process would not know again what a client has published on another, and would have it twice.
    if (clustered == cluster_key.empty())
        throw std::invalid_argument("--cluster-key, a secret that all processes share, goes with --redis or --nats");
}

}  // namespace chat
