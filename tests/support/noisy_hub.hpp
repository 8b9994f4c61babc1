// A hub in which everything goes wrong that can, with secrets wherever a client or an application may have some.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <hubbub/policy/jwt/jwt_auth.hpp>

#include "tests/support/jwt_maker.hpp"
#include "tests/support/secrets.hpp"
#include "tests/unit/hub/memory_world.hpp"

namespace noisy_hub {

using namespace hubbub;
using hubbub_test::Secrets;
using memory_world::World;

/// Policies that throw what they have been told.
struct Doorkeeper {
    using Options = JwtAuth::Options;
    explicit Doorkeeper(Options options) : jwt(std::move(options)) {}
    void authenticate(http::Request const& request, PeerAddress const& peer, Verdict<Authenticated> verdict) {
        if (request.path() == "/throw") throw std::runtime_error(std::string(request.header("Cookie").value_or("")));
        jwt.authenticate(request, peer, std::move(verdict));
    }
    JwtAuth jwt;
};
struct Pages {
    bool passes(http::Request const& request) const {
        auto const origin = request.header("Origin");
        if (origin && origin->starts_with("https://throw.")) throw std::runtime_error(std::string(*origin));
        return !origin;
    }
};
struct Places {
    ShardIndex operator()(SessionInfo const& info, ShardCount) const {
        if (info.request.path() == "/lost") throw std::runtime_error(std::string(info.request.target()));
        return {0};
    }
};
struct Writer {
    std::optional<Frame> gap_notice(std::uint64_t) const { return std::nullopt; }
    Frame publication(PublicationInfo const&, MessageView message) const {
        if (message.view().starts_with("spoil")) throw std::runtime_error(std::string(message.view()));
        if (message.view().starts_with("grow")) return Frame::text(std::string(200'000, 'x') + std::string(message.view()));
        return Frame(message);
    }
};
template <EventSink Sink>
struct Policy : DefaultPolicy {
    using Auth = Doorkeeper;
    using Origin = Pages;
    using Sharding = Places;
    using Codec = Writer;
    using Topics = TopicsByName;
    using EventSink = Sink;
};

struct Handler : NoopHandler {
    void on_open(auto& session) {
        for (auto const* topic : {"room", "loud", "kept"}) session.subscribe(topic);
    }
    void on_message(auto& session, MessageView message) {
        if (message.view().starts_with("throw")) throw std::runtime_error(std::string(message.view()));
        session.publish("room", message);
    }
    void on_close(auto&, CloseInfo const& info) {
        if (!info.reason.empty()) throw std::runtime_error(std::string(info.reason));
    }
};

/// What the run below tells at least; what it does not is of brokers, engines and listeners.
inline constexpr std::string_view provoked[] = {
    "session_opened", "session_closed",   "connection_refused", "session_throttled",   "session_shed",
    "history_shed",   "messages_dropped", "slow_consumer",      "publication_too_big", "callback_threw",
    "policy_threw",   "drain_begun",      "drain_ended"};
inline constexpr std::string_view provoked_details[] = {
    "malformed", "limit", "origin", "authentication", "too_slow", "draining", "memory", "rate",
    "on_close",  "us",    "peer",   "network",        "sharding", "routes",   "codec",  "authentication"};

template <EventSink Sink>
class Noise {
   public:
    using P = Policy<Sink>;

    Noise(OptionsOf<Sink> const& events, Secrets& secrets) : secrets_(secrets), options_(options_of(events)) {}

    void make() {
        handshakes();
        sessions();
        slow_ones();
        much_memory();
        end_of_all();
    }

   private:
    HubOptions<P> options_of(OptionsOf<Sink> const& events) {
        std::string const key = secrets_.plant("key") + std::string(64, 'k');
        maker_ = std::make_unique<jwt_maker::Maker>(jwt_maker::Maker::secret(key));
        HubOptions<P> options;
        options.events = events;
        options.auth.algorithm = {"HS256"};
        options.auth.key = key;
        options.auth.source.cookie = "token";
        options.auth.source.query = "token";
        options.routes = std::make_shared<http::Routes>();
        options.routes->add("/page", [](http::Request const& request) -> http::Response {
            throw std::runtime_error(std::string(request.header("Authorization").value_or("")));
        });
        options.queue = {.bytes = 100'000, .messages = 8};
        options.topics.names = {{"loud", {.on_full = OverflowAction::drop_newest}}, {"kept", {.history = {.messages = 1000}}}};
        options.limits.in_all = 40;
        options.rates.session = {.messages = {20, 20}, .bytes = {}, .subscriptions = {}};
        options.rates.address.connections = {1, 5};
        options.proxies.networks = {"192.0.2.0/24"};
        return options;
    }
    /// A token that says something secret, and is a secret itself, whole and in its parts.
    std::string token(std::string const& where, bool is_good = true) {
        std::string const claims = R"({"sub":"ada","exp":99999999999,"note":")" + secrets_.plant(where + "Claim") + R"("})";
        std::string text = maker_->token(JwtAlgorithm::hs256, claims);
        if (!is_good) text.back() = text.back() == 'A' ? 'Q' : 'A';
        secrets_.also(where + "Payload", text.substr(text.find('.') + 1, 60));
        secrets_.also(where + "Signature", text.substr(text.rfind('.') + 1, 30));
        return text;
    }
    static std::string request(std::string_view target, std::string_view headers) {
        std::string text(memory_world::request);
        text.replace(text.find("/chat"), 5, target);
        text.insert(text.size() - 2, headers);
        return text;
    }
    std::string good() { return request("/", "Authorization: Bearer " + token("good") + "\r\n"); }
    std::string secret_headers() {
        return "Cookie: id=" + secrets_.plant("cookie") + "\r\nUser-Agent: " + secrets_.plant("agent") +
               "\r\nX-Forwarded-For: " + secrets_.plant("forwarded") + "\r\nX-Api-Key: " + secrets_.plant("header") + "\r\n";
    }
    static void say(auto& world, MemoryWire& wire, ws::Opcode opcode, std::string_view payload) {
        wire.to_server += ws::encode_frame(ws::ClientFrame::make(opcode, payload));
        world.run();
    }
    static std::string closing(std::string const& reason) { return "\x03\xe9" + reason; }

    void handshakes() {
        World<Handler, P> world({}, 2, options_);
        std::string const headers = secret_headers();
        for (bool const is_good : {true, false}) {
            std::string const name = is_good ? "good" : "bad";
            std::string const bearer = token(name + "Authorization", is_good), cookie = token(name + "Cookie", is_good),
                              protocol = token(name + "Protocol", is_good), query = token(name + "Query", is_good);
            world.connect(request("/a?key=" + secrets_.plant("query"), headers + "Authorization: Bearer " + bearer + "\r\n"));
            world.connect(request("/b", "Cookie: token=" + cookie + "; other=" + secrets_.plant("other") + "\r\n"));
            world.connect(request("/c", headers + "Sec-WebSocket-Protocol: chat, bearer." + protocol + "\r\n"));
            world.connect(request("/d?token=" + query, headers));
            world.connect(request("/lost?token=" + query, headers));
        }
        world.connect(request("/throw", headers));
        world.connect(request("/page", "Authorization: Basic " + secrets_.plant("basic") + "\r\n"));
        std::string page = "GET /page HTTP/1.1\r\nHost: a\r\nAuthorization: Basic " + secrets_.plant("page") + "\r\n\r\n";
        world.connect(page);
        for (auto const* origin : {"https://throw.", "https://evil."})
            world.connect(request("/", headers + "Origin: " + origin + secrets_.plant("origin") + ".test\r\n"));
        std::string const word = secrets_.plant("malformed");
        for (std::string const& wrong :
             {word + "\r\n\r\n", "GET /" + word + " HTTP/9\r\n\r\n", word + " / HTTP/1.1\r\nHost: a\r\n\r\n",
              "GET / HTTP/1.1\r\n" + word + " : x\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: " + word + "\r\n\r\n",
              "GET / HTTP/1.1\r\nHost: a\r\nCookie: " + std::string(100'000, 'x') + word, "\x16\x03\x01" + word,
              "PROXY TCP4 " + word + "\r\n", request("/", "Sec-WebSocket-Version: " + word + "\r\n"),
              request("/", "Sec-WebSocket-Key: " + word + "\r\n"), request("/\x01" + word, ""), request("//" + word, headers)})
            world.connect(wrong);
        for (int i = 0; i < 8; ++i)
            world.connect(request("/", headers), MemoryMode::direct,
                          {.bytes = {198, 51, 100, 7}, .family = PeerAddress::Family::ipv4});
        world.connect(request("/", headers), MemoryMode::direct,
                      {.bytes = {192, 0, 2, 1}, .family = PeerAddress::Family::ipv4});
        world.connect("GET /" + secrets_.plant("slow") + " HTTP/1.1\r\nCookie: ");
        world.pass(std::chrono::seconds(11));
        for (int i = 0; i < 60; ++i) world.connect("GET /" + secrets_.plant("many"));
    }
    void sessions() {
        World<Handler, P> world({}, 2, options_);
        auto const wires = [&] {
            std::vector<std::shared_ptr<MemoryWire>> result;
            for (int i = 0; i < 8; ++i) result.push_back(world.connect(good()));
            return result;
        }();
        say(world, *wires[0], ws::Opcode::text, "throw " + secrets_.plant("thrown"));
        say(world, *wires[1], ws::Opcode::text, "spoil " + secrets_.plant("spoilt"));
        say(world, *wires[1], ws::Opcode::text, "grow " + secrets_.plant("grown"));
        say(world, *wires[1], ws::Opcode::ping, secrets_.plant("ping"));
        say(world, *wires[1], ws::Opcode::pong, secrets_.plant("pong"));
        say(world, *wires[1], ws::Opcode::close, closing(secrets_.plant("reason")));
        wires[1]->client_ended = true;
        say(world, *wires[2], ws::Opcode::text, "\xff" + secrets_.plant("text"));
        wires[3]->to_server += secrets_.plant("frame");
        world.run();
        for (int i = 0; i < 40; ++i) say(world, *wires[4], ws::Opcode::text, secrets_.plant("fast"));
        wires[5]->lost = true;
        world.run();
        world.hub.close(Target::user("ada"), CloseCode::policy_violation, secrets_.plant("ourReason"));
        world.hub.revoke(Target::user("ada"), secrets_.plant("revoked"));
        world.pass(std::chrono::seconds(10));
    }
    void slow_ones() {
        World<Handler, P> world({}, 2, options_);
        auto const wire = world.connect(good());
        wire->room = 0;
        for (int i = 0; i < 20; ++i) world.hub.publish("loud", Frame::text(secrets_.plant("loud")));
        world.run();
        wire->room = MemoryWire::unlimited;
        world.run();
        wire->room = 0;
        for (int i = 0; i < 20; ++i) world.hub.publish("room", Frame::text(secrets_.plant("published")));
        world.run();
        world.pass(std::chrono::seconds(40));
    }
    void much_memory() {
        auto options = options_;
        options.memory = std::make_shared<MemoryBudget>(std::size_t{1} << 20);
        options.rates = TokenBuckets::off();
        options.message.message = std::size_t{1} << 20;
        World<Handler, P> world({}, 1, options);
        std::vector<std::shared_ptr<MemoryWire>> wires;
        for (int i = 0; i < 4; ++i) wires.push_back(world.connect(good()));
        std::string const much = secrets_.plant("much") + std::string(60'000, 'x');
        for (int i = 0; i < 40; ++i) {
            world.hub.publish("kept", Frame::text(much));
            world.run();
        }
        for (auto const& wire : wires) {  // messages that never end
            auto bytes = ws::encode_frame(ws::ClientFrame::text(std::string(900'000, 'y')));
            wire->to_server.append(bytes.substr(0, 400'000));
            world.run();
        }
        world.connect(good());
        world.pass(std::chrono::seconds(1));
    }
    void end_of_all() {
        World<Handler, P> world({}, 2, options_);
        for (int i = 0; i < 3; ++i) world.connect(good());
        DrainOptions drain;
        drain.reason = secrets_.plant("drain");
        drain.deadline = std::chrono::seconds(2);
        world.hub.drain(drain, [] {});
        world.run();
        world.connect(good());
        world.pass(std::chrono::seconds(5));
    }

    Secrets& secrets_;
    std::unique_ptr<jwt_maker::Maker> maker_;
    HubOptions<P> options_;
};

}  // namespace noisy_hub
