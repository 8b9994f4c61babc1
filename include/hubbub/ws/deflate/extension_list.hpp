#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include <hubbub/http/ascii.hpp>

namespace hubbub::inline v0::ws {

/// Reads the value of a `Sec-WebSocket-Extensions` header, extension by extension (RFC 6455 9.1).
///
///     ExtensionList list(line);
///     while (list.next_extension())
///         while (list.next_parameter()) ...
///
/// Lifetime: borrows the line. A value that was quoted with escapes is kept until the next parameter.
/// Errors: after false, `is_malformed` tells whether it was the end.
class ExtensionList {
   public:
    explicit ExtensionList(std::string_view line) noexcept : rest_(line) {}

    /// Goes on to the next extension; what was not read of the last one is skipped, and checked.
    bool next_extension() {
        if (in_extension_)
            while (next_parameter()) {}
        in_extension_ = false;
        do {
            skip_spaces();
            if (malformed_ || rest_.empty()) return false;
        } while (take(','));  // empty elements of a list are allowed (RFC 9110 5.6.1)
        if (!take_token(name_)) return fail();
        return in_extension_ = true;
    }
    std::string_view extension() const noexcept { return name_; }

    bool next_parameter() {
        if (malformed_) return false;
        skip_spaces();
        if (rest_.empty()) return false;
        if (take(',')) {
            in_extension_ = false;
            return false;
        }
        if (!in_extension_) return false;
        if (!take(';')) return fail();
        skip_spaces();
        if (!take_token(parameter_)) return fail();
        skip_spaces();
        value_ = {};
        has_value_ = take('=');
        if (!has_value_) return true;
        skip_spaces();
        return (take('"') ? take_quoted() : take_token(value_)) || fail();
    }
    std::string_view parameter() const noexcept { return parameter_; }
    bool has_value() const noexcept { return has_value_; }
    std::string_view value() const noexcept { return value_; }

    bool is_malformed() const noexcept { return malformed_; }

   private:
    bool fail() noexcept {
        malformed_ = true;
        return false;
    }
    void skip_spaces() noexcept {
        while (!rest_.empty() && (rest_.front() == ' ' || rest_.front() == '\t')) rest_.remove_prefix(1);
    }
    bool take(char c) noexcept {
        if (rest_.empty() || rest_.front() != c) return false;
        rest_.remove_prefix(1);
        return true;
    }
    bool take_token(std::string_view& token) noexcept {
        std::size_t size = 0;
        while (size < rest_.size() && http::is_token_char(rest_[size])) ++size;
        token = rest_.substr(0, size);
        rest_.remove_prefix(size);
        return size != 0;
    }
    /// Behind the opening quote. What is quoted should be a token too (RFC 6455 9.1); whoever knows the parameter sees whether it is
    /// what may stand there.
    bool take_quoted() {
        unquoted_.clear();
        while (!rest_.empty()) {
            char c = rest_.front();
            rest_.remove_prefix(1);
            if (c == '"') {
                value_ = unquoted_;
                return true;
            }
            if (c == '\\') {
                if (rest_.empty()) return false;
                c = rest_.front();
                rest_.remove_prefix(1);
            }
            unquoted_ += c;
        }
        return false;
    }

    std::string_view rest_, name_, parameter_, value_;
    std::string unquoted_;
    bool has_value_ = false, in_extension_ = false, malformed_ = false;
};

}  // namespace hubbub::inline v0::ws
