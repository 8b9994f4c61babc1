#include <hubbub/hub/hub.hpp>
#include <hubbub/transport/memory/manual_loop.hpp>
#include <hubbub/transport/memory/memory_connection.hpp>

struct Echo : hubbub::NoopHandler {
    void on_message(auto& session, hubbub::MessageView message) { session.send(message); }
};

int main() {
    hubbub::ManualLoop loop;
    hubbub::Hub<hubbub::MemoryConnection> hub{loop, Echo{}};
}
