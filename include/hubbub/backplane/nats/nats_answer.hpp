#pragma once

#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace hubbub::inline v0::detail {

/// Finds members in an answer of JetStream's API, which is JSON. The backplane needs a handful of numbers from it; so it looks for them
/// in the text, and needs no library. What is not there or is no JSON reads as nothing.
///
/// Lifetime: refers to the text. Cost: each look-up reads what comes before it, and allocates nothing.
class NatsAnswer {
   public:
    explicit NatsAnswer(std::string_view text) : text_(text) {}

    /// The raw value at `path`, as in "state.last_seq"; empty if there is none. A string is without its quotes, its escapes as they are.
    std::string_view find(std::string_view path) const {
        std::size_t at = 0;
        while (true) {
            auto const dot = path.find('.');
            if (!enter(at, path.substr(0, dot))) return {};
            if (dot == std::string_view::npos) break;
            path.remove_prefix(dot + 1);
        }
        std::size_t end = at;
        if (!skip(end, 0)) return {};
        auto value = text_.substr(at, end - at);
        if (value.size() >= 2 && value.front() == '"') value = value.substr(1, value.size() - 2);
        return value;
    }
    std::uint64_t number(std::string_view path) const { return number_in(find(path)); }
    bool is_true(std::string_view path) const { return find(path) == "true"; }
    bool has(std::string_view path) const { return !find(path).empty(); }
    /// Nanoseconds since 1970 of a time as RFC 3339 writes it, in UTC; else 0.
    std::uint64_t time(std::string_view path) const { return time_in(find(path)); }

    static std::uint64_t number_in(std::string_view text) {
        std::uint64_t number = 0;
        (void)std::from_chars(text.data(), text.data() + text.size(), number);
        return number;
    }
    static std::uint64_t time_in(std::string_view text) {
        if (text.size() < 20 || text.back() != 'Z') return 0;
        auto const part = [&](std::size_t from, std::size_t size) {
            return static_cast<unsigned>(number_in(text.substr(from, size)));
        };
        using namespace std::chrono;
        auto const date = year(static_cast<int>(part(0, 4))) / month(part(5, 2)) / day(part(8, 2));
        if (!date.ok() || date.year() < year(1970)) return 0;
        auto const time = sys_days(date) + hours(part(11, 2)) + minutes(part(14, 2)) + seconds(part(17, 2));
        std::uint64_t fraction = 0, unit = 100'000'000;
        if (text[19] == '.')
            for (char const c : text.substr(20, text.size() - 21))
                fraction += static_cast<unsigned>(c - '0') % 10 * unit, unit /= 10;
        return static_cast<std::uint64_t>(nanoseconds(time.time_since_epoch()).count()) + fraction;
    }

   private:
    static constexpr int deepest = 32;

    char at(std::size_t index) const { return index < text_.size() ? text_[index] : '\0'; }
    void space(std::size_t& index) const {
        while (at(index) == ' ' || at(index) == '\n' || at(index) == '\r' || at(index) == '\t') ++index;
    }
    bool string(std::size_t& index) const {
        if (at(index) != '"') return false;
        for (++index; index < text_.size(); ++index) {
            if (text_[index] == '\\') {
                ++index;
            } else if (text_[index] == '"') {
                ++index;
                return true;
            }
        }
        return false;
    }
    /// Behind the value at `index`.
    bool skip(std::size_t& index, int depth) const {
        space(index);
        char const first = at(index);
        if (first == '"') return string(index);
        if (first == '{' || first == '[') {
            if (depth == deepest) return false;
            char const end = first == '{' ? '}' : ']';
            ++index;
            for (space(index); at(index) != end; space(index)) {
                if (first == '{' && !name(index)) return false;
                if (!skip(index, depth + 1)) return false;
                space(index);
                if (at(index) == ',') ++index;
            }
            ++index;
            return true;
        }
        std::size_t const begin = index;
        while (index < text_.size() && std::string_view(",]} \n\r\t").find(text_[index]) == std::string_view::npos) ++index;
        return index > begin;
    }
    bool name(std::size_t& index) const {
        if (!string(index)) return false;
        space(index);
        return at(index++) == ':';
    }
    /// From an object to the value of its member.
    bool enter(std::size_t& index, std::string_view wanted) const {
        space(index);
        if (at(index++) != '{') return false;
        for (space(index); at(index) == '"'; space(index)) {
            std::size_t const begin = index;
            std::size_t end = index;
            if (!string(end)) return false;
            index = begin;
            if (!name(index)) return false;
            space(index);
            if (text_.substr(begin + 1, end - begin - 2) == wanted) return true;
            if (!skip(index, 0)) return false;
            space(index);
            if (at(index) == ',') ++index, space(index);
        }
        return false;
    }

    std::string_view text_;
};

}  // namespace hubbub::inline v0::detail
