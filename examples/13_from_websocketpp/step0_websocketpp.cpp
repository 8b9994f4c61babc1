// Step 0: a broadcast server on websocketpp, as people have it. It knows its connections, and sends to each of them. The first line is
// all that is new: with it, g++ 11 to 13 compile it as C++20.
//   step0_websocketpp               serves ws://127.0.0.1:8080
//   step0_websocketpp --self-test
// [includes]
#include <hubbub/transport/websocketpp/compat.hpp>  // before websocketpp's own
//
#include <websocketpp/config/asio_no_tls.hpp>
#include <websocketpp/server.hpp>
// [/includes]
#include <cstdint>
#include <iostream>
#include <memory>
#include <set>
#include <string_view>
#include <thread>

#include "hear_each_other.hpp"

// [server]
using OldServer = websocketpp::server<websocketpp::config::asio>;
using Handle = websocketpp::connection_hdl;

class Broadcast {
   public:
    explicit Broadcast(OldServer& endpoint) {
        endpoint.set_open_handler([this](Handle hdl) { connections_.insert(hdl); });
        endpoint.set_close_handler([this](Handle hdl) { connections_.erase(hdl); });
        endpoint.set_message_handler([this, &endpoint](Handle, OldServer::message_ptr message) {
            for (Handle const& each : connections_) {
                websocketpp::lib::error_code gone;
                endpoint.send(each, message, gone);  // one copy each, in a queue without a bound
            }
        });
    }

   private:
    std::set<Handle, std::owner_less<Handle>> connections_;
};
// [/server]

int main(int argc, char** argv) {
    bool const is_test = argc > 1 && std::string_view(argv[1]) == "--self-test";
    // [main]
    OldServer endpoint;
    endpoint.clear_access_channels(websocketpp::log::alevel::all);
    endpoint.init_asio();
    Broadcast const broadcast(endpoint);
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
