#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <hubbub/hub/hub.hpp>
#include <hubbub/transport/memory/manual_loop.hpp>
#include <hubbub/transport/memory/memory_connection.hpp>
#include <hubbub/ws/encoder.hpp>

/// A hub in memory that may be destroyed inside a hook, and two clients: "self", whose hook acts, and "other".
namespace callbacks {

using namespace hubbub;

/// Where user code runs.
enum class Hook {
    on_open,
    on_message,
    on_subscribed,
    on_pressure,
    on_relief,
    on_expiring,
    on_close,
    after,
    post,
    receipt,
    drained,
    authenticate,
    authorize,
    count
};

/// What the hooks of one world share with the test.
struct Script {
    /// Runs `action` if it is armed for this hook. Notes hooks that begin after the hub was destroyed.
    void enter(Hook hook, std::string_view client, void* session) {
        if (hub_is_gone) ++late_hooks;
        if (!armed || hook != *armed || client != "self") return;
        armed.reset();
        ++acted;
        is_inside = true;
        action(session);
        is_inside = false;
    }
    struct Client {
        int opened = 0, closed = 0, subscribed = 0;
        CloseInfo info;
        std::vector<std::string> heard;  ///< messages that on_message was given
        SessionId id;
    };

    std::function<TimePoint()> now;
    std::optional<Hook> armed;
    std::function<void(void* session)> action;
    int acted = 0, late_hooks = 0;
    bool is_inside = false, hub_is_gone = false;
    std::map<std::string, Client, std::less<>> clients;

    static inline std::shared_ptr<Script> current;  ///< for policies, which the hub makes by default
};

struct PlainPolicy : DefaultPolicy {
    struct SessionData {
        std::string name;
    };
};
/// Runs the hooks `authenticate` and `authorize`, and agrees.
struct AskingPolicy : PlainPolicy {
    struct Auth {
        void authenticate(http::Request const& request, PeerAddress const&, Verdict<Authenticated> verdict) {
            Script::current->enter(Hook::authenticate, request.target().substr(1), nullptr);
            verdict.answer(Authenticated::as({}));
        }
    };
    struct Access {
        void authorize(AuthorizationRequest const& request, Verdict<Permission> verdict) {
            bool const is_asked_for = request.topic == "asked for";
            Script::current->enter(Hook::authorize, is_asked_for ? "self" : "", nullptr);
            verdict.answer({true});
        }
    };
};

struct Handler {
    std::shared_ptr<Script> script;

    void on_open(auto& session) {
        session.data().name = session.request()->target().substr(1);
        auto& client = script->clients[session.data().name];
        ++client.opened;
        client.id = session.id();
        session.subscribe("room");
        enter(Hook::on_open, session);
    }
    void on_message(auto& session, MessageView message) {
        script->clients[session.data().name].heard.emplace_back(message.view());
        enter(Hook::on_message, session);
        if (message.view() == "subscribe") session.subscribe("asked for");
        if (message.view() == "expire")
            session.refresh(Identity{.user = {}, .labels = {}, .expires_at = script->now() + std::chrono::seconds(4)});
        if (message.view() == "later")
            session.after(std::chrono::seconds(1), [self = *this](auto& later) { self.enter(Hook::after, later); });
    }
    void on_subscribed(auto& session, Subscription const& subscription) {
        if (subscription.topic == "extra") ++script->clients[session.data().name].subscribed;
        if (subscription.topic == "asked for") enter(Hook::on_subscribed, session);
    }
    void on_continuity_lost(auto&, Subscription const&) {}  // of a broker: see tests/unit/hub/cluster_test.cpp
    void on_pressure(auto& session) { enter(Hook::on_pressure, session); }
    void on_relief(auto& session) { enter(Hook::on_relief, session); }
    void on_expiring(auto& session) { enter(Hook::on_expiring, session); }
    void on_close(auto& session, CloseInfo const& info) {
        auto& client = script->clients[session.data().name];
        ++client.closed;
        client.info = info;
        enter(Hook::on_close, session);
    }
    void enter(Hook hook, auto& session) const { script->enter(hook, session.data().name, &session); }
};

template <class Policy>
class World {
   public:
    using HubType = Hub<MemoryConnection, Policy>;
    using SessionType = Session<MemoryConnection, Policy>;

