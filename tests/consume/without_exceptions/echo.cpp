// A hub in a program that is built without exceptions: an echo over a connection in memory, and what happens instead of a throw.
#include <cstdlib>
#include <exception>
#include <utility>

#include <hubbub/hub/hub.hpp>
#include <hubbub/transport/memory/manual_loop.hpp>
#include <hubbub/transport/memory/memory_connection.hpp>
#include <hubbub/ws/client_handshake.hpp>
#include <hubbub/ws/encoder.hpp>

#ifdef __cpp_exceptions
#error "this is to be built without exceptions"
#endif

struct Echo : hubbub::NoopHandler {
    void on_message(auto& session, hubbub::MessageView message) { session.send(message); }
};

static bool echoes() {
    hubbub::ManualLoop loop;
    hubbub::Hub<hubbub::MemoryConnection> hub{loop, Echo{}};
    hubbub::MemorySocket socket;
    auto const wire = socket.wire;
    hub.adopt(std::move(socket));
    loop.run_until_idle();
    wire->to_server = hubbub::ws::make_upgrade_request({}) + hubbub::ws::encode_frame(hubbub::ws::ClientFrame::text("hello"));
    loop.run_events([&] { hub.driver(0).find(*wire)->deliver(hubbub::MemoryWire::unlimited); });
    loop.run_until_idle();
    return wire->received.starts_with("HTTP/1.1 101") && wire->received.ends_with("\x81\x05hello");
}

int main() {
    if (!echoes()) return EXIT_FAILURE;
    // Instead of a throw: a sentence on the standard error stream, which CTest looks for, then std::terminate.
    std::set_terminate([] { std::_Exit(EXIT_SUCCESS); });
    hubbub::ManualLoop loop;
    hubbub::HubOptions<> options;
    options.queue.messages = 0;
    hubbub::Hub<hubbub::MemoryConnection> const wrong{loop, Echo{}, std::move(options)};
    return EXIT_FAILURE;
}
