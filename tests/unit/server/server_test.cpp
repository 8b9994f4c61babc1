#include <hubbub/server/server.hpp>

#include <atomic>
#include <csignal>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <stdexcept>
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
#include "tests/support/engines.hpp"
#include "tests/support/running_server.hpp"
#include "tests/support/tcp_hub.hpp"
#include "tests/unit/server/notify_socket.hpp"

using namespace hubbub;
using hubbub_test::NotifySocket;
using hubbub_test::RunningServer;
using testing::SocketClient;

namespace {

struct Echo : NoopHandler {
    void on_message(auto& session, MessageView message) { session.send(message); }
};

/// A server with its thread.
struct EchoServer {
    explicit EchoServer(ServerOptions<> options) : server(Echo{}, std::move(options)) {}
    void join() { runner.join(); }
    Server<> server;
    RunningServer<Server<>> runner{server};
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
    RunningServer runner(server);
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

TEST_CASE("Who is told that a server is ready may end it with a signal at once", "[tcp]") {
    std::uint16_t told = 0;
    Server server{Echo{}, {.port = 0, .threads = 1, .on_ready = [&](Endpoint const& where) {
                               told = where.port();
                               ::kill(::getpid(), SIGTERM);
                           }}};
    CHECK(told == 0);
    CHECK(server.run_until_signal() == ServerEnd::drained);
    CHECK(told == server.port());
}

TEST_CASE("A second signal ends a server at once, and it says so", "[tcp]") {
    NotifySocket manager;
    Server server{Echo{}, {.port = 0, .threads = 1, .service = ServiceNotifier(manager.name())}};
    std::optional<SocketClient> one;
    std::thread client([&, port = server.port()] {
        (void)manager.hear();  // READY=1
        one.emplace(port);     // does not answer the Close, so that the drain goes on
        ::kill(::getpid(), SIGTERM);
        (void)manager.hear();  // STOPPING=1
        ::kill(::getpid(), SIGTERM);
    });
    ServerEnd const how = server.run_until_signal();
    client.join();
    CHECK(how == ServerEnd::interrupted);
}

TEST_CASE("SIGHUP loads again what there is to load, and what goes wrong is told", "[tcp]") {
    NotifySocket manager;
    std::atomic<int> loaded = 0;
    Server server{Echo{}, {.port = 0, .threads = 1, .service = ServiceNotifier(manager.name()), .on_reload = [&loaded] {
                               if (++loaded == 2) throw std::runtime_error("the file is gone");
                           }}};
    std::string told;
    std::thread operators([&] {
        auto const hear = [&] {
            std::string const text = manager.hear();
            told.append(text, 0, text.find('=')).push_back(' ');
        };
        hear();
        for (int i = 0; i < 3; ++i) {
            ::kill(::getpid(), SIGHUP);
            hear();
            hear();
            told.append(std::to_string(loaded)).push_back(' ');
        }
        ::kill(::getpid(), SIGTERM);
        hear();
    });
    ServerEnd const how = server.run_until_signal();
    operators.join();
    CHECK(how == ServerEnd::drained);
    CHECK(told == "READY RELOADING READY 1 RELOADING READY 2 RELOADING READY 3 STOPPING ");
}

TEST_CASE("SIGUSR1 asks a server for a dump, and what that throws does no harm", "[tcp]") {
    NotifySocket manager;
    std::atomic<int> dumps = 0;
    Server server{Echo{}, {.port = 0, .threads = 1, .service = ServiceNotifier(manager.name()), .on_dump = [&dumps] {
                               if (++dumps == 1) throw std::runtime_error("no room");
                           }}};
    std::thread operators([&] {
        (void)manager.hear();  // READY=1
        for (int i = 1; i <= 2; ++i) {
            ::kill(::getpid(), SIGUSR1);
            while (dumps < i) std::this_thread::yield();
        }
        ::kill(::getpid(), SIGTERM);
    });
    ServerEnd const how = server.run_until_signal();
    operators.join();
    CHECK(how == ServerEnd::drained);
    CHECK(dumps == 2);
}

TEST_CASE("A server takes sockets that listen already, and may have no other", "[tcp]") {
    detail::ListeningSocket const original(Endpoint("127.0.0.1:0"), {});
    {
        Server server{Echo{}, {.address = "", .listen = {"fd:" + std::to_string(::dup(original.descriptor()))}, .threads = 1}};
        CHECK(server.endpoint() == original.endpoint());
        RunningServer runner(server);
        SocketClient client(original.endpoint().port());
        client.send("hello");
        CHECK(client.receive() == "hello");
        server.stop();
        CHECK(client.receive_close() == CloseCode::service_restart);
        runner.join();
    }
    CHECK_NOTHROW(detail::ListeningSocket(::dup(original.descriptor()), {}));  // it listens still
    CHECK(refusal({.address = "", .listen = {"fd:three"}}).find("\"fd:three\"") != std::string::npos);
    CHECK(refusal({.address = ""}).find("ServerOptions::listen") != std::string::npos);
}

TEST_CASE("A server hands over to the next: nobody is refused, and its clients are closed with 1012", "[tcp]") {
    std::string const path = "/tmp/hubbub-server-handover-" + std::to_string(::getpid());
    auto const kind = GENERATE(from_range(hubbub_test::engines));
    CAPTURE(static_cast<int>(kind));
    auto const start = [&](std::uint16_t port) {
        ServerOptions<> options{.port = port, .threads = 2, .driver = {.engine = kind}, .handover = path};
        options.hub.rates.address.connections = {};  // somebody connects all the time
        return std::make_unique<EchoServer>(std::move(options));
    };
    auto running = start(0);
    std::uint16_t const port = running->server.port();
    std::atomic<bool> is_over = false;
    std::atomic<int> served = 0;
    std::string problems;
    std::thread prober([&] {
        while (!is_over) {
            try {
                SocketClient const one(port);
                ++served;
            } catch (std::exception const& error) {
                problems.append(error.what()).append("; ");
            }
        }
    });
    for (int i = 0; i < 4; ++i) {
        SocketClient client(port);
        client.send("hello");
        CHECK(client.receive() == "hello");
        auto next = start(i < 2 ? 0 : port);
        CHECK(next->server.port() == port);
        CHECK(client.receive_close() == CloseCode::service_restart);
        running->join();
        running = std::move(next);
    }
    int const before = served;
    while (served == before) std::this_thread::yield();
    is_over = true;
    prober.join();
    running.reset();
    CHECK(problems == "");
    CHECK_THROWS_AS(SocketClient(port), std::system_error);
    CHECK_FALSE(std::filesystem::exists(path));
}

TEST_CASE("A server that asked for the sockets of another, and is not run, leaves it alone", "[tcp]") {
    std::string const path = "/tmp/hubbub-server-handover-" + std::to_string(::getpid());
    auto const local = std::filesystem::temp_directory_path() / ("hubbub-server-" + std::to_string(::getpid()));
    ServerOptions<> const options{.port = 0, .listen = {"unix:" + local.string()}, .threads = 1, .handover = path};
    Server server{Echo{}, options};
    RunningServer runner(server);
    {
        Server const other{Echo{}, options};
        CHECK(other.port() == server.port());
    }
    CHECK(std::filesystem::exists(local));
    SocketClient client(server.port());
    client.send("hello");
    CHECK(client.receive() == "hello");
    SECTION("also one that asks while it stops") {
        Server other{Echo{}, options};
        server.stop();
        CHECK(client.receive_close() == CloseCode::service_restart);
        runner.join();
        RunningServer other_runner(other);
        SocketClient next(other.port());
        next.send("hello");
        CHECK(next.receive() == "hello");
        CHECK(std::filesystem::exists(local));
        other.stop();
        CHECK(next.receive_close() == CloseCode::service_restart);
        other_runner.join();
        CHECK_FALSE(std::filesystem::exists(local));
        return;
    }
    server.stop();
    CHECK(client.receive_close() == CloseCode::service_restart);
    runner.join();
}

TEST_CASE("A server that nobody runs ends all the same", "[tcp]") {
    Server server{Echo{}, {.port = 0, .threads = 2}};
    server.stop();
}

TEST_CASE("A server has pages, and listens on a Unix socket too", "[tcp]") {
    auto const path = std::filesystem::temp_directory_path() / ("hubbub-server-" + std::to_string(::getpid()));
    Server server{Echo{}, {.port = 0, .listen = {"unix:" + path.string()}, .threads = 1}};
    server.routes().add("/hi", [](http::Request const&) { return http::Response(http::Status::ok, "there\n"); });
    RunningServer runner(server);
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
