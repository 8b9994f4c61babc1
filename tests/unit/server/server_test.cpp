#include <hubbub/server/server.hpp>

#include <csignal>
#include <filesystem>
#include <string>
#include <system_error>
#include <thread>

#include <unistd.h>

#include <asio/connect.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/local/stream_protocol.hpp>
#include <asio/read.hpp>
#include <asio/read_until.hpp>
#include <asio/write.hpp>

#include <hubbub/ws/encoder.hpp>

#include "tests/support/catch.hpp"

using namespace hubbub;

namespace {

struct Echo : NoopHandler {
    void on_message(auto& session, MessageView message) { session.send(message); }
};

/// A client over TCP or a Unix socket.
template <class Protocol>
class Client {
   public:
    explicit Client(typename Protocol::endpoint const& to) : socket_(context_) { socket_.connect(to); }

    std::string upgrade() {
        say("GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n");
        asio::read_until(socket_, asio::dynamic_buffer(in_), "\r\n\r\n");
        return std::exchange(in_, {}).substr(0, 12);
    }
    void say(std::string const& bytes) { asio::write(socket_, asio::buffer(bytes)); }
    std::string hear(std::size_t bytes) {
        std::string heard(bytes, '\0');
        asio::read(socket_, asio::buffer(heard));
        return heard;
    }
    std::string hear_to_end() {
        asio::error_code end;
        asio::read(socket_, asio::dynamic_buffer(in_), end);
        return in_;
    }

   private:
    asio::io_context context_;
    typename Protocol::socket socket_;
    std::string in_;
};
using TcpClient = Client<asio::ip::tcp>;
asio::ip::tcp::endpoint local(std::uint16_t port) { return {asio::ip::make_address("127.0.0.1"), port}; }

std::string const hello = ws::encode_frame(ws::ClientFrame::text("hello"));
std::string const echo = "\x81\x05hello";

}  // namespace

TEST_CASE("A server serves over all its threads, and closes its clients with 1012 when it is stopped", "[tcp]") {
    ServerOptions options{.port = 0, .threads = 3};
    options.hub.connections.per_address = 0;
    Server server{Echo{}, options};
    std::thread runner([&] { server.run(); });
    std::vector<std::unique_ptr<TcpClient>> clients;
    for (int i = 0; i < 20; ++i) {
        clients.push_back(std::make_unique<TcpClient>(local(server.port())));
        CHECK(clients.back()->upgrade() == "HTTP/1.1 101");
        clients.back()->say(hello);
        CHECK(clients.back()->hear(7) == echo);
    }
    server.stop();
    server.stop();
    for (auto& client : clients) {
        std::string const close = client->hear(4);
        CHECK(close.substr(0, 1) == "\x88");
        CHECK(close.substr(2) == "\x03\xF4");  // 1012
        client->say(ws::encode_frame(ws::ClientFrame::make(ws::Opcode::close, "\x03\xF4")));
        client->hear_to_end();
    }
    clients.clear();
    runner.join();
    CHECK_THROWS_AS(TcpClient(local(server.port())), std::system_error);
}

TEST_CASE("A signal ends a server as stop does", "[tcp]") {
    Server server{Echo{}, {.port = 0, .threads = 2}};
    std::thread client([port = server.port()] {
        TcpClient one(local(port));
        one.upgrade();
        one.say(hello);
        one.hear(7);
        ::kill(::getpid(), SIGTERM);
        CHECK(one.hear(4).substr(2) == "\x03\xF4");
        one.say(ws::encode_frame(ws::ClientFrame::make(ws::Opcode::close, "\x03\xF4")));
        one.hear_to_end();
    });
    server.run_until_signal();
    client.join();
}

TEST_CASE("A server that nobody runs ends all the same", "[tcp]") {
    Server server{Echo{}, {.port = 0, .threads = 2}};
    TcpClient client(local(server.port()));
    server.stop();
}

TEST_CASE("A server has pages, and listens on a Unix socket too", "[tcp]") {
    auto const path = std::filesystem::temp_directory_path() / ("hubbub-server-" + std::to_string(::getpid()));
    Server server{Echo{}, {.port = 0, .listen = {"unix:" + path.string()}, .threads = 1}};
    server.routes().add("/hi", [](http::Request const&) { return http::Response(http::Status::ok, "there\n"); });
    std::thread runner([&] { server.run(); });
    {
        TcpClient page(local(server.port()));
        page.say("GET /hi HTTP/1.1\r\nHost: localhost\r\n\r\n");
        std::string const answer = page.hear_to_end();
        CHECK(answer.starts_with("HTTP/1.1 200"));
        CHECK(answer.ends_with("\r\n\r\nthere\n"));
        TcpClient none(local(server.port()));
        none.say("GET /ho HTTP/1.1\r\nHost: localhost\r\n\r\n");
        CHECK(none.hear_to_end().starts_with("HTTP/1.1 404"));
        Client<asio::local::stream_protocol> unix_client(path.string());
        CHECK(unix_client.upgrade() == "HTTP/1.1 101");
        unix_client.say(hello);
        CHECK(unix_client.hear(7) == echo);
    }
    server.stop();
    runner.join();
    std::filesystem::remove(path);
}

TEST_CASE("A server that cannot listen, or has wrong options, says why", "[tcp]") {
    Server first{Echo{}, {.port = 0, .threads = 1}};
    auto const refusal = [](ServerOptions options) -> std::string {
        try {
            Server server{Echo{}, std::move(options)};
        } catch (std::exception const& error) {
            return error.what();
        }
        return "";
    };
    std::string const taken = refusal({.port = first.port()});
    CHECK(taken.find("127.0.0.1:" + std::to_string(first.port())) != std::string::npos);
    CHECK(refusal({.threads = 65}).find("ServerOptions::threads") != std::string::npos);
    ServerOptions wrong;
    wrong.hub.queue.messages = 0;
    CHECK(refusal(wrong).find("queue.messages") != std::string::npos);
    CHECK(refusal({.address = "nowhere"}).find("nowhere") != std::string::npos);
}
