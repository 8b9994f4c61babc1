// Orders that nobody misses: who comes back gets what was published meanwhile, and everybody is told who is there.
//   16_recovery               serves ws://127.0.0.1:8080
//   16_recovery --self-test
#include <chrono>
#include <iostream>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <thread>

#include <hubbub/server/server.hpp>
#include <hubbub/testing/socket_client.hpp>

// [codec]
/// What subscribers are sent: "order EPOCH OFFSET text". With the last of these a client comes back.
struct Numbered {
    hubbub::Frame publication(hubbub::PublicationInfo const& info, hubbub::MessageView message) const {
        return hubbub::Frame::text("order " + std::to_string(info.position.epoch) + ' ' + std::to_string(info.position.offset) +
                                   ' ' + std::string(message.view()));
    }
    std::optional<hubbub::Frame> gap_notice(std::uint64_t missed) const {
        return hubbub::Frame::text("missed " + std::to_string(missed));
    }
    std::optional<hubbub::Frame> presence(hubbub::PresenceChange const& change) const {
        return hubbub::Frame::text("there are " + std::to_string(change.sessions));
    }
};
// [/codec]

// [policy]
struct OrdersPolicy : hubbub::DefaultPolicy {
    using Topics = hubbub::TopicsByName;
    using Codec = Numbered;
};

static hubbub::HubOptions<OrdersPolicy> options() {
    using namespace std::chrono_literals;
    hubbub::HubOptions<OrdersPolicy> result;
    result.topics.names = {{"orders", {.history = {.messages = 1000, .age = 5min}, .presence = {.kept = true}}}};
    return result;
}
// [/policy]

// [handler]
struct Orders : hubbub::NoopHandler {
    /// "from" for the newest ten, "from EPOCH OFFSET" to go on there, or a new order.
    void on_message(auto& session, hubbub::MessageView message) {
        std::istringstream words{std::string(message.view())};
        std::string from;
        hubbub::Position position;
        if (words >> from && from != "from") return void(session.publish("orders", message));
        if (words >> position.epoch >> position.offset)
            session.subscribe("orders", {.since = position});
        else
            session.subscribe("orders", {.newest = 10});
    }
    void on_subscribed(auto& session, hubbub::Subscription const& told) {
        session.send(told.recovered ? "you have missed nothing" : "this is what there is");
    }
};
// [/handler]

static int test() {
    hubbub::Server<OrdersPolicy> server{Orders{}, {.port = 0, .threads = 2, .hub = options()}};
    std::thread runner([&] { server.run(); });
    bool fine = true;
    std::string last;
    {
        hubbub::testing::SocketClient phone(server.port());
        phone.send("from");
        fine = fine && phone.receive() == "this is what there is";
        phone.send("one coffee");
        last = phone.receive();
        fine = fine && last.starts_with("order ") && last.ends_with(" 1 one coffee");
    }
    {
        hubbub::testing::SocketClient shop(server.port());  // while the phone is in a tunnel
        shop.send("two teas");
        shop.send("three cakes");
        hubbub::testing::SocketClient phone(server.port());
        std::string const epoch = last.substr(6, last.find(' ', 6) - 6);
        phone.send("from " + epoch + " 1");
        fine = fine && phone.receive() == "you have missed nothing";
        fine = fine && phone.receive() == "order " + epoch + " 2 two teas";
        fine = fine && phone.receive() == "order " + epoch + " 3 three cakes";
        fine = fine && phone.receive() == "there are 1";  // who publishes need not subscribe
    }
    server.stop();
    runner.join();
    return fine ? 0 : 1;
}

int main(int argc, char** argv) {
    if (argc > 1 && std::string_view(argv[1]) == "--self-test") return test();
    hubbub::Server<OrdersPolicy> server{Orders{}, {.port = 8080, .hub = options()}};
    std::cout << "ws://127.0.0.1:" << server.port() << std::endl;
    server.run_until_signal();
}
