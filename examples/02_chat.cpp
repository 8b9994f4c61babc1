// A chat in a few lines, on one thread a core.
//   02_chat               serves ws://127.0.0.1:8080 until Ctrl-C
//   02_chat --self-test   two clients talk, and it ends
#include <iostream>
#include <string_view>
#include <thread>

#include <hubbub/server/server.hpp>
#include <hubbub/testing/socket_client.hpp>

// [chat]
struct Chat : hubbub::NoopHandler {
    void on_open(auto& session) { session.subscribe("lobby"); }
    void on_message(auto& session, hubbub::MessageView message) { session.publish("lobby", message); }
};
// [/chat]

static int test() {
    hubbub::Server server{Chat{}, {.port = 0, .threads = 1}};
    std::thread runner([&] { server.run(); });
    bool fine = false;
    {
        hubbub::testing::SocketClient alice(server.port()), bob(server.port());
        alice.send("good morning");
        fine = alice.receive() == "good morning" && bob.receive() == "good morning";
    }
    server.stop();
    runner.join();
    return fine ? 0 : 1;
}

int main(int argc, char** argv) {
    if (argc > 1 && std::string_view(argv[1]) == "--self-test") return test();
    hubbub::Server server{Chat{}, {.port = 8080}};
    std::cout << "ws://127.0.0.1:" << server.port() << std::endl;
    server.run_until_signal();
}
