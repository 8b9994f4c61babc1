// The code that the pages in docs/ show where no example has it: tools/check_docs.py copies the regions. All of it is compiled,
// and what can be run without a network is.
#include <asio/io_context.hpp>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <hubbub/hub/hub.hpp>
#include <hubbub/policy/certificate_user.hpp>
#include <hubbub/server/server.hpp>
#include <hubbub/testing/simulation.hpp>
#include <hubbub/transport/tcp/asio_loop.hpp>
#include <hubbub/transport/tcp/tcp_acceptor.hpp>
#include <hubbub/transport/tcp/tcp_connection.hpp>

#include "tests/support/catch.hpp"

using namespace std::chrono_literals;

// ---- README.md

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wreturn-type"
namespace readme {
// [program]
#include <hubbub/server/server.hpp>

struct Chat : hubbub::NoopHandler {
    void on_open(auto& session) { session.subscribe("lobby"); }
    void on_message(auto& session, hubbub::MessageView message) { session.publish("lobby", message); }
};

int main() {
    hubbub::Server server{Chat{}, {.port = 8080}};  // one thread a core
    server.run_until_signal();                      // drains on SIGINT and SIGTERM
}
// [/program]
}  // namespace readme

// ---- docs/getting_started.md

namespace with_a_page {
struct Chat : readme::Chat {};
// [with_a_page]
int main() {
    hubbub::Server server{Chat{}, {.port = 8080}};
    server.routes().add("/", [](hubbub::http::Request const&) {
        return hubbub::http::Response(hubbub::http::Status::ok, "<!doctype html><title>chat</title>",
                                      "text/html; charset=utf-8");
    });
    server.run_until_signal();
}
// [/with_a_page]
}  // namespace with_a_page

namespace own_server {
// [own_server]
#include <asio/io_context.hpp>
#include <hubbub/hub/hub.hpp>
#include <hubbub/transport/tcp/asio_loop.hpp>
#include <hubbub/transport/tcp/tcp_acceptor.hpp>
#include <hubbub/transport/tcp/tcp_connection.hpp>

struct Listener : hubbub::NoopHandler {
    void on_open(auto& session) { session.subscribe("news"); }
};

int main() {
    asio::io_context context;  // the one that your server runs already

    hubbub::Hub<hubbub::TcpConnection> hub{context, Listener{}};
    hubbub::TcpAcceptor acceptor{hubbub::Endpoint{"127.0.0.1:8081"}};
    acceptor.serve(hub.driver(0), [&hub](hubbub::TcpSocket socket) { hub.adopt(std::move(socket)); });

    // Anywhere in the program, on any thread:
    hub.publish("news", hubbub::Frame::text("the hub is up"));

    context.run();
}
// [/own_server]
}  // namespace own_server

namespace tested {
// [tested]
#include <iostream>
#include <string>
#include <vector>

#include <hubbub/testing/simulation.hpp>

struct Chat : hubbub::NoopHandler {
    void on_open(auto& session) { session.subscribe("lobby"); }
    void on_message(auto& session, hubbub::MessageView message) { session.publish("lobby", message); }
};

int main() {
    hubbub::testing::Simulation sim{1};
    auto hub = sim.hub(Chat{});
    auto alice = sim.connect(hub), bob = sim.connect(hub);
    sim.run_until_idle();
    alice.send_text("hello");
    sim.run_until_idle();
    bool const fine = bob.texts() == std::vector<std::string>{"hello"};
    std::cout << (fine ? "bob hears alice\n" : "bob hears something else\n");
    return fine ? 0 : 1;
}
// [/tested]
}  // namespace tested
#pragma GCC diagnostic pop

TEST_CASE("The first test of the guide passes") { CHECK(tested::main() == 0); }

using readme::Chat;

// ---- docs/testing.md

// [test]
TEST_CASE("Who does not read is disconnected, and the others hear all") {
    hubbub::testing::Simulation sim{7};
    auto hub = sim.hub(Chat{});
    auto alice = sim.connect(hub), bob = sim.connect(hub);
    sim.run_until_idle();
    bob.stall();
    alice.send_text("hi");
    sim.run_for(31s);
    CHECK(alice.texts() == std::vector<std::string>{"hi"});
    CHECK(sim.ended(bob).by == hubbub::CloseInfo::By::us);
}
// [/test]

