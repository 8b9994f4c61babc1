#pragma once

#include <exception>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

#include <nlohmann/json.hpp>

#include <hubbub/json/library.hpp>
#include <hubbub/json/nlohmann_blame.hpp>
#include <hubbub/json/nlohmann_builder.hpp>
#include <hubbub/json/nlohmann_losses.hpp>

#if !defined(__cpp_exceptions)
#error "hubbub: json/ with nlohmann_json needs exceptions, because that is how it says what a client has done wrong"
#endif

namespace hubbub::inline v0::json {

/// Typed messages with nlohmann_json. A type needs `from_json` to be read and `to_json` to be written; its macro
/// NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Type, members...) makes both.
///
/// A type that has both is written again after it was read, since nlohmann converts numbers as the language does: 300, 1.5 or -1 for a
/// std::uint8_t is refused, and so is true for a number. What that cannot see: types without `to_json`; members that `to_json` leaves
/// out; containers that keep another number of elements; and an unknown name of NLOHMANN_JSON_SERIALIZE_ENUM, which becomes the first
/// value, unless that one's name is null, as nlohmann advises. A floating-point member takes any number that it can hold roughly.
/// Errors: a `from_json` that throws another std::exception than std::bad_alloc refuses the message with `invalid_value` and its `what()`.
struct Nlohmann {
    using Document = nlohmann::json;

    static std::optional<Problem> parse(std::string_view text, std::size_t deepest, Document& into) {
        detail::NlohmannBuilder builder(into, deepest);
        Document::sax_parse(text, &builder);
        return std::move(builder.problem);
    }
    static std::string_view kind(Document const& value) { return value.type_name(); }
    static Document* member(Document& object, std::string_view name) {
        if (!object.is_object()) return nullptr;
        auto& members = object.get_ref<Document::object_t&>();
        auto const found = members.find(name);
        return found == members.end() ? nullptr : &found->second;
    }
    static std::optional<std::string_view> string(Document const& value) {
        if (!value.is_string()) return std::nullopt;
        return value.get_ref<Document::string_t const&>();
    }
    template <class T>
        requires requires(Document const& data) { data.template get<T>(); }
    static Reading<T> read(Document& data, std::string_view path);
    template <class T>
        requires std::is_constructible_v<Document, T const&>
    static void write(std::string& out, T const& value) {
        out += Document(value).dump(-1, ' ', false, Document::error_handler_t::replace);
    }

    /// It has `to_json`.
    template <class T>
    static constexpr bool is_writable = std::is_constructible_v<Document, T const&>;

   private:
    template <class T>
    static Reading<T> read_and_compare(Document& data, std::string_view path);
    template <class T>
    static std::optional<Problem> problem_without_fractions(Document data, std::string_view path);
};

template <class T>
    requires requires(Nlohmann::Document const& data) { data.template get<T>(); }
Reading<T> Nlohmann::read(Document& data, std::string_view path) {
    try {
        if constexpr (is_writable<T>) {
            if (detail::has_fraction(data))
                if (auto problem = problem_without_fractions<T>(data, path))
                    return Reading<T>(std::in_place_index<1>, *std::move(problem));
        }
        return read_and_compare<T>(data, path);
    } catch (std::bad_alloc const&) {
        throw;
    } catch (std::exception const& exception) {
        return Reading<T>(std::in_place_index<1>, Problem{Outcome::invalid_value, excerpt(exception.what()), excerpt(path)});
    }
}

/// Passes what a `from_json` throws of its own.
template <class T>
Reading<T> Nlohmann::read_and_compare(Document& data, std::string_view path) {
    try {
        T value = data.get<T>();
        if constexpr (is_writable<T>) {
            std::string place(path);
            if (auto loss = detail::first_loss(data, Document(value), place))
                return Reading<T>(std::in_place_index<1>, *std::move(loss));
        }
        return Reading<T>(std::in_place_index<0>, std::move(value));
    } catch (Document::exception const& exception) {
        detail::NlohmannBlame blame(data, path, [&data] { static_cast<void>(data.get<T>()); },
                                    {exception.id, exception.what()});
        return Reading<T>(std::in_place_index<1>, blame.find());
    }
}

/// Which fraction is meant for an integer: found without reading it into one, because what that makes of 1e300 is undefined.
template <class T>
std::optional<Problem> Nlohmann::problem_without_fractions(Document data, std::string_view path) {
    detail::tame_fractions(data);
    try {
        auto reading = read_and_compare<T>(data, path);
        if (auto* problem = std::get_if<1>(&reading)) return std::move(*problem);
    } catch (std::exception const&) {  // it does not like the fraction that stands for the others
    }
    return std::nullopt;
}
static_assert(Library<Nlohmann>);

}  // namespace hubbub::inline v0::json
