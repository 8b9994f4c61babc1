#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <hubbub/core/ids.hpp>
#include <hubbub/core/position.hpp>
#include <hubbub/core/session_name.hpp>
#include <hubbub/json/nlohmann.hpp>
#include <hubbub/policy/presence.hpp>
#include <hubbub/ws/base64.hpp>
#include <hubbub/ws/message_view.hpp>

namespace hubbub::inline v0 {

/// A message of the protocol, written member by member.
///
/// Errors: none; what is not UTF-8 in a string is replaced with U+FFFD.
/// Example: `session.send(ProtocolText("pong").number("id", 7).text());`
class ProtocolText {
   public:
    explicit ProtocolText(std::string_view type) : ProtocolText() { string("type", type); }
    /// An object inside of a message.
    ProtocolText() : text_(1, '{') {}

    ProtocolText& string(std::string_view name, std::string_view value) {
        json::Nlohmann::write(key(name), value);
        return *this;
    }
    ProtocolText& number(std::string_view name, std::uint64_t value) { return json(name, std::to_string(value)); }
    ProtocolText& boolean(std::string_view name, bool value) { return json(name, value ? "true" : "false"); }
    /// What is JSON already.
    ProtocolText& json(std::string_view name, std::string_view value) {
        key(name).append(value);
        return *this;
    }
    /// `"epoch":"00000000000000ff","offset":12`. An epoch has 64 bits, of which a number in JavaScript keeps 53.
    ProtocolText& position(Position const& position) {
        constexpr std::string_view digits = "0123456789abcdef";
        std::string& text = key("epoch") += '"';
        for (int shift = 60; shift >= 0; shift -= 4) text += digits[position.epoch >> shift & 15];
        text += '"';
        return number("offset", position.offset);
    }
    /// `"session":"0-1a-3"`: see session_name.
    ProtocolText& session(std::uint64_t node, SessionId id) { return string("session", session_name(node, id)); }
    /// `"members":[{"session":"0-1a-3","user":"ada","labels":["staff"]}]`. Without a user or labels these are left out.
    ProtocolText& members(std::string_view name, std::vector<PresenceMember> const& list) {
        std::string text(1, '[');
        for (PresenceMember const& member : list) {
            ProtocolText object;
            object.session(member.node, member.session);
            if (!member.user.empty()) object.string("user", member.user);
            if (!member.labels.empty()) json::Nlohmann::write(object.key("labels"), member.labels);
            if (text.size() > 1) text += ',';
            text += object.text();
        }
        return json(name, text += ']');
    }
    /// What was published, as `data`: JSON text as it is, other text as a string, bytes as base64 with `"encoding":"base64"`.
    /// Cost: text is read once, to see whether it is JSON.
    ProtocolText& data(MessageView message) {
        if (!message.is_text()) {
            string("encoding", "base64");
            std::string& text = key("data") += '"';
            text += ws::encode_base64(message.payload());
            text += '"';
            return *this;
        }
        std::string_view const text = message.view();
        // A byte order mark may stand before JSON, but not inside of it.
        bool const is_json = !text.starts_with("\xEF\xBB\xBF") && nlohmann::json::accept(text);
        return is_json ? json("data", text) : string("data", text);
    }

    /// Ends it.
    std::string& text() { return text_ += '}'; }

   private:
    std::string& key(std::string_view name) {
        if (text_.size() > 1) text_ += ',';
        return (text_ += '"').append(name) += "\":";
    }

    std::string text_;
};

}  // namespace hubbub::inline v0
