#include <hubbub/backplane/redis/redis_backplane.hpp>

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/support/refusal.hpp"

using hubbub::RedisOptions;
using hubbub::detail::RedisUrl;

namespace {

RedisUrl good(std::string_view text) {
    RedisUrl url;
    CAPTURE(text);
    CHECK(url.parse(text) == "");
    return url;
}
std::string_view bad(std::string_view text) {
    RedisUrl url;
    return url.parse(text);
}

}  // namespace

TEST_CASE("a URL of Redis says where it is and as whom one speaks to it") {
    SECTION("one server") {
        RedisUrl url = good("redis://127.0.0.1:6380/3");
        CHECK(url.kind == RedisUrl::Kind::tcp);
        CHECK_FALSE(url.tls);
        CHECK(url.places == std::vector<RedisUrl::Place>{{"127.0.0.1", 6380}});
        CHECK(url.database == 3);
        CHECK(url.user.empty());
        CHECK(url.password.empty());
        CHECK(good("redis://redis.example").places[0].text() == "redis.example:6379");
        CHECK(good("redis://redis.example/").database == 0);
        CHECK(good("redis://h?db=7").database == 7);
        CHECK(good("rediss://h").tls);
        CHECK(good("redis://[::1]").places[0].text() == "[::1]:6379");
        CHECK(good("redis://[::1]:7").places[0] == RedisUrl::Place{"::1", 7});
    }
    SECTION("users and passwords") {
        CHECK(good("redis://secret@h").password == "secret");
        CHECK(good("redis://secret@h").user.empty());
        CHECK(good("redis://:secret@h").password == "secret");
        RedisUrl const url = good("redis://hub:p%40ss%2f@w@h:1");
        CHECK(url.user == "hub");
        CHECK(url.password == "p@ss/@w");
        CHECK(url.places[0].host == "h");
    }
    SECTION("a Unix socket") {
        RedisUrl const url = good("unix:///run/a%20b.sock?db=2&user=u&password=p%26");
        CHECK(url.kind == RedisUrl::Kind::local);
        CHECK(url.places[0].text() == "/run/a b.sock");
        CHECK(url.database == 2);
        CHECK(url.user == "u");
        CHECK(url.password == "p&");
    }
    SECTION("sentinels") {
        RedisUrl const url = good("sentinel://pw@a,b:2,[::1]:3/my%2dmaster/4?tls=true");
        CHECK(url.kind == RedisUrl::Kind::sentinel);
        CHECK(url.places == std::vector<RedisUrl::Place>{{"a", 26379}, {"b", 2}, {"::1", 3}});
        CHECK(url.master == "my-master");
        CHECK(url.database == 4);
        CHECK(url.password == "pw");
        CHECK(url.tls);
    }
    SECTION("a cluster") {
        RedisUrl const url = good("redis-cluster://a,b:2");
        CHECK(url.kind == RedisUrl::Kind::cluster);
        CHECK(url.places == std::vector<RedisUrl::Place>{{"a", 6379}, {"b", 2}});
    }
}

TEST_CASE("a URL that is wrong is refused with what is wrong, and without its password") {
    for (std::string_view const text : {"",
                                        "redis",
                                        "redis:/",
                                        "http://h",
                                        "redis://",
                                        "redis://:1",
                                        "redis://h:",
                                        "redis://h:0",
                                        "redis://h:65536",
                                        "redis://h:x",
                                        "redis://h:1x",
                                        "redis://h/x",
                                        "redis://h/-1",
                                        "redis://a,b",
                                        "redis://a,",
                                        "redis://[::1",
                                        "redis://[::1]x",
                                        "redis://[::1]:",
                                        "redis://h?what=1",
                                        "redis://h?db=x",
                                        "redis://h?tls=yes",
                                        "unix://",
                                        "unix://relative",
                                        "unix:///a%2",
                                        "unix:///a%zz",
                                        "unix:///a?tls=true",
                                        "sentinel://a",
                                        "sentinel://a/",
                                        "sentinel:///m",
                                        "sentinel://a/m/x",
                                        "redis-cluster://a/1",
                                        "redis://%x@h",
                                        "redis://u:%1@h",
                                        "redis://h?user=%"}) {
        CAPTURE(text);
        CHECK_FALSE(bad(text).empty());
        CHECK(bad(text).find("%1") == std::string_view::npos);
    }
    CHECK_FALSE(bad("unix:///" + std::string(200, 'x')).empty());
    RedisOptions options;
    options.url = "redis://hub:topsecret@h:port";
    CHECK(refusal(options) == "RedisBackplane::Options::url has a port that is none");
    options.urls = {"redis://a", "rediss://hub:topsecret@h/x"};
    CHECK(refusal(options) == "RedisBackplane::Options::urls[1] has a database that is not a number");
}

TEST_CASE("options of RedisBackplane are checked, each with a sentence of its own") {
    using std::chrono::milliseconds;
    CHECK(refusal(RedisOptions{}) == "");
    auto const with = [](auto change) {
        RedisOptions options;
        change(options);
        return refusal(options);
    };
    CHECK(with([](RedisOptions& o) { o.prefix = ""; }) == "RedisBackplane::Options::prefix must not be empty");
    CHECK(with([](RedisOptions& o) { o.prefix = "a{b"; }) == "RedisBackplane::Options::prefix must not contain '{' or '}'");
    CHECK(with([](RedisOptions& o) { o.probe_every = milliseconds(0); }) ==
          "RedisBackplane::Options::probe_every must be positive");
    CHECK(with([](RedisOptions& o) { o.probe_limit = o.probe_every; }) ==
          "RedisBackplane::Options::probe_limit must be longer than probe_every");
    CHECK(with([](RedisOptions& o) { o.connect_limit = milliseconds(0); }) ==
          "RedisBackplane::Options::connect_limit must be positive");
    CHECK(with([](RedisOptions& o) { o.retry_first = milliseconds(0); }) ==
          "RedisBackplane::Options::retry_first must be positive");
    CHECK(with([](RedisOptions& o) { o.retry_most = milliseconds(1); }) ==
          "RedisBackplane::Options::retry_most must not be shorter than retry_first");
    CHECK(with([](RedisOptions& o) { o.ask_every = milliseconds(-1); }) ==
          "RedisBackplane::Options::ask_every must be positive");
    CHECK(with([](RedisOptions& o) { o.longest_reply = 1; }) ==
          "RedisBackplane::Options::longest_reply must be at least 1 MiB");
    CHECK(with([](RedisOptions& o) { o.tls.key = "k"; }) ==
          "RedisBackplane::Options::tls has a certificate without a key, or a key without a certificate");
    CHECK(with([](RedisOptions& o) { o.sentinel_user = "u"; }) ==
          "RedisBackplane::Options::sentinel_password must not be empty where sentinel_user is not");
    RedisOptions options;
    CHECK(hubbub::RedisBackplane::brokers(options) == 1);
    options.urls = {"redis://a", "redis://b", "redis://c"};
    CHECK(hubbub::RedisBackplane::brokers(options) == 3);
}
