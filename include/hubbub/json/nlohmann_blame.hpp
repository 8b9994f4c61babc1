#pragma once

#include <cstddef>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <nlohmann/json.hpp>

#include <hubbub/json/problem.hpp>

namespace hubbub::inline v0::json::detail {

/// How reading has failed, in nlohmann's words.
struct NlohmannFailure {
    int id;
    std::string what;
    bool operator==(NlohmannFailure const&) const = default;
};

/// Finds the member that made reading fail. nlohmann says which kind it wanted and which it found, but not where. So a value is replaced
/// by one of a kind that no text has, `binary`: the failure says `binary` instead, and nothing else in it changes, just where the culprit is.
/// A value that is read earlier fails otherwise, and one that is read later changes nothing.
/// Cost: reads the data once for each suspect, and gives up when that has been as much as reading 20,000 values.
template <class Read>
class NlohmannBlame {
   public:
    using Json = nlohmann::json;

    /// `read()` reads the data anew and throws if it fails.
    NlohmannBlame(Json& data, std::string_view path, Read read, NlohmannFailure failure)
        : data_(data), path_(path), read_(std::move(read)), failure_(std::move(failure)), tries_(20'000 / weight(data) + 1) {}

    Problem find() {
        std::string const whole = path_;
        if (visit(data_)) return *std::move(found_);
        return {Outcome::invalid_value, "the member \"" + excerpt(whole) + "\" is not what this type of messages has",
                excerpt(whole)};
    }

   private:
    static constexpr int not_found = 403, wrong_for_value = 306;

    /// What reading costs, in values.
    static std::size_t weight(Json const& value) {
        std::size_t sum = 1;
        if (value.is_string()) sum += value.get_ref<Json::string_t const&>().size() / 64;
        if (value.is_structured())
            for (auto const& each : value) sum += weight(each);
        return sum;
    }
    std::optional<NlohmannFailure> failure() const {
        try {
            read_();
        } catch (Json::exception const& exception) {
            return NlohmannFailure{exception.id, exception.what()};
        } catch (std::exception const&) {}
        return std::nullopt;
    }

    /// True: the culprit was here or below, and `found_` says so.
    bool visit(Json& at) {
        if (tries_ == 0) return false;
        if (failure_.id == not_found ? lacks_member(at) : is_of_wrong_kind(at)) return true;
        std::size_t const length = path_.size();
        for (auto it = at.begin(); at.is_structured() && it != at.end(); ++it) {
            path_ += at.is_object() ? '.' + it.key() : '[' + std::to_string(it - at.begin()) + ']';
            if (visit(*it)) return true;
            path_.resize(length);
        }
        return false;
    }

    bool is_of_wrong_kind(Json& at) {
        std::string const kind = at.type_name();
        if (!failure_.what.ends_with(kind)) return false;
        --tries_;
        Json kept = std::exchange(at, Json::binary({}));
        auto expected_failure = failure_;
        expected_failure.what.replace(failure_.what.size() - kind.size(), kind.size(), "binary");
        bool const is_culprit = failure() == expected_failure;
        if (is_culprit) found_ = wrong_kind(path_, expected_kind(at), kind);
        at = std::move(kept);
        return is_culprit;
    }
    /// Where `at` is the culprit.
    std::string expected_kind(Json& at) {
        constexpr std::string_view before = "must be ", behind = ", but is";
        if (auto const begin = failure_.what.find(before); begin != std::string::npos) {
            auto const from = begin + before.size();
            return failure_.what.substr(from, failure_.what.find(behind, from) - from);
        }
        if (failure_.id == wrong_for_value) return "object";
        // A name or an index was asked for: an empty object has no member, but an array is what it must not be.
        at = Json::object();
        auto const with_object = failure();
        return !with_object || with_object->id == not_found ? "object" : "array";
    }

    bool lacks_member(Json& at) {
        if (!at.is_object()) return false;
        constexpr std::string_view before = "key '", behind = "' not found";
        auto const begin = failure_.what.find(before);
        auto const end = failure_.what.rfind(behind);
        if (begin == std::string::npos || end == std::string::npos) return false;
        std::string const name = failure_.what.substr(begin + before.size(), end - begin - before.size());
        if (at.contains(name)) return false;
        --tries_;
        at[name] = Json::binary({});
        bool const is_culprit = failure() != failure_;
        at.erase(name);
        if (is_culprit) found_ = missing_member(path_ + '.' + name);
        return is_culprit;
    }

    Json& data_;
    std::string path_;  ///< of what is visited
    Read read_;
    NlohmannFailure failure_;
    std::size_t tries_;
    std::optional<Problem> found_;
};

}  // namespace hubbub::inline v0::json::detail
