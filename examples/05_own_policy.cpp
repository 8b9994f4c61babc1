// Policies of one's own: who may come in, what he may hear, and what happens when he is slow. The rest stays as it is.
//   05_own_policy               serves ws://127.0.0.1:8080/?name=alice
//   05_own_policy --self-test
#include <iostream>
#include <string>
#include <string_view>
#include <thread>

#include <hubbub/server/server.hpp>
#include <hubbub/testing/socket_client.hpp>

/// Models AuthenticationPolicy: everybody who has a name comes in. A real one asks somebody, and may answer later.
struct ByName {
    void authenticate(hubbub::http::Request const& request, hubbub::PeerAddress const&,
                      hubbub::Verdict<hubbub::Authenticated> verdict) {
        std::string_view const target = request.target();
        auto const at = target.find("name=");
        if (at == std::string_view::npos)
            return verdict.answer(hubbub::Authenticated::refused(hubbub::http::Status::unauthorized, "say your name"));
        verdict.answer(hubbub::Authenticated::as({std::string(target.substr(at + 5)), {}, {}}));
    }
};

/// Models AuthorizationPolicy: what begins with a name is for that user alone.
struct OwnTopics {
    void authorize(hubbub::AuthorizationRequest const& request, hubbub::Verdict<hubbub::Permission> verdict) {
        bool const is_private = request.topic.find('/') != std::string_view::npos;
        verdict.answer({!is_private || request.topic.starts_with(request.identity.user + "/")});
    }
};

// [policy]
struct GamePolicy : hubbub::DefaultPolicy {
    using Auth = ByName;
    using Access = OwnTopics;
    using Overflow = hubbub::DropOldest;  // a slow client skips
    struct SessionData {
        int score = 0;  // session.data().score
    };
};
// [/policy]

struct Game : hubbub::NoopHandler {
    void on_open(auto& session) { session.subscribe(session.identity().user + "/letters"); }
    void on_message(auto& session, hubbub::MessageView message) {
        ++session.data().score;
        session.subscribe(message.view());
    }
    void on_subscribed(auto& session, hubbub::Subscription const& subscription) {
        session.send((subscription.allowed ? "you hear " : "not for you: ") + std::string(subscription.topic));
    }
};

static int test() {
    hubbub::Server<GamePolicy> server{Game{}, {.port = 0, .threads = 2}};
    std::thread runner([&] { server.run(); });
    bool fine = hubbub::testing::SocketClient::get(server.port(), "/").starts_with("HTTP/1.1 404");
    try {
        hubbub::testing::SocketClient nobody(server.port());
        fine = false;
    } catch (std::runtime_error const&) {}
    {
        hubbub::testing::SocketClient alice(server.port(), "/?name=alice");
        fine = fine && alice.receive() == "you hear alice/letters";
        alice.send("bob/letters");
        fine = fine && alice.receive() == "not for you: bob/letters";
        alice.send("news");
        fine = fine && alice.receive() == "you hear news";
    }
    server.stop();
    runner.join();
    return fine ? 0 : 1;
}

int main(int argc, char** argv) {
    if (argc > 1 && std::string_view(argv[1]) == "--self-test") return test();
    hubbub::Server<GamePolicy> server{Game{}, {.port = 8080}};
    std::cout << "ws://127.0.0.1:" << server.port() << "/?name=alice" << std::endl;
    server.run_until_signal();
}