    World(std::size_t shards, std::uint64_t seed) {
        Script::current = script;
        script->now = [this] { return time_.now; };
        time_.solo = false;
        std::vector<ShardLoop*> pointers;
        for (std::size_t i = 0; i < shards; ++i)
            pointers.push_back(loops_.emplace_back(std::make_unique<ManualLoop>(time_)).get());
        HubOptions<Policy> options;
        options.queue = {.bytes = 4000, .messages = 100, .high_bytes = 400, .low_bytes = 100};
        options.seed = seed;
        hub = std::make_unique<HubType>(pointers, Handler{script}, options);
        broadcaster = hub->broadcaster();
    }
    World(World const&) = delete;
    World& operator=(World const&) = delete;
    ~World() {
        hub.reset();
        run();
        Script::current.reset();
    }

    void connect(std::string const& name) {
        MemorySocket socket;
        wires[name] = socket.wire;
        socket.wire->to_server = "GET /" + name +
                                 " HTTP/1.1\r\nHost: example.test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                                 "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
        hub->adopt(std::move(socket));
        run();
    }
    void say(std::string const& name, std::string_view text) {
        wires[name]->to_server.append(ws::encode_frame(ws::ClientFrame::text(text)));
        run();
    }
    /// Until nothing moves. A client that was sent a Close answers by ending its side.
    void run() {
        for (bool moved = true; moved;) {
            moved = false;
            for (auto const& loop : loops_) {
                while (loop->run_turn()) moved = true;
                for (auto const& [name, wire] : wires) moved |= deliver(*loop, *wire);
            }
            for (auto const& [name, wire] : wires)
                if (!wire->client_ended && wire->server_ended) wire->client_ended = moved = true;
        }
    }
    void pass(std::chrono::milliseconds duration) {
        for (auto const end = time_.now + duration; time_.now < end;) {
            time_.now += std::chrono::milliseconds(50);
            for (auto const& loop : loops_) loop->run_timer();
            run();
            // The Close of a client that waits is answered in the turn that follows it.
            for (auto const& [name, wire] : wires)
                if (closes(name) && !std::exchange(wire->client_ended, true)) run();
        }
    }

    /// How often a client got a message.
    long got(std::string const& name, std::string_view text) const {
        auto const all = frames(name);
        return std::count(all.begin(), all.end(), text);
    }
    /// The code of the Close that a client got, 0 for none.
    int closes(std::string const& name) const {
        for (auto const& frame : frames(name))
            if (frame.starts_with("close ")) return std::stoi(frame.substr(6));
        return 0;
    }
    Script::Client& client(std::string const& name) { return script->clients[name]; }

    std::shared_ptr<Script> script = std::make_shared<Script>();
    std::map<std::string, std::shared_ptr<MemoryWire>> wires;
    std::unique_ptr<HubType> hub;
    std::optional<Broadcaster<MemoryConnection, Policy>> broadcaster;

   private:
    bool deliver(ManualLoop& loop, MemoryWire& wire) {
        auto const endpoint = [&]() -> MemoryEndpoint* {
            return wire.endpoint && &wire.endpoint->loop() == &loop ? wire.endpoint : nullptr;
        };
        if (!endpoint() || !endpoint()->is_ready()) return false;
        bool moved = false;
        loop.run_events([&] {
            moved = endpoint()->deliver(7);
            if (endpoint()) moved |= endpoint()->make_progress();
        });
        return moved;
    }
    /// What follows the 101: payloads, and "close N" for a Close.
    std::vector<std::string> frames(std::string const& name) const {
        std::vector<std::string> result;
        auto const found = wires.find(name);
        if (found == wires.end()) return result;
        std::string_view rest = found->second->received;
        auto const head = rest.find("\r\n\r\n");
        if (head == std::string_view::npos) return result;
        rest.remove_prefix(head + 4);
        while (rest.size() >= 2) {
            auto const size = ws::server_frame_size(reinterpret_cast<std::byte const*>(rest.data()));
            if (size > rest.size()) break;
            auto const payload = rest.substr(size < 128 ? 2 : 4, size - (size < 128 ? 2 : 4));
            if (rest[0] == '\x88' && payload.size() >= 2)
                result.push_back("close " + std::to_string(static_cast<unsigned char>(payload[0]) << 8 |
                                                           static_cast<unsigned char>(payload[1])));
            else
                result.emplace_back(payload);
            rest.remove_prefix(size);
        }
        return result;
    }

    ManualLoop::World time_;
    std::vector<std::unique_ptr<ManualLoop>> loops_;
};

}  // namespace callbacks