// ---- docs/policies.md

/// Stands for a database, a queue or another thread: what is asked is answered when the test wants it.
struct Directory {
    void look_up(std::string token, std::function<void(std::optional<std::string>)> then) {
        waiting.emplace_back(std::move(token), std::move(then));
    }
    std::vector<std::pair<std::string, std::function<void(std::optional<std::string>)>>> waiting;
};

// [auth]
/// Models Authentication: a cookie names the user, and a directory that takes its time knows whether that is true.
struct SignedIn {
    std::shared_ptr<Directory> directory;

    void authenticate(hubbub::http::Request const& request, hubbub::PeerAddress const&,
                      hubbub::Verdict<hubbub::Authenticated> verdict) {
        auto const token = request.cookie("session");
        if (!token) return verdict.answer(hubbub::Authenticated::refused(hubbub::http::Status::unauthorized, "sign in first"));
        // Answered whenever the directory knows, on whatever thread that is. The loop goes on meanwhile.
        auto later = std::make_shared<hubbub::Verdict<hubbub::Authenticated>>(std::move(verdict));
        directory->look_up(std::string(*token), [later](std::optional<std::string> user) {
            later->answer(user ? hubbub::Authenticated::as({.user = *user, .labels = {"members"}, .expires_at = {}})
                               : hubbub::Authenticated::refused(hubbub::http::Status::forbidden, "that session is over"));
        });
    }
};
// [/auth]

// [access]
/// Models Authorization: `user/NAME/...` is for that user alone.
struct OwnTopics {
    void authorize(hubbub::AuthorizationRequest const& request, hubbub::Verdict<hubbub::Permission> verdict) {
        bool const is_private = request.topic.starts_with("user/");
        verdict.answer({!is_private || request.topic.starts_with("user/" + request.identity.user + "/")});
    }
};
// [/access]

// [limits]
/// Models LimitsPolicy: who has signed in may have more connections.
struct GenerousToMembers {
    std::uint32_t most_in_all() const noexcept { return 50'000; }
    std::uint32_t most_of_address(hubbub::PeerAddress const&) const noexcept { return 100; }
    std::uint32_t most_of_user(hubbub::Identity const& who) const noexcept { return who.labels.empty() ? 2 : 20; }
};
// [/limits]

// [sharding]
/// Models ShardingPolicy: who asks for the same room is on the same shard, so that its messages go to one shard and not to all.
struct ByRoom {
    hubbub::ShardIndex operator()(hubbub::SessionInfo const& info, hubbub::ShardCount count) const {
        auto const room = std::hash<std::string_view>{}(info.request.path());
        return {static_cast<std::uint16_t>(room % count.value)};
    }
};
// [/sharding]

// [overflow]
/// Models OverflowPolicy: a picture may be missed, a word may not.
struct WordsFirst {
    hubbub::OverflowAction on_full(hubbub::QueueState const&, hubbub::OverflowingMessage const& message) const noexcept {
        return message.topic.starts_with("pictures/") ? hubbub::OverflowAction::drop_oldest
                                                      : hubbub::OverflowAction::disconnect;
    }
};
// [/overflow]

// [heartbeat]
/// Models HeartbeatPolicy: sensors sleep, and are asked less often.
struct PatientWithSensors {
    hubbub::HeartbeatTimes times_for(hubbub::Identity const& who) const noexcept {
        if (who.user.starts_with("sensor-")) return {10min, 11min};
        return {54s, 60s};
    }
};
// [/heartbeat]

// [topics]
/// Models TopicsPolicy: of positions a slow client gets the newest of each key.
struct PositionsByKey {
    hubbub::TopicOptions options_for(std::string_view topic) const {
        if (topic.starts_with("positions/")) return {hubbub::OverflowAction::replace_key};
        return {};
    }
};
// [/topics]

// [codec]
/// Models Codec: a client that was too slow is told how much it has missed.
struct TellsGaps {
    std::optional<hubbub::Frame> gap_notice(std::uint64_t missed) const {
        return hubbub::Frame::text("you missed " + std::to_string(missed));
    }
};
// [/codec]

// [events]
/// Models EventSink: a line for each event. Each shard has a copy, and calls it on its own thread.
struct LogEvents {
    std::FILE* log = nullptr;

