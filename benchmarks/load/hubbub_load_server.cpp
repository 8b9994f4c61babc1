// A whole hub as a load server: echo, or broadcast of each message to every client.
//   hubbub_load_server --port N [--mode echo|broadcast] [--engine asio|epoll|automatic] [--threads N] [--bind ADDRESS]
#include <charconv>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <asio/io_context.hpp>
#include <asio/signal_set.hpp>

#include <hubbub/hub/hub.hpp>
#include <hubbub/transport/tcp/asio_loop.hpp>
#include <hubbub/transport/tcp/tcp_acceptor.hpp>
#include <hubbub/transport/tcp/tcp_connection.hpp>

namespace {

struct Echo : hubbub::NoopHandler {
    void on_message(auto& session, hubbub::MessageView message) { session.send(message); }
};
struct Broadcast : hubbub::NoopHandler {
    void on_open(auto& session) { session.subscribe("all"); }
    void on_message(auto& session, hubbub::MessageView message) { session.publish("all", message); }
};

struct Arguments {
    std::string address = "127.0.0.1", mode = "broadcast";
    std::uint16_t port = 0;
    unsigned threads = 1;
    hubbub::EngineKind engine = hubbub::EngineKind::automatic;
};

[[noreturn]] void refuse(std::string const& sentence) {
    std::cerr << "hubbub_load_server: " << sentence << '\n';
    std::exit(2);
}

Arguments parse(int argc, char** argv) {
    Arguments result;
    for (int i = 1; i < argc; i += 2) {
        std::string const name = argv[i];
        if (i + 1 == argc) refuse(name + " needs a value, or is not built yet");
        std::string const value = argv[i + 1];
        auto const number = [&](auto& into) {
            auto const [end, error] = std::from_chars(value.data(), value.data() + value.size(), into);
            if (error != std::errc{} || end != value.data() + value.size()) refuse(name + " needs a number, but got " + value);
        };
        if (name == "--port") {
            number(result.port);
        } else if (name == "--threads") {
            number(result.threads);
        } else if (name == "--bind") {
            result.address = value;
        } else if (name == "--mode") {
            if (value != "echo" && value != "broadcast") refuse("--mode is echo or broadcast, not " + value);
            result.mode = value;
        } else if (name == "--engine") {
            if (value == "asio")
                result.engine = hubbub::EngineKind::asio;
            else if (value == "epoll")
                result.engine = hubbub::EngineKind::epoll;
            else if (value == "uring")
                result.engine = hubbub::EngineKind::uring;
            else if (value != "automatic")
                refuse("--engine is asio, epoll, uring or automatic, not " + value);
        } else {
            refuse(name + " is not known, or not built yet");
        }
    }
    if (result.threads < 1 || result.threads > 64) refuse("--threads is from 1 to 64");
    return result;
}

}  // namespace

int main(int argc, char** argv) try {
    Arguments const arguments = parse(argc, argv);
    std::vector<std::unique_ptr<asio::io_context>> contexts;
    std::vector<std::unique_ptr<hubbub::AsioLoop>> loops;
    std::vector<hubbub::ShardLoop*> pointers;
    for (unsigned i = 0; i < arguments.threads; ++i) {
        contexts.push_back(std::make_unique<asio::io_context>(1));
        loops.push_back(std::make_unique<hubbub::AsioLoop>(*contexts.back()));
        pointers.push_back(loops.back().get());
    }
    hubbub::HubOptions options;
    options.origin = hubbub::OriginCheck::off();
    options.queue = {
        .bytes = 16 * 1024 * 1024, .messages = hubbub::OutboundQueue::most_messages, .high_bytes = 8 * 1024 * 1024};
    options.connections = {.in_all = 0, .per_address = 0, .per_user = 0};  // all clients come from one address
    hubbub::TcpDriver::Options driver;
    driver.engine = arguments.engine;
    auto hub = arguments.mode == "echo"
                   ? std::make_unique<hubbub::Hub<hubbub::TcpConnection>>(pointers, Echo{}, options, driver)
                   : std::make_unique<hubbub::Hub<hubbub::TcpConnection>>(pointers, Broadcast{}, options, driver);
    hubbub::TcpAcceptor acceptor{hubbub::Endpoint{arguments.address + ":" + std::to_string(arguments.port)}};
    acceptor.serve(hub->driver(0), [&hub](hubbub::TcpSocket socket) { hub->adopt(std::move(socket)); });
    std::cout << "listening on port " << acceptor.port() << std::endl;

    asio::signal_set signals(*contexts[0], SIGINT, SIGTERM);
    signals.async_wait([&](std::error_code, int) {
        acceptor.close();
        hub->drain({.code = hubbub::CloseCode::service_restart, .reason = "the server goes away", .per_second = 10'000},
                   [&contexts] {
                       for (auto& context : contexts) context->stop();
                   });
    });
    std::vector<std::thread> threads;
    for (std::size_t i = 1; i < contexts.size(); ++i) threads.emplace_back([&context = *contexts[i]] { context.run(); });
    contexts[0]->run();
    for (auto& thread : threads) thread.join();
    for (auto& loop : loops) loop->claim();
    return 0;
} catch (std::exception const& error) {
    std::cerr << "hubbub_load_server: " << error.what() << '\n';
    return 1;
}
