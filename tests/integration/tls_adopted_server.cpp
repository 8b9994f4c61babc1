// A websocketpp::server over TLS on two threads, whose connections a hub with a loop of its own adopts; until SIGTERM.
//   hubbub_tls_adopted_server CERTIFICATE_AND_KEY.pem
#include <hubbub/transport/websocketpp/compat.hpp>
//
#include <websocketpp/config/asio.hpp>
#include <websocketpp/server.hpp>

#include <iostream>
#include <memory>
#include <thread>

#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <asio/signal_set.hpp>

#include <hubbub/hub/hub.hpp>
#include <hubbub/transport/websocketpp/adopted_connection.hpp>

namespace {
using Secure = websocketpp::server<websocketpp::config::asio_tls>;
using Handle = websocketpp::connection_hdl;
namespace tls = websocketpp::lib::asio::ssl;

struct Room : hubbub::NoopHandler {
    void on_open(auto& session) { session.subscribe("room"); }
    void on_message(auto& session, hubbub::MessageView message) { session.publish("room", message); }
};
}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) return std::cerr << "usage: " << argv[0] << " CERTIFICATE_AND_KEY.pem\n", 2;
    asio::io_context context;
    auto work = asio::make_work_guard(context);
    hubbub::HubOptions<> options;
    options.message.message = 200'000;
    Secure endpoint;  // outlives the hub
    hubbub::Hub<hubbub::AdoptedWebsocketpp<Secure>> hub{context, Room{}, options};
    std::thread loop([&] { context.run(); });

    endpoint.clear_access_channels(websocketpp::log::alevel::all);
    endpoint.clear_error_channels(websocketpp::log::elevel::all);
    endpoint.init_asio();
    endpoint.set_tls_init_handler([path = argv[1]](Handle const&) {
        auto const server = std::make_shared<tls::context>(tls::context::tls_server);
        server->use_certificate_chain_file(path);
        server->use_private_key_file(path, tls::context::pem);
        return server;
    });
    endpoint.set_open_handler([&](Handle const& handle) { hub.adopt(endpoint.get_con_from_hdl(handle)); });
    endpoint.listen(asio::ip::tcp::endpoint(asio::ip::address_v4::loopback(), 0));
    endpoint.start_accept();
    asio::signal_set signals(endpoint.get_io_service(), SIGTERM);
    signals.async_wait([&](asio::error_code const& error, int) {
        if (error) return;
        websocketpp::lib::error_code ignored;
        endpoint.stop_listening(ignored);
        hub.drain({.code = hubbub::CloseCode::service_restart}, [&] { endpoint.stop(); });
    });
    asio::error_code error;
    std::cout << "listening on port " << endpoint.get_local_endpoint(error).port() << std::endl;
    std::thread second([&] { endpoint.run(); });
    endpoint.run();
    second.join();
    work.reset();
    context.stop();
    loop.join();
}
