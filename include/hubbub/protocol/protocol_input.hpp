#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include <nlohmann/json.hpp>

#include <hubbub/core/position.hpp>
#include <hubbub/hub/subscription.hpp>
#include <hubbub/json/nlohmann.hpp>

namespace hubbub::inline v0 {

/// The members of a message that a client sent, read one by one. The first that does not fit is the problem, and from there on what is
/// read means nothing.
class ProtocolInput {
   public:
    using Document = nlohmann::json;

    explicit ProtocolInput(Document& object) : object_(&object) {}

    std::optional<json::Problem> problem;

    bool has(std::string_view name) { return json::Nlohmann::member(*object_, name) != nullptr; }
    /// Null if there is none.
    Document* any(std::string_view name) { return json::Nlohmann::member(*object_, name); }

    /// A string of 1 to `most` bytes, within the message.
    std::optional<std::string_view> maybe_text(std::string_view name, std::size_t most) {
        Document const* const value = any(name);
        if (!value) return std::nullopt;
        auto const text = json::Nlohmann::string(*value);
        if (!text) return refuse(json::wrong_kind(name, "string", json::Nlohmann::kind(*value))), std::nullopt;
        if (text->empty() || text->size() > most) {
            refuse_value(name, "must have 1 to " + std::to_string(most) + " bytes");
            return std::nullopt;
        }
        return text;
    }
    std::string_view text(std::string_view name, std::size_t most) { return required(name, maybe_text(name, most)); }
    std::string_view topic() {
        std::string_view const name = text("topic", longest_topic);
        if (!problem && !is_topic_name(name)) refuse_value("topic", "must not begin with U+0000");
        return name;
    }
    std::optional<std::uint64_t> maybe_number(std::string_view name, std::uint64_t least, std::uint64_t most) {
        Document* const value = any(name);
        if (!value) return std::nullopt;
        auto reading = json::Nlohmann::read<std::uint64_t>(*value, name);
        if (auto* const wrong = std::get_if<1>(&reading)) return refuse(std::move(*wrong)), std::nullopt;
        std::uint64_t const number = *std::get_if<0>(&reading);
        if (number < least || number > most) return refuse(json::out_of_range(name)), std::nullopt;
        return number;
    }
    std::uint64_t number(std::string_view name, std::uint64_t least, std::uint64_t most) {
        return required(name, maybe_number(name, least, most));
    }
    bool flag(std::string_view name) {
        Document const* const value = any(name);
        if (!value) return false;
        if (!value->is_boolean()) return refuse(json::wrong_kind(name, "boolean", json::Nlohmann::kind(*value))), false;
        return value->get<bool>();
    }
    /// `{"epoch":"00000000000000ff","offset":12}`
    std::optional<Position> maybe_position(std::string_view name);

    static constexpr std::uint64_t largest = (std::uint64_t{1} << 53) - 1;  ///< that a number in JavaScript keeps

   private:
    void refuse(json::Problem wrong) {
        if (!problem) problem = std::move(wrong);
    }
    void refuse_value(std::string_view name, std::string const& sentence) {
        refuse({json::Outcome::invalid_value, "the member \"" + std::string(name) + "\" " + sentence, std::string(name)});
    }
    template <class T>
    T required(std::string_view name, std::optional<T> const& value) {
        if (!value) refuse(json::missing_member(name));
        return value.value_or(T{});
    }

    Document* object_;
};

inline std::optional<Position> ProtocolInput::maybe_position(std::string_view name) {
    Document* const value = any(name);
    if (!value) return std::nullopt;
    if (!value->is_object()) return refuse(json::wrong_kind(name, "object", json::Nlohmann::kind(*value))), std::nullopt;
    ProtocolInput inside(*value);
    std::string_view const digits = inside.text("epoch", 16);
    Position position;
    for (char const c : digits) {
        constexpr std::string_view all = "0123456789abcdef";
        std::size_t const digit = all.find(c);
        if (digit == all.npos || digits.size() != 16) {
            inside.refuse_value("epoch", "must have 16 digits from 0 to f");
            break;
        }
        position.epoch = position.epoch << 4 | digit;
    }
    position.offset = inside.number("offset", 0, largest);
    if (inside.problem) {  // named as seen from the message
        inside.problem->member = std::string(name) + '.' + inside.problem->member;
        std::size_t const quoted = inside.problem->message.find('"');
        if (quoted != std::string::npos) inside.problem->message.insert(quoted + 1, std::string(name) + '.');
        return refuse(std::move(*inside.problem)), std::nullopt;
    }
    return position;
}

}  // namespace hubbub::inline v0
