#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <hubbub/core/entropy.hpp>
#include <hubbub/core/siphash.hpp>

namespace hubbub::inline v0 {

/// What the names that clients choose become: PublishOptions::id and PublishOptions::key are numbers.
///
/// The hash has a secret key, so that nobody can choose a name that stands for another's: of two publications with one id the second
/// is taken for a repetition, and is lost. By default the key is drawn once for the process. Nodes that share topics are given the same:
/// else a client that publishes again on another node is not known there.
struct ProtocolHash {
    SipHash hash{detail::entropy(), detail::entropy()};

    /// Of a publication. Whose it is belongs to it: users cannot take each other's names. Those who are nobody in particular share theirs,
    /// and are safe as long as they draw them by chance.
    std::uint64_t id(std::string_view user, std::string_view name) const {
        return of('i', std::to_string(user.size()).append(":").append(user).append(name));
    }
    /// Of what a publication is the newest value of; for programs that publish with a key of their own, too.
    std::uint64_t key(std::string_view name) const { return of('k', name); }

   private:
    std::uint64_t of(char kind, std::string_view text) const {
        std::uint64_t const number = hash(std::string(1, kind).append(text));
        return number ? number : 1;  // 0 is none
    }
};

}  // namespace hubbub::inline v0
