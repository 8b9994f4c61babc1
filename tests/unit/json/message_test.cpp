#include <chrono>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include <hubbub/json/rfc3339.hpp>
#include <hubbub/json/router.hpp>

#include "support/catch.hpp"

namespace {
using namespace std::chrono_literals;
using Time = std::chrono::system_clock::time_point;

struct Said {
    std::string text;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Said, text)
}  // namespace

TEST_CASE("A message has type, data, from and time, in this order") {
    auto const frame = hubbub::json::message("chat", Said{"hi \"there\""}, {.from = "Zoë", .time = Time(1500ms)});
    CHECK(frame.message().is_text());
    CHECK(frame.message().view() ==
          R"({"type":"chat","data":{"text":"hi \"there\""},"from":"Zoë","time":"1970-01-01T00:00:01.500Z"})");
}

TEST_CASE("A message without sender or time leaves them out, and has the time of its making if nothing is said") {
    CHECK(hubbub::json::message("list", std::vector<int>{1, 2}, {.time = std::nullopt}).message().view() ==
          R"({"type":"list","data":[1,2]})");
    auto const before = hubbub::json::rfc3339(std::chrono::system_clock::now());
    auto const made = nlohmann::json::parse(hubbub::json::message("now", nullptr).message().view());
    auto const after = hubbub::json::rfc3339(std::chrono::system_clock::now());
    CHECK(!made.contains("from"));
    CHECK(before <= made.at("time").get<std::string>());
    CHECK(made.at("time").get<std::string>() <= after);
}

TEST_CASE("What JSON cannot say is replaced, so that a message is always valid") {
    auto const data = [](auto const& value) {
        return nlohmann::json::parse(hubbub::json::message("a\xff\"b", value, {.from = "\xc3"}).message().view());
    };
    CHECK(data(Said{"\xff\xc3x"}).at("data").at("text") == "\uFFFD\uFFFDx");
    CHECK(data(std::numeric_limits<double>::infinity()).at("data").is_null());
    CHECK(data(1).at("type") == "a\uFFFD\"b");
    CHECK(data(1).at("from") == "\uFFFD");
}

TEST_CASE("A handler may send the same errors as the router") {
    auto const error =
        hubbub::json::error({hubbub::json::Outcome::invalid_value, "the room is closed", "data.room"}, {.time = Time()});
    CHECK(error.message().view() == R"({"type":"error","data":{"code":"invalid_value","message":"the room is closed",)"
                                    R"("member":"data.room"},"time":"1970-01-01T00:00:00.000Z"})");
}
