#pragma once

#include <hubbub/hub/hub_options.hpp>
#include <hubbub/hub/noop_handler.hpp>

#include "tests/conformance/cases.hpp"

namespace conformance {

/// Under a thread sanitizer, which makes each byte dear, the largest messages are left out: they add no interleaving.
#if defined(__SANITIZE_THREAD__)
inline constexpr std::size_t largest_case = 128 * 1024;
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
inline constexpr std::size_t largest_case = 128 * 1024;
#else
inline constexpr std::size_t largest_case = ~std::size_t{0};
#endif
#else
inline constexpr std::size_t largest_case = ~std::size_t{0};
#endif

/// What every hub of this suite does.
struct EchoHandler : hubbub::NoopHandler {
    void on_message(auto& session, hubbub::MessageView message) { session.send(message); }
};

/// A hub that the cases of these options can be run against.
template <hubbub::HubPolicy Policy = hubbub::DefaultPolicy>
hubbub::HubOptions<Policy> hub_options(ServerOptions const& wanted) {
    hubbub::HubOptions<Policy> options;
    options.message.message = wanted.message;
    options.message.fragments = wanted.fragments;
    options.queue.bytes = 256 * 1024 * 1024;
    options.queue.messages = 32'000;
    options.queue.high_bytes = options.queue.bytes;
    options.limits.per_address = 0;
    options.rates.session = {.messages = {}, .bytes = {}, .subscriptions = {}};  // the cases are as fast as they can
    options.rates.address = {.connections = {}, .failures = {}, .messages = {}, .bytes = {}};
    if constexpr (hubbub::compresses<Policy>) {
        options.compression.threshold = 1;
        options.compression.server_takeover = true;
        options.compression.client_takeover = wanted.takeover;
    }
    return options;
}

}  // namespace conformance
