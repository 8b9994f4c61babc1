#pragma once

#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <hubbub/core/exceptions.hpp>
#include <hubbub/policy/jwt/jwt_key_text.hpp>

namespace hubbub::inline v0 {

/// The keys that tokens are checked with, which may change while the hub runs: all shards of a hub share one.
///
/// Threading: any thread. A token is checked with the keys of one moment, the old ones or the new ones.
/// Errors: the constructor throws std::invalid_argument with a sentence.
/// Example:
///     auto keys = std::make_shared<hubbub::JwtKeys>(jwks);
///     if (auto const problem = keys->reload(newer); !problem.empty()) log(problem);   // the old ones stay
class JwtKeys {
   public:
    using Set = std::vector<JwtKey>;

    /// Of PEM, a JWK or a JWKS; see `read_jwt_keys`.
    explicit JwtKeys(std::string_view text) : JwtKeys(read_jwt_keys(text)) {}
    explicit JwtKeys(Set keys) : set_(std::make_shared<Set const>(std::move(keys))) {}
    explicit JwtKeys(JwtKeyText read) {
        if (!read.problem.empty()) detail::throw_exception(std::invalid_argument("JwtKeys: " + read.problem));
        set_ = std::make_shared<Set const>(std::move(read.keys));
    }

    /// Takes what the text has for all that was there. Empty: done. Else a sentence that says what is wrong, and nothing changed.
    [[nodiscard]] std::string reload(std::string_view text) {
        JwtKeyText read = read_jwt_keys(text);
        if (read.problem.empty()) replace(std::move(read.keys));
        return std::move(read.problem);
    }
    void replace(Set keys) {
        auto fresh = std::make_shared<Set const>(std::move(keys));
        std::lock_guard lock(mutex_);
        set_.swap(fresh);
    }
    std::shared_ptr<Set const> current() const {
        std::lock_guard lock(mutex_);
        return set_;
    }

   private:
    mutable std::mutex mutex_;
    std::shared_ptr<Set const> set_;
};

}  // namespace hubbub::inline v0
