#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <hubbub/json/problem.hpp>

namespace hubbub::inline v0::json::detail {

/// Makes a document of the parser's events, and stops it at the first that is refused, so that neither stack nor memory is spent on
/// what is nested too deep. nlohmann's own parser keeps the last of several members of one name.
class NlohmannBuilder final : public nlohmann::json_sax<nlohmann::json> {
   public:
    using Json = nlohmann::json;

    NlohmannBuilder(Json& root, std::size_t deepest) : root_(root), deepest_(deepest) {}

    std::optional<Problem> problem;

    bool null() override { return add(nullptr) != nullptr; }
    bool boolean(bool value) override { return add(value) != nullptr; }
    bool number_integer(Json::number_integer_t value) override { return add(value) != nullptr; }
    bool number_unsigned(Json::number_unsigned_t value) override { return add(value) != nullptr; }
    bool number_float(Json::number_float_t value, Json::string_t const&) override {
        // JSON has one kind of numbers: 1e2 and 100.0 are the integer 100.
        constexpr double least = -9223372036854775808.0, beyond = 18446744073709551616.0;
        if (value == std::trunc(value) && value >= least && value < beyond) {
            if (value < 0) return add(static_cast<std::int64_t>(value)) != nullptr;
            return add(static_cast<std::uint64_t>(value)) != nullptr;
        }
        return add(value) != nullptr;
    }
    bool string(Json::string_t& value) override { return add(std::move(value)) != nullptr; }
    bool binary(Json::binary_t&) override { return false; }
    bool start_object(std::size_t) override { return open(Json::object()); }
    bool start_array(std::size_t) override { return open(Json::array()); }
    bool end_object() override { return close(); }
    bool end_array() override { return close(); }
    bool key(Json::string_t& name) override {
        Json& object = *open_.back();
        std::size_t const size = object.size();
        member_ = &object[name];
        bool const is_new = object.size() != size;
        if (!is_new) problem = duplicate_member(path() + (open_.size() > 1 ? "." : "") + name);
        return is_new;
    }
    bool parse_error(std::size_t position, std::string const&, nlohmann::detail::exception const& error) override {
        constexpr int number_overflow = 406;
        problem = not_json(position);
        if (error.id == number_overflow)
            problem =
                Problem{Outcome::out_of_range, "the number before byte " + std::to_string(position + 1) + " is too large", {}};
        return false;
    }

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
        if (open_.size() == deepest_) {
            problem = too_deep(deepest_);
            return false;
        }
        open_.push_back(add(std::move(empty)));
        return true;
    }
    bool close() {
        open_.pop_back();
        return true;
    }
    /// Of what is open. The addresses are stable: nothing is added to what is around it meanwhile.
    std::string path() const {
        std::string text;
        for (std::size_t i = 1; i < open_.size(); ++i) {
            if (open_[i - 1]->is_array()) {
                text += '[' + std::to_string(open_[i - 1]->size() - 1) + ']';
                continue;
            }
            for (auto const& [name, value] : open_[i - 1]->get_ref<Json::object_t const&>())
                if (&value == open_[i]) text += (i > 1 ? "." : "") + name;
        }
        return text;
    }

    Json& root_;
    std::size_t deepest_;
    std::vector<Json*> open_;
    Json* member_ = nullptr;  ///< the value that comes next belongs here
};

}  // namespace hubbub::inline v0::json::detail
