#pragma once

#include <concepts>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include <hubbub/json/problem.hpp>

namespace hubbub::inline v0::json {

/// A value that was read, or why it could not be.
template <class T>
using Reading = std::variant<T, Problem>;

/// L can read a T.
template <class L, class T>
inline constexpr bool is_readable = requires(typename L::Document& document, std::string_view path) {
    { L::template read<T>(document, path) } -> std::same_as<Reading<T>>;
};

/// A JSON library, as far as typed messages need one. It exists so that a program may use the one that it has already.
///
/// Exemplar:
///
///     struct LibraryExemplar {
///         using Document = AnyJsonValue;
///         static std::optional<hubbub::json::Problem> parse(std::string_view text, std::size_t deepest, Document& into);
///         static std::string_view kind(Document const&);
///         static Document* member(Document&, std::string_view name);
///         static std::optional<std::string_view> string(Document const&);
///         template <class T>
///         static hubbub::json::Reading<T> read(Document& data, std::string_view path);
///         template <class T>
///         static void write(std::string& out, T const& value);
///     };
///
/// Required behaviour:
/// - `parse` takes any bytes. It refuses what is not JSON (`not_json`, with the position), more than `deepest` levels of arrays and
///   objects (`too_deep`) before it spends stack or memory on them, and two members of one name (`duplicate_member`).
/// - `kind` is one of object, array, string, number, boolean, null.
/// - `member` is null if there is no such member, or if the value is no object.
/// - `string` is nothing unless the value is a string; what it yields lives as long as the document.
/// - `read` refuses what is missing (`missing_member`), of another kind (`wrong_kind`) or a number that does not fit
///   (`out_of_range`), and names the member: `path` is where the value itself is in the message. It may change the document.
/// - `write` appends valid JSON whatever the value is, in valid UTF-8. It can write a std::string_view.
/// - Nothing throws for what a client has sent.
///
/// Models: Nlohmann.
template <class T>
concept Library =
    std::default_initializable<typename T::Document> &&
    requires(typename T::Document& document, typename T::Document const& constant, std::string_view text, std::string& out) {
        { T::parse(text, std::size_t{32}, document) } -> std::same_as<std::optional<Problem>>;
        { T::kind(constant) } -> std::same_as<std::string_view>;
        { T::member(document, text) } -> std::same_as<typename T::Document*>;
        { T::string(constant) } -> std::same_as<std::optional<std::string_view>>;
        { T::template read<std::string>(document, text) } -> std::same_as<Reading<std::string>>;
        { T::write(out, text) } -> std::same_as<void>;
    };

}  // namespace hubbub::inline v0::json
