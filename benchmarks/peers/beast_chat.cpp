// A server on Boost.Beast in the design of its chat example: a set of sessions under a mutex, a queue of shared strings for each
// session, one asynchronous write after the other. What differs: no web page, TCP_NODELAY, and one thread.
#include <csignal>
#include <cstdint>
#include <deque>
#include <iostream>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include <boost/asio/dispatch.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/strand.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/websocket.hpp>

#include "peer_arguments.hpp"

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace websocket = boost::beast::websocket;
using Error = beast::error_code;
using Message = std::shared_ptr<std::string const>;

class Session;

/// Who is there.
class Room {
   public:
    void join(Session* session) {
        std::lock_guard<std::mutex> const lock(mutex_);
        sessions_.insert(session);
    }
    void leave(Session* session) {
        std::lock_guard<std::mutex> const lock(mutex_);
        sessions_.erase(session);
    }
    void send_to_all(Message const& message);

   private:
    std::mutex mutex_;
    std::unordered_set<Session*> sessions_;
};

class Session : public std::enable_shared_from_this<Session> {
   public:
    Session(asio::ip::tcp::socket socket, Room& room, bool is_echo)
        : stream_(std::move(socket)), room_(room), is_echo_(is_echo) {}
    ~Session() { room_.leave(this); }
    Session(Session const&) = delete;
    Session& operator=(Session const&) = delete;

    void start() {
        stream_.set_option(websocket::stream_base::timeout::suggested(beast::role_type::server));
        stream_.async_accept([self = shared_from_this()](Error error) {
            if (error) return;
            self->stream_.binary(true);
            if (!self->is_echo_) self->room_.join(self.get());
            self->read();
        });
    }

    void send(Message const& message) {
        asio::post(stream_.get_executor(), [self = shared_from_this(), message] { self->enqueue(message); });
    }

   private:
    void read() {
        stream_.async_read(buffer_, [self = shared_from_this()](Error error, std::size_t) {
            if (error) return;
            auto const message = std::make_shared<std::string const>(beast::buffers_to_string(self->buffer_.data()));
            self->buffer_.consume(self->buffer_.size());
            if (self->is_echo_)
                self->enqueue(message);
            else
                self->room_.send_to_all(message);
            self->read();
        });
    }
    void enqueue(Message message) {
        queue_.push_back(std::move(message));
        if (queue_.size() == 1) write();
    }
    void write() {
        stream_.async_write(asio::buffer(*queue_.front()), [self = shared_from_this()](Error error, std::size_t) {
            if (error) return;
            self->queue_.pop_front();
            if (!self->queue_.empty()) self->write();
        });
    }

    websocket::stream<beast::tcp_stream> stream_;
    Room& room_;
    bool is_echo_;
    beast::flat_buffer buffer_;
    std::deque<Message> queue_;
};

void Room::send_to_all(Message const& message) {
    // Who is being destroyed in another thread is not locked; sending happens outside of the mutex.
    std::vector<std::weak_ptr<Session>> sessions;
    {
        std::lock_guard<std::mutex> const lock(mutex_);
        sessions.reserve(sessions_.size());
        for (Session* session : sessions_) sessions.push_back(session->weak_from_this());
    }
    for (auto const& weak : sessions)
        if (auto const session = weak.lock()) session->send(message);
}

class Listener {
   public:
    Listener(asio::io_context& context, peer::Arguments const& arguments)
        : context_(context),
          acceptor_(context, {asio::ip::address_v4::loopback(), arguments.port}),
          is_echo_(arguments.is_echo) {
        accept();
    }
    std::uint16_t port() const { return acceptor_.local_endpoint().port(); }

   private:
    void accept() {
        acceptor_.async_accept(asio::make_strand(context_), [this](Error error, asio::ip::tcp::socket socket) {
            if (!error) {
                Error gone;
                socket.set_option(asio::ip::tcp::no_delay(true), gone);
                std::make_shared<Session>(std::move(socket), room_, is_echo_)->start();
            }
            if (acceptor_.is_open()) accept();
        });
    }

    asio::io_context& context_;
    asio::ip::tcp::acceptor acceptor_;
    Room room_;
    bool is_echo_;
};

}  // namespace

int main(int argc, char** argv) {
    peer::Arguments const arguments = peer::parse(argc, argv);
    asio::io_context context;
    Listener const listener(context, arguments);
    asio::signal_set signals(context, SIGTERM, SIGINT);
    signals.async_wait([&context](Error, int) { context.stop(); });
    std::cout << "listening on port " << listener.port() << std::endl;
    context.run();
    std::quick_exit(0);  // the sessions that still wait for the context would look for their room
}
