#include <hubbub/backplane/nats/nats_options.hpp>

#include <functional>
#include <stdexcept>
#include <string>

#include <hubbub/backplane/nats/nats_answer.hpp>
#include <hubbub/backplane/nats/nats_names.hpp>
#include <hubbub/backplane/nats/nats_stream_config.hpp>

#include "tests/support/catch.hpp"

using namespace hubbub;
using detail::NatsAnswer;
using detail::NatsNames;

namespace {

std::string complaint(std::function<void(NatsOptions&)> const& change) {
    NatsOptions options;
    change(options);
    try {
        options.check();
    } catch (std::invalid_argument const& exception) {
        return exception.what();
    }
    return {};
}

}  // namespace

TEST_CASE("NatsOptions: as they are, and as they may be") {
    CHECK(complaint([](NatsOptions&) {}).empty());
    CHECK(complaint([](NatsOptions& it) { it.urls = {"nats://a:4222", "tls://b:4222"}; }).empty());
    CHECK(complaint([](NatsOptions& it) { it.user = "hub", it.password = "x"; }).empty());
    CHECK(complaint([](NatsOptions& it) { it.tls.certificate_file = "c.pem", it.tls.key_file = "k.pem"; }).empty());
}

TEST_CASE("NatsOptions: what is wrong is named") {
    struct Wrong {
        char const* member;
        std::function<void(NatsOptions&)> change;
    };
    Wrong const wrongs[] = {
        {"url", [](NatsOptions& it) { it.url = "redis://a"; }},
        {"url", [](NatsOptions& it) { it.url = "nats://"; }},
        {"urls", [](NatsOptions& it) { it.urls = {"nats://a", "nats://b,c"}; }},
        {"prefix", [](NatsOptions& it) { it.prefix = ""; }},
        {"prefix", [](NatsOptions& it) { it.prefix = "a.b"; }},
        {"prefix", [](NatsOptions& it) { it.prefix = std::string(65, 'a'); }},
        {"user", [](NatsOptions& it) { it.password = "secret"; }},
        {"token", [](NatsOptions& it) { it.user = "hub", it.token = "secret"; }},
        {"tls.key_file", [](NatsOptions& it) { it.tls.certificate_file = "c.pem"; }},
        {"replicas", [](NatsOptions& it) { it.replicas = 2; }},
        {"replicas", [](NatsOptions& it) { it.replicas = 7; }},
        {"storage", [](NatsOptions& it) { it.storage = static_cast<NatsStorage>(9); }},
        {"connect_limit", [](NatsOptions& it) { it.connect_limit = {}; }},
        {"probe_every", [](NatsOptions& it) { it.probe_every = {}; }},
        {"probe_limit", [](NatsOptions& it) { it.probe_limit = std::chrono::hours(2); }},
        {"answer_limit", [](NatsOptions& it) { it.answer_limit = {}; }},
        {"pause_first", [](NatsOptions& it) { it.pause_first = {}; }},
        {"pause_most", [](NatsOptions& it) { it.pause_most = std::chrono::milliseconds(1); }},
        {"most_waiting", [](NatsOptions& it) { it.most_waiting = 0; }},
    };
    for (Wrong const& wrong : wrongs) {
        auto const sentence = complaint(wrong.change);
        INFO(wrong.member << ": " << sentence);
        CHECK(sentence.find(wrong.member) != std::string::npos);
        CHECK(sentence.find("secret") == std::string::npos);
    }
}

TEST_CASE("NatsNames: any topic is one token, and another for each") {
    CHECK(NatsNames::token("room-7_a") == "room-7_a");
    CHECK(NatsNames::token("") == "=");
    CHECK(NatsNames::token(std::string("\0x", 2)) == "=00x");
    CHECK(NatsNames::token("a.b") == "a=2eb");
    CHECK(NatsNames::token("=2e") == "=3d2e");
    NatsNames const names("hubbub");
    CHECK(names.token_of("hubbub.t.a=2eb._") == "a=2eb");
    CHECK_FALSE(names.token_of("hubbub.h.a.m"));
    CHECK_FALSE(names.token_of("other.t.a.m"));
    CHECK(names.stream("a") == "hubbub=a");
    std::string const one(600, 'x'), other = std::string(599, 'x') + 'y';
    CHECK(names.stream(one) != names.stream(other));
    CHECK(names.stream(one).size() < 255);
}

