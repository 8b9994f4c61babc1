#include <hubbub/hub/hub_options.hpp>

#include <chrono>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/support/refusal.hpp"

using hubbub::HubOptions;
using namespace std::chrono_literals;

TEST_CASE("The defaults pass the check, and so does what is at the edge") {
    CHECK(refusal(HubOptions<>{}).empty());
    HubOptions options;
    options.queue = {.bytes = 128, .messages = 32'000, .high_bytes = 1, .low_bytes = 0};
    options.mailbox = {.bytes = 4096, .letters = 1};
    options.heartbeat = {.ping_after = 1ms, .silence_limit = 2ms};
    options.idle_limit = 0ms;
    options.lifetime_limit = 0ms;
    options.protocols = {"v1", "chat.example"};
    CHECK(refusal(options).empty());
    options.queue.messages = 1;
    CHECK(refusal(options).empty());
}

TEST_CASE("Each option that cannot be is refused with a sentence that names the member") {
    using Spoil = std::function<void(HubOptions<>&)>;
    std::vector<std::pair<std::string, Spoil>> const wrong = {
        {"queue.messages", [](HubOptions<>& o) { o.queue.messages = 0; }},
        {"queue.messages", [](HubOptions<>& o) { o.queue.messages = 32'001; }},
        {"queue.bytes", [](HubOptions<>& o) { o.queue.bytes = 127; }},
        {"queue.bytes", [](HubOptions<>& o) { o.queue.bytes = (1u << 30) + 1; }},
        {"queue.low_bytes", [](HubOptions<>& o) { o.queue.low_bytes = o.queue.high_bytes; }},
        {"message", [](HubOptions<>& o) { o.message.message = 0; }},
        {"message", [](HubOptions<>& o) { o.message.fragments = 0; }},
        {"mailbox.bytes", [](HubOptions<>& o) { o.mailbox.bytes = 4095; }},
        {"mailbox.bytes", [](HubOptions<>& o) { o.mailbox.letters = 0; }},
        {"handshake_limit", [](HubOptions<>& o) { o.handshake_limit = 0ms; }},
        {"message_limit", [](HubOptions<>& o) { o.message_limit = 0ms; }},
        {"write_limit", [](HubOptions<>& o) { o.write_limit = 0ms; }},
        {"close_limit", [](HubOptions<>& o) { o.close_limit = 0ms; }},
        {"idle_limit", [](HubOptions<>& o) { o.idle_limit = -1ms; }},
        {"lifetime_limit", [](HubOptions<>& o) { o.lifetime_limit = -1ms; }},
        {"protocols", [](HubOptions<>& o) { o.protocols = {"fine", "not a token"}; }},
        {"protocols", [](HubOptions<>& o) { o.protocols = {""}; }},
    };
    for (auto const& [member, spoil] : wrong) {
        HubOptions options;
        spoil(options);
        CAPTURE(member);
        CHECK(refusal(options).starts_with("HubOptions::" + member));
    }
}

TEST_CASE("What an axis of the policy is configured with is checked too, and named") {
    HubOptions options;
    for (auto const wrong : {0ms, -1ms, 60'000ms}) {
        options.heartbeat.ping_after = wrong;
        CHECK(refusal(options).starts_with("UniformHeartbeat::ping_after"));
    }
    struct Chosen : hubbub::DefaultPolicy {
        using Sharding = hubbub::ByFunction;
    };
    CHECK(refusal(HubOptions<Chosen>{}).starts_with("ByFunction::function"));
}
