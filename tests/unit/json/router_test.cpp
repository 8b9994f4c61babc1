#include <hubbub/json/router.hpp>

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "support/catch.hpp"
#include "unit/json/client.hpp"

namespace routed {

struct Item {
    std::string name;
    std::uint8_t count = 0;
    bool operator==(Item const&) const = default;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Item, name, count)

struct Order {
    std::string to;
    std::vector<Item> items;
    bool operator==(Order const&) const = default;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Order, to, items)

enum class Colour { unknown, red, blue };
NLOHMANN_JSON_SERIALIZE_ENUM(Colour, {{Colour::unknown, nullptr}, {Colour::red, "red"}, {Colour::blue, "blue"}})

struct Numbers {
    std::uint8_t small = 0;
    int whole = 0;
    unsigned natural = 0;
    std::int64_t wide = 0;
    std::uint64_t widest = 0;
    float rough = 0;
    double exact = 0;
    bool flag = false;
    Colour colour = Colour::red;
    std::map<std::string, int> table;
    std::array<int, 2> pair{};
};
inline void from_json(nlohmann::json const& json, Numbers& numbers) {
    auto const read = [&](char const* name, auto& member) {
        if (json.contains(name)) json.at(name).get_to(member);
    };
    read("small", numbers.small);
    read("whole", numbers.whole);
    read("natural", numbers.natural);
    read("wide", numbers.wide);
    read("widest", numbers.widest);
    read("rough", numbers.rough);
    read("exact", numbers.exact);
    read("flag", numbers.flag);
    read("colour", numbers.colour);
    read("table", numbers.table);
    read("pair", numbers.pair);
}
inline void to_json(nlohmann::json& json, Numbers const& numbers) {
    json = {{"small", numbers.small},   {"whole", numbers.whole}, {"natural", numbers.natural}, {"wide", numbers.wide},
            {"widest", numbers.widest}, {"rough", numbers.rough}, {"exact", numbers.exact},     {"flag", numbers.flag},
            {"colour", numbers.colour}, {"table", numbers.table}, {"pair", numbers.pair}};
}

/// Reads and does not write.
struct Even {
    int value = 0;
};
inline void from_json(nlohmann::json const& json, Even& even) {
    json.at("value").get_to(even.value);
    if (even.value % 2 != 0) throw std::invalid_argument("an even number has no remainder");
}

struct Heard {
    std::optional<Order> order;
    std::optional<Numbers> numbers;
    std::optional<Even> even;
    int left = 0;

    bool anything() const { return order || numbers || even || left; }
};

auto const router = hubbub::json::Router{}
                        .on<Order>("order", [](auto&, Order const& order, Heard& heard) { heard.order = order; })
                        .on<Numbers>("numbers", [](auto&, Numbers const& numbers, Heard& heard) { heard.numbers = numbers; })
                        .on<Even>("even", [](auto&, Even const& even, Heard& heard) { heard.even = even; })
                        .on("leave", [](auto&, Heard& heard) { ++heard.left; });

}  // namespace routed

using namespace hubbub;
using namespace routed;
using Outcome = hubbub::json::Outcome;

static std::string repeated(std::string_view text, std::size_t times) {
    std::string all;
    for (std::size_t i = 0; i < times; ++i) all += text;
    return all;
}

TEST_CASE("A message is read and given to the handler of its type") {
    AnsweredClient client;
    Heard heard;
    auto const text =
        R"({"type": "order", "data": {"to": "Zoë", "items": [{"name": "tea", "count": 2}, {"name": "", "count": 255}]}})";
    CHECK(router(client, MessageView::text(text), heard) == Outcome::handled);
    CHECK(heard.order == Order{"Zoë", {{"tea", 2}, {"", 255}}});
    CHECK(router(client, MessageView::text(R"({"type": "leave"})"), heard) == Outcome::handled);
    CHECK(router(client, MessageView::text(R"({"data": [1.5, null], "type": "leave", "from": 7, "time": {}})"), heard) ==
          Outcome::handled);
    CHECK(heard.left == 2);
    CHECK(client.answers.empty());
}