    void on_event(hubbub::Event const& event) noexcept {
        if (!log) return;
        std::fprintf(log, "%.*s %.*s %llu\n", static_cast<int>(event.name.size()), event.name.data(),
                     static_cast<int>(event.detail.size()), event.detail.data(), static_cast<unsigned long long>(event.number));
    }
};
// [/events]

// [bundle]
struct MapPolicy : hubbub::DefaultPolicy {
    using Auth = SignedIn;
    using Access = OwnTopics;
    using Limits = GenerousToMembers;
    using Sharding = ByRoom;
    using Overflow = WordsFirst;
    using Heartbeat = PatientWithSensors;
    using Topics = PositionsByKey;
    using Codec = TellsGaps;
    using EventSink = LogEvents;
    struct SessionData {
        int moves = 0;  // session.data().moves
    };
};
// [/bundle]

struct Map : hubbub::NoopHandler {
    void on_open(auto& session) {
        session.subscribe("pictures/sky");
        session.subscribe("user/alice/letters");
    }
    void on_message(auto& session, hubbub::MessageView message) {
        ++session.data().moves;
        session.publish("pictures/sky", message);
    }
    void on_subscribed(auto& session, hubbub::Subscription const& subscription) {
        if (!subscription.allowed) session.send("not for you: " + std::string(subscription.topic));
    }
};

using Texts = std::vector<std::string>;

static hubbub::HubOptions<MapPolicy> map_options(std::shared_ptr<Directory> directory) {
    // [options]
    hubbub::HubOptions<MapPolicy> options;
    options.auth = {directory};  // what an axis is made of: an instance, or what it calls its Options
    options.queue = {.bytes = 4096, .messages = 8, .high_bytes = 2048, .low_bytes = 512};  // of each session
    options.message.message = 16 * 1024;                                                   // bytes of a message from a client
    options.lifetime_limit = 24h;
    // [/options]
    return options;
}

inline void with_policy(hubbub::HubOptions<MapPolicy> options, hubbub::HubOptions<MapPolicy> embedded) {
    // [with_policy]
    hubbub::Server<MapPolicy> server{Map{}, {.port = 8080, .hub = std::move(options)}};

    asio::io_context context;  // or in a loop of yours
    hubbub::Hub<hubbub::TcpConnection, MapPolicy> hub{context, Map{}, std::move(embedded)};
    // [/with_policy]
}

TEST_CASE("The policies of the guide decide who comes in, what he hears, and what happens when he is slow") {
    auto const directory = std::make_shared<Directory>();
    hubbub::testing::Simulation sim{11};
    auto hub = sim.hub<MapPolicy>(Map{}, map_options(directory));

    auto nobody = sim.connect(hub);
    auto alice = sim.connect(hub, {.headers = "Cookie: session=a1\r\n"});
    auto stranger = sim.connect(hub, {.headers = "Cookie: session=b2\r\n"});
    sim.run_until_idle();
    CHECK(nobody.status() == 401);
    CHECK(alice.status() == 0);  // the directory has not answered
    REQUIRE(directory->waiting.size() == 2);
    for (auto& [token, then] : directory->waiting) then(token == "a1" ? std::optional<std::string>("alice") : std::nullopt);
    sim.run_until_idle();
    CHECK(alice.status() == 101);
    CHECK(stranger.status() == 403);

    alice.stall();
    for (int i = 0; i < 20; ++i) hub.publish("pictures/sky", hubbub::Frame::text("sky " + std::to_string(i)));
    sim.run_until_idle();
    alice.unstall();
    sim.run_until_idle();
    Texts const texts = alice.texts();
    REQUIRE(texts.size() == 9);
    CHECK(texts.front() == "sky 12");  // the queue has room for eight
    CHECK(texts[7] == "sky 19");
    CHECK(texts.back() == "you missed 12");
}

static hubbub::TopicsByName::Options topics_by_name() {
    // [topics_by_name]
    hubbub::TopicsByName::Options topics;                       // HubOptions::topics, where Policy::Topics is TopicsByName
    topics.names = {{"news", {.history = {.messages = 100}}}};  // this name alone
    topics.prefixes = {{"room/", {.history = {.messages = 50}, .presence = {.kept = true}}}};  // room/1, room/2, ...
    topics.otherwise.on_full = hubbub::OverflowAction::drop_oldest;                            // all others
    // [/topics_by_name]
    return topics;
}

TEST_CASE("A list of topics has whole names and beginnings of names") {
    hubbub::TopicsByName const topics{topics_by_name()};
    CHECK(topics.options_for("news").history.messages == 100);
    CHECK(topics.options_for("news/local").history.messages == 0);
    CHECK(topics.options_for("room/7").history.messages == 50);
    CHECK(topics.options_for("room/7").presence.kept);
    CHECK(topics.options_for("elsewhere").on_full == hubbub::OverflowAction::drop_oldest);
}

TEST_CASE("What the policies of the guide say") {
    hubbub::Identity const sensor{.user = "sensor-7", .labels = {}, .expires_at = {}}, alice{"alice", {"members"}, {}};
    CHECK(PatientWithSensors().times_for(sensor).ping_after == 10min);
    CHECK(PatientWithSensors().times_for(alice).silence_limit == 60s);
    CHECK(GenerousToMembers().most_of_user(sensor) == 2);
    CHECK(GenerousToMembers().most_of_user(alice) == 20);
    CHECK(PositionsByKey().options_for("positions/7").on_full == hubbub::OverflowAction::replace_key);
    CHECK_FALSE(PositionsByKey().options_for("chat").on_full);
}

// ---- docs/concepts.md

struct Seen {
    int opened = 0, messages = 0, subscribed = 0, losses = 0, pressed = 0, relieved = 0, expiring = 0, closed = 0;
};

// [hooks]
struct Hooks : hubbub::NoopHandler {
    std::shared_ptr<Seen> seen;  // each loop has a copy of the handler: this is what they share
    explicit Hooks(std::shared_ptr<Seen> where) : seen(std::move(where)) {}

