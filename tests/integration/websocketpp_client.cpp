// websocketpp_client ECHO_PORT BROADCAST_PORT: websocketpp's client against the load servers. C++17, because g++ refuses
// websocketpp as C++20; it sees nothing of hubbub.
#include <chrono>
#include <cstdio>
#include <deque>
#include <functional>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <websocketpp/client.hpp>
#include <websocketpp/config/asio_no_tls_client.hpp>

namespace {

using Endpoint = websocketpp::client<websocketpp::config::asio_client>;
using Opcode = websocketpp::frame::opcode::value;

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

// Runs the loop until that is true; it throws at the deadline.
void wait_for(Endpoint& endpoint, std::function<bool()> const& holds, char const* what) {
    auto const end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (!holds()) {
        demand(std::chrono::steady_clock::now() < end, std::string("no ") + what);
        endpoint.get_io_service().run_one_for(std::chrono::milliseconds(50));
    }
}

struct Message {
    Opcode opcode;
    std::string payload;
};

class Client {
   public:
    Client(Endpoint& endpoint, std::string const& port, std::vector<std::string> const& protocols = {}) : endpoint_(endpoint) {
        websocketpp::lib::error_code error;
        connection_ = endpoint.get_connection("ws://127.0.0.1:" + port + "/", error);
        demand(!error, error.message());
        for (auto const& protocol : protocols) connection_->add_subprotocol(protocol);
        connection_->set_max_message_size(4u << 20);
        connection_->set_open_handler([this](auto const&) { is_open = true; });
        connection_->set_fail_handler([this](auto const&) { is_closed = true; });
        connection_->set_close_handler([this](auto const&) { is_closed = true; });
        connection_->set_pong_handler([this](auto const&, std::string const& payload) { pongs.push_back(payload); });
        connection_->set_message_handler([this](auto const&, Endpoint::message_ptr const& message) {
            inbox.push_back({message->get_opcode(), message->get_payload()});
        });
        endpoint.connect(connection_);
        wait_for(endpoint, [this] { return is_open || is_closed; }, "connection");
        demand(is_open, "no connection: " + connection_->get_ec().message());
    }
    Client(Client const&) = delete;
    Client& operator=(Client const&) = delete;
    ~Client() {
        websocketpp::lib::error_code ignored;
        if (!is_closed) connection_->close(websocketpp::close::status::normal, "", ignored);
        try {
            wait_closed();
        } catch (std::exception const&) {  // the case has ended
        }
    }

    Endpoint::connection_ptr const& operator->() const { return connection_; }
    void send(std::string const& payload, Opcode opcode) {
        auto const error = connection_->send(payload, opcode);
        demand(!error, error.message());
    }
    // websocketpp has no call for it, but a message may say that it is not the last.
    void send_fragment(std::string const& payload, Opcode opcode, bool is_last) {
        auto const message = connection_->get_message(opcode, payload.size());
        message->set_payload(payload);
        message->set_fin(is_last);
        auto const error = connection_->send(message);
        demand(!error, error.message());
    }
    Message next() {
        wait_for(endpoint_, [this] { return !inbox.empty() || is_closed; }, "message");
        demand(!inbox.empty(), "the connection has closed");
        Message message = inbox.front();
        inbox.pop_front();
        return message;
    }
    void wait_closed() {
        wait_for(endpoint_, [this] { return is_closed; }, "close");
    }
    void check_close(int code, std::string const& reason) {
        wait_closed();
        demand(connection_->get_remote_close_code() == code, "code " + std::to_string(connection_->get_remote_close_code()));
        demand(reason.empty() ? true : connection_->get_remote_close_reason() == reason,
               "reason \"" + connection_->get_remote_close_reason() + '"');
    }

    bool is_open = false, is_closed = false;
    std::deque<Message> inbox;
    std::vector<std::string> pongs;

