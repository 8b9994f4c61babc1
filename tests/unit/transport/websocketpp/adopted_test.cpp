#include <atomic>
#include <map>
#include <optional>
#include <string_view>
#include <thread>

#include <hubbub/transport/one_of.hpp>
#include <hubbub/transport/tcp/tcp_acceptor.hpp>
#include <hubbub/transport/tcp/tcp_connection.hpp>

#include "tests/unit/transport/websocketpp/adopted_world.hpp"

using namespace adopted_world;

namespace {

using Asio = websocketpp::config::asio;

/// With the extension that inflates.
struct Deflating : websocketpp::config::asio {
    struct permessage_deflate_config {};
    template <class Unused>
    struct Enabled {};
    using permessage_deflate_type = Enabled<permessage_deflate_config>;
};
static_assert(!hubbub::detail::InflatesNothing<websocketpp::connection<Deflating>>::value);
static_assert(hubbub::detail::InflatesNothing<websocketpp::connection<Asio>>::value);
static_assert(MessageConnection<AdoptedConnection<websocketpp::connection<Asio>>>);

struct OldAndNew : NoopHandler {
    void on_open(auto& session) { session.subscribe("room"); }
    void on_message(auto& session, MessageView message) { session.publish("room", message); }
};

template <class Config>
void converse(std::size_t shards, Loops loops) {
    HubOptions<> options;
    options.message.message = 1'000'000;
    World<Config> world(options, shards, 1, loops);
    auto const alice = world.client("/chat?room=1"), bob = world.client();
    CHECK(world.notes().has("open /chat?room=1   127.0.0.1"));
    alice->send("hello");
    CHECK(alice->receive() == "hello");
    std::string const big(900'000, 'b');
    alice->send(big);
    CHECK((alice->receive() == big));
    for (int i = 0; i < 300; ++i) alice->send("publish " + std::to_string(i));
    for (int i = 0; i < 300; ++i) {
        CHECK(alice->receive() == std::to_string(i));
        CHECK(bob->receive() == std::to_string(i));
    }
    ShardSnapshot const sums = world.settled(2);
    CHECK(sums.received == 302);
    CHECK(sums.delivery.written == 602);
    CHECK(sums.delivery.all_dropped() == 0);
    check_sums(sums);
}

}  // namespace

TEST_CASE("Adopted sessions hear each other in order, on one shard") { converse<Asio>(1, Loops::own); }
TEST_CASE("Adopted sessions hear each other in order, over several shards") { converse<Asio>(2, Loops::own); }
TEST_CASE("Adopted sessions hear each other in order, where the endpoint and the hub share one thread") {
    converse<Asio>(2, Loops::of_the_endpoint);
}
TEST_CASE("Adopted sessions hear each other in order, where the endpoint has neither locks nor strands") {
    converse<Lean>(1, Loops::own);
}
TEST_CASE("Adopted sessions hear each other in order, with neither locks nor another thread") {
    converse<Lean>(1, Loops::of_the_endpoint);
}

TEST_CASE("One hub has the connections of an old server and sockets of its own, with one topic space") {
    using OldServer = websocketpp::server<Asio>;
    using Both = OneOf<TcpConnection, AdoptedWebsocketpp<OldServer>>;
    asio::io_context context{1};
    HubOptions<> options;
    options.message.message = 1000;
    Hub<Both> hub{context, OldAndNew{}, options};
    OldServer server;
    server.clear_access_channels(websocketpp::log::alevel::all);
    server.clear_error_channels(websocketpp::log::elevel::all);
    server.init_asio(&context);
    server.set_open_handler([&](connection_hdl handle) { hub.adopt(server.get_con_from_hdl(handle)); });
    server.listen(asio::ip::tcp::endpoint(asio::ip::address_v4::loopback(), 0));
    server.start_accept();
    asio::error_code error;
    auto const old_port = server.get_local_endpoint(error).port();
    TcpAcceptor acceptor{Endpoint{"127.0.0.1:0"}};
    acceptor.serve(hub.driver(0).first(), [&hub](TcpSocket socket) { hub.adopt(std::move(socket)); });
    std::thread loop([&] { context.run(); });
    {
        Peer old_client(old_port);
        old_client.send("only me");  // its session is open when this comes back
        CHECK(old_client.receive() == "only me");
        Peer new_client(acceptor.port());
        new_client.send("hello");
        CHECK(new_client.receive() == "hello");
        CHECK(old_client.receive() == "hello");
        old_client.send("hello too");
        CHECK(new_client.receive() == "hello too");
        old_client.send(std::string(2000, 'x'));
        CHECK(old_client.receive_close() == CloseCode::message_too_big);
    }
    context.stop();
    loop.join();
}

TEST_CASE("An adopted session knows who it is") {
    World<Asio> world({}, 2, 1, Loops::own, {.identity = {.user = "ada", .labels = {"staff"}}});
    auto const client = world.client("/here");
    CHECK(world.notes().has("open /here ada  127.0.0.1"));
    world.hub->publish(Target::user("ada"), Frame::text("to ada"));
    CHECK(client->receive() == "to ada");
    world.hub->publish(Target::label("staff"), Frame::text("to staff"));
    CHECK(client->receive() == "to staff");
}

TEST_CASE("The Close of an adopted session's client is told, to the hub and then to the program") {
    auto const told = std::make_shared<Notes>();
    World<Asio> world({}, 1, 1, Loops::own, {.on_close = [told](connection_hdl) { told->add("closed"); }});
    {
        auto const client = world.client();
        client->send_bytes(frame(0x8, std::string("\x0F\xA1", 2) + "see you"));
        CHECK(client->receive_close() == CloseCode{4001});
        CHECK(world.notes().wait_for("closed 4001 see you by peer"));
        CHECK(told->wait_for("closed"));
    }
    {
        auto const client = world.client();
        client->send_bytes(frame(0x8, ""));
        CHECK(world.notes().wait_for("closed 1005  by peer"));
    }
    { auto const client = world.client(); }
    CHECK(world.notes().wait_for("closed 1006 the connection was lost by network"));
    CHECK(told->wait_for("closed", 3));
}

TEST_CASE("What an adopted session was sent comes before its Close") {
    World<Asio> world;
    auto const client = world.client();
    for (int i = 0; i < 100; ++i) client->send("publish " + std::to_string(i));
    client->send("close");
    for (int i = 0; i < 100; ++i) CHECK(client->receive() == std::to_string(i));
    CHECK(client->receive_close() == CloseCode{4000});
    CHECK(world.notes().wait_for("closed 4000 bye by us"));
    check_sums(world.settled(0));
}

TEST_CASE("A hub that goes closes its adopted connections with 1001, and the endpoint lives on") {
    auto const loops = GENERATE(Loops::own, Loops::of_the_endpoint);
    auto const told = std::make_shared<Notes>();
    World<Asio> world({}, 1, 1, loops, {.on_close = [told](connection_hdl) { told->add("closed"); }});
    auto const client = world.client();
    world.end_hub();
    CHECK(client->receive_close() == CloseCode::going_away);
    CHECK(told->wait_for("closed"));
    CHECK(!world.notes().has("closed 1001  by us"));
}

TEST_CASE("A program keeps its handlers for pings, and for pongs that are not the hub's") {
    auto const told = std::make_shared<Notes>();
    World<Asio> world({}, 1, 1, Loops::own,
                      {.on_ping =
                           [told](connection_hdl, std::string payload) {
                               told->add("ping " + payload);
                               return payload != "silently";
                           },
                       .on_pong = [told](connection_hdl, std::string payload) { told->add("pong " + payload); }});
    auto const client = world.client();
    client->send_bytes(frame(0x9, "silently") + frame(0x9, "loudly") + frame(0xA, "unasked"));
    client->send("after");
    CHECK(client->receive() == "after");
    CHECK(told->all() == std::vector<std::string>{"ping silently", "ping loudly", "pong unasked"});
    CHECK(client->stream().pongs() == std::vector<std::string>{"loudly"});
}

TEST_CASE("An adopted session is pinged by the hub, and lives while it answers") {
    auto const told = std::make_shared<Notes>();
    World<Asio> world({.heartbeat = {.ping_after = std::chrono::milliseconds(100), .silence_limit = std::chrono::seconds(20)}},
                      1, 1, Loops::own, {.on_pong = [told](connection_hdl, std::string) { told->add("pong"); }});
    auto const client = world.client();
    CHECK(client->receive_pings(1));
    client->send_bytes(frame(0xA, ""));
    CHECK(client->receive_pings(2));  // it was heard, so that the next could come
    client->send("on");
    CHECK(client->receive() == "on");
    CHECK(!told->has("pong"));
}

TEST_CASE("A message that is too big for the hub ends an adopted session with 1009") {
    HubOptions<> options;
    options.message.message = 1000;
    World<Asio> world(options);
    auto const client = world.client();
    client->send(std::string(1000, 'x'));
    CHECK(client->receive().size() == 1000);
    SECTION("in one frame") { client->send(std::string(1001, 'x')); }
    SECTION("in a thousand and one") {
        std::string fragments = frame(0x1, "x", false);
        for (int i = 0; i < 1100; ++i) fragments += frame(0x0, "x", false);
        client->send_bytes(fragments);
    }
    CHECK(client->receive_close() == CloseCode::message_too_big);
    CHECK(world.notes().wait_for("closed 1009 A message was too large by us"));
}

TEST_CASE("A paused adopted session keeps what it was sent, within its bound, and loses nothing") {
    constexpr int all = 100;
    World<Asio> world({}, 1, 1, Loops::own, {.inbound_bytes = 10'000});
    auto const client = world.client();
    std::string const padding(60'000, ' ');
    client->send("pause");
    CHECK(world.notes().wait_for("paused"));
    std::atomic<int> sent{0};
    std::thread sender([&] {
        for (; sent < all; ++sent) client->send("note " + std::to_string(sent.load()) + padding);
    });
    while (sent == 0) std::this_thread::yield();
    for (int i = 0; i < 50; ++i) {  // writing goes on
        world.hub->publish("room", Frame::text("while it is paused"));
        CHECK(client->receive() == "while it is paused");
    }
    CHECK(!world.notes().has("0" + padding));
    CHECK(sent < all / 2);  // 3 MB are more than all that keeps bytes on the way
    world.hub->post(*world.handler.paused, [](auto& session) { session.resume_reading(); });
    sender.join();
    CHECK(world.notes().wait_for(std::to_string(all - 1) + padding));
    std::vector<std::string> expected;
    for (int i = 0; i < all; ++i) expected.push_back(std::to_string(i) + padding);
    auto notes = world.notes().all();
    notes.erase(std::remove_if(notes.begin(), notes.end(), [&](auto const& note) { return note.size() < padding.size(); }),
                notes.end());
    CHECK((notes == expected));
}

TEST_CASE("Who pings without reading does not fill websocketpp's queue") {
    World<Asio> world;
    auto const client = world.client("/", 4096);
    std::string pings;
    for (int i = 0; i < 1000; ++i) pings += frame(0x9, std::string(100, 'p'));
    for (int i = 0; i < 8; ++i) client->send_bytes(pings);
    client->send("note seen");
    CHECK(world.notes().wait_for("seen"));
    std::size_t buffered = 0;
    world.on_endpoint([&] { buffered = world.last.lock()->get_buffered_amount(); });
    CHECK(buffered <= 4096 + 200);
}

namespace {

/// What a topic does and where a session lives, chosen while it runs.
struct ChosenTopics {
    std::optional<OverflowAction> on_full;
    TopicOptions options_for(std::string_view) const noexcept { return {on_full}; }
};
struct Chosen : DefaultPolicy {
    using Topics = ChosenTopics;
    using Sharding = ByFunction;
};
HubOptions<Chosen> always_on(std::uint16_t shard) {
    HubOptions<Chosen> options;
    options.sharding = {[shard](SessionInfo const&, ShardCount) { return ShardIndex{shard}; }};
    return options;
}

ShardSnapshot stall(OverflowAction action, CloseCode& closed_with) {
    HubOptions<Chosen> options = always_on(0);
    options.topics.on_full = action;
    options.queue = {.bytes = 200'000, .messages = 100, .high_bytes = 100'000, .low_bytes = 10'000};
    World<Lean, Chosen> world(options);
    auto const reader = world.client();
    auto const stalled = world.client("/", 4096);
    std::string const text(10'000, 's');
    ShardSnapshot stuck;
    for (int i = 0; i < 300; ++i) {
        world.hub->publish("room", Frame::text(text), {.key = 1u + static_cast<std::uint64_t>(i % 3)});
        CHECK(reader->receive() == text);
    }
    stuck = world.sums();
    check_sums(stuck);
    // No more than one batch of ours is in websocketpp's hands, and the rest is in the queue.
    CHECK(stuck.pending <= 100);
    std::size_t buffered = 0;
    world.on_endpoint([&] { buffered = world.last.lock()->get_buffered_amount(); });
    CHECK(buffered <= 200'000);
    if (action == OverflowAction::disconnect) {
        closed_with = stalled->receive_close();
    } else {
        while (world.sums().pending) (void)stalled->receive();
    }
    ShardSnapshot const sums = world.settled(action == OverflowAction::disconnect ? 1 : 2);
    check_sums(sums);
    CHECK(sums.pending == 0);
    return sums;
}

}  // namespace

TEST_CASE("An adopted session that does not read is treated as the policy says, and each message is accounted for") {
    CloseCode code{};
    SECTION("disconnect") {
        auto const sums = stall(OverflowAction::disconnect, code);
        CHECK(code == CloseCode::try_again_later);
        CHECK(sums.delivery.dropped[static_cast<std::size_t>(DropReason::session_closed)] > 0);
    }
    SECTION("drop_newest") {
        auto const sums = stall(OverflowAction::drop_newest, code);
        CHECK(sums.delivery.dropped[static_cast<std::size_t>(DropReason::slow_consumer)] > 0);
    }
    SECTION("drop_oldest") {
        auto const sums = stall(OverflowAction::drop_oldest, code);
        CHECK(sums.delivery.dropped[static_cast<std::size_t>(DropReason::slow_consumer)] > 0);
    }
    SECTION("replace_key") {
        auto const sums = stall(OverflowAction::replace_key, code);
        CHECK(sums.delivery.dropped[static_cast<std::size_t>(DropReason::superseded)] > 0);
    }
}

TEST_CASE("The sharding policy chooses the shard of an adopted session") {
    World<Lean, Chosen> world(always_on(1), 3);
    auto const first = world.client(), second = world.client();
    CHECK(world.notes().wait_for("shard 1", 2));
    first->send("publish hello");
    CHECK(second->receive() == "hello");
}

TEST_CASE("An endpoint on four threads and publishers on four others lose nothing and keep each publisher's order") {
    constexpr int publishers = 4, each = 200;
    World<Asio> world({}, 2, 4);
    std::vector<std::unique_ptr<Peer>> clients;
    for (int i = 0; i < 8; ++i) clients.push_back(world.client());
    std::vector<std::thread> threads;
    for (int p = 0; p < publishers; ++p)
        threads.emplace_back([&world, p] {
            for (int i = 0; i < each; ++i)
                while (world.hub->publish("room", Frame::text(std::to_string(p) + " " + std::to_string(i))) !=
                       PublishResult::accepted)
                    std::this_thread::yield();
        });
    for (int p = 0; p < publishers; ++p)
        threads.emplace_back([&clients, p] {
            for (int i = 0; i < each; ++i)
                clients[static_cast<std::size_t>(p)]->send("publish c" + std::to_string(p) + " " + std::to_string(i));
        });
    for (std::size_t i = 0; i < 4; ++i) threads[i + 4].join();
    for (auto& client : clients) {
        std::map<std::string, int> next;
        for (int i = 0; i < 2 * publishers * each; ++i) {
            std::string const text = client->receive();
            std::size_t const space = text.find(' ');
            REQUIRE(space != std::string::npos);
            int& expected = next[text.substr(0, space)];
            if (text.substr(space + 1) != std::to_string(expected)) FAIL("out of order: " + text);
            ++expected;
        }
    }
    for (std::size_t i = 0; i < 4; ++i) threads[i].join();
    ShardSnapshot const sums = world.settled(8);
    CHECK(sums.delivery.written == 8u * 2 * publishers * each);
    check_sums(sums);
    // All go at once, by either side, while somebody goes on publishing.
    std::thread last([&world] {
        for (int i = 0; i < 200; ++i) world.hub->publish("room", Frame::text("going"));
    });
    for (std::size_t i = 0; i < 4; ++i) clients[i].reset();
    world.hub->close(Target::all(), CloseCode::going_away, "");
    for (std::size_t i = 4; i < 8; ++i) {
        CHECK(clients[i]->receive_close() == CloseCode::going_away);
    }
    last.join();
    check_sums(world.settled(0));
}

TEST_CASE("A hub may go while its endpoint's threads are busy with its connections") {
    for (int round = 0; round < 5; ++round) {
        World<Asio> world({}, 2, 4);
        std::vector<std::unique_ptr<Peer>> clients;
        for (int i = 0; i < 4; ++i) clients.push_back(world.client());
        std::thread speaker([&clients] {
            for (int i = 0; i < 200; ++i) clients[0]->send("publish " + std::to_string(i));
        });
        CHECK(clients[1]->receive() == "0");
        world.end_hub();
        speaker.join();
        for (std::size_t i = 1; i < 4; ++i) CHECK(clients[i]->receive_close() == CloseCode::going_away);
    }
}

TEST_CASE("A hub whose loop has stopped may go behind the endpoint of its connections") {
    using Server = websocketpp::server<Asio>;
    Runner loop;
    Obedient handler;
    auto endpoint = std::make_unique<Server>();
    Hub<AdoptedWebsocketpp<Server>> hub{loop.context, handler};
    endpoint->clear_access_channels(websocketpp::log::alevel::all);
    endpoint->clear_error_channels(websocketpp::log::elevel::all);
    endpoint->init_asio();
    endpoint->set_open_handler([&](connection_hdl hdl) { hub.adopt({endpoint->get_con_from_hdl(hdl), {}}); });
    endpoint->listen(asio::ip::tcp::endpoint(asio::ip::address_v4::loopback(), 0));
    endpoint->start_accept();
    websocketpp::lib::asio::error_code none;
    std::uint16_t const port = endpoint->get_local_endpoint(none).port();
    std::thread second([&] { endpoint->run(); });
    Peer const client(port);
    CHECK(handler.notes->wait_for("subscribed"));
    loop.join();
    endpoint->stop();
    second.join();
    endpoint.reset();
}
