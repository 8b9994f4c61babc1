// What nodes say to each other: bytes that come from a broker, where anybody may have put something else.
#include <string>

#include <hubbub/backplane/broker_of.hpp>
#include <hubbub/backplane/envelope.hpp>
#include <hubbub/hub/control_message.hpp>
#include <hubbub/hub/presence_notice.hpp>

#include "tests/support/catch.hpp"

namespace envelope_test {

using namespace hubbub;

TEST_CASE("Envelope: comes out as it went in, and nothing else is one") {
    Envelope const sent{.opcode = ws::Opcode::binary,
                        .kind = Envelope::Kind::presence,
                        .again = true,
                        .node = ~std::uint64_t{0},
                        .serial = 2,
                        .token = 3,
                        .key = 1u << 31,
                        .expires_at = -5};
    std::string const body = sent.write(std::string_view("a\0b", 3));
    auto const read = Envelope::read(body);
    REQUIRE(read);
    CHECK((read->opcode == sent.opcode && read->kind == sent.kind && read->again && read->node == sent.node));
    CHECK((read->serial == 2 && read->token == 3 && read->key == sent.key && read->expires_at == -5));
    CHECK(body.substr(Envelope::size) == std::string_view("a\0b", 3));
    CHECK(static_cast<bool>(Envelope::read(sent.write(""))));
    for (std::size_t size = 0; size < Envelope::size; ++size) CHECK(!Envelope::read(body.substr(0, size)));
    for (std::size_t const at : {0u, 1u, 2u, 3u}) {
        std::string wrong = body;
        wrong[at] = 9;
        INFO(at);
        CHECK(!Envelope::read(wrong));
    }
}

TEST_CASE("ControlMessage: comes out as it went in, and what is cut short is none") {
    ControlMessage const sent{ControlMessage::Kind::unsubscribe, CloseCode::policy_violation, std::string("\0uann", 5), "room",
                              "because"};
    std::string const text = sent.write();
    auto const read = ControlMessage::read(text);
    REQUIRE(read);
    CHECK((read->kind == sent.kind && read->code == sent.code && read->target == sent.target && read->topic == "room"));
    CHECK(read->reason == "because");
    for (std::size_t size = 0; size < text.size(); ++size) CHECK(!ControlMessage::read(text.substr(0, size)));
    CHECK(!ControlMessage::read(std::string(1, '\7') + text.substr(1)));
}

TEST_CASE("PresenceNotice: comes out as it went in, and what is cut short is none") {
    PresenceNotice const sent{.kind = PresenceNotice::Kind::change,
                              .is_first = false,
                              .is_last = true,
                              .version = 1u << 31,
                              .members = {{{7, 8, {9}}, "ann", {"staff", ""}, 4711}, {{1, 2, {3}}, "", {}, 4711}},
                              .left = {{4, 5, {6}}}};
    std::string const text = sent.write();
    auto const read = PresenceNotice::read(4711, text);
    REQUIRE(read);
    CHECK((read->kind == sent.kind && !read->is_first && read->is_last && read->version == sent.version));
    CHECK(read->members == sent.members);
    CHECK(read->left == sent.left);
    std::size_t const without_left = text.size() - 10;  // that list has no count
    for (std::size_t size = 0; size < text.size(); ++size) {
        INFO(size);
        CHECK(static_cast<bool>(PresenceNotice::read(1, text.substr(0, size))) == (size == without_left));
    }
    CHECK(!PresenceNotice::read(1, std::string(1, '\x9') + text.substr(1)));
    std::string many = text;
    for (std::size_t at = 10; at < 14; ++at) many[at] = '\xFF';  // four thousand million members
    CHECK(!PresenceNotice::read(1, many));
}

TEST_CASE("broker_of: topics spread over the brokers, and one more takes its share and moves no other") {
    std::size_t const topics = 6000;
    std::vector<std::size_t> counts(4);
    for (std::size_t i = 0; i < topics; ++i) {
        std::string const topic = "room/" + std::to_string(i);
        std::size_t const before = broker_of(topic, 3), after = broker_of(topic, 4);
        CHECK(before < 3);
        CHECK((after == before || after == 3));
        CHECK(broker_of(topic, 1) == 0);
        ++counts[after];
    }
    for (std::size_t const count : counts) {
        CHECK(count > topics / 4 * 8 / 10);
        CHECK(count < topics / 4 * 12 / 10);
    }
}

}  // namespace envelope_test
