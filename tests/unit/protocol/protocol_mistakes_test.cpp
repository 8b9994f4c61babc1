// What a client does wrong is told by its name, a few times.
#include <stdexcept>
#include <string>
#include <vector>

#include <hubbub/protocol/retry_hint.hpp>

#include "tests/unit/protocol/protocol_world.hpp"

using namespace protocol_world;
using namespace std::chrono_literals;

TEST_CASE("A message that makes no sense is answered with an error that names the member") {
    Talk talk(1, {}, {.mistakes = 1000});
    auto client = talk.join();
    struct Wrong {
        std::string message, id, code, member;
    };
    std::string const long_topic(256, 't'), long_key(129, 'k');
    for (auto const& [message, id, code, member] : std::vector<Wrong>{
             {"{", "", "not_json", ""},
             {"[]", "", "not_an_object", ""},
             {"{}", "", "missing_member", "type"},
             {R"({"type":1})", "", "wrong_kind", "type"},
             {R"({"type":"dance","id":1})", "1", "unknown_type", "type"},
             {R"({"type":"ping","type":"ping"})", "", "duplicate_member", "type"},
             {R"({"type":"subscribe","topic":"a"})", "", "missing_member", "id"},
             {R"({"type":"subscribe","topic":"a","id":0})", "", "out_of_range", "id"},
             {R"({"type":"subscribe","topic":"a","id":-1})", "", "out_of_range", "id"},
             {R"({"type":"subscribe","topic":"a","id":1.5})", "", "out_of_range", "id"},
             {R"({"type":"subscribe","topic":"a","id":9007199254740992})", "", "out_of_range", "id"},
             {R"({"type":"subscribe","topic":"a","id":"1"})", "", "wrong_kind", "id"},
             {R"({"type":"subscribe","id":1})", "1", "missing_member", "topic"},
             {R"({"type":"subscribe","id":1,"topic":5})", "1", "wrong_kind", "topic"},
             {R"({"type":"subscribe","id":1,"topic":""})", "1", "invalid_value", "topic"},
             {R"({"type":"subscribe","id":1,"topic":"\u0000a"})", "1", "invalid_value", "topic"},
             {R"({"type":"subscribe","id":1,"topic":")" + long_topic + R"("})", "1", "invalid_value", "topic"},
             {R"({"type":"subscribe","id":1,"topic":"a","since":5})", "1", "wrong_kind", "since"},
             {R"({"type":"subscribe","id":1,"topic":"a","since":{"offset":1}})", "1", "missing_member", "since.epoch"},
             {R"({"type":"subscribe","id":1,"topic":"a","since":{"epoch":"0f","offset":1}})", "1", "invalid_value",
              "since.epoch"},
             {R"({"type":"subscribe","id":1,"topic":"a","since":{"epoch":"00000000000000FF","offset":1}})", "1",
              "invalid_value", "since.epoch"},
             {R"({"type":"subscribe","id":1,"topic":"a","since":{"epoch":"00000000000000ff"}})", "1", "missing_member",
              "since.offset"},
             {R"({"type":"subscribe","id":1,"topic":"a","since":{"epoch":"00000000000000ff","offset":-1}})", "1",
              "out_of_range", "since.offset"},
             {R"({"type":"subscribe","id":1,"topic":"a","newest":1001})", "1", "out_of_range", "newest"},
             {R"({"type":"unsubscribe","id":1})", "1", "missing_member", "topic"},
             {R"({"type":"publish","id":1,"topic":"a"})", "1", "missing_member", "data"},
             {R"({"type":"publish","id":1,"data":1})", "1", "missing_member", "topic"},
             {R"({"type":"publish","topic":"a","data":1,"id":true})", "", "wrong_kind", "id"},
             {R"({"type":"publish","id":1,"topic":"a","data":1,"key":7})", "1", "wrong_kind", "key"},
             {R"({"type":"publish","id":1,"topic":"a","data":1,"idempotency":")" + long_key + R"("})", "1", "invalid_value",
              "idempotency"},
             {R"({"type":"history","id":1,"topic":"a","limit":101})", "1", "out_of_range", "limit"},
             {R"({"type":"history","id":1,"topic":"a","before":0})", "1", "out_of_range", "before"},
             {R"({"type":"history","id":1,"topic":"a","newest_first":1})", "1", "wrong_kind", "newest_first"},
             {R"({"type":"request","id":1})", "1", "missing_member", "method"},
             {R"({"type":"request","id":1,"method":{}})", "1", "wrong_kind", "method"},
             {R"({"type":"refresh","id":1})", "1", "missing_member", "token"},
             {R"({"type":"ping","id":1e400})", "", "out_of_range", ""},
             {std::string(100, '['), "", "too_deep", ""},
         }) {
        INFO(message);
        auto const answers = talk.ask(*client, message);
        REQUIRE(answers.size() == 1);
        auto const error = nlohmann::json::parse(answers[0]);
        CHECK(error.at("type") == "error");
        CHECK(error.at("code") == code);
        CHECK((error.contains("id") ? error.at("id").dump() : "") == id);
        CHECK(error.value("member", "") == member);
        std::string const sentence = error.at("message");
        CHECK(!sentence.empty());
        if (!member.empty() && code != "unknown_type") CHECK(sentence.find('"' + member + '"') != std::string::npos);
    }
}

