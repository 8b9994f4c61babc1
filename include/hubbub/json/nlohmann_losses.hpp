#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include <hubbub/json/problem.hpp>

namespace hubbub::inline v0::json::detail {

/// Whether a number that was read is still the one that came; a floating-point member may have rounded it.
inline bool is_same_number(nlohmann::json const& came, nlohmann::json const& read) {
    if (read.is_number_float()) {
        auto const from = came.get<double>(), to = read.get<double>();
        constexpr double rounding_of_float = 1e-6, least_float = 1e-37;
        return std::abs(to - from) <= std::abs(from) * rounding_of_float ||
               (std::abs(from) < least_float && std::abs(to) < least_float);
    }
    if (came.is_number_float()) return false;  // a fraction, or beyond 64 bits
    auto const is_negative = [](nlohmann::json const& number) {
        return !number.is_number_unsigned() && number.get<std::int64_t>() < 0;
    };
    return is_negative(came) == is_negative(read) && came.get<std::uint64_t>() == read.get<std::uint64_t>();
}

/// nlohmann converts numbers as the language does, without a word: 300 becomes 44 in a std::uint8_t, true becomes 1, and an unknown name
/// of an enumeration its first value. So what was read is written again, and compared with what came, where both have something.
/// Strings and what only one of the two has may differ. `path` is of both; it may be another behind the call.
inline std::optional<Problem> first_loss(nlohmann::json const& came, nlohmann::json const& read, std::string& path) {
    std::size_t const length = path.size();
    if (came.is_object() && read.is_object()) {
        for (auto it = read.begin(); it != read.end(); ++it) {
            auto const original = came.find(it.key());
            if (original == came.end()) continue;
            path += '.' + it.key();
            if (auto loss = first_loss(*original, *it, path)) return loss;
            path.resize(length);
        }
    } else if (came.is_array() && read.is_array() && came.size() == read.size()) {
        for (std::size_t i = 0; i < came.size(); ++i) {
            path += '[' + std::to_string(i) + ']';
            if (auto loss = first_loss(came[i], read[i], path)) return loss;
            path.resize(length);
        }
    } else if (came.is_number() && read.is_number()) {
        if (!is_same_number(came, read)) return out_of_range(path);
    } else if (came.is_boolean() && read.is_number()) {
        return wrong_kind(path, "number", "boolean");
    } else if (!came.is_null() && read.is_null()) {
        return Problem{Outcome::invalid_value, "the member \"" + excerpt(path) + "\" has none of the values that it may have",
                       excerpt(path)};
    }
    return std::nullopt;
}

/// It has a number that no integer can take: a fraction, or one beyond 64 bits.
inline bool has_fraction(nlohmann::json const& value) {
    if (!value.is_structured()) return value.is_number_float();
    return std::any_of(value.begin(), value.end(), has_fraction);
}

/// Replaces those by 0.5, which an integer can take.
inline void tame_fractions(nlohmann::json& value) {
    if (value.is_number_float()) value = 0.5;
    if (value.is_structured())
        for (auto& each : value) tame_fractions(each);
}

}  // namespace hubbub::inline v0::json::detail