    void on_open(auto& session) {
        ++seen->opened;
        session.subscribe(std::string(session.request()->path()));  // the request is there in this hook alone
    }
    void on_message(auto& session, hubbub::MessageView message) {
        ++seen->messages;
        if (message.is_text()) session.send("you said " + std::string(message.view()));
    }
    void on_subscribed(auto&, hubbub::Subscription const& told) { seen->subscribed += told.allowed; }
    void on_continuity_lost(auto&, hubbub::Subscription const&) { ++seen->losses; }  // of told.topic
    void on_pressure(auto&) { ++seen->pressed; }                                     // its queue is long: send less
    void on_relief(auto&) { ++seen->relieved; }
    void on_expiring(auto&) { ++seen->expiring; }  // its identity: ask for a new token
    void on_close(auto&, hubbub::CloseInfo const& info) { seen->closed += info.code == hubbub::CloseCode::normal; }
};
// [/hooks]

TEST_CASE("The hooks of the page are called") {
    auto const seen = std::make_shared<Seen>();
    hubbub::testing::Simulation sim{5};
    auto hub = sim.hub(Hooks{seen});
    auto alice = sim.connect(hub);
    sim.run_until_idle();
    alice.send_text("hello");
    sim.run_until_idle();
    CHECK(alice.texts() == std::vector<std::string>{"you said hello"});
    hub.close(hubbub::Target::all(), hubbub::CloseCode::normal);
    sim.run_until_idle();
    CHECK(seen->opened == 1);
    CHECK(seen->messages == 1);
    CHECK(seen->subscribed == 1);
    CHECK(seen->closed == 1);
}

TEST_CASE("Whom a publication is for") {
    auto const directory = std::make_shared<Directory>();
    hubbub::testing::Simulation sim{13};
    auto hub = sim.hub<MapPolicy>(Map{}, map_options(directory));
    auto alice = sim.connect(hub, {.headers = "Cookie: session=a1\r\n"});
    sim.run_until_idle();
    REQUIRE(directory->waiting.size() == 1);
    directory->waiting.front().second("alice");
    sim.run_until_idle();
    hubbub::SessionId const id = alice.session();
    std::uint64_t queued = 0;
    std::uint64_t const member = 7;

    // [publish]
    auto const frame = hubbub::Frame::text("the sky is blue");  // encoded once, for everybody
    hub.publish("pictures/sky", frame);                         // who is subscribed
    hub.publish(hubbub::Target::all(), frame);                  // everybody
    hub.publish(hubbub::Target::user("alice"), frame);          // each session of a user
    hub.publish(hubbub::Target::label("members"), frame);       // who has a label
    hub.send(id, frame);                                        // one session

    hub.publish("pictures/sky", frame, {.except = id});                       // all but one
    hub.publish("positions/7", frame, {.key = member, .expires_in = 500ms});  // the newest of its key, and not for long
    hub.publish("pictures/sky", frame, {.on_receipt = [&queued](hubbub::PublishReceipt const& receipt) {
                    queued = receipt.queued;  // of how many; and what was dropped, by reason
                }});
    // [/publish]
    sim.run_until_idle();
    CHECK(alice.texts() == Texts(6, "the sky is blue"));
    CHECK(queued == 1);
}

TEST_CASE("A function runs on the session's thread, and sums are collected") {
    hubbub::testing::Simulation sim{17, 2};
    auto hub = sim.hub(Chat{});
    auto alice = sim.connect(hub);
    sim.run_until_idle();
    hubbub::SessionId const id = alice.session();
    std::uint64_t written = 0;

    // [elsewhere]
    hub.post(id, [](auto& session) { session.send("from elsewhere"); });  // false: the hub has ended
    hub.close(hubbub::Target::user("mallory"), hubbub::CloseCode::policy_violation, "that is enough");
    hub.collect([&written](hubbub::HubSnapshot const& all) {  // on the loop of the shard that was last
        written = all.total().delivery.written;
    });
    // [/elsewhere]
    sim.run_until_idle();
    CHECK(alice.texts() == Texts{"from elsewhere"});
    CHECK(written <= 1);

    bool over = false;
    // [drain]
    hub.drain({.reason = "a new version", .per_second = 1'000, .deadline = 10s}, [&over] { over = true; });
    // [/drain]
    sim.run_for(11s);
    CHECK(over);
    CHECK(alice.close_seen()->code == hubbub::CloseCode::service_restart);
}

// ---- docs/embedding.md: these need sockets, and are compiled only

[[maybe_unused]] static void run_in_pool(asio::io_context& context) {
    // [strand]
    hubbub::AsioLoop loop{context, hubbub::Threading::several_threads};  // a strand: any number of threads run `context`
    hubbub::Hub<hubbub::TcpConnection> hub{loop, Chat{}};
    // [/strand]
}

TEST_CASE("Rates of a page are fine") {
    // [rates]
    hubbub::TokenBuckets rates;
    rates.session.messages = {.per_second = 20, .burst = 60};
    rates.user.bytes = {.per_second = 256 * 1024};  // over all of his sessions, on every shard
    rates.address.failures = {.per_second = 1, .burst = 5};
    // [/rates]
    rates.check();
    CHECK(rates.user.bytes.most_at_once() == 256 * 1024);
}

[[maybe_unused]] static void serve_behind_a_proxy() {
    // [proxied]
    hubbub::ServerOptions<> options;
    options.address = "127.0.0.1";
    options.port = 9001;
    options.hub.proxies.networks = {"127.0.0.1"};  // what it says of a client is believed, and of nobody else
    hubbub::Server server{Chat{}, options};
    server.routes().add("/healthz",
                        [](hubbub::http::Request const&) { return hubbub::http::Response(hubbub::http::Status::ok, "ok\n"); });
    server.run_until_signal();
    // [/proxied]
}

// ---- docs/close_codes.md: what `on_close` says, where nobody would guess it

TEST_CASE("How sessions end, as the page says") {
    hubbub::testing::Simulation sim{19};
    hubbub::HubOptions<> options;
    options.queue = {.bytes = 4096, .messages = 4, .high_bytes = 2048, .low_bytes = 512};
    options.idle_limit = 5min;
    auto hub = sim.hub(Chat{}, options);
    using By = hubbub::CloseInfo::By;
    using Code = hubbub::CloseCode;

    auto slow = sim.connect(hub), vanishes = sim.connect(hub), idle = sim.connect(hub), wordless = sim.connect(hub);
    auto silent = sim.connect(hub, {.answers = false}), unread = sim.connect(hub);
    sim.run_until_idle();
    wordless.close(Code::no_status);
    vanishes.reset();
    unread.stall();
    hub.send(unread.session(), hubbub::Frame::text("never read"));
    slow.stall();
    for (int i = 0; i < 10; ++i) hub.send(slow.session(), hubbub::Frame::text("too many"));
    sim.run_for(6min);

    auto const check = [&sim](hubbub::testing::Client const& client, Code code, By by, std::string_view reason) {
        hubbub::CloseInfo const& info = sim.ended(client);
        CHECK(info.code == code);
        CHECK(info.by == by);
        CHECK(info.reason == reason);
    };
    check(wordless, Code::no_status, By::peer, "");
    check(vanishes, Code::abnormal, By::network, "the connection was lost");
    check(unread, Code::abnormal, By::us, "nothing was read within the write limit");
    check(slow, Code::try_again_later, By::us, "too slow");  // although no Close got through
    CHECK(slow.was_reset());
    CHECK_FALSE(slow.close_seen());
    check(silent, Code::abnormal, By::us, "no frame came within the silence limit");
    check(idle, Code::going_away, By::us, "idle");
    CHECK(idle.close_seen()->code == Code::going_away);
}

// ---- docs/tls.md

#ifdef HUBBUB_HAS_TLS
namespace with_tls_of_its_own {
struct Chat : readme::Chat {};
inline void tls_server() {
    // [tls_server]
    hubbub::Server server{Chat{}, {.address = "0.0.0.0", .port = 443, .tls = {.certificate = "chain.pem", .key = "key.pem"}}};
    // [/tls_server]
}
inline void tls_and_plain() {
    // [tls_and_plain]
    hubbub::Server server{Chat{},
                          {.address = "0.0.0.0",
                           .port = 443,
                           .listen = {"plain:127.0.0.1:8080", "tls:[::]:443"},
                           .tls = {.certificate = "chain.pem", .key = "key.pem"}}};
    // [/tls_and_plain]
}
inline void tls_embedded(asio::io_context& io_context) {
    // [tls_embedded]
    hubbub::Hub<hubbub::TcpConnection> hub{io_context, Chat{}};
    hubbub::TlsContext tls{{.certificate = "chain.pem", .key = "key.pem"}};
    hubbub::TcpAcceptor secure{hubbub::Endpoint{"0.0.0.0:443"}}, plain{hubbub::Endpoint{"127.0.0.1:8080"}};
    secure.serve(hub.driver(0), [&](hubbub::TcpSocket socket) { hub.adopt(tls.wrap(std::move(socket))); });
    plain.serve(hub.driver(0), [&](hubbub::TcpSocket socket) { hub.adopt(std::move(socket)); });
    // [/tls_embedded]
}
// [tls_clients]
struct OnlyStaff : hubbub::DefaultPolicy {
    using Auth = hubbub::CertificateUser;
};

inline void serve_staff() {
    hubbub::Server<OnlyStaff> server{Chat{},
                                     {.port = 8443,
                                      .tls = {.certificate = "chain.pem",
                                              .key = "key.pem",
                                              .clients = hubbub::TlsClients::must_show,
                                              .client_authorities = "staff.pem"}}};
    server.run_until_signal();
}
// [/tls_clients]
}  // namespace with_tls_of_its_own
#endif

// ---- numbers that the pages name

TEST_CASE("The defaults are those that the pages name") {
    hubbub::HubOptions<> const options;
    CHECK(options.queue.bytes == 1024 * 1024);
    CHECK(options.queue.messages == 4096);
    CHECK(options.message.message == 64 * 1024);
    CHECK(options.message.fragments == 128);
    CHECK(options.subscriptions == 128);
    CHECK(options.mailbox.bytes == 4 * 1024 * 1024);
    CHECK(options.mailbox.letters == 65'536);
    CHECK(options.limits.per_address == 256);
    CHECK(options.heartbeat.ping_after == 54s);
    CHECK(options.heartbeat.silence_limit == 60s);
    CHECK(options.handshake_limit == 10s);
    CHECK(options.message_limit == 30s);
    CHECK(options.write_limit == 30s);
    CHECK(options.close_limit == 5s);
    CHECK(options.idle_limit == 0s);
    CHECK(options.lifetime_limit == 0s);
    hubbub::DrainOptions const drain;
    CHECK(drain.per_second == 5'000);
    CHECK(drain.deadline == 8s);
    CHECK(hubbub::longest_topic == 255);
}
