// The subprotocol hubbub.v1.json: clients subscribe, publish, come back and ask, and the program says only what is its own.
//   15_protocol [PORT]     serves ws://127.0.0.1:8080/ for clients/js; topics below room/ remember
//   15_protocol --self-test
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <hubbub/protocol/protocol_handler.hpp>
#include <hubbub/protocol/retry_hint.hpp>
#include <hubbub/server/server.hpp>
#include <hubbub/testing/socket_client.hpp>

using namespace std::chrono_literals;

/// The token NAME-SECONDS holds so long, and nobody has signed it: examples/14_tokens.cpp has tokens that can be trusted.
struct ToyTokens {
    static hubbub::Authenticated judge(std::string_view token) {
        auto const dash = std::min(token.rfind('-'), token.size() - 1);
        std::chrono::seconds const holds(std::atoi(std::string(token.substr(dash + 1)).c_str()));
        if (holds <= 0s) return hubbub::Authenticated::refused(hubbub::http::Status::unauthorized, "the token has expired");
        auto who = hubbub::Authenticated::as({.user = std::string(token.substr(0, dash)), .labels = {}, .expires_at = {}});
        who.expires_in = holds;
        return who;
    }
    /// Pages can send it among the subprotocols only.
    void authenticate(hubbub::http::Request const& request, hubbub::PeerAddress const&,
                      hubbub::Verdict<hubbub::Authenticated> verdict) {
        auto who = hubbub::Authenticated::as({});  // without a token nobody in particular
        hubbub::http::visit_list(request.header("Sec-WebSocket-Protocol").value_or(""), [&](std::string_view each) {
            if (each.starts_with("bearer.")) who = judge(each.substr(7));
            return true;
        });
        verdict.answer(std::move(who));
    }
};

// [policy]
struct RoomPolicy : hubbub::DefaultPolicy {
    using Auth = ToyTokens;
    using Topics = hubbub::TopicsByName;
    using Codec = hubbub::ProtocolCodec;        // publications and gaps, as the protocol has them
    using SessionData = hubbub::ProtocolState;  // or what derives from it
};
// [/policy]

// [app]
struct Rooms : hubbub::ProtocolApp {
    void judge(auto&, std::string_view token, hubbub::Verdict<hubbub::Authenticated> verdict) {
        verdict.answer(ToyTokens::judge(token));
    }
    void on_request(auto& session, std::string_view method, nlohmann::json& params,
                    hubbub::Verdict<hubbub::ProtocolAnswer> reply) {
        if (method == "sum") {
            auto reading = hubbub::json::Nlohmann::read<std::vector<std::int32_t>>(params, "params");
            if (auto const* wrong = std::get_if<1>(&reading)) return reply.answer(hubbub::ProtocolAnswer::error(*wrong));
            std::int64_t sum = 0;
            for (std::int64_t const each : std::get<0>(reading)) sum += each;
            return reply.answer(hubbub::ProtocolAnswer::result(sum));
        }
        if (method == "close" && hubbub::is_valid_on_wire(params.at("code")))  // to see what a client does then
            return session.close(hubbub::CloseCode(params.at("code").get<int>()), params.value("reason", ""));
        ProtocolApp::on_request(session, method, params, std::move(reply));
    }
};
// [/app]

static hubbub::ServerOptions<RoomPolicy> options(std::uint16_t port) {
    hubbub::ServerOptions<RoomPolicy> result{.port = port, .threads = 2};
    result.hub.protocols = {std::string(hubbub::protocol_name)};
    result.hub.topics.prefixes = {{"room/", {.history = {.messages = 1000, .age = 5min}, .presence = {.kept = true}}}};
    result.hub.expiry_grace = 1s;
    result.drain.reason = hubbub::with_retry_hint("the server restarts", 1s);  // not all come back at once
    return result;
}

static int test() {
    hubbub::Server<RoomPolicy> server{hubbub::ProtocolHandler{Rooms{}}, options(0)};
    std::thread runner([&] { server.run(); });
    bool fine = true;
    {
        hubbub::testing::SocketClient ada(server.port(), "/", "hubbub.v1.json, bearer.ada-60");
        ada.receive();  // who it is
        for (auto const& [said, heard] :
             {std::pair{R"("type":"subscribe","id":1,"topic":"room/1")", R"("subscribed","id":1)"},
              {R"("type":"publish","topic":"room/1","data":{"text":"hi"})", R"("data":{"text":"hi"}})"},
              {R"("type":"request","id":2,"method":"sum","params":[1,2])", R"("id":2,"result":3})"},
              {R"("type":"request","id":3,"method":"sum","params":[1,"2"])", R"("params[1]")"},
              {R"("type":"refresh","id":4,"token":"ada-60")", R"({"type":"ack","id":4})"}}) {
            ada.send(std::string("{") + said + "}");
            fine = fine && ada.receive().find(heard) != std::string::npos;
        }
    }
    server.stop();
    runner.join();
    return fine ? 0 : 1;
}

int main(int argc, char** argv) {
    std::string_view const first = argc > 1 ? argv[1] : "8080";
    if (first == "--self-test") return test();
    hubbub::Server<RoomPolicy> server{hubbub::ProtocolHandler{Rooms{}},
                                      options(static_cast<std::uint16_t>(std::atoi(first.data())))};
    std::cout << "ws://127.0.0.1:" << server.port() << "/" << std::endl;
    server.run_until_signal();
}
