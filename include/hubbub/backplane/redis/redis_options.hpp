#pragma once

#include <chrono>
#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <hubbub/backplane/redis/redis_url.hpp>
#include <hubbub/core/exceptions.hpp>

namespace hubbub::inline v0 {

/// TLS to a Redis.
struct RedisTls {
    std::string authorities{};  ///< file of who signs the certificates of servers, as PEM; empty: those of the system
    std::string certificate{};  ///< file of our own, as PEM, the chain behind it; empty: none
    std::string key{};          ///< file of its key
    bool verify = true;         ///< that the server is who it says it is; without, everybody on the way reads along
    std::string name{};         ///< that its certificate is of; empty: the host of the URL
};

/// What a RedisBackplane is told: see there.
struct RedisOptions {
    /// redis://[user[:password]@]host[:port][/db], rediss:// (TLS), unix:///path[?db=n&password=…],
    /// sentinel://[user[:password]@]host[:port],…/master[/db] or redis-cluster://[user[:password]@]host[:port],…
    std::string url = "redis://127.0.0.1:6379";
    std::vector<std::string>
        urls{};  ///< several that know nothing of each other, instead of `url`; the same on all nodes, in this order
    std::string prefix = "hubbub";  ///< of channels and keys: hubs that share a Redis and not their topics have each their own
    RedisTls tls{};

    std::chrono::milliseconds probe_every{1'000};    ///< a message of its own is sent through, and the server asked who it is
    std::chrono::milliseconds probe_limit{3'000};    ///< if none arrived for so long the connections are lost
    std::chrono::milliseconds connect_limit{3'000};  ///< until a server has answered all that it is asked at first
    std::chrono::milliseconds retry_first{100};      ///< the pause after a loss is any between 0 and this, which doubles
    std::chrono::milliseconds retry_most{5'000};     ///< until it is this

    std::string sentinel_user{};      ///< of the sentinels themselves
    std::string sentinel_password{};  ///< likewise
    std::chrono::milliseconds ask_every{
        2'000};  ///< so often the sentinels are asked who is the master, and a cluster for its slots

    std::size_t longest_reply = std::size_t{64} << 20;  ///< bytes of one; who sends more is not spoken to any more

    /// Throws std::invalid_argument with a sentence that names the member, and contains no password.
    void check() const;
};

inline void RedisOptions::check() const {
    auto const demand = [](bool holds, std::string const& sentence) {
        if (!holds) detail::throw_exception(std::invalid_argument("RedisBackplane::Options::" + sentence));
    };
    auto const demand_url = [&](std::string const& where, std::string_view text) {
        detail::RedisUrl parsed;
        std::string_view const wrong = parsed.parse(text);
        demand(wrong.empty(), where + ' ' + std::string(wrong));
    };
    if (urls.empty()) demand_url("url", url);
    for (std::size_t i = 0; i < urls.size(); ++i) demand_url("urls[" + std::to_string(i) + ']', urls[i]);
    demand(!prefix.empty(), "prefix must not be empty");
    demand(prefix.find_first_of("{}") == std::string::npos, "prefix must not contain '{' or '}'");
    demand(probe_every.count() > 0, "probe_every must be positive");
    demand(probe_limit > probe_every, "probe_limit must be longer than probe_every");
    demand(connect_limit.count() > 0, "connect_limit must be positive");
    demand(retry_first.count() > 0, "retry_first must be positive");
    demand(retry_most >= retry_first, "retry_most must not be shorter than retry_first");
    demand(ask_every.count() > 0, "ask_every must be positive");
    demand(longest_reply >= std::size_t{1} << 20, "longest_reply must be at least 1 MiB");
    demand(tls.certificate.empty() == tls.key.empty(), "tls has a certificate without a key, or a key without a certificate");
    demand(sentinel_user.empty() || !sentinel_password.empty(),
           "sentinel_password must not be empty where sentinel_user is not");
}

}  // namespace hubbub::inline v0
