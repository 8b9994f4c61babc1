// A hub inside a program that has an Asio loop of its own: the loop's other work goes on beside it.
//   03_own_loop               serves ws://127.0.0.1:8080, and tells the time each second
//   03_own_loop --self-test
#include <chrono>
#include <ctime>
#include <iostream>
#include <string>
#include <string_view>
#include <thread>

#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>

#include <hubbub/hub/hub.hpp>
#include <hubbub/testing/socket_client.hpp>
#include <hubbub/transport/tcp/asio_loop.hpp>
#include <hubbub/transport/tcp/tcp_acceptor.hpp>
#include <hubbub/transport/tcp/tcp_connection.hpp>

struct Listener : hubbub::NoopHandler {
    void on_open(auto& session) { session.subscribe("time"); }
};

// [clock]
/// What the host did before there was a hub; now it publishes too.
class Clock {
   public:
    Clock(asio::io_context& context, hubbub::Hub<hubbub::TcpConnection>& hub, std::chrono::milliseconds interval)
        : timer_(context), hub_(hub), interval_(interval) {
        tick();
    }

   private:
    void tick() {
        hub_.publish("time", hubbub::Frame::text(std::to_string(std::time(nullptr))));
        timer_.expires_after(interval_);
        timer_.async_wait([this](asio::error_code error) {
            if (!error) tick();
        });
    }
    asio::steady_timer timer_;
    hubbub::Hub<hubbub::TcpConnection>& hub_;
    std::chrono::milliseconds interval_;
};
// [/clock]

int main(int argc, char** argv) {
    bool const is_test = argc > 1 && std::string_view(argv[1]) == "--self-test";

    // [own_loop]
    asio::io_context context;  // the host's
    hubbub::Hub<hubbub::TcpConnection> hub{context, Listener{}};
    hubbub::TcpAcceptor acceptor{hubbub::Endpoint{is_test ? "127.0.0.1:0" : "127.0.0.1:8080"}};
    acceptor.serve(hub.driver(0), [&hub](hubbub::TcpSocket socket) { hub.adopt(std::move(socket)); });
    // [/own_loop]
    Clock const clock(context, hub, std::chrono::milliseconds(is_test ? 10 : 1000));

    bool fine = true;
    std::thread client;
    if (is_test) {
        client = std::thread([&] {
            fine = std::stoll(hubbub::testing::SocketClient(acceptor.port()).receive()) > 0;
            context.stop();
        });
    } else {
        std::cout << "ws://127.0.0.1:" << acceptor.port() << std::endl;
    }
    context.run();
    if (client.joinable()) client.join();
    return fine ? 0 : 1;
}
