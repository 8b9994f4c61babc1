// A chat for the browser: one room, over as many cores as you like.
//   hubbub_chat [--port N] [--threads N]
//   hubbub_chat --self-test
#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>

#include <hubbub/server/server.hpp>
#include <hubbub/testing/socket_client.hpp>

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

/// A client comes in, speaks and is heard; the page is there.
int test(hubbub::Server<>& server) {
    std::thread runner([&server] { server.run(); });
    bool fine = hubbub::testing::SocketClient::get(server.port(), "/").find("<html") != std::string::npos;
    {
        hubbub::testing::SocketClient client(server.port());
        client.send("hi");
        // That it has come in may be told before it is a member.
        std::string heard = client.receive();
        if (heard == "somebody has come in") heard = client.receive();
        fine = fine && heard == "hi";
    }
    server.stop();
    runner.join();
    return fine ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) try {
    Arguments const arguments = parse(argc, argv);
    hubbub::Server server{Chat{}, {.port = arguments.port, .threads = arguments.threads}};
    server.routes().add("/", [](hubbub::http::Request const&) {
        hubbub::http::Response response(hubbub::http::Status::ok, std::string(chat_page), "text/html; charset=utf-8");
        static_cast<void>(response.set_header("X-Content-Type-Options", "nosniff"));
        return response;
    });
    if (arguments.self_test) return test(server);
    std::cout << "open http://127.0.0.1:" << server.port() << "/ in a few browser windows; end with Ctrl-C" << std::endl;
    server.run_until_signal();
    return 0;
} catch (std::exception const& error) {
    std::cerr << "hubbub_chat: " << error.what() << '\n';
    return 1;
}