TEST_CASE("What fits a member is taken to its limits") {
    AnsweredClient client;
    Heard heard;
    auto const read = [&](std::string_view data) {
        heard.numbers.reset();
        INFO(data);
        CHECK(router(client, MessageView::text(R"({"type":"numbers","data":)" + std::string(data) + "}"), heard) ==
              Outcome::handled);
        REQUIRE(heard.numbers);
        return *heard.numbers;
    };
    CHECK(read("{}").small == 0);
    CHECK(read(R"({"small": 255})").small == 255);
    CHECK(read(R"({"small": 2.5e1})").small == 25);
    CHECK(read(R"({"whole": -2147483648})").whole == -2147483647 - 1);
    CHECK(read(R"({"whole": 100.0})").whole == 100);
    CHECK(read(R"({"wide": -9223372036854775808})").wide == std::numeric_limits<std::int64_t>::min());
    CHECK(read(R"({"widest": 18446744073709551615})").widest == std::numeric_limits<std::uint64_t>::max());
    CHECK(read(R"({"rough": 0.1})").rough == 0.1f);
    CHECK(read(R"({"rough": 16777217})").rough == 16777216.0f);
    CHECK(read(R"({"rough": 1e-60})").rough == 0.0f);
    CHECK(read(R"({"exact": 0.1})").exact == 0.1);
    CHECK(read(R"({"exact": 1e300})").exact == 1e300);
    CHECK(read(R"({"exact": 9007199254740993})").exact == 9007199254740992.0);
    CHECK(read(R"({"flag": true, "colour": "blue"})").flag);
    CHECK(read(R"({"colour": "blue", "unknown": 1.5})").colour == Colour::blue);
    CHECK(client.answers.empty());
}

