// beast_client ECHO_PORT BROADCAST_PORT: Beast's client against the load servers. It sees nothing of hubbub.
#include <chrono>
#include <functional>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/websocket.hpp>

namespace {

namespace beast = boost::beast;
namespace websocket = beast::websocket;
using boost::asio::ip::tcp;
using Error = boost::system::error_code;

int passed = 0, failed = 0;

void a_case(std::string const& name, std::function<void()> const& body) {
    try {
        body();
        ++passed;
        std::cout << "ok      " << name << std::endl;
    } catch (std::exception const& problem) {
        ++failed;
        std::cout << "FAILED  " << name << ": " << problem.what() << std::endl;
    }
}

void demand(bool holds, std::string const& why) {
    if (!holds) throw std::runtime_error(why);
}

class Client {
   public:
    explicit Client(std::string const& port, std::string const& protocols = {}) : stream_(context_) {
        stream_.read_message_max(4u << 20);
        stream_.control_callback([this](websocket::frame_type kind, beast::string_view payload) {
            if (kind == websocket::frame_type::pong) pongs.emplace_back(payload);
        });
        if (!protocols.empty())
            stream_.set_option(websocket::stream_base::decorator([protocols](websocket::request_type& request) {
                request.set(beast::http::field::sec_websocket_protocol, protocols);
            }));
        tcp::endpoint const endpoint(boost::asio::ip::make_address("127.0.0.1"), static_cast<std::uint16_t>(std::stoi(port)));
        finish("connection", [&](auto done) { beast::get_lowest_layer(stream_).async_connect(endpoint, done); });
        finish("handshake", [&](auto done) { stream_.async_handshake(response_, "127.0.0.1:" + port, "/", done); });
    }

    std::string subprotocol() const { return std::string(response_[beast::http::field::sec_websocket_protocol]); }

    void send(std::string const& payload, bool text) {
        stream_.text(text);
        finish("room to write", [&](auto done) {
            stream_.async_write(boost::asio::buffer(payload), [done](Error error, std::size_t) { done(error); });
        });
    }
    void send_fragment(std::string const& payload, bool is_last) {
        finish("room to write", [&](auto done) {
            stream_.async_write_some(is_last, boost::asio::buffer(payload), [done](Error error, std::size_t) { done(error); });
        });
    }
    void ping(std::string const& payload) {
        finish("room to write", [&](auto done) { stream_.async_ping(websocket::ping_data(payload), done); });
    }
    void close(websocket::close_reason const& reason) {
        finish("close", [&](auto done) { stream_.async_close(reason, done); });
    }
    std::string next(std::chrono::milliseconds limit = std::chrono::seconds(10)) {
        beast::flat_buffer buffer;
        finish(
            "message", [&](auto done) { stream_.async_read(buffer, [done](Error error, std::size_t) { done(error); }); },
            limit);
        return beast::buffers_to_string(buffer.data());
    }
    bool got_text() const { return stream_.got_text(); }
    websocket::close_reason reason() const { return stream_.reason(); }
    // Reads until the connection has ended.
    websocket::close_reason read_close() {
        try {
            for (;;) next();
        } catch (boost::system::system_error const& error) {
            demand(error.code() == websocket::error::closed, error.code().message());
        }
        return stream_.reason();
    }

    std::vector<std::string> pongs;

   private:
    // Starts an operation and runs the loop until it is over; throws at the deadline.
    template <class Start>
    void finish(char const* what, Start start, std::chrono::milliseconds limit = std::chrono::seconds(10)) {
        bool over = false;
        Error result;
        auto const done = [&](Error error) {
            over = true;
            result = error;
        };
        start(done);
        auto const end = std::chrono::steady_clock::now() + limit;
        context_.restart();
        while (!over && std::chrono::steady_clock::now() < end) context_.run_one_for(std::chrono::milliseconds(50));
        if (!over) {
            beast::get_lowest_layer(stream_).cancel();
            context_.run_for(std::chrono::seconds(1));
            throw std::runtime_error(std::string("no ") + what);
        }
        if (result) throw boost::system::system_error(result);
    }

