// Lines, each a message of a client, to a hub that speaks the protocol: what comes back is JSON with a type, what is published comes as it
// was, and nothing throws.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <hubbub/hub/hub.hpp>
#include <hubbub/protocol/protocol_handler.hpp>
#include <hubbub/transport/memory/manual_loop.hpp>
#include <hubbub/transport/memory/memory_connection.hpp>
#include <hubbub/ws/encoder.hpp>
#include <hubbub/ws/utf8.hpp>

namespace fuzzed {

using namespace hubbub;

void require(bool condition) {
    if (!condition) std::abort();
}

struct Policy : DefaultPolicy {
    using Topics = TopicsByName;
    using Codec = ProtocolCodec;
    using Rates = NoRates;
    using SessionData = ProtocolState;
};

struct App : ProtocolApp {
    void on_request(auto& session, std::string_view method, nlohmann::json& params, Verdict<ProtocolAnswer> reply) {
        if (method == "a") return reply.answer(ProtocolAnswer::result(params));
        ProtocolApp::on_request(session, method, params, std::move(reply));
    }
};

struct World {
    World() : hub(loop, ProtocolHandler{App{}, limits()}, options()) {
        MemorySocket socket;
        wire = socket.wire;
        wire->to_server =
            "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Protocol: "
            "hubbub.v1.json\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
        hub.adopt(std::move(socket));
        run();
        auto const head = wire->received.find("\r\n\r\n");
        require(head != std::string::npos);
        wire->received.erase(0, head + 4);
        hear([](nlohmann::json const& hello) { require(hello.at("type") == "connected"); });
        say(R"({"type":"subscribe","id":1,"topic":"a"})");  // so that what is published there is seen
        hear([](nlohmann::json const& begun) { require(begun.at("type") == "subscribed"); });
    }
    void say(std::string_view line) {
        wire->to_server.append(ws::encode_frame(ws::ClientFrame::text(line)));
        run();
    }
    static ProtocolLimits limits() {
        ProtocolLimits result;
        result.mistakes = 1'000'000;
        return result;
    }
    static HubOptions<Policy> options() {
        HubOptions<Policy> result;
        result.protocols = {std::string(protocol_name)};
        result.topics.prefixes = {{"a", {.history = {.messages = 3}}}};
        result.subscriptions = 3;
        result.seed = 1;
        return result;
    }
    void run() {
        while (loop.run_turn()) {}
        while (auto* endpoint = hub.driver(0).find(*wire)) {
            bool progress = false;
            loop.run_events([&] {
                progress = endpoint->deliver(4096);
                if (hub.driver(0).find(*wire) == endpoint) progress |= endpoint->make_progress();
            });
            while (loop.run_turn()) progress = true;
            if (!progress) break;
        }
    }
    /// Calls `take(message)` for each that came.
    template <class Take>
    void hear(Take&& take) {
        std::string const bytes = std::exchange(wire->received, {});
        std::string_view rest = bytes;
        while (!rest.empty()) {
            auto const* const frame = reinterpret_cast<std::byte const*>(rest.data());
            std::size_t const size = ws::server_frame_size(frame);
            require(size <= rest.size() && frame[0] == std::byte{0x81});
            std::size_t const header = size < 128 ? 2 : size < 65536 + 4 ? 4 : 10;
            std::string_view const text = rest.substr(header, size - header);
            require(ws::is_valid_utf8(text));
            auto const message = nlohmann::json::parse(text);
            require(message.is_object() && message.at("type").is_string());
            take(message);
            rest.remove_prefix(size);
        }
    }

    ManualLoop::World time;
    ManualLoop loop{time};
    std::shared_ptr<MemoryWire> wire;
    Hub<MemoryConnection, Policy> hub;
};

}  // namespace fuzzed

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    using namespace fuzzed;
    std::string_view rest(reinterpret_cast<char const*>(data), size);
    if (!ws::is_valid_utf8(rest)) return 0;  // the decoder refuses it
    World world;
    while (!rest.empty()) {
        std::string_view const line = rest.substr(0, rest.find('\n'));
        rest.remove_prefix(std::min(line.size() + 1, rest.size()));
        auto const said = nlohmann::json::parse(line, nullptr, false);
        world.say(line);
        int answers = 0;
        world.hear([&](nlohmann::json const& message) {
            std::string const& type = message.at("type").get_ref<std::string const&>();
            if (type == "publication" && said.is_object() && said.value("type", nlohmann::json()) == "publish")
                require(message.at("data") == said.at("data") && message.at("topic") == said.at("topic"));
            else if (type != "publication")
                ++answers;
        });
        require(answers <= 2);  // of a subscription that was taken back, and its taker
        if (said.is_discarded() || !said.is_object()) require(answers == 1);
    }
    require(world.hub.snapshot(0).callbacks_threw == 0 && world.hub.snapshot(0).sessions == 1);
    return 0;
}
