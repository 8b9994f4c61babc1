#pragma once

#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <nlohmann/json.hpp>

namespace chat {

/// A file of settings: an object in JSON, whose members are taken one by one, and which has no others. Comments are allowed.
///
/// Each error is a std::invalid_argument with a sentence that names the file and the member.
class Config {
   public:
    explicit Config(std::string const& path) : where_(path) {
        std::ifstream stream(path);
        if (!stream) fail("cannot be read");
        try {
            json_ = nlohmann::json::parse(stream, nullptr, true, true);
        } catch (nlohmann::json::parse_error const& error) {
            fail("is no JSON at byte " + std::to_string(error.byte));
        }
        if (!json_.is_object()) fail("is no object");
    }

    void take(char const* name, std::string& value) {
        take(name, "a text", value, [](auto const& json) { return json.is_string(); });
    }
    void take(char const* name, bool& value) {
        take(name, "true or false", value, [](auto const& json) { return json.is_boolean(); });
    }
    template <class Number>
    void take(char const* name, Number& value, Number least, Number most) {
        auto const range = "a number from " + nlohmann::json(least).dump() + " to " + nlohmann::json(most).dump();
        take(name, range, value, [&](auto const& json) {
            if constexpr (std::is_integral_v<Number>)
                return json.is_number_integer() && json >= least && json <= most;
            else
                return json.is_number() && json >= least && json <= most;
        });
    }
    /// An object within; empty if it is not there.
    Config part(char const* name) {
        auto json = nlohmann::json::object();
        take(name, "an object", json, [](auto const& member) { return member.is_object(); });
        return {where_ + ": \"" + name + "\"", std::move(json)};
    }
    /// All that was to be taken is.
    void end() const {
        if (!json_.empty()) fail("has \"" + json_.begin().key() + "\", which is not known");
    }

   private:
    Config(std::string where, nlohmann::json json) : where_(std::move(where)), json_(std::move(json)) {}

    [[noreturn]] void fail(std::string const& what) const { throw std::invalid_argument(where_ + ": " + what); }
    template <class T>
    void take(char const* name, std::string_view wanted, T& value, auto const& is_fine) {
        auto const found = json_.find(name);
        if (found == json_.end()) return;
        if (!is_fine(*found)) fail("\"" + std::string(name) + "\" must be " + std::string(wanted) + ", not " + found->dump());
        value = found->template get<T>();
        json_.erase(found);
    }

    std::string where_;
    nlohmann::json json_;
};

}  // namespace chat
