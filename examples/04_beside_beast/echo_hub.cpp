#include "echo_hub.hpp"

#include <thread>
#include <utility>

#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>

#include <hubbub/hub/hub.hpp>
#include <hubbub/transport/tcp/asio_loop.hpp>
#include <hubbub/transport/tcp/tcp_connection.hpp>

struct Echo : hubbub::NoopHandler {
    void on_message(auto& session, hubbub::MessageView message) { session.send(message); }
};

// [parts]
/// A loop on a thread of its own.
struct EchoHub::Parts {
    asio::io_context context;
    asio::executor_work_guard<asio::io_context::executor_type> work{context.get_executor()};
    hubbub::Hub<hubbub::TcpConnection> hub{context, Echo{}};
    std::thread thread{[this] { context.run(); }};

    ~Parts() {
        context.stop();
        thread.join();
    }
};
// [/parts]

EchoHub::EchoHub() : parts_(std::make_unique<Parts>()) {}
EchoHub::~EchoHub() = default;

// [adopt]
void EchoHub::adopt(int descriptor, std::string read) {
    parts_->hub.adopt(hubbub::TcpSocket::adopt(descriptor), std::move(read));
}
// [/adopt]
