// Step 4: the last alias is changed, and websocketpp is gone. Nothing else differs from step 3.
//   step4_native               serves ws://127.0.0.1:8080/ROOM and a page
//   step4_native --self-test
#include <chrono>
#include <cstdint>
#include <iostream>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include <hubbub/server/server.hpp>

#include "hear_each_other.hpp"

using namespace std::chrono_literals;

// [connection]
using Connection = hubbub::TcpConnection;
// [/connection]

// [rooms]
/// What the validate handler did.
struct NotPrivate {
    void authenticate(hubbub::http::Request const& request, hubbub::PeerAddress const&,
                      hubbub::Verdict<hubbub::Authenticated> verdict) {
        verdict.answer(request.path() == "/private"
                           ? hubbub::Authenticated::refused(hubbub::http::Status::forbidden, "this room is private")
                           : hubbub::Authenticated::as({}));
    }
};

struct RoomPolicy : hubbub::DefaultPolicy {
    using Auth = NotPrivate;
    using Overflow = hubbub::DropOldest;
    struct SessionData {
        std::string room;
    };
};

struct Rooms : hubbub::NoopHandler {
    void on_open(auto& session) {
        session.data().room = session.request()->path();
        session.subscribe(session.data().room);
    }
    void on_message(auto& session, hubbub::MessageView message) { session.publish(session.data().room, message); }
};
// [/rooms]

int main(int argc, char** argv) {
    bool const is_test = argc > 1 && std::string_view(argv[1]) == "--self-test";
    // [main]
    hubbub::HubOptions<RoomPolicy> options{.heartbeat = {.ping_after = 20s, .silence_limit = 30s},
                                           .queue = {.bytes = 256 * 1024, .messages = 100}};
    hubbub::Server<RoomPolicy, Connection> server{
        Rooms{}, {.port = static_cast<std::uint16_t>(is_test ? 0 : 8080), .threads = 1, .hub = std::move(options)}};
    server.routes().add("/", [](hubbub::http::Request const&) {
        return hubbub::http::Response(hubbub::http::Status::ok, "a page of hubbub\n");
    });
    // [/main]
    std::cout << "ws://127.0.0.1:" << server.port() << std::endl;
    if (!is_test) return server.run_until_signal(), 0;

    bool fine = true;
    std::thread client([&] {
        {
            hubbub::testing::SocketClient other(server.port(), "/blue");
            fine = hear_each_other(server.port(), "/red");
            other.send("alone");
            fine = fine && other.receive() == "alone" && is_forbidden(server.port(), "/private");
            fine = fine && hubbub::testing::SocketClient::get(server.port(), "/").ends_with("a page of hubbub\n");
        }
        server.stop();
    });
    server.run();
    client.join();
    return fine ? 0 : 1;
}
