// A hub beside another HTTP server, here Boost.Beast: Beast answers the pages, and hands the sockets of /hub over, with what it
// has read of the request. A server that has sent the 101 itself hands over an Upgrade instead: Hub::adopt(socket, upgrade).
//   04_beside_beast               serves http://127.0.0.1:8080/ and ws://127.0.0.1:8080/hub
//   04_beside_beast --self-test
#include <iostream>
#include <string>
#include <string_view>
#include <thread>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/beast/http.hpp>

#include <hubbub/testing/socket_client.hpp>

#include "echo_hub.hpp"

namespace http = boost::beast::http;
using boost::asio::ip::tcp;

/// What the host did before: one request, one answer.
static void serve_page(tcp::socket& socket, std::string const& bytes) {
    http::request_parser<http::string_body> parser;
    boost::system::error_code error;
    parser.put(boost::asio::buffer(bytes), error);
    http::response<http::string_body> answer(error ? http::status::bad_request : http::status::ok, 11);
    answer.set(http::field::content_type, "text/plain");
    answer.body() = "a page of Beast\n";
    answer.prepare_payload();
    answer.keep_alive(false);
    http::write(socket, answer, error);
}

// [serve_one]
/// Takes one connection, and answers it or gives it away.
static void serve_one(tcp::acceptor& acceptor, EchoHub& hub) {
    tcp::socket socket = acceptor.accept();
    std::string bytes;
    boost::system::error_code error;
    boost::asio::read_until(socket, boost::asio::dynamic_buffer(bytes, 16'384), "\r\n\r\n", error);
    if (error) return;
    if (!bytes.starts_with("GET /hub ")) return serve_page(socket, bytes);
    hub.adopt(socket.release(), std::move(bytes));  // the hub checks the request and answers it
}
// [/serve_one]

int main(int argc, char** argv) {
    bool const is_test = argc > 1 && std::string_view(argv[1]) == "--self-test";
    EchoHub hub;
    boost::asio::io_context host;
    tcp::acceptor acceptor(host, {boost::asio::ip::make_address("127.0.0.1"), static_cast<unsigned short>(is_test ? 0 : 8080)});
    auto const port = acceptor.local_endpoint().port();
    std::cout << "ws://127.0.0.1:" << port << "/hub" << std::endl;
    if (!is_test)
        for (;;) serve_one(acceptor, hub);

    bool fine = true;
    std::thread client([&] {
        fine = hubbub::testing::SocketClient::get(port, "/").ends_with("a page of Beast\n");
        hubbub::testing::SocketClient socket(port, "/hub");
        socket.send("hello");
        fine = fine && socket.receive() == "hello";
    });
    for (int i = 0; i < 2; ++i) serve_one(acceptor, hub);
    client.join();
    return fine ? 0 : 1;
}
