// The smallest hub: each message goes back to who sent it.
//   01_echo [ADDRESS:PORT]     serves, 127.0.0.1:8080 by default
//   01_echo --self-test        connects to itself and ends
#include <iostream>
#include <string>
#include <string_view>
#include <thread>

#include <asio/connect.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/read_until.hpp>
#include <asio/write.hpp>

#include <hubbub/hub/hub.hpp>
#include <hubbub/transport/tcp/asio_loop.hpp>
#include <hubbub/transport/tcp/tcp_acceptor.hpp>
#include <hubbub/transport/tcp/tcp_connection.hpp>
#include <hubbub/ws/encoder.hpp>

struct Echo : hubbub::NoopHandler {
    void on_message(auto& session, hubbub::MessageView message) { session.send(message); }
};

/// A client that needs nothing but a socket. True if "hello" came back.
static bool hear_echo(std::uint16_t port) {
    asio::io_context context;
    asio::ip::tcp::socket socket(context);
    socket.connect({asio::ip::make_address("127.0.0.1"), port});
    std::string out =
        "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
    out += hubbub::ws::encode_frame(hubbub::ws::ClientFrame::text("hello"));
    asio::write(socket, asio::buffer(out));
    std::string in;
    asio::read_until(socket, asio::dynamic_buffer(in), "hello");
    return in.starts_with("HTTP/1.1 101") && in.ends_with("\x81\x05hello");
}

int main(int argc, char** argv) {
    std::string_view const argument = argc > 1 ? argv[1] : "127.0.0.1:8080";
    bool const self_test = argument == "--self-test";

    asio::io_context context;
    hubbub::AsioLoop loop{context};
    hubbub::Hub<hubbub::TcpConnection> hub{loop, Echo{}};
    hubbub::TcpAcceptor acceptor{hubbub::Endpoint{self_test ? "127.0.0.1:0" : argument}};
    acceptor.serve(hub.driver(0), [&hub](hubbub::TcpSocket socket) { hub.adopt(std::move(socket)); });

    if (!self_test) {
        std::cout << "ws://127.0.0.1:" << acceptor.port() << std::endl;
        context.run();
        return 0;
    }
    bool heard = false;
    std::thread client([&] {
        heard = hear_echo(acceptor.port());
        context.stop();
    });
    context.run();
    client.join();
    return heard ? 0 : 1;
}