TEST_CASE("A binary message is a mistake, and too many mistakes end the session") {
    Talk talk;
    auto client = talk.join();
    client->to_server.append(ws::encode_frame(ws::ClientFrame::make(ws::Opcode::binary, "{}")));
    talk.run();
    CHECK(talk.fresh(*client).at(0).starts_with(R"({"type":"error","code":"binary_message")"));
    for (int i = 0; i < 15; ++i) CHECK(talk.ask(*client, "?").size() == 1);
    CHECK(talk.ask(*client, R"({"type":"ping"})").size() == 1);  // still there
    auto const end = talk.ask(*client, "?");
    REQUIRE(end.size() == 2);
    CHECK(end[1] == "close 1008");
}

TEST_CASE("What is too long to be published is told") {
    HubOptions<Speaking> options;
    options.queue.bytes = 1000;
    options.queue.high_bytes = 900;
    options.queue.low_bytes = 10;
    Talk talk(1, options);
    auto client = talk.join();
    CHECK(talk.ask(*client, R"({"type":"publish","id":1,"topic":"orders","data":")" + std::string(900, 'x') + R"("})")
              .at(0)
              .starts_with(R"({"type":"error","id":1,"code":"too_big")"));
    CHECK(talk.ask(*client, R"({"type":"request","id":2,"method":"echo","params":")" + std::string(1100, 'x') + R"("})")
              .at(0)
              .starts_with(R"({"type":"error","id":2,"code":"too_big")"));
}

TEST_CASE("The text of a member is found as it is") {
    struct Case {
        std::string text, data;
    };
    for (auto const& [text, data] : std::vector<Case>{
             {R"({"data":1})", "1"},
             {R"( { "a" : "}\"data\":" , "data" : { "x" : [1, "]", {}] } , "b":0})", R"({ "x" : [1, "]", {}] })"},
             {R"({"x":{"data":1},"data":"\\"})", R"("\\")"},
             {R"({"x":[[],{}],"data":true ,"y":"data"})", "true"},
             {"{\"data\":\n-1.50e3\n}", "-1.50e3"},
             {"\xEF\xBB\xBF{\"data\":[]}", "[]"},
         }) {
        INFO(text);
        CHECK(RawMember(text).find("data").value_or("nothing") == data);
    }
    CHECK_FALSE(RawMember(R"({"d\u0061ta":1})").find("data"));
    CHECK_FALSE(RawMember("{}").find("data"));
    Talk talk;
    auto client = talk.join();
    talk.ask(*client, R"({"type":"subscribe","id":1,"topic":"news"})");
    CHECK(talk.ask(*client, R"({"type":"publish","topic":"news","d\u0061ta": [1.0] })") ==
          Messages{R"({"type":"publication","topic":"news","data":[1]})"});
}

TEST_CASE("A hint when to come back stands at the end of a reason, and is never cut") {
    CHECK(with_retry_hint("the server restarts", 10s) == "the server restarts; retry=10000");
    std::string const cut = with_retry_hint(std::string(200, 'x') + "\u20ac", 5s);
    CHECK(cut.size() <= 123);
    CHECK(cut.ends_with("x; retry=5000"));
    std::string euros;
    for (int i = 0; i < 60; ++i) euros += "\u20ac";
    CHECK(ws::is_valid_utf8(std::string_view(with_retry_hint(euros, 5s))));
}

TEST_CASE("Limits that make no sense are refused") {
    CHECK_THROWS_AS(ProtocolHandler<Shop>(Shop{}, {.pending = 0}), std::invalid_argument);
    CHECK_THROWS_AS(ProtocolHandler<Shop>(Shop{}, {.deepest = 1}), std::invalid_argument);
}
