#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include <hubbub/ws/decoder.hpp>

/// Counts the messages that a decoder tells it of.
struct CountingSink {
    std::size_t messages = 0, bytes = 0;
    bool on_message(hubbub::MessageView message) {
        ++messages;
        bytes += message.size();
        return true;
    }
    bool on_ping(std::span<std::byte const>) { return true; }
    bool on_pong(std::span<std::byte const>) { return true; }
    bool on_fragment(std::size_t) { return true; }
    void on_close(hubbub::CloseCode, std::string_view) {}
    void on_error(hubbub::CloseCode, std::string_view) {}
};
