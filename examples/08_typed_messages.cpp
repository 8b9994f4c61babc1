// Messages with a type and data: each type has a handler, and what does not fit is answered with an error that names the member.
//   08_typed_messages               serves ws://127.0.0.1:8080: {"type":"chat","data":{"room":"lobby","text":"hi"}}
//   08_typed_messages --self-test
#include <iostream>
#include <string>
#include <string_view>
#include <thread>

#include <hubbub/json/router.hpp>
#include <hubbub/server/server.hpp>
#include <hubbub/testing/socket_client.hpp>

// [types]
struct ChatMessage {
    std::string room, text;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(ChatMessage, room, text)

struct Rename {
    std::string name;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Rename, name)
// [/types]

// [handler]
struct ChatPolicy : hubbub::DefaultPolicy {
    struct SessionData {
        std::string name = "somebody";
        int errors = 0;
    };
};

struct Chat : hubbub::NoopHandler {
    int renames = 0;
    void on_open(auto& session) { session.subscribe("lobby"); }
    void on_message(auto& session, hubbub::MessageView message);
};
// [/handler]

// [router]
static auto const router =
    hubbub::json::Router{}
        .on<ChatMessage>("chat",
                         [](auto& session, ChatMessage const& chat) {
                             auto const& name = session.data().name;
                             session.publish(chat.room, hubbub::json::message("chat", chat, {.from = name}));
                         })
        .on<Rename>("rename",
                    [](auto& session, Rename const& rename, Chat& chat) {
                        session.data().name = rename.name;
                        ++chat.renames;
                    })
        .on("bye", [](auto& session) { session.close(); });

void Chat::on_message(auto& session, hubbub::MessageView message) {
    // What is given behind the message is given to the handlers that take it.
    if (router(session, message, *this) == hubbub::json::Outcome::handled) return;
    if (++session.data().errors == 10) session.close(hubbub::CloseCode::policy_violation, "too many errors");
}
// [/router]

static int test() {
    hubbub::Server<ChatPolicy> server{Chat{}, {.port = 0, .threads = 1}};
    std::thread runner([&] { server.run(); });
    bool fine = false;
    {
        hubbub::testing::SocketClient alice(server.port());
        alice.send(R"({"type": "rename", "data": {"name": "Alice"}})");
        alice.send(R"({"type": "chat", "data": {"room": "lobby", "text": "good morning"}, "from": "Bob"})");
        std::string const heard = alice.receive();
        fine = heard.find(R"({"type":"chat","data":{"room":"lobby","text":"good morning"},"from":"Alice","time":")") == 0;
        alice.send(R"({"type": "chat", "data": {"room": "lobby", "text": 7}})");
        std::string const refused = alice.receive();
        fine = fine && refused.find(R"("code":"wrong_kind")") != std::string::npos &&
               refused.find(R"("member":"data.text")") != std::string::npos;
        alice.send(R"({"type": "bye"})");
        fine = fine && alice.receive_close() == hubbub::CloseCode::normal;
    }
    server.stop();
    runner.join();
    return fine ? 0 : 1;
}

int main(int argc, char** argv) {
    if (argc > 1 && std::string_view(argv[1]) == "--self-test") return test();
    hubbub::Server<ChatPolicy> server{Chat{}, {.port = 8080}};
    std::cout << "ws://127.0.0.1:" << server.port() << std::endl;
    server.run_until_signal();
}
