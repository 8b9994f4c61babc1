// A server on websocketpp that is as quick as its interface allows: one thread and no locks, no log, no timers, no extension,
// TCP_NODELAY; a message that has been received is given the header of a server's frame and sent to all as it is.
#include <algorithm>
#include <vector>

#include <websocketpp/concurrency/none.hpp>
#include <websocketpp/config/asio_no_tls.hpp>
#include <websocketpp/frame.hpp>
#include <websocketpp/logger/stub.hpp>
#include <websocketpp/server.hpp>

#include "websocketpp_peer.hpp"

namespace {

struct Config : websocketpp::config::asio {
    using type = Config;
    using concurrency_type = websocketpp::concurrency::none;
    using alog_type = websocketpp::log::stub;
    using elog_type = websocketpp::log::stub;
    static bool const enable_extensions = false;
    static long const timeout_open_handshake = 0;
    static long const timeout_close_handshake = 0;
    static long const timeout_pong = 0;

    struct transport_config : websocketpp::config::asio::transport_config {
        using concurrency_type = type::concurrency_type;
        using alog_type = type::alog_type;
        using elog_type = type::elog_type;
        static bool const enable_multithreading = false;
        static long const timeout_socket_post_init = 0;
    };
    using transport_type = websocketpp::transport::asio::endpoint<transport_config>;
};
using Server = websocketpp::server<Config>;
using Handle = websocketpp::connection_hdl;

/// A frame of a server, of a message as it came.
void prepare(Config::message_type& message) {
    std::size_t const size = message.get_payload().size();
    message.set_header(websocketpp::frame::prepare_header(
        websocketpp::frame::basic_header(message.get_opcode(), size, true, false), websocketpp::frame::extended_header(size)));
    message.set_prepared(true);
}

class Peer {
   public:
    explicit Peer(peer::Arguments const& arguments) {
        server_.init_asio();
        server_.set_tcp_post_init_handler([this](Handle handle) {  // in the socket init handler the socket is not open yet
            asio::error_code gone;
            server_.get_con_from_hdl(handle)->get_raw_socket().set_option(asio::ip::tcp::no_delay(true), gone);
        });
        if (arguments.is_echo) {
            server_.set_message_handler([this](Handle handle, Server::message_ptr message) {
                prepare(*message);
                server_.get_con_from_hdl(handle)->send(message);
            });
        } else {
            server_.set_open_handler([this](Handle handle) { connections_.push_back(server_.get_con_from_hdl(handle)); });
            server_.set_close_handler([this](Handle handle) {
                auto const gone = std::find(connections_.begin(), connections_.end(), server_.get_con_from_hdl(handle));
                if (gone == connections_.end()) return;
                *gone = connections_.back();
                connections_.pop_back();
            });
            server_.set_message_handler([this](Handle, Server::message_ptr message) {
                prepare(*message);
                for (auto const& connection : connections_) connection->send(message);
            });
        }
        peer::serve(server_, arguments);
    }

   private:
    Server server_;
    std::vector<Server::connection_ptr> connections_;
};

}  // namespace

int main(int argc, char** argv) {
    Peer const peer(peer::parse(argc, argv));
    return 0;
}