TEST_CASE("What does not fit is answered with an error that names it") {
    struct Row {
        std::string text;
        Outcome outcome;
        std::string_view member = {};
        std::string_view says = {};
    };
    auto const order = [](std::string const& data) { return R"({"type":"order","data":)" + data + "}"; };
    auto const numbers = [](std::string const& data) { return R"({"type":"numbers","data":)" + data + "}"; };
    std::vector<Row> const rows{
        {"", Outcome::not_json, "", "at byte 1"},
        {"{", Outcome::not_json, "", "at byte 2"},
        {"hello", Outcome::not_json, "", "at byte 1"},
        {R"({"type":"leave"} {})", Outcome::not_json, "", "at byte 18"},
        {R"({"type":"leave",})", Outcome::not_json, "", "at byte 17"},
        {R"({"type":"le\ud800ave"})", Outcome::not_json},
        {"{\"type\":\"\xff\"}", Outcome::not_json},
        {R"({/* leave */"type":"leave"})", Outcome::not_json},
        {R"({"type":"leave","data":1e999})", Outcome::out_of_range, "", "too large"},
        {R"([{"type":"leave"}])", Outcome::not_an_object, "", "kind array"},
        {R"("leave")", Outcome::not_an_object, "", "kind string"},
        {"7", Outcome::not_an_object, "", "kind number"},
        {"null", Outcome::not_an_object, "", "kind null"},
        {"{}", Outcome::missing_member, "type"},
        {R"({"Type":"leave"})", Outcome::missing_member, "type"},
        {R"({"type":7})", Outcome::wrong_kind, "type", "must be a string, and is a number"},
        {R"({"type":null})", Outcome::wrong_kind, "type", "and is null"},
        {R"({"type":["leave"]})", Outcome::wrong_kind, "type", "and is an array"},
        {R"({"type":"foo"})", Outcome::unknown_type, "type", "there is no message of type \"foo\""},
        {R"({"type":""})", Outcome::unknown_type, "type"},
        {R"({"type":"leave\u0000"})", Outcome::unknown_type, "type"},
        {R"({"type":"foo","type":"leave"})", Outcome::duplicate_member, "type", "is there twice"},
        {R"({"type":"foo","type":"leave", and the rest is not looked at)", Outcome::duplicate_member, "type"},
        {R"({"type":"leave","data":{"a":[0,{"b":1,"\u0062":2}]}})", Outcome::duplicate_member, "data.a[1].b"},
        {R"({"type":"order"})", Outcome::missing_member, "data"},
        {order("[]"), Outcome::wrong_kind, "data", "must be an object, and is an array"},
        {order("null"), Outcome::wrong_kind, "data", "must be an object, and is null"},
        {order("{}"), Outcome::missing_member, "data.to", "\"data.to\" is missing"},
        {order(R"({"to":"Zoë"})"), Outcome::missing_member, "data.items"},
        {order(R"({"to":7,"items":[]})"), Outcome::wrong_kind, "data.to", "must be a string, and is a number"},
        {order(R"({"to":"","items":{}})"), Outcome::wrong_kind, "data.items", "must be an array, and is an object"},
        {order(R"({"to":"","items":[7]})"), Outcome::wrong_kind, "data.items[0]", "must be an object, and is a number"},
        {order(R"({"to":"","items":[{"name":"","count":1},{"name":"","count":"1"}]})"), Outcome::wrong_kind,
         "data.items[1].count", "must be a number, and is a string"},
        {order(R"({"to":"","items":[{"name":"","count":1},{"name":""}]})"), Outcome::missing_member, "data.items[1].count"},
        {order(R"({"to":"","items":[{"name":"","count":1},{"name":"","count":256}]})"), Outcome::out_of_range,
         "data.items[1].count"},
        {order(R"({"to":"","items":[{"name":null,"count":1}]})"), Outcome::wrong_kind, "data.items[0].name", "and is null"},
        {order(R"({"to":"","items":[{"name":"","count":1}],"extra":{"count":"1","name":7}})"), Outcome::handled},
        {numbers(R"({"small":300})"), Outcome::out_of_range, "data.small", "not in its range"},
        {numbers(R"({"small":-1})"), Outcome::out_of_range, "data.small"},
        {numbers(R"({"small":1.5})"), Outcome::out_of_range, "data.small"},
        {numbers(R"({"small":1e300})"), Outcome::out_of_range, "data.small"},
        {numbers(R"({"small":true})"), Outcome::wrong_kind, "data.small", "must be a number, and is a boolean"},
        {numbers(R"({"whole":1.5})"), Outcome::out_of_range, "data.whole"},
        {numbers(R"({"whole":2147483648})"), Outcome::out_of_range, "data.whole"},
        {numbers(R"({"natural":-1})"), Outcome::out_of_range, "data.natural"},
        {numbers(R"({"wide":9223372036854775808})"), Outcome::out_of_range, "data.wide"},
        {numbers(R"({"wide":18446744073709551615})"), Outcome::out_of_range, "data.wide"},
        {numbers(R"({"widest":-1})"), Outcome::out_of_range, "data.widest"},
        {numbers(R"({"widest":18446744073709551616})"), Outcome::out_of_range, "data.widest"},
        {numbers(R"({"rough":1e300})"), Outcome::out_of_range, "data.rough"},
        {numbers(R"({"exact":"1"})"), Outcome::wrong_kind, "data.exact", "must be a number, and is a string"},
        {numbers(R"({"wide":-9223372036854857870,"flag":"red"})"), Outcome::wrong_kind, "data.flag"},
        {numbers(R"({"flag":1})"), Outcome::wrong_kind, "data.flag", "must be a boolean, and is a number"},
        {numbers(R"({"colour":"green"})"), Outcome::invalid_value, "data.colour"},
        {numbers(R"({"table":{"a":1,"b":2.5}})"), Outcome::out_of_range, "data.table.b"},
        {numbers(R"({"table":{"a":1,"b":[]}})"), Outcome::wrong_kind, "data.table.b", "must be a number, and is an array"},
        {numbers(R"({"table":[]})"), Outcome::wrong_kind, "data.table", "must be an object, and is an array"},
        {numbers(R"({"pair":[1]})"), Outcome::invalid_value, "data"},
        {numbers(R"({"pair":7})"), Outcome::wrong_kind, "data.pair", "must be an array, and is a number"},
        {R"({"type":"even","data":{"value":3}})", Outcome::invalid_value, "data", "an even number has no remainder"},
        {R"({"type":"even","data":{}})", Outcome::missing_member, "data.value"},
        {R"({"type":"even","data":{"value":[]}})", Outcome::wrong_kind, "data.value"},
    };
    for (Row const& row : rows) {
        INFO(row.text);
        AnsweredClient client;
        Heard heard;
        CHECK(router(client, MessageView::text(row.text), heard) == row.outcome);
        CHECK(heard.anything() == (row.outcome == Outcome::handled));
        if (row.outcome == Outcome::handled) continue;
        REQUIRE(client.answers.size() == 1);
        CHECK(client.answers[0].at("type") == "error");
        CHECK(client.answers[0].at("time").is_string());
        CHECK(client.error().at("code") == hubbub::json::name_of(row.outcome));
        CHECK(client.error().value("member", "") == row.member);
        CHECK(client.error().contains("member") == !row.member.empty());
        INFO(client.error().at("message"));
        CHECK(client.error().at("message").get<std::string>().find(row.says) != std::string::npos);
    }
}

