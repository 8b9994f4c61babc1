#include <hubbub/transport/websocketpp/compat.hpp>
// The headers of websocketpp come behind it.
#include <chrono>
#include <sstream>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <websocketpp/client.hpp>
#include <websocketpp/concurrency/none.hpp>
#include <websocketpp/config/asio_no_tls.hpp>
#include <websocketpp/config/asio_no_tls_client.hpp>
#include <websocketpp/server.hpp>

#include "tests/support/catch.hpp"

namespace {

using EchoServer = websocketpp::server<websocketpp::config::asio>;
using EchoClient = websocketpp::client<websocketpp::config::asio_client>;
using BasicLog = websocketpp::log::basic<websocketpp::concurrency::none, websocketpp::log::elevel>;

static_assert(!std::is_copy_constructible_v<EchoServer> && !std::is_copy_assignable_v<EchoServer> &&
              !std::is_move_assignable_v<EchoServer>);
static_assert(std::is_move_constructible_v<EchoServer> && std::is_nothrow_destructible_v<EchoServer>);

// What compat.hpp needs macros for is free again.
#if defined(endpoint) || defined(server) || defined(HUBBUB_WEBSOCKETPP_SECOND)
#error "compat.hpp leaves a macro behind"
#endif
#if !defined(_WEBSOCKETPP_MOVE_SEMANTICS_) || !defined(_WEBSOCKETPP_DEFAULT_DELETE_FUNCTIONS_)
#error "compat.hpp takes a macro of websocketpp away"
#endif

}  // namespace

TEST_CASE("A server and a client of websocketpp exchange messages as C++20") {
    asio::io_context context;
    EchoServer server;
    EchoClient client;
    std::vector<std::string> heard;
    unsigned closed = 0;

    server.clear_access_channels(websocketpp::log::alevel::all);
    server.init_asio(&context);
    server.set_message_handler([&](websocketpp::connection_hdl hdl, EchoServer::message_ptr message) {
        server.send(hdl, "echo of " + message->get_payload(), message->get_opcode());
    });
    server.set_close_handler([&](websocketpp::connection_hdl) {
        if (++closed == 2) context.stop();
    });
    server.listen(asio::ip::tcp::endpoint(asio::ip::address_v4::loopback(), 0));
    server.start_accept();
    websocketpp::lib::asio::error_code listening;
    auto const port = server.get_local_endpoint(listening).port();

    client.clear_access_channels(websocketpp::log::alevel::all);
    client.init_asio(&context);
    client.set_open_handler(
        [&](websocketpp::connection_hdl hdl) { client.send(hdl, "hello", websocketpp::frame::opcode::text); });
    client.set_message_handler([&](websocketpp::connection_hdl hdl, EchoClient::message_ptr message) {
        heard.push_back(message->get_payload());
        client.close(hdl, websocketpp::close::status::normal, "");
    });
    client.set_close_handler([&](websocketpp::connection_hdl) {
        if (++closed == 2) context.stop();
    });
    websocketpp::lib::error_code error;
    auto const connection = client.get_connection("ws://127.0.0.1:" + std::to_string(port) + "/", error);
    REQUIRE(!error);
    client.connect(connection);
    context.run_for(std::chrono::seconds(10));

    CHECK(heard == std::vector<std::string>{"echo of hello"});
    CHECK(closed == 2);
}

TEST_CASE("A server of websocketpp that is moved keeps its handlers and what it listens on") {
    asio::io_context context;
    EchoServer first;
    first.clear_access_channels(websocketpp::log::alevel::all);
    first.init_asio(&context);
    first.listen(asio::ip::tcp::endpoint(asio::ip::address_v4::loopback(), 0));
    first.set_user_agent("moved");
    EchoServer const second(std::move(first));
    CHECK(second.is_listening());
    CHECK(second.is_server());
    CHECK(second.get_user_agent() == "moved");
}

TEST_CASE("The log of websocketpp writes a line with its channel, and only for channels that are on") {
    std::ostringstream out;
    using Level = websocketpp::log::elevel;
    BasicLog log(Level::warn | Level::rerror, &out);
    log.write(Level::warn, "nobody has asked");
    CHECK(out.str().empty());

    log.set_channels(Level::warn | Level::info);  // the second is not possible here
    log.write(Level::warn, std::string("first"));
    log.write(Level::info, "second");
    log.write(Level::rerror, "third");
    std::string const line = out.str();
    REQUIRE(line.size() == std::string("[2000-01-01 00:00:00] [warning] first\n").size());
    CHECK(line.front() == '[');
    CHECK(line.substr(20) == "] [warning] first\n");
    CHECK((log.static_test(Level::rerror) && !log.static_test(Level::info)));
    CHECK((log.dynamic_test(Level::warn) && !log.dynamic_test(Level::rerror)));

    BasicLog copy(log);
    copy.write(Level::warn, "copy");
    CHECK(out.str().size() > line.size());
    log.set_channels(Level::none);
    CHECK(!log.dynamic_test(Level::warn));
    CHECK(copy.dynamic_test(Level::warn));
}
