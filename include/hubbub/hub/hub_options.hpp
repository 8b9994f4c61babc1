#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <hubbub/core/exceptions.hpp>
#include <hubbub/core/memory_budget.hpp>
#include <hubbub/http/request_parser.hpp>
#include <hubbub/http/routes.hpp>
#include <hubbub/http/trusted_proxies.hpp>
#include <hubbub/hub/hub_policy.hpp>
#include <hubbub/hub/mailbox.hpp>
#include <hubbub/hub/outbound_queue.hpp>
#include <hubbub/hub/outbox_limits.hpp>
#include <hubbub/policy/overflow_action.hpp>
#include <hubbub/ws/decoder.hpp>

namespace hubbub::inline v0 {

/// How much and how long, and what each axis of the policy is configured with: its `Options`, or an instance that is copied for each
/// shard. What happens is fixed by types. Every default is meant for a server that strangers reach.
///
/// Example:
///     hubbub::HubOptions<TickerPolicy> options{.queue = {.messages = 100}, .heartbeat = {.ping_after = 20s, .silence_limit = 25s}};
template <HubPolicy Policy = DefaultPolicy>
struct HubOptions {
    OptionsOf<typename Policy::Auth> auth{};
    OptionsOf<typename Policy::Access> access{};
    OptionsOf<typename Policy::Origin> origin{};
    OptionsOf<typename Policy::Limits> limits{};
    OptionsOf<typename Policy::Rates> rates{};
    OptionsOf<typename Policy::Sharding> sharding{};
    OptionsOf<typename Policy::Overflow> overflow{};
    OptionsOf<typename Policy::Heartbeat> heartbeat{};
    OptionsOf<typename Policy::Topics> topics{};
    OptionsOf<typename Policy::Codec> codec{};
    OptionsOf<typename Policy::Compression> compression{};
    OptionsOf<typename Policy::Backplane> backplane{};
    OptionsOf<typename Policy::EventSink> events{};

    QueueLimits queue{};
    ws::DecoderLimits message{};
    http::ParserLimits request{};
    http::TrustedProxies proxies{};
    MailboxLimits mailbox{};
    OutboxLimits outbox{};                 ///< with a broker: see Policy::Backplane
    std::vector<std::string> protocols{};  ///< subprotocols that are spoken, the one that is liked best first
    std::size_t subscriptions = 128;       ///< topics of one session
    std::size_t questions = 16;   ///< subscriptions of a session that wait for their verdict before it is not read from
    std::size_t permissions = 0;  ///< verdicts of `access` that each session remembers; 0 asks each time

    std::chrono::milliseconds handshake_limit{10'000};  ///< since it was accepted, for the whole handshake; not reset by a byte
    std::chrono::milliseconds page_limit{60'000};       ///< for a page that is answered later
    std::chrono::milliseconds message_limit{30'000};    ///< for a message or frame to become whole
    std::chrono::milliseconds write_limit{30'000};      ///< without progress while something is queued
    std::chrono::milliseconds close_limit{5'000};       ///< for the peer to answer a Close; then a reset
    std::chrono::milliseconds idle_limit{0};            ///< without a message from the client; 0 for none
    std::chrono::milliseconds expiry_warning{30'000};   ///< before an identity expires `on_expiring` is called; 0: never
    std::chrono::milliseconds expiry_grace{5'000};  ///< so long after it the session ends, for a new token that is under way
    std::chrono::milliseconds lifetime_limit{0};    ///< of a session, less up to a tenth by chance; 0 for none

    /// A callback that takes longer is counted and told (`callback_slow`): all sessions of its shard wait meanwhile. 0: none is.
    std::chrono::milliseconds slow_callback{10};

    /// What clients may make it keep, in all; null is a budget of its own of `MemoryBudget::usual` bytes. Hubs may share one.
    std::shared_ptr<MemoryBudget> memory{};

    /// What the hub draws by chance comes from here, so that a simulation can be repeated; 0 draws it from the system, as every
    /// server that strangers reach must.
    std::uint64_t seed = 0;

    std::shared_ptr<http::Routes> routes{};  ///< pages on the same port; with several loops each calls them

    /// Throws std::invalid_argument with a sentence that names the member.
    void check() const {
        auto const demand = [](bool holds, char const* sentence) {
            if (!holds) detail::throw_exception(std::invalid_argument(sentence));
        };
        demand(queue.messages >= 1 && queue.messages <= OutboundQueue::most_messages,
               "HubOptions::queue.messages must be from 1 to 32000");
        demand(queue.bytes >= 128 && queue.bytes <= 1u << 30, "HubOptions::queue.bytes must be from 128 to 2^30");
        demand(!memory || memory->limit() >= std::size_t{1} << 20, "HubOptions::memory must be at least 2^20 bytes");
        demand(queue.low_bytes < queue.high_bytes, "HubOptions::queue.low_bytes must be less than queue.high_bytes");
        demand(!message.compressed, "HubOptions::message.compressed is what a handshake agrees on: see Policy::Compression");
        demand(message.message >= 1 && message.fragments >= 1, "HubOptions::message must allow a byte and a fragment");
        demand(mailbox.bytes >= 4096 && mailbox.letters >= 1, "HubOptions::mailbox.bytes must be at least 4096, and letters 1");
        demand(outbox.bytes >= 4096 && outbox.messages >= 1 && outbox.messages <= 65'536,
               "HubOptions::outbox.bytes must be at least 4096, and messages from 1 to 65536");
        demand(outbox.patience.count() >= 0, "HubOptions::outbox.patience must not be negative");
        demand(handshake_limit.count() > 0, "HubOptions::handshake_limit must be positive");
        demand(page_limit.count() > 0, "HubOptions::page_limit must be positive");
        demand(message_limit.count() > 0, "HubOptions::message_limit must be positive");
        demand(write_limit.count() > 0, "HubOptions::write_limit must be positive");
        demand(close_limit.count() > 0, "HubOptions::close_limit must be positive");
        demand(idle_limit.count() >= 0, "HubOptions::idle_limit must not be negative");
        demand(expiry_warning.count() >= 0, "HubOptions::expiry_warning must not be negative");
        demand(expiry_grace.count() >= 0, "HubOptions::expiry_grace must not be negative");
        demand(slow_callback.count() >= 0, "HubOptions::slow_callback must not be negative");
        demand(questions >= 1, "HubOptions::questions must be at least 1");
        demand(permissions <= 4096, "HubOptions::permissions must be at most 4096");
        demand(lifetime_limit.count() >= 0, "HubOptions::lifetime_limit must not be negative");
        for (auto const& protocol : protocols) demand(http::is_token(protocol), "HubOptions::protocols must be tokens");
        proxies.check();
        check_options(auth, access, origin, limits, rates, sharding, overflow, heartbeat, topics, codec, compression, backplane,
                      events);
    }
};

}  // namespace hubbub::inline v0
