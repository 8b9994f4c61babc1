#pragma once

#include <chrono>
#include <memory>
#include <stdexcept>

#include <hubbub/http/request_parser.hpp>
#include <hubbub/http/routes.hpp>
#include <hubbub/hub/outbound_queue.hpp>
#include <hubbub/hub/overflow_action.hpp>
#include <hubbub/ws/decoder.hpp>

namespace hubbub::inline v0 {

/// Which browsers' pages may connect (RFC 6455 10.2). A request without Origin passes: it comes from no browser.
enum class OriginCheck : std::uint8_t { same_host, off };

/// How much and how long; what happens is fixed by types.
struct HubOptions {
    QueueLimits queue;
    ws::DecoderLimits message;
    http::ParserLimits request;
    OriginCheck origin = OriginCheck::same_host;
    std::chrono::milliseconds ping_after{54'000};         ///< without a frame from the client
    std::chrono::milliseconds silence_limit{60'000};      ///< without a frame the session ends
    std::chrono::milliseconds handshake_limit{10'000};    ///< for the whole handshake, not reset by a byte
    std::chrono::milliseconds close_limit{5'000};         ///< for the peer to answer a Close; then a reset
    std::chrono::milliseconds write_limit{30'000};        ///< without progress while something is queued
    std::shared_ptr<http::Routes> routes;                 ///< pages on the same port; with several loops each calls them

    /// Throws std::invalid_argument with a sentence that names the member.
    void check() const {
        if (queue.messages == 0 || queue.messages > OutboundQueue::most_messages)
            throw std::invalid_argument("HubOptions::queue.messages must be from 1 to 32000");
        if (queue.bytes < 128) throw std::invalid_argument("HubOptions::queue.bytes must be at least 128");
        if (ping_after >= silence_limit) throw std::invalid_argument("HubOptions::ping_after must be less than silence_limit");
        for (auto const limit : {ping_after, handshake_limit, close_limit, write_limit})
            if (limit.count() <= 0) throw std::invalid_argument("HubOptions: every duration must be positive");
    }
};

}  // namespace hubbub::inline v0
