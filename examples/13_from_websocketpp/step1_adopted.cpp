// Step 1: the same server, whose connections a hub adopts when they are open. A topic takes the place of the set of handles and of the
// loop over it; listening, HTTP, TLS and all other handlers stay where they are.
//   step1_adopted               serves ws://127.0.0.1:8080
//   step1_adopted --self-test
#include <hubbub/transport/websocketpp/compat.hpp>  // before websocketpp's own
//
#include <websocketpp/config/asio_no_tls.hpp>
#include <websocketpp/server.hpp>

#include <cstdint>
#include <iostream>
#include <string_view>
#include <thread>

#include <hubbub/hub/hub.hpp>
#include <hubbub/transport/websocketpp/adopted_connection.hpp>

#include "hear_each_other.hpp"

// [server]
using OldServer = websocketpp::server<websocketpp::config::asio>;
using Handle = websocketpp::connection_hdl;

struct Broadcast : hubbub::NoopHandler {
    void on_open(auto& session) { session.subscribe("all"); }
    void on_message(auto& session, hubbub::MessageView message) { session.publish("all", message); }
};
// [/server]

int main(int argc, char** argv) {
    bool const is_test = argc > 1 && std::string_view(argv[1]) == "--self-test";
    // [main]
    OldServer endpoint;
    endpoint.clear_access_channels(websocketpp::log::alevel::all);
    endpoint.init_asio();
    hubbub::Hub<hubbub::AdoptedWebsocketpp<OldServer>> hub{endpoint.get_io_service(), Broadcast{}};
    endpoint.set_open_handler([&](Handle hdl) { hub.adopt(endpoint.get_con_from_hdl(hdl)); });
    endpoint.set_reuse_addr(true);
    endpoint.listen(asio::ip::tcp::endpoint(asio::ip::address_v4::loopback(), is_test ? 0 : 8080));
    endpoint.start_accept();
    // [/main]
    asio::error_code error;
    std::uint16_t const port = endpoint.get_local_endpoint(error).port();
    std::cout << "ws://127.0.0.1:" << port << std::endl;

    bool fine = true;
    std::thread client;
    if (is_test) {
        client = std::thread([&] {
            fine = hear_each_other(port);
            endpoint.stop();
        });
    }
    endpoint.run();
    if (client.joinable()) client.join();
    return fine ? 0 : 1;
}