TEST_CASE("NatsAnswer: finds members, and nothing in what is no JSON") {
    NatsAnswer const answer(
        R"({"type":"a","list":[1,{"seq":9}],"text":"q\"}","error":{"err_code":10058,"description":"no"},)"
        R"("state":{"first_seq":3, "last_seq": 12},"created":"2026-11-29T17:55:05.707859118Z","duplicate": true})");
    CHECK(answer.number("state.first_seq") == 3);
    CHECK(answer.number("state.last_seq") == 12);
    CHECK(answer.number("error.err_code") == 10058);
    CHECK(answer.find("error.description") == "no");
    CHECK(answer.find("text") == "q\\\"}");
    CHECK(answer.is_true("duplicate"));
    CHECK(answer.time("created") == 1'795'974'905'707'859'118u);
    CHECK_FALSE(answer.has("seq"));
    CHECK_FALSE(answer.has("state.seq"));
    CHECK_FALSE(answer.has("type.a"));
    for (char const* const text :
         {"", "{", "{\"a\"", "{\"a\":", "[", "{\"a\":{\"b\":", "{\"a\":\"", "nothing", "{\"a\" 1}", "{,}", "{\"\\"}) {
        NatsAnswer const wrong(text);
        CHECK(wrong.find("a.b").empty());
        CHECK(wrong.time("a") == 0);
    }
    std::string const deep(100'000, '[');
    CHECK_FALSE(NatsAnswer("{\"x\":" + deep).has("a"));
    CHECK(NatsAnswer::time_in("1970-01-01T00:00:01Z") == 1'000'000'000u);
    CHECK(NatsAnswer::time_in("1970-13-01T00:00:01Z") == 0);
}

TEST_CASE("nats_stream_config: what the limits become") {
    NatsOptions options;
    NatsNames const names("hubbub");
    auto const number = [](std::string const& text, char const* member) { return NatsAnswer(text).number(member); };
    auto const usual = detail::nats_stream_config(options, names, "a", {.messages = 7});
    CHECK(NatsAnswer(usual).find("name") == "hubbub=a");
    CHECK(NatsAnswer(usual).find("storage") == "memory");
    CHECK(NatsAnswer(usual).find("republish.dest") == "hubbub.t.a.>");
    CHECK(number(usual, "max_msgs") == 7);
    CHECK(number(usual, "max_bytes") > (1u << 20));
    CHECK(number(usual, "max_age") == 300'000'000'000u);
    CHECK(number(usual, "duplicate_window") == 120'000'000'000u);
    CHECK(NatsAnswer(usual).find("max_msgs_per_subject") == "-1");
    // JetStream wants a window of at least 100 ms that is not longer than the age.
    auto const brief = detail::nats_stream_config(options, names, "a", {.messages = 7, .age = std::chrono::milliseconds(5)});
    CHECK(number(brief, "max_age") == 100'000'000u);
    CHECK(number(brief, "duplicate_window") == 100'000'000u);
    HistoryLimits const huge{.messages = 0xffffffffu,
                             .bytes = ~std::size_t{0},
                             .age = std::chrono::milliseconds::max(),
                             .newest_per_key = true,
                             .id_age = std::chrono::milliseconds::max()};
    auto const large = detail::nats_stream_config(options, names, "a", huge);
    CHECK(number(large, "max_bytes") < (std::uint64_t{1} << 63));
    CHECK(number(large, "max_age") < (std::uint64_t{1} << 63));
    CHECK(number(large, "max_msgs_per_subject") == 1);
}
