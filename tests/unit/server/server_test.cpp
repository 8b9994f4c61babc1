#include <hubbub/server/server.hpp>

#include <csignal>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include <unistd.h>

#include <asio/local/stream_protocol.hpp>
#include <asio/read_until.hpp>
#include <asio/write.hpp>

#include <hubbub/testing/socket_client.hpp>

#include "tests/support/catch.hpp"

using namespace hubbub;
using testing::SocketClient;

namespace {

struct Echo : NoopHandler {
    void on_message(auto& session, MessageView message) { session.send(message); }
};

std::string refusal(ServerOptions<> options) {
    try {
        Server const server{Echo{}, std::move(options)};
    } catch (std::exception const& error) {
        return error.what();
    }
    return "";
}

}  // namespace

TEST_CASE("A server serves over all its threads, and closes its clients with 1012 when it is stopped", "[tcp]") {
    Server server{Echo{}, {.port = 0, .threads = 3}};
    std::thread runner([&] { server.run(); });
    std::vector<std::unique_ptr<SocketClient>> clients;
    for (int i = 0; i < 20; ++i) {
        clients.push_back(std::make_unique<SocketClient>(server.port()));
        clients.back()->send("hello");
        CHECK(clients.back()->receive() == "hello");
    }
    server.stop();
    server.stop();
    for (auto& client : clients) CHECK(client->receive_close() == CloseCode::service_restart);
    clients.clear();
    runner.join();
    CHECK_THROWS_AS(SocketClient(server.port()), std::system_error);
}

TEST_CASE("A signal ends a server as stop does", "[tcp]") {
    Server server{Echo{}, {.port = 0, .threads = 2}};
    CloseCode code{};
    std::thread client([&code, port = server.port()] {
        SocketClient one(port);
        one.send("hello");
        static_cast<void>(one.receive());
        ::kill(::getpid(), SIGTERM);
        code = one.receive_close();
    });
    server.run_until_signal();
    client.join();
    CHECK(code == CloseCode::service_restart);
}

TEST_CASE("A server that nobody runs ends all the same", "[tcp]") {
    Server server{Echo{}, {.port = 0, .threads = 2}};
    server.stop();
}

TEST_CASE("A server has pages, and listens on a Unix socket too", "[tcp]") {
    auto const path = std::filesystem::temp_directory_path() / ("hubbub-server-" + std::to_string(::getpid()));
    Server server{Echo{}, {.port = 0, .listen = {"unix:" + path.string()}, .threads = 1}};
    server.routes().add("/hi", [](http::Request const&) { return http::Response(http::Status::ok, "there\n"); });
    std::thread runner([&] { server.run(); });
    std::string const page = SocketClient::get(server.port(), "/hi");
    CHECK(page.starts_with("HTTP/1.1 200"));
    CHECK(page.ends_with("\r\n\r\nthere\n"));
    CHECK(SocketClient::get(server.port(), "/ho").starts_with("HTTP/1.1 404"));
    {
        asio::io_context context;
        asio::local::stream_protocol::socket client(context);
        client.connect(asio::local::stream_protocol::endpoint(path.string()));
        asio::write(client, asio::buffer(ws::make_upgrade_request({})));
        std::string answer;
        asio::read_until(client, asio::dynamic_buffer(answer), "\r\n\r\n");
        CHECK(answer.starts_with("HTTP/1.1 101"));
    }
    server.stop();
    runner.join();
    std::filesystem::remove(path);
}

TEST_CASE("A server that cannot listen, or has wrong options, says why", "[tcp]") {
    Server const first{Echo{}, {.port = 0, .threads = 1}};
    CHECK(refusal({.port = first.port()}).find("127.0.0.1:" + std::to_string(first.port())) != std::string::npos);
    CHECK(refusal({.threads = 65}).find("ServerOptions::threads") != std::string::npos);
    ServerOptions wrong;
    wrong.hub.queue.messages = 0;
    CHECK(refusal(wrong).find("queue.messages") != std::string::npos);
    CHECK(refusal({.address = "nowhere"}).find("nowhere") != std::string::npos);
}
