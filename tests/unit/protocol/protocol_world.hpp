#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <hubbub/protocol/protocol_handler.hpp>

#include "tests/unit/hub/memory_world.hpp"

/// A hub in memory that speaks the protocol, and its clients.
namespace protocol_world {

using namespace memory_world;

inline constexpr std::string_view asking =
    "GET / HTTP/1.1\r\nHost: example.test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Protocol: "
    "hubbub.v1.json\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

/// Everybody is ann; who may subscribe and publish is what a test says, at once or later.
struct Gate {
    std::function<std::optional<bool>(AuthorizationRequest const&)> rule = [](auto const&) { return true; };
    std::vector<Verdict<Permission>> waiting;
};
struct Guarded {
    std::shared_ptr<Gate> gate = std::make_shared<Gate>();
    void authorize(AuthorizationRequest const& request, Verdict<Permission> verdict) {
        if (auto const now = gate->rule(request)) return verdict.answer({*now});
        gate->waiting.push_back(std::move(verdict));
    }
};
struct Ann {
    Duration holds{};
    void authenticate(http::Request const&, PeerAddress const&, Verdict<Authenticated> verdict) {
        auto who = Authenticated::as({.user = "ann"});
        if (holds.count()) who.expires_in = holds;
        verdict.answer(std::move(who));
    }
};
struct Speaking : DefaultPolicy {
    using Auth = Ann;
    using Access = Guarded;
    using Topics = TopicsByName;
    using Codec = ProtocolCodec;
    using Rates = NoRates;
    using SessionData = ProtocolState;
};

/// What a test is told, and what it says.
struct Seen {
    std::vector<std::string> log;
    std::vector<Verdict<ProtocolAnswer>> replies;
    std::vector<Verdict<Authenticated>> verdicts;
};
struct Shop : ProtocolApp {
    std::shared_ptr<Seen> seen = std::make_shared<Seen>();

    void on_open(auto&) { seen->log.push_back("open"); }
    void on_close(auto&, CloseInfo const&) { seen->log.push_back("closed"); }
    void on_subscribed(auto&, Subscription const& told) { seen->log.push_back("in " + std::string(told.topic)); }
    void on_expiring(auto&) { seen->log.push_back("expiring"); }
    /// Below signed/ the server says who it was, to the others.
    std::optional<ProtocolAnswer> on_publish(auto& session, ProtocolPublication& publication) {
        if (!publication.topic.starts_with("signed/")) return std::nullopt;
        if (!publication.data.is_string()) return ProtocolAnswer::error("no_text", "say something", "data");
        json::Nlohmann::write(publication.text, nlohmann::json{{"by", session.identity().user}, {"text", publication.data}});
        publication.options.except = session.id();
        return std::nullopt;
    }
    void on_request(auto& session, std::string_view method, nlohmann::json& params, Verdict<ProtocolAnswer> reply) {
        if (method == "echo") return reply.answer(ProtocolAnswer::result(params));
        if (method == "later") return seen->replies.push_back(std::move(reply));
        if (method == "double") {
            auto reading = json::Nlohmann::read<int>(params, "params");
            if (auto* const wrong = std::get_if<1>(&reading)) return reply.answer(ProtocolAnswer::error(*wrong));
            return reply.answer(ProtocolAnswer::result(2 * *std::get_if<0>(&reading)));
        }
        if (method == "lose") return;
        ProtocolApp::on_request(session, method, params, std::move(reply));
    }
    void judge(auto&, std::string_view token, Verdict<Authenticated> verdict) {
        if (token == "later") return seen->verdicts.push_back(std::move(verdict));
        if (token == "bad") return verdict.answer(Authenticated::refused(http::Status::unauthorized, "it is bad"));
        verdict.answer(Authenticated::as({.user = std::string(token)}));
    }
};

struct Talk : World<ProtocolHandler<Shop>, Speaking> {
    explicit Talk(std::size_t shards = 1, HubOptions<Speaking> options = {}, ProtocolLimits const& limits = {}, Shop shop = {})
        : World(ProtocolHandler<Shop>(shop, limits), shards, with(std::move(options))), seen(shop.seen) {}
    static HubOptions<Speaking> with(HubOptions<Speaking> options) {
        options.protocols = {std::string(protocol_name)};
        options.topics.prefixes = {{"orders", {.history = {.messages = 10}}}};
        options.topics.names.push_back({"room", {.presence = {.kept = true}}});
        return options;
    }
    /// A client that has read who it is.
    std::shared_ptr<MemoryWire> join() {
        auto client = connect(asking);
        CHECK(all(*client).at(0).starts_with(R"({"type":"connected","version":1,)"));
        taken[client.get()] = 1;
        return client;
    }
    static Messages all(MemoryWire const& wire) { return messages(wire); }
    /// What came since the last time.
    Messages fresh(MemoryWire const& wire) {
        Messages const every = messages(wire);
        Messages const result(every.begin() + static_cast<std::ptrdiff_t>(taken[&wire]), every.end());
        taken[&wire] = every.size();
        return result;
    }
    /// What is answered to one message.
    Messages ask(MemoryWire& wire, std::string_view text) {
        say(wire, text);
        return fresh(wire);
    }

    std::shared_ptr<Seen> seen;
    std::map<MemoryWire const*, std::size_t> taken;
};

/// The epoch that a message names.
inline std::string epoch_in(std::string const& message) {
    auto const at = message.find("\"epoch\":\"");
    REQUIRE(at != std::string::npos);
    return message.substr(at + 9, 16);
}

}  // namespace protocol_world
