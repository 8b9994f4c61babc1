#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <hubbub/ws/sha1.hpp>

namespace hubbub::inline v0::detail {

/// What things are called in NATS. A topic may have any name, a subject may not: so its name is written as one token of a subject.
///
///     PREFIX.t.TOKEN.*        what arrives: `_` is what was published without history, the rest JetStream publishes behind storing it
///     PREFIX.h.TOKEN.*        what JetStream stores, in the stream PREFIX=TOKEN
///     PREFIX.i.NUMBER.*.*     what is for one connection of one node
class NatsNames {
   public:
    explicit NatsNames(std::string prefix) : prefix_(std::move(prefix)) {}

    std::string live(std::string_view token) const { return join(".t.", token) + ".*"; }
    std::string plain(std::string_view token) const { return join(".t.", token) + "._"; }
    std::string stored(std::string_view token) const { return join(".h.", token) + "."; }
    std::string inbox(std::string_view number) const { return join(".i.", number) + "."; }
    /// Its name is at most 255 bytes, as JetStream demands: a long one ends with its hash.
    std::string stream(std::string_view token) const {
        if (token.size() <= 160) return join("=", token);
        std::string name = join("=", token.substr(0, 100)) + "==";  // which no token contains
        for (std::byte const each : ws::Sha1::of(token)) add_hex(name, static_cast<unsigned char>(each));
        return name;
    }
    /// The token of a subject that `live` describes.
    std::optional<std::string_view> token_of(std::string_view subject) const {
        if (!subject.starts_with(prefix_) || !subject.substr(prefix_.size()).starts_with(".t.")) return std::nullopt;
        subject.remove_prefix(prefix_.size() + 3);
        return subject.substr(0, subject.find('.'));
    }

    /// Letters, digits, '-' and '_' as they are, the rest as '=' and two digits; another for each name, and never empty.
    static std::string token(std::string_view topic) {
        if (topic.empty()) return "=";
        std::string text;
        for (char const c : topic) {
            bool const plain =
                (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
            if (plain)
                text += c;
            else
                text += '=', add_hex(text, static_cast<unsigned char>(c));
        }
        return text;
    }
    static std::string hex(std::uint64_t number) {
        char text[16];
        return {text, std::to_chars(text, text + sizeof text, number, 16).ptr};
    }

   private:
    static void add_hex(std::string& text, unsigned char byte) {
        text += "0123456789abcdef"[byte >> 4];
        text += "0123456789abcdef"[byte & 15];
    }
    std::string join(std::string_view middle, std::string_view end) const {
        std::string text;
        text.reserve(prefix_.size() + middle.size() + end.size() + 8);
        return text.append(prefix_).append(middle).append(end);
    }

    std::string prefix_;
};

}  // namespace hubbub::inline v0::detail
