#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <hubbub/ws/close_code.hpp>
#include <hubbub/ws/message_view.hpp>

/// Writes down in words what a decoder tells it: "text Hello", "ping x", "fragment 3", "close 1000 bye", "error 1002".
struct RecordingSink {
    std::vector<std::string> events;
    std::size_t stop_after = ~std::size_t{0};  ///< says stop with this many events, and with each that follows

    bool on_message(hubbub::MessageView message) { return say(message.is_text() ? "text " : "binary ", message.payload()); }
    bool on_ping(std::span<std::byte const> payload) { return say("ping ", payload); }
    bool on_pong(std::span<std::byte const> payload) { return say("pong ", payload); }
    bool on_fragment(std::size_t payload) { return say("fragment " + std::to_string(payload), {}); }
    void on_close(hubbub::CloseCode code, std::string_view reason) {
        say("close " + std::to_string(static_cast<unsigned>(code)) + " ",
            std::as_bytes(std::span(reason.data(), reason.size())));
    }
    void on_error(hubbub::CloseCode code, std::string_view) { say("error " + std::to_string(static_cast<unsigned>(code)), {}); }

   private:
    bool say(std::string what, std::span<std::byte const> payload) {
        if (!payload.empty()) what.append(reinterpret_cast<char const*>(payload.data()), payload.size());
        events.push_back(std::move(what));
        return events.size() < stop_after;
    }
};
