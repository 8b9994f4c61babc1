#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace hubbub::inline v0::json {

/// What became of a message that a client sent.
enum class Outcome : std::uint8_t {
    handled,           ///< its handler was called
    binary_message,    ///< it came in a binary frame
    not_json,          ///< it breaks the grammar of RFC 8259
    too_deep,          ///< more arrays and objects in each other than the router takes
    duplicate_member,  ///< an object has two members of one name, which readers understand differently (RFC 8259 4)
    not_an_object,     ///< it is JSON, but no object
    missing_member,    ///< a member that must be there is not
    wrong_kind,        ///< a member is a string, say, where a number is wanted
    out_of_range,      ///< a number that its member cannot hold: 300 or 1.5 or -1 for a std::uint8_t
    invalid_value,     ///< the right kind, but nothing that the type takes
    unknown_type,      ///< no handler is named like its `type`
};

/// As clients read it in the member `code` of an error.
constexpr std::string_view name_of(Outcome outcome) noexcept {
    constexpr std::string_view names[] = {"handled",          "binary_message", "not_json",       "too_deep",
                                          "duplicate_member", "not_an_object",  "missing_member", "wrong_kind",
                                          "out_of_range",     "invalid_value",  "unknown_type"};
    return names[static_cast<std::size_t>(outcome)];
}

/// Why a message was not handled. Both texts are short, and valid UTF-8 if what the client sent is.
struct Problem {
    Outcome code;
    std::string message;  ///< a sentence for the developer of the client
    std::string member;   ///< the member that it is about, such as `data.items[3].price`; or empty
};

/// What somebody else wrote, shortened to 64 bytes for an error; it is cut between two characters.
inline std::string excerpt(std::string_view text) {
    constexpr std::size_t longest = 64;
    if (text.size() <= longest) return std::string(text);
    std::size_t size = longest;
    while (size != 0 && (static_cast<unsigned char>(text[size]) & 0xC0) == 0x80) --size;
    return std::string(text.substr(0, size)) + "…";
}

/// Sentences that are the same whichever library has read the message.
inline Problem missing_member(std::string_view path) {
    return {Outcome::missing_member, "the member \"" + excerpt(path) + "\" is missing", excerpt(path)};
}

/// Kinds as JSON calls them: object, array, string, number, boolean, null.
inline Problem wrong_kind(std::string_view path, std::string_view expected, std::string_view found) {
    auto const with_article = [](std::string_view kind) {
        if (kind == "null") return std::string(kind);
        return (kind == "object" || kind == "array" ? "an " : "a ") + std::string(kind);
    };
    return {Outcome::wrong_kind,
            "the member \"" + excerpt(path) + "\" must be " + with_article(expected) + ", and is " + with_article(found),
            excerpt(path)};
}

inline Problem duplicate_member(std::string_view path) {
    return {Outcome::duplicate_member, "the member \"" + excerpt(path) + "\" is there twice", excerpt(path)};
}

inline Problem out_of_range(std::string_view path) {
    return {Outcome::out_of_range, "the number of the member \"" + excerpt(path) + "\" is not in its range", excerpt(path)};
}

inline Problem too_deep(std::size_t deepest) {
    return {Outcome::too_deep, "arrays and objects are nested deeper than " + std::to_string(deepest) + " levels", {}};
}

/// `position` counts bytes from 1.
inline Problem not_json(std::size_t position) {
    return {Outcome::not_json, "this is not JSON: the error is at byte " + std::to_string(position), {}};
}

}  // namespace hubbub::inline v0::json
