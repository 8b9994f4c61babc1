// A hub beside a server that sends the 101 itself and then gives the socket away, here GNU libmicrohttpd: it adopts an Upgrade.
//   12_upgraded_elsewhere               serves http://127.0.0.1:8080/ and ws://127.0.0.1:8080/hub
//   12_upgraded_elsewhere --self-test
#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <span>
#include <string>
#include <string_view>
#include <thread>

#include <arpa/inet.h>
#include <microhttpd.h>
#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>

#include <hubbub/http/request_parser.hpp>
#include <hubbub/hub/hub.hpp>
#include <hubbub/testing/socket_client.hpp>
#include <hubbub/transport/tcp/asio_loop.hpp>
#include <hubbub/transport/tcp/tcp_connection.hpp>
#include <hubbub/ws/handshake.hpp>

struct Echo : hubbub::NoopHandler {
    void on_message(auto& session, hubbub::MessageView message) { session.send(message); }
};
using EchoHub = hubbub::Hub<hubbub::TcpConnection>;

static MHD_Result reply(MHD_Connection* connection, hubbub::http::Status status, std::string_view body) {
    auto* const bytes = const_cast<char*>(body.data());
    MHD_Response* const response = MHD_create_response_from_buffer(body.size(), bytes, MHD_RESPMEM_MUST_COPY);
    MHD_Result const queued = MHD_queue_response(connection, static_cast<unsigned>(status), response);
    MHD_destroy_response(response);
    return queued;
}

// [upgraded]
/// The 101 is sent: from here on the connection is the hub's.
static void upgraded(void* hub, MHD_Connection*, void*, char const* beyond, std::size_t size, int descriptor,
                     MHD_UpgradeResponseHandle* handle) {
    hubbub::Upgrade upgrade;
    auto const bytes = std::as_bytes(std::span(beyond, size));  // what the host has read behind the request
    upgrade.beyond.assign(bytes.begin(), bytes.end());
    auto socket = hubbub::TcpSocket::adopt(dup(descriptor));  // ours, since the host closes its own
    static_cast<EchoHub*>(hub)->adopt(std::move(socket), std::move(upgrade));
    MHD_upgrade_action(handle, MHD_UPGRADE_ACTION_CLOSE);
}
// [/upgraded]

/// Checks the handshake with the hub's own functions (RFC 6455 4.2.1), from the request as the host has read it.
static MHD_Result answer(void* hub, MHD_Connection* connection, char const* path, char const* method, char const*, char const*,
                         std::size_t*, void**) {
    if (std::string_view(path) != "/hub") return reply(connection, hubbub::http::Status::ok, "a page of libmicrohttpd\n");
    std::string text = std::string(method) + " /hub HTTP/1.1\r\n";
    auto const add = [](void* to, MHD_ValueKind, char const* name, char const* value) {
        static_cast<std::string*>(to)->append(name).append(": ").append(value ? value : "").append("\r\n");
        return MHD_YES;
    };
    MHD_get_connection_values(connection, MHD_HEADER_KIND, add, &text);
    hubbub::http::RequestParser parser;
    auto const read = parser.feed(std::as_bytes(std::span(text.append("\r\n"))));
    using hubbub::http::Status;
    if (read.state != hubbub::http::RequestParser::State::complete) return reply(connection, Status::bad_request, "no\n");
    auto const request = std::move(parser).take();
    auto const outcome = hubbub::ws::check_upgrade(request);
    if (outcome.kind != hubbub::ws::UpgradeOutcome::Kind::accepted)
        return reply(connection, Status::upgrade_required, "a WebSocket handshake, version 13, is wanted here\n");
    MHD_Response* const response = MHD_create_response_for_upgrade(upgraded, hub);
    MHD_add_response_header(response, "Upgrade", "websocket");
    MHD_add_response_header(response, "Sec-WebSocket-Accept", std::string(outcome.accept.view()).c_str());
    MHD_Result const queued = MHD_queue_response(connection, MHD_HTTP_SWITCHING_PROTOCOLS, response);
    MHD_destroy_response(response);
    return queued;
}

int main(int argc, char** argv) {
    bool const is_test = argc > 1 && std::string_view(argv[1]) == "--self-test";
    asio::io_context context;
    auto const work = asio::make_work_guard(context);
    EchoHub hub{context, Echo{}};
    std::thread loop([&] { context.run(); });
    sockaddr_in address{};  // loopback only
    address.sin_family = AF_INET;
    address.sin_port = htons(is_test ? 0 : 8080);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    MHD_Daemon* const server = MHD_start_daemon(MHD_ALLOW_UPGRADE | MHD_USE_AUTO_INTERNAL_THREAD, 0, nullptr, nullptr, answer,
                                                &hub, MHD_OPTION_SOCK_ADDR, &address, MHD_OPTION_END);
    if (!server) return std::cerr << "port 8080 of 127.0.0.1 cannot be listened on\n", std::quick_exit(1), 1;
    auto const port = MHD_get_daemon_info(server, MHD_DAEMON_INFO_BIND_PORT)->port;
    std::cout << "ws://127.0.0.1:" << port << "/hub" << std::endl;
    if (!is_test) loop.join();  // which never ends
    bool fine = hubbub::testing::SocketClient::get(port, "/").ends_with("a page of libmicrohttpd\n");
    hubbub::testing::SocketClient client(port, "/hub");
    client.send("hello");
    fine = fine && client.receive() == "hello";
    MHD_stop_daemon(server);
    context.stop();
    loop.join();
    return fine ? 0 : 1;
}
