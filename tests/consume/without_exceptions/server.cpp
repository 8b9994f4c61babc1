// A server over TCP in a program that is built without exceptions. Asio then wants to be told so, and what to do instead.
#define ASIO_NO_EXCEPTIONS
#include <cstdlib>
#include <thread>

#include <asio/detail/throw_exception.hpp>

#include <hubbub/server/server.hpp>
#include <hubbub/testing/socket_client.hpp>

#ifdef __cpp_exceptions
#error "this is to be built without exceptions"
#endif

template <class Exception>
void asio::detail::throw_exception(Exception const&) {
    std::abort();
}

struct Echo : hubbub::NoopHandler {
    void on_message(auto& session, hubbub::MessageView message) { session.send(message); }
};

int main() {
    hubbub::Server server{Echo{}, {.port = 0, .threads = 1}};
    std::thread runner([&] { server.run(); });
    bool fine = false;
    {
        hubbub::testing::SocketClient client(server.port());
        client.send("hello");
        fine = client.receive() == "hello";
    }
    server.stop();
    runner.join();
    return fine ? EXIT_SUCCESS : EXIT_FAILURE;
}
