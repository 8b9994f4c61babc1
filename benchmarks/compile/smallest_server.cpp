#include <hubbub/server/server.hpp>

struct Echo : hubbub::NoopHandler {
    void on_message(auto& session, hubbub::MessageView message) { session.send(message); }
};

int main() {
    hubbub::Server server{Echo{}, {.port = 8080}};
    server.run_until_signal();
}
