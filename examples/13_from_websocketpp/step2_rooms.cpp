// Step 2: what the hub is for. A room for each path, a queue with a bound, a heartbeat; and the server's own handlers stay: those that
// the hub does not need as they were, and those that it takes over as options.
//   step2_rooms               serves ws://127.0.0.1:8080/ROOM and a page
//   step2_rooms --self-test
#include <hubbub/transport/websocketpp/compat.hpp>  // before websocketpp's own
//
#include <websocketpp/config/asio_no_tls.hpp>
#include <websocketpp/server.hpp>

#include <chrono>
#include <cstdint>
#include <iostream>
#include <string>
#include <string_view>
#include <thread>

#include <hubbub/hub/hub.hpp>
#include <hubbub/transport/websocketpp/adopted_connection.hpp>

#include "hear_each_other.hpp"

using OldServer = websocketpp::server<websocketpp::config::asio>;
using Handle = websocketpp::connection_hdl;
using namespace std::chrono_literals;

// [rooms]
struct RoomPolicy : hubbub::DefaultPolicy {
    using Overflow = hubbub::DropOldest;  // who is slow misses some, and is counted
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
    std::uint64_t gone = 0;
    // [main]
    OldServer endpoint;
    endpoint.clear_access_channels(websocketpp::log::alevel::all);
    endpoint.init_asio();
    hubbub::Hub<hubbub::AdoptedWebsocketpp<OldServer>, RoomPolicy> hub{
        endpoint.get_io_service(),
        Rooms{},
        {.heartbeat = {.ping_after = 20s, .silence_limit = 30s}, .queue = {.bytes = 256 * 1024, .messages = 100}}};
    endpoint.set_validate_handler([&](Handle hdl) {
        auto const connection = endpoint.get_con_from_hdl(hdl);
        bool const is_private = connection->get_resource() == "/private";
        if (is_private) connection->set_status(websocketpp::http::status_code::forbidden);
        return !is_private;
    });
    endpoint.set_http_handler([&](Handle hdl) {
        auto const connection = endpoint.get_con_from_hdl(hdl);
        connection->set_body("a page of websocketpp\n");
        connection->set_status(websocketpp::http::status_code::ok);
    });
    endpoint.set_open_handler([&](Handle hdl) {
        hub.adopt(
            {endpoint.get_con_from_hdl(hdl), {.on_close = [&gone](Handle) { ++gone; }, .identity = {.user = "somebody"}}});
    });
    // [/main]
    endpoint.set_reuse_addr(true);
    endpoint.listen(asio::ip::tcp::endpoint(asio::ip::address_v4::loopback(), is_test ? 0 : 8080));
    endpoint.start_accept();
    asio::error_code error;
    std::uint16_t const port = endpoint.get_local_endpoint(error).port();
    std::cout << "ws://127.0.0.1:" << port << std::endl;

    bool fine = true;
    std::thread client;
    if (is_test) {
        client = std::thread([&] {
            hubbub::testing::SocketClient other(port, "/blue");
            fine = hear_each_other(port, "/red");
            other.send("alone");
            fine = fine && other.receive() == "alone" && is_forbidden(port, "/private");
            fine = fine && hubbub::testing::SocketClient::get(port, "/").ends_with("a page of websocketpp\n");
            endpoint.stop();
        });
    }
    endpoint.run();
    if (client.joinable()) client.join();
    std::cout << gone << " have left" << std::endl;
    return fine ? 0 : 1;
}