TEST_CASE("A binary message is refused") {
    AnsweredClient client;
    Heard heard;
    std::string_view const text = R"({"type": "leave"})";
    CHECK(router(client, MessageView::binary(std::as_bytes(std::span(text))), heard) == Outcome::binary_message);
    CHECK(heard.left == 0);
    CHECK(client.error().at("code") == "binary_message");
}

TEST_CASE("A router takes as many levels as its options say, its own object included") {
    auto const shallow = hubbub::json::Router{{.deepest = 3}}.on("leave", [](auto&) {});
    AnsweredClient client;
    auto const leave = [&](std::string const& data) {
        return shallow(client, MessageView::text(R"({"type":"leave","data":)" + data + "}"));
    };
    CHECK(leave("[[0], {}]") == Outcome::handled);
    CHECK(leave("[[[]]]") == Outcome::too_deep);
    CHECK(leave("[[{}]]") == Outcome::too_deep);
    CHECK(leave(R"({"a":{"b":[]}})") == Outcome::too_deep);
    REQUIRE(client.answers.size() == 3);
    CHECK(client.error().at("message") == "arrays and objects are nested deeper than 3 levels");
}

TEST_CASE("A hundred thousand brackets are refused before they cost a stack") {
    for (std::string_view const piece : {"[", R"({"a":)", R"([{"a":[)"}) {
        AnsweredClient client;
        Heard heard;
        CHECK(router(client, MessageView::text(repeated(piece, 100'000)), heard) == Outcome::too_deep);
        auto const text = R"({"type":"leave","data":)" + repeated(piece, 100'000);
        CHECK(router(client, MessageView::text(text), heard) == Outcome::too_deep);
        CHECK(client.answers.size() == 2);
    }
}

TEST_CASE("Errors repeat no more than 64 bytes of what a client wrote, and cut it between two characters") {
    auto const answer = [](std::string const& text) {
        AnsweredClient client;  // parses what it is sent, so that it is valid
        Heard heard;
        CHECK(router(client, MessageView::text(text), heard) != Outcome::handled);
        CHECK(client.answers.at(0).dump().size() < 400);
        return client.error();
    };
    for (std::size_t shift = 0; shift < 4; ++shift) {
        std::string const name = std::string(shift, 'x') + repeated("\U0001F600", 5000);
        auto const type = answer(R"({"type":")" + name + "\"}").at("message").get<std::string>();
        CHECK(type.starts_with("there is no message of type \"" + std::string(shift, 'x') + "\U0001F600"));
        CHECK(type.ends_with("…\""));
        CHECK(type.find("\uFFFD") == std::string::npos);  // what a character that was cut would become
        CHECK(answer(R"({"type":"leave","data":{")" + name + R"(":1,")" + name + R"(":2}})").at("code") == "duplicate_member");
        CHECK(answer(R"({"type":"numbers","data":{"table":{")" + name + R"(":"1"}}})").at("code") == "wrong_kind");
        CHECK(answer(R"({"type":"numbers","data":{"table":{")" + name + R"(":1.5}}})").at("code") == "out_of_range");
    }
    CHECK(answer(R"({"type":")" + std::string(64, 'x') + "\"}").at("message") ==
          "there is no message of type \"" + std::string(64, 'x') + '"');
    CHECK(answer(R"({"type":")" + std::string(65, 'x') + "\"}").at("message") ==
          "there is no message of type \"" + std::string(64, 'x') + "…\"");
    CHECK(answer(R"({"type":"\"\\\n\u0001<b>"})").at("message") == "there is no message of type \"\"\\\n\x01<b>\"");
}

TEST_CASE("A wrong message of many values is answered without reading it again for each of them") {
    std::string items;
    for (int i = 0; i < 30'000; ++i) items += R"({"name":"","count":1},)";
    AnsweredClient client;
    Heard heard;
    std::string const text = R"({"type":"order","data":{"to":"","items":[)" + items + R"({"name":"","count":[]}]}})";
    CHECK(router(client, MessageView::text(text), heard) == Outcome::invalid_value);
    CHECK(client.error().at("member") == "data");
}

TEST_CASE("A handler takes what the router was called with, or does without") {
    int number = 0;
    AnsweredClient client;
    auto const both = hubbub::json::Router{}
                          .on<Even>("plain", [&](AnsweredClient&, Even even) { number = even.value; })
                          .on<Even>("extra", [](auto&, Even const& even, int& into, int times) { into = even.value * times; })
                          .on("bare", [&](auto&) { number = -1; });
    CHECK(both(client, MessageView::text(R"({"type":"plain","data":{"value":2}})"), number, 3) == Outcome::handled);
    CHECK(number == 2);
    CHECK(both(client, MessageView::text(R"({"type":"extra","data":{"value":4}})"), number, 3) == Outcome::handled);
    CHECK(number == 12);
    CHECK(both(client, MessageView::text(R"({"type":"bare"})"), number, 3) == Outcome::handled);
    CHECK(number == -1);
}

TEST_CASE("A router may be a constant, and another one with more routes") {
    static constexpr auto base = hubbub::json::Router{{.deepest = 4}}.on("one", [](auto& client) { client.send("1"); });
    static constexpr auto more = base.on("two", [](auto& client) { client.send("2"); });
    static_assert(base.has("one") && !base.has("two"));
    static_assert(more.has("one") && more.has("two") && !more.has("three"));
    AnsweredClient client;
    CHECK(base(client, MessageView::text(R"({"type":"two"})")) == Outcome::unknown_type);
    CHECK(more(client, MessageView::text(R"({"type":"two"})")) == Outcome::handled);
    CHECK(more(client, MessageView::text(R"({"type":[[[[]]]]})")) == Outcome::too_deep);
    CHECK(client.answers.at(1) == 2);
}

TEST_CASE("What a handler throws passes the router, and no error is sent") {
    auto const throwing = hubbub::json::Router{}.on<Even>("even", [](auto&, Even const&) {
        auto const never = nlohmann::json::parse("no JSON");  // what the router itself would catch
    });
    AnsweredClient client;
    CHECK_THROWS_AS(throwing(client, MessageView::text(R"({"type":"even","data":{"value":2}})")), nlohmann::json::parse_error);
    CHECK(client.answers.empty());
}

TEST_CASE("Errors have the time of the router's options") {
    auto const timeless =
        hubbub::json::Router{{.now = [] { return std::chrono::system_clock::time_point(); }}}.on("a", [](auto&) {});
    AnsweredClient client;
    timeless(client, MessageView::text("{}"));
    CHECK(client.answers.at(0).at("time") == "1970-01-01T00:00:00.000Z");
}
