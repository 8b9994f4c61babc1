// A chat for the browser: one room, over as many cores as you like.
//   hubbub_chat [--port N] [--threads N]
//   hubbub_chat --self-test
#include <charconv>
#include <csignal>
#include <cstring>
#include <iostream>
#include <memory>
#include <string_view>
#include <thread>
#include <vector>

#include <asio/io_context.hpp>
#include <asio/signal_set.hpp>

#include <hubbub/hub/hub.hpp>
#include <hubbub/transport/tcp/asio_loop.hpp>
#include <hubbub/transport/tcp/tcp_acceptor.hpp>
#include <hubbub/transport/tcp/tcp_connection.hpp>

#include "page.hpp"

namespace {

struct Chat : hubbub::NoopHandler {
    void on_open(auto& session) {
        session.subscribe("lobby");
        session.publish("lobby", "somebody has come in");
    }
    void on_message(auto& session, hubbub::MessageView message) {
        if (message.is_text()) session.publish("lobby", message);
    }
};

struct Arguments {
    std::uint16_t port = 8080;
    unsigned threads = 2;
    bool self_test = false;
};

/// A value that is no number, or an argument that is not known, is told and ends the program.
Arguments parse(int argc, char** argv) {
    Arguments result;
    auto const number = [&](int& i, auto& into) {
        std::string_view const text = i + 1 < argc ? argv[i + 1] : "";
        auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), into);
        if (error != std::errc{} || end != text.data() + text.size() || text.empty()) {
            std::cerr << argv[i] << " needs a number, but got \"" << text << "\"\n";
            std::exit(2);
        }
        ++i;
    };
    for (int i = 1; i < argc; ++i) {
        std::string_view const argument = argv[i];
        if (argument == "--port") {
            number(i, result.port);
        } else if (argument == "--threads") {
            number(i, result.threads);
        } else if (argument == "--self-test") {
            result.self_test = true;
            result.port = 0;
        } else {
            std::cerr << "unknown argument \"" << argument << "\"; usage: hubbub_chat [--port N] [--threads N]\n";
            std::exit(2);
        }
    }
    if (result.threads < 1 || result.threads > 64) {
        std::cerr << "--threads must be from 1 to 64\n";
        std::exit(2);
    }
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
    options.routes = std::make_shared<hubbub::http::Routes>();
    options.routes->add("/", [](hubbub::http::Request const&) {
        hubbub::http::Response response(hubbub::http::Status::ok, std::string(chat_page), "text/html; charset=utf-8");
        static_cast<void>(response.set_header("X-Content-Type-Options", "nosniff"));
        return response;
    });
    hubbub::Hub<hubbub::TcpConnection> hub{pointers, Chat{}, options};
    hubbub::TcpAcceptor acceptor{hubbub::Endpoint{"127.0.0.1:" + std::to_string(arguments.port)}};
    acceptor.serve(hub.driver(0), [&hub](hubbub::TcpSocket socket) { hub.adopt(std::move(socket)); });
    std::cout << "open http://127.0.0.1:" << acceptor.port() << "/ in a few browser windows; end with Ctrl-C" << std::endl;
    if (arguments.self_test) return 0;

    asio::signal_set signals(*contexts[0], SIGINT, SIGTERM);
    signals.async_wait([&](std::error_code, int) {
        acceptor.close();
        hub.drain({}, [&contexts] {
            for (auto& context : contexts) context->stop();
        });
    });
    std::vector<std::thread> threads;
    for (std::size_t i = 1; i < contexts.size(); ++i) threads.emplace_back([&context = *contexts[i]] { context.run(); });
    contexts[0]->run();
    for (auto& thread : threads) thread.join();
    for (auto& loop : loops) loop->claim();  // the hub is destroyed here, so this is the thread of every loop now
    return 0;
} catch (std::exception const& error) {
    std::cerr << error.what() << '\n';
    return 1;
}
