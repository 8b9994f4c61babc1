#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

namespace hubbub::inline v0::detail {

/// Makes a document of the parser's events, and stops it at the first that no token may have: a member that is there twice
/// (RFC 7515 4, RFC 7519 4), and what is nested deeper than any token is.
class JwtJsonBuilder final : public nlohmann::json_sax<nlohmann::json> {
   public:
    using Json = nlohmann::json;
    static constexpr std::size_t deepest = 16;

    explicit JwtJsonBuilder(Json& root) : root_(root) {}

    bool null() override { return add(nullptr) != nullptr; }
    bool boolean(bool value) override { return add(value) != nullptr; }
    bool number_integer(Json::number_integer_t value) override { return add(value) != nullptr; }
    bool number_unsigned(Json::number_unsigned_t value) override { return add(value) != nullptr; }
    bool number_float(Json::number_float_t value, Json::string_t const&) override { return add(value) != nullptr; }
    bool string(Json::string_t& value) override { return add(std::move(value)) != nullptr; }
    bool binary(Json::binary_t&) override { return false; }
    bool start_object(std::size_t) override { return open(Json::object()); }
    bool start_array(std::size_t) override { return open(Json::array()); }
    bool end_object() override { return close(); }
    bool end_array() override { return close(); }
    bool key(Json::string_t& name) override {
        Json& object = *open_.back();
        std::size_t const before = object.size();
        member_ = &object[name];
        return object.size() != before;
    }
    bool parse_error(std::size_t, std::string const&, nlohmann::detail::exception const&) override { return false; }

   private:
    template <class Value>
    Json* add(Value&& value) {
        if (open_.empty()) {
            root_ = std::forward<Value>(value);
            return &root_;
        }
        if (open_.back()->is_array()) return &open_.back()->emplace_back(std::forward<Value>(value));
        *member_ = std::forward<Value>(value);
        return member_;
    }
    bool open(Json&& empty) {
        if (open_.size() == deepest) return false;
        open_.push_back(add(std::move(empty)));
        return true;
    }
    bool close() {
        open_.pop_back();
        return true;
    }

    Json& root_;
    std::vector<Json*> open_;
    Json* member_ = nullptr;  ///< the value that comes next belongs here
};

/// A JSON object as a token's parts and keys are: UTF-8, no member twice, not nested deeply. Nothing if it is not one.
inline std::optional<nlohmann::json> parse_jwt_json(std::string_view text) {
    // nlohmann's reader takes a NUL for the end, and overlooks a byte order mark.
    if (text.find('\0') != std::string_view::npos || text.starts_with("\xEF\xBB\xBF")) return std::nullopt;
    nlohmann::json document;
    JwtJsonBuilder builder(document);
    if (!nlohmann::json::sax_parse(text.begin(), text.end(), &builder) || !document.is_object()) return std::nullopt;
    return document;
}

/// A member that is a string; null if it is not there, or is something else.
inline std::string const* string_member(nlohmann::json const& object, char const* name) {
    auto const found = object.find(name);
    return found == object.end() ? nullptr : found->get_ptr<std::string const*>();
}

}  // namespace hubbub::inline v0::detail
