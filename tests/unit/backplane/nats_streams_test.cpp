#include <hubbub/backplane/nats/nats_streams.hpp>

#include <chrono>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nats/nats.h>

#include <hubbub/backplane/backplane_host.hpp>
#include <hubbub/backplane/nats/nats_desk.hpp>
#include <hubbub/backplane/nats/nats_topic.hpp>

#include "tests/support/catch.hpp"

namespace nats_streams {

using namespace hubbub;
using namespace hubbub::detail;
using namespace std::chrono_literals;

struct Host final : BackplaneHost {
    std::vector<std::string> events{};
    std::vector<BackplaneOutcome> outcomes{};
    Position last{};
    void on_ready(bool, std::string_view) override {}
    void on_subscribed(std::string_view) override {}
    void on_message(std::string_view, std::string_view, Position) override {}
    void on_published(std::uint64_t, BackplaneOutcome outcome, Position position) override {
        outcomes.push_back(outcome);
        last = position;
    }
    void on_history(std::string_view, BackplaneHistory const&) override {}
    void on_event(std::string_view name, std::string_view) override { events.emplace_back(name); }
};

/// A desk whose questions wait until the test answers them, as JetStream would.
struct Desk final : NatsDesk {
    struct Question {
        std::string subject;
        Then then;
    };
    std::deque<Question> questions{};
    std::vector<NatsCommand> sent{};
    TimePoint time{};

    using NatsDesk::NatsDesk;
    TimePoint now() const override { return time; }
    void send(NatsCommand command) override { sent.push_back(std::move(command)); }
    void ask(std::string subject, std::string, Then then) override {
        questions.push_back({std::move(subject), std::move(then)});
    }
    void later(UniqueFunction<void()> function) override { function(); }
    void refuse(std::uint64_t serial, bool) override { host.on_published(serial, BackplaneOutcome::refused, {}); }
    void give_up(std::string_view reason) override { FAIL(reason); }

    static NatsArrival arrival(std::string_view body) {
        natsMsg* message = nullptr;
        natsMsg_Create(&message, "x", nullptr, body.data(), static_cast<int>(body.size()));
        NatsArrival made{.kind = NatsArrival::Kind::message, .connection = 1};
        made.message.reset(message);
        return made;
    }
    /// Answers the oldest question, which has to be about that.
    void answer(std::string_view about, std::string_view body) {
        REQUIRE(!questions.empty());
        Question question = std::move(questions.front());
        questions.pop_front();
        CHECK(question.subject.starts_with(about));
        if (body.empty()) return question.then(nullptr);
        auto const made = arrival(body);
        question.then(&made);
    }
};

/// Streams of one node, whose topic "kept" is published to.
struct World {
    Host host{};
    Desk desk{NatsOptions{}, 1, host};
    NatsTopics topics{};
    NatsStreams streams{desk, topics};
    HistoryLimits const limits{.messages = 10};
    NatsTopic& topic = topics["kept"];
    std::uint64_t serials = 0;
    static constexpr std::string_view is_there = R"({"type":"io.nats.jetstream.api.v1.account_info_response"})";

    World() {
        nats_Open(-1);  // its messages want it
        topic.name = topic.token = "kept";
    }
    void publish() {
        streams.publish(topic, {.topic = "kept", .body = "x", .serial = ++serials, .history = &limits, .key = 0, .id = 0});
    }
    void pass(std::chrono::milliseconds duration) {
        desk.time += duration;
        streams.on_tick(desk.time);
    }
    std::string state(int last) const {
        return R"({"config":{"subjects":[")" + desk.names.stored("kept") +
               R"(*"]},"created":"2026-11-30T12:00:00.5Z","state":{"messages":1,"bytes":1,"first_seq":1,"last_seq":)" +
               std::to_string(last) + "}}";
    }
    void acknowledge(int offset) {
        streams.on_ack(serials, Desk::arrival(R"({"stream":"s","seq":)" + std::to_string(offset) + "}"));
    }
    /// One message is there, and the connection is another one.
    Position begin() {
        streams.on_connected();
        desk.answer("$JS.API.INFO", is_there);
        publish();
        desk.answer("$JS.API.STREAM.CREATE.", state(5));
        acknowledge(6);
        REQUIRE(host.outcomes == std::vector<BackplaneOutcome>{BackplaneOutcome::done});
        Position const before = host.last;
        streams.on_lost([](std::uint64_t) {});
        streams.on_connected();
        desk.answer("$JS.API.INFO", is_there);
        desk.sent.clear();
        publish();
        return before;
    }
};

TEST_CASE("NatsStreams: a leader that has not taken up everything yet is asked again, and the history is kept") {
    World world;
    Position const before = world.begin();
    for (int i = 0; i < 3; ++i) {
        world.desk.answer("$JS.API.STREAM.CREATE.", world.state(5));
        CHECK(world.desk.questions.empty());
        CHECK(world.desk.sent.empty());
        world.pass(250ms);
    }
    world.desk.answer("$JS.API.STREAM.CREATE.", world.state(6));
    REQUIRE(world.desk.sent.size() == 1);
    world.acknowledge(7);
    CHECK(world.host.last == Position{before.epoch, 7});
    CHECK(world.host.events.empty());
}

TEST_CASE("NatsStreams: a stream that has lost what it had is another one from then on") {
    World world;
    world.begin();
    TimePoint const begun = world.desk.time;
    world.desk.answer("$JS.API.STREAM.CREATE.", world.state(5));
    while (world.host.events.empty()) {
        world.pass(250ms);
        world.desk.answer("$JS.API.STREAM.CREATE.", world.state(5));
    }
    CHECK(world.desk.time - begun == world.desk.options.answer_limit);
    CHECK(world.host.events == std::vector<std::string>{"backplane_history_lost"});
    world.desk.answer("$JS.API.STREAM.DELETE.", R"({"success":true})");
    world.desk.answer("$JS.API.STREAM.CREATE.", world.state(0));
    CHECK(world.desk.sent.size() == 1);
    CHECK(world.desk.questions.empty());
}

TEST_CASE("NatsStreams: while nobody says whether there is JetStream, publications wait, but not for ever") {
    World world;
    world.streams.on_connected();
    world.publish();
    world.desk.answer("$JS.API.INFO", "");
    CHECK(world.desk.questions.empty());
    world.pass(250ms);
    world.desk.answer("$JS.API.INFO",
                      R"({"error":{"code":503,"err_code":10008,"description":"JetStream system temporarily unavailable"}})");
    CHECK(world.host.outcomes.empty());
    SECTION("there is") {
        world.pass(250ms);
        world.desk.answer("$JS.API.INFO", World::is_there);
        world.desk.answer("$JS.API.STREAM.CREATE.", world.state(0));
        CHECK(world.desk.sent.size() == 1);
        CHECK(world.host.events.empty());
        return;
    }
    SECTION("there is none") {
        world.pass(250ms);
        world.desk.answer("$JS.API.INFO", R"({"error":{"code":503,"err_code":10039,"description":"not enabled for account"}})");
    }
    SECTION("nobody answers for too long") {
        world.pass(2 * world.desk.options.answer_limit);
        world.desk.answer("$JS.API.INFO", "");
    }
    CHECK(world.host.outcomes == std::vector<BackplaneOutcome>{BackplaneOutcome::refused});
    CHECK(world.host.events == std::vector<std::string>{"backplane_without_history"});
}

}  // namespace nats_streams
