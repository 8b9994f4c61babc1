#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <hubbub/hub/close_info.hpp>
#include <hubbub/hub/revocation.hpp>

namespace hubbub::inline v0 {

/// What a node tells all nodes to do with the sessions of a user or with a label.
struct ControlMessage {
    enum class Kind : std::uint8_t { revoke, close, unsubscribe };

    Kind kind = Kind::revoke;
    CloseCode code = CloseCode::normal;
    std::string target;    ///< the name of the topic behind a Target
    std::string topic{};   ///< to be left
    std::string reason{};  ///< for the Close

    std::string write() const {
        std::string out{static_cast<char>(kind), static_cast<char>(static_cast<std::uint16_t>(code) >> 8),
                        static_cast<char>(static_cast<std::uint16_t>(code) & 0xFF)};
        for (std::string const* const text : {&target, &topic, &reason}) {
            for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(text->size() >> shift & 0xFF);
            out += *text;
        }
        return out;
    }
    /// Nothing: it makes no sense.
    static std::optional<ControlMessage> read(std::string_view text) {
        if (text.size() < 3 || static_cast<std::uint8_t>(text[0]) > 2) return std::nullopt;
        auto const byte = [&text](std::size_t at) { return static_cast<std::uint8_t>(text[at]); };
        ControlMessage message{static_cast<Kind>(byte(0)), static_cast<CloseCode>(byte(1) << 8 | byte(2)), {}};
        text.remove_prefix(3);
        for (std::string* const into : {&message.target, &message.topic, &message.reason}) {
            if (text.size() < 4) return std::nullopt;
            std::size_t const size =
                std::size_t{byte(0)} << 24 | std::size_t{byte(1)} << 16 | std::size_t{byte(2)} << 8 | byte(3);
            text.remove_prefix(4);
            if (text.size() < size) return std::nullopt;
            *into = text.substr(0, size);
            text.remove_prefix(size);
        }
        return message;
    }
};

}  // namespace hubbub::inline v0
