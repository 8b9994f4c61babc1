#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include <hubbub/json/library.hpp>
#include <hubbub/json/rfc3339.hpp>
#include <hubbub/ws/message_view.hpp>

namespace hubbub::inline v0::json {

/// What stands in a message beside its type and its data.
struct MessageOptions {
    std::string_view from{};  ///< who says it, as the program knows; left out if empty
    /// When it was said; left out if there is none. A program that tests itself with virtual time gives its own.
    std::optional<std::chrono::system_clock::time_point> time = std::chrono::system_clock::now();
};

namespace detail {
/// `write_data(text)` appends the data.
template <Library L, class WriteData>
std::string write_envelope(std::string_view type, MessageOptions const& options, WriteData&& write_data) {
    std::string text = R"({"type":)";
    L::write(text, type);
    text += R"(,"data":)";
    write_data(text);
    if (!options.from.empty()) {
        text += R"(,"from":)";
        L::write(text, options.from);
    }
    if (options.time) text += R"(,"time":")" + rfc3339(*options.time) + '"';
    text += '}';
    return text;
}
}  // namespace detail

/// `{"type": …, "data": …, "from": …, "time": …}`, the form of every message that a server sends.
template <Library L, class T>
std::string write_message(std::string_view type, T const& data, MessageOptions const& options = {}) {
    return detail::write_envelope<L>(type, options, [&](std::string& text) { L::write(text, data); });
}

/// The message of type `error` that tells a client its problem.
template <Library L>
std::string write_error(Problem const& problem, MessageOptions const& options = {}) {
    return detail::write_envelope<L>("error", options, [&](std::string& text) {
        text += R"({"code":)";
        L::write(text, name_of(problem.code));
        text += R"(,"message":)";
        L::write(text, std::string_view(problem.message));
        if (!problem.member.empty()) {
            text += R"(,"member":)";
            L::write(text, std::string_view(problem.member));
        }
        text += '}';
    });
}

/// A message of a client, taken apart. `from` and `time` of a client are not read: only the server knows them.
template <Library L>
struct Envelope {
    typename L::Document document;
    std::string_view type;                 ///< within `document`
    typename L::Document* data = nullptr;  ///< the same; null if there is none

    /// Nothing: this is a message with a type. Else why it is none.
    std::optional<Problem> open(MessageView message, std::size_t deepest);
};

template <Library L>
std::optional<Problem> Envelope<L>::open(MessageView message, std::size_t deepest) {
    if (!message.is_text())
        return Problem{Outcome::binary_message, "messages are JSON in text frames, and this one is binary", {}};
    if (auto problem = L::parse(message.view(), deepest, document)) return problem;
    if (L::kind(document) != "object") {
        return Problem{
            Outcome::not_an_object,
            "a message is an object with the members type and data, and this is of the kind " + std::string(L::kind(document)),
            {}};
    }
    auto const* const name = L::member(document, "type");
    if (!name) return missing_member("type");
    auto const text = L::string(*name);
    if (!text) return wrong_kind("type", "string", L::kind(*name));
    type = *text;
    data = L::member(document, "data");
    return std::nullopt;
}

}  // namespace hubbub::inline v0::json
