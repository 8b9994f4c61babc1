// A hub that can be watched: a live page, metrics and readiness, on a port for operators alone.
//   18_operations               serves ws://127.0.0.1:8080, and http://127.0.0.1:9180/ to look at
//   18_operations --self-test
#include <iostream>
#include <string>
#include <string_view>
#include <thread>

#include <hubbub/operations/live/operations_server.hpp>
#include <hubbub/operations/prometheus/metrics_page.hpp>
#include <hubbub/server/server.hpp>
#include <hubbub/testing/socket_client.hpp>

struct Room : hubbub::NoopHandler {
    void on_open(auto& session) { session.subscribe("room"); }
    void on_message(auto& session, hubbub::MessageView message) { session.publish("room", message); }
};

static int test(std::uint16_t port, std::uint16_t operators) {
    using hubbub::testing::SocketClient;
    SocketClient ada(port), bob(port);
    ada.send("hello");
    bool fine = bob.receive() == "hello" && ada.receive() == "hello";
    std::string const metrics = SocketClient::get(operators, "/metrics");
    fine = fine && metrics.find("\nhubbub_deliveries_written_total 2\n") != std::string::npos;
    fine = fine && metrics.find("\nhubbub_topic_subscriptions{topic=\"room\"} 2\n") != std::string::npos;
    fine = fine && SocketClient::get(operators, "/readyz").starts_with("HTTP/1.1 200 ");
    fine = fine && SocketClient::get(operators, "/debug/why").ends_with("[]");  // nothing makes it slow
    fine = fine && SocketClient::get(port, "/metrics").starts_with("HTTP/1.1 404 ");
    return fine ? 0 : 1;
}

int main(int argc, char** argv) {
    bool const self_test = argc > 1 && std::string_view(argv[1]) == "--self-test";
    auto const port = [self_test](std::uint16_t usual) { return self_test ? std::uint16_t{0} : usual; };

    hubbub::Server server{Room{}, {.port = port(8080)}};
    // [operations]
    // A page that lives, /debug/hub, /debug/why, /healthz and /readyz, for whoever sits at this machine.
    hubbub::OperationsServer operations{server.hub(), {.port = port(9180)}};
    hubbub::add_metrics(operations.routes(), operations, {.topics = {"room"}});
    std::thread operators([&] { operations.run(); });
    // [/operations]

    int result = 0;
    if (self_test) {
        std::thread runner([&] { server.run(); });
        result = test(server.port(), operations.port());
        server.stop();
        runner.join();
    } else {
        std::cout << "ws://127.0.0.1:" << server.port() << ", and for operators http://127.0.0.1:" << operations.port() << '/'
                  << std::endl;
        server.run_until_signal();
    }
    operations.stop();
    operators.join();
    return result;
}
