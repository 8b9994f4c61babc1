// A handler that answers later: `after` on its own loop, `post` from another thread. The session may have gone by then, and
// nobody minds: a function for a session runs only while that session is there.
//   10_asynchronous               serves ws://127.0.0.1:8080
//   10_asynchronous --self-test
#include <chrono>
#include <iostream>
#include <string>
#include <string_view>
#include <thread>

#include <asio/post.hpp>
#include <asio/thread_pool.hpp>

#include <hubbub/server/server.hpp>
#include <hubbub/testing/socket_client.hpp>

using namespace std::chrono_literals;

/// What the handler works with: the hub, known once the server is made, and threads that end before it does.
struct Host {
    hubbub::Server<>::HubType* hub = nullptr;
    asio::thread_pool pool{2};
};

// [asynchronous]
struct Patient : hubbub::NoopHandler {
    Host* host;

    explicit Patient(Host& whose) : host(&whose) {}

    void on_message(auto& session, hubbub::MessageView message) {
        if (message.view() == "later") {
            session.after(20ms, [](auto& same) { same.send("later, as you wished"); });
        } else if (message.view() == "elsewhere") {
            // Not read from meanwhile, so that answers keep the order of the questions.
            session.pause_reading();
            asio::post(host->pool, [hub = host->hub, id = session.id()] {
                std::string const answer = "from another thread";  // a database, a file, ...
                hub->post(id, [answer](auto& same) {
                    same.send(answer);
                    same.resume_reading();
                });
            });
        } else {
            session.send("at once");
        }
    }
};
// [/asynchronous]

int main(int argc, char** argv) {
    bool const is_test = argc > 1 && std::string_view(argv[1]) == "--self-test";
    Host host;
    hubbub::Server server{Patient{host}, {.port = static_cast<std::uint16_t>(is_test ? 0 : 8080)}};
    host.hub = &server.hub();
    if (!is_test) {
        std::cout << "ws://127.0.0.1:" << server.port() << std::endl;
        server.run_until_signal();
        host.pool.join();
        return 0;
    }
    std::thread runner([&] { server.run(); });
    hubbub::testing::SocketClient client(server.port());
    for (auto const* question : {"elsewhere", "now", "later"}) client.send(question);
    bool const fine = client.receive() == "from another thread" && client.receive() == "at once" &&
                      client.receive() == "later, as you wished";
    server.stop();
    static_cast<void>(client.receive_close());
    runner.join();
    host.pool.join();
    return fine ? 0 : 1;
}
