#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string_view>

namespace hubbub::inline v0 {

/// Finds the text of a member, as it is, in the text of an object: what is passed on then need not be written anew, and a number
/// of thirty digits stays one.
///
/// The text has been parsed: it is valid JSON, and an object. Cost: a look at each byte; no allocation.
class RawMember {
   public:
    explicit RawMember(std::string_view object) : text_(object), at_(object.find('{')) {}

    /// Nothing: there is no such member, or its name is written with escapes.
    std::optional<std::string_view> find(std::string_view name) {
        while (at_ < text_.size() && text_[at_] != '}') {
            ++at_;  // of what opens the object, or separates members
            skip_space();
            if (at_ >= text_.size() || text_[at_] != '"') return std::nullopt;
            std::string_view const found = value();
            skip_space();
            ++at_;  // the colon
            skip_space();
            std::string_view const text = value();
            if (found.size() >= 2 && found.substr(1, found.size() - 2) == name) return text;
            skip_space();
        }
        return std::nullopt;
    }

   private:
    char here() const noexcept { return at_ < text_.size() ? text_[at_] : '\0'; }
    void skip_space() noexcept {
        while (here() == ' ' || here() == '\t' || here() == '\n' || here() == '\r') ++at_;
    }
    void skip_string() noexcept {
        for (++at_; at_ < text_.size() && text_[at_] != '"'; ++at_)
            if (text_[at_] == '\\') ++at_;
        ++at_;
    }
    /// What begins here, and goes behind it.
    std::string_view value() noexcept {
        std::size_t const begin = std::min(at_, text_.size());
        if (here() == '"') {
            skip_string();
        } else if (here() == '{' || here() == '[') {
            skip_structure();
        } else {
            while (at_ < text_.size() && std::string_view(",:}] \t\n\r").find(text_[at_]) == std::string_view::npos) ++at_;
        }
        at_ = std::min(at_, text_.size());
        return text_.substr(begin, at_ - begin);
    }
    void skip_structure() noexcept {
        for (std::size_t depth = 0; at_ < text_.size();) {
            char const c = here();
            if (c == '"') {
                skip_string();
                continue;
            }
            ++at_;
            if (c == '{' || c == '[') ++depth;
            if ((c == '}' || c == ']') && --depth == 0) return;
        }
    }

    std::string_view text_;
    std::size_t at_;
};

}  // namespace hubbub::inline v0