    boost::asio::io_context context_{1};
    websocket::stream<beast::tcp_stream> stream_;
    websocket::response_type response_;
};

void echo_cases(std::string const& echo) {
    Client client(echo);
    for (std::size_t const size : {0, 1, 125, 126, 65535, 65536, 1048576}) {
        for (bool const text : {true, false}) {
            a_case("echo of " + std::to_string(size) + " bytes of " + (text ? "text" : "binary"), [&] {
                std::string sent(size, 'x');
                for (std::size_t i = 0; i < size; ++i) sent[i] = static_cast<char>(text ? 'a' + i % 26 : i * 31 % 256);
                client.send(sent, text);
                demand(client.next() == sent && client.got_text() == text, "something else came back");
            });
        }
    }
    a_case("a message in fragments, with a ping between them", [&] {
        client.send_fragment("frag", false);
        client.ping("between");
        client.send_fragment("", false);
        client.send_fragment("ments", true);
        demand(client.next() == "fragments", "another text came back");
        demand(client.pongs.size() == 1 && client.pongs[0] == "between", "another pong");
    });
    a_case("a large message in fragments of 1,000 bytes", [&] {
        std::string const part(1000, 'z');
        for (int i = 0; i < 100; ++i) client.send_fragment(part, i == 99);
        demand(client.next() == std::string(100'000, 'z'), "something else came back");
    });
    a_case("a pong brings back the payload of a ping", [&] {
        client.ping(std::string(125, 'p'));
        client.send("behind it", true);  // pongs are seen while a message is read
        demand(client.next() == "behind it", "another text came back");
        demand(client.pongs.size() == 2 && client.pongs.back() == std::string(125, 'p'), "another pong");
    });
    a_case("close by the client, with code and reason",
           [&] { client.close(websocket::close_reason(websocket::close_code(4321), "thank you")); });
    a_case("close by the server, with code and reason", [&] {
        Client talker(echo);
        try {
            talker.send(std::string(1048577, 'x'), true);
        } catch (boost::system::system_error const&) {  // the server may have closed before all of it was out
        }
        auto const reason = talker.read_close();
        demand(reason.code == 1009 && !reason.reason.empty(), "code " + std::to_string(reason.code));
    });
    a_case("the subprotocol that the server speaks", [&] {
        Client speaker(echo, "something.else, hubbub.test");
        demand(speaker.subprotocol() == "hubbub.test", '"' + speaker.subprotocol() + '"');
        speaker.close(websocket::close_code::normal);
    });
}

void broadcast_case(std::string const& broadcast) {
    std::vector<std::unique_ptr<Client>> members;
    for (int i = 0; i < 5; ++i) members.push_back(std::make_unique<Client>(broadcast));
    // A client may become a member a moment after its 101. Who has heard its own word is one; the others hear that too.
    for (auto const& member : members) {
        bool heard = false;
        for (int attempt = 0; !heard; ++attempt) {
            demand(attempt < 10, "not all became members");
            member->send("hello", true);
            heard = member->next() == "hello";
        }
    }
    for (int number = 0; number < 20; ++number)
        for (std::size_t sender = 0; sender < members.size(); ++sender)
            members[sender]->send(std::to_string(sender) + ' ' + std::to_string(number), true);
    for (auto const& member : members) {
        std::vector<int> next(members.size());
        for (std::size_t i = 0; i < 20 * members.size();) {
            std::string const payload = member->next();
            if (payload == "hello") continue;
            auto const sender = static_cast<std::size_t>(payload[0] - '0');
            demand(sender < members.size() && std::stoi(payload.substr(2)) == next[sender]++, "out of order: " + payload);
            ++i;
        }
        member->close(websocket::close_code::normal);
    }
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 3) {
        std::cerr << "usage: beast_client ECHO_PORT BROADCAST_PORT\n";
        return 2;
    }
    a_case("the cases of echo run", [&] { echo_cases(argv[1]); });
    a_case("broadcast among five: all hear all, each sender in order", [&] { broadcast_case(argv[2]); });
    a_case("the server goes away: 1012 and its reason", [&] {
        Client client(argv[1]);
        std::cout << "end the server" << std::endl;
        auto const reason = client.read_close();
        demand(reason.code == 1012 && reason.reason == "the server goes away", "code " + std::to_string(reason.code));
    });
    std::cout << passed << " passed, " << failed << " failed" << std::endl;
    return failed ? 1 : 0;
}