   private:
    Endpoint& endpoint_;
    Endpoint::connection_ptr connection_;
};

void echo_cases(Endpoint& endpoint, std::string const& echo) {
    Client client(endpoint, echo);
    for (std::size_t const size : {0, 1, 125, 126, 65535, 65536, 1048576}) {
        for (Opcode const opcode : {Opcode::text, Opcode::binary}) {
            a_case("echo of " + std::to_string(size) + " bytes of " + (opcode == Opcode::text ? "text" : "binary"), [&] {
                std::string sent(size, 'x');
                for (std::size_t i = 0; i < size; ++i)
                    sent[i] = static_cast<char>(opcode == Opcode::text ? 'a' + i % 26 : i * 31 % 256);
                client.send(sent, opcode);
                Message const got = client.next();
                demand(got.opcode == opcode && got.payload == sent, "something else came back");
            });
        }
    }
    a_case("a message in fragments, with a ping between them", [&] {
        client.send_fragment("frag", Opcode::text, false);
        client->ping("between");
        client.send_fragment("", Opcode::continuation, false);
        client.send_fragment("ments \xE2\x82\xAC", Opcode::continuation, true);
        demand(client.next().payload == "fragments \xE2\x82\xAC", "another text came back");
        wait_for(endpoint, [&] { return !client.pongs.empty(); }, "pong");
        demand(client.pongs.back() == "between", "another pong");
    });
    a_case("a pong brings back the payload of a ping", [&] {
        std::size_t const before = client.pongs.size();
        client->ping(std::string(125, 'p'));
        wait_for(endpoint, [&] { return client.pongs.size() > before; }, "pong");
        demand(client.pongs.back() == std::string(125, 'p'), "another pong");
    });
    a_case("close by the client: its code and reason come back", [&] {
        client->close(4321, "thank you");
        client.check_close(4321, "");
    });
    a_case("close by the server, with code and reason", [&] {
        Client talker(endpoint, echo);
        talker.send(std::string(1048577, 'x'), Opcode::text);
        talker.check_close(1009, "");
        demand(!talker->get_remote_close_reason().empty(), "no reason");
    });
    a_case("the subprotocol that the server speaks", [&] {
        Client speaker(endpoint, echo, {"something.else", "hubbub.test"});
        std::string const chosen = speaker->get_response_header("Sec-WebSocket-Protocol");  // its client tells it no other way
        demand(chosen == "hubbub.test", '"' + chosen + '"');
    });
}

void broadcast_case(Endpoint& endpoint, std::string const& broadcast) {
    std::vector<std::unique_ptr<Client>> members;
    for (int i = 0; i < 5; ++i) members.push_back(std::make_unique<Client>(endpoint, broadcast));
    // A client may become a member a moment after its 101: the first message that all have heard says that all are.
    bool all = false;
    for (int attempt = 0; !all; ++attempt) {
        demand(attempt < 50, "not all became members");
        std::string const hello = "hello " + std::to_string(attempt);
        members[0]->send(hello, Opcode::text);
        auto const end = std::chrono::steady_clock::now() + std::chrono::milliseconds(200);
        while (!all && std::chrono::steady_clock::now() < end) {
            endpoint.get_io_service().run_one_for(std::chrono::milliseconds(20));
            all = true;
            for (auto const& member : members) all = all && !member->inbox.empty() && member->inbox.back().payload == hello;
        }
    }
    for (auto const& member : members) member->inbox.clear();
    for (int number = 0; number < 20; ++number)
        for (std::size_t sender = 0; sender < members.size(); ++sender)
            members[sender]->send(std::to_string(sender) + ' ' + std::to_string(number), Opcode::text);
    for (auto const& member : members) {
        std::vector<int> next(members.size());
        for (std::size_t i = 0; i < 20 * members.size(); ++i) {
            std::string const payload = member->next().payload;
            auto const sender = static_cast<std::size_t>(payload[0] - '0');
            demand(sender < members.size() && std::stoi(payload.substr(2)) == next[sender]++, "out of order: " + payload);
        }
    }
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 3) {
        std::cerr << "usage: websocketpp_client ECHO_PORT BROADCAST_PORT\n";
        return 2;
    }
    Endpoint endpoint;
    endpoint.clear_access_channels(websocketpp::log::alevel::all);
    endpoint.clear_error_channels(websocketpp::log::elevel::all);
    endpoint.init_asio();
    endpoint.start_perpetual();
    a_case("the cases of echo run", [&] { echo_cases(endpoint, argv[1]); });
    a_case("broadcast among five: all hear all, each sender in order", [&] { broadcast_case(endpoint, argv[2]); });
    a_case("the server goes away: 1012 and its reason", [&] {
        Client client(endpoint, argv[1]);
        std::cout << "end the server" << std::endl;
        client.check_close(1012, "the server goes away");
    });
    std::cout << passed << " passed, " << failed << " failed" << std::endl;
    return failed ? 1 : 0;
}
