// A server on websocketpp as its broadcast example has it: a set of handles under a lock, and a send for each of them. Only the log,
// which would write two lines for each message, is off.
#include <memory>
#include <mutex>
#include <set>

#include <websocketpp/config/asio_no_tls.hpp>
#include <websocketpp/server.hpp>

#include "websocketpp_peer.hpp"

namespace {

using Server = websocketpp::server<websocketpp::config::asio>;
using Handle = websocketpp::connection_hdl;

class Peer {
   public:
    explicit Peer(peer::Arguments const& arguments) {
        server_.clear_access_channels(websocketpp::log::alevel::all);
        server_.clear_error_channels(websocketpp::log::elevel::all);
        server_.init_asio();
        server_.set_open_handler([this](Handle handle) {
            std::lock_guard<std::mutex> const lock(mutex_);
            handles_.insert(handle);
        });
        server_.set_close_handler([this](Handle handle) {
            std::lock_guard<std::mutex> const lock(mutex_);
            handles_.erase(handle);
        });
        if (arguments.is_echo)
            server_.set_message_handler([this](Handle handle, Server::message_ptr message) { send(handle, message); });
        else
            server_.set_message_handler([this](Handle, Server::message_ptr message) {
                std::lock_guard<std::mutex> const lock(mutex_);
                for (auto const& handle : handles_) send(handle, message);
            });
        peer::serve(server_, arguments);
    }

   private:
    void send(Handle handle, Server::message_ptr const& message) {
        websocketpp::lib::error_code gone;  // who has left in the meantime is no trouble
        server_.send(handle, message, gone);
    }

    std::mutex mutex_;
    std::set<Handle, std::owner_less<Handle>> handles_;
    Server server_;
};

}  // namespace

int main(int argc, char** argv) {
    Peer const peer(peer::parse(argc, argv));
    return 0;
}
