#pragma once

#include <string>
#include <utility>

#include <hubbub/core/ids.hpp>
#include <hubbub/hub/target.hpp>

namespace hubbub::inline v0 {

/// Whose right to be connected has ended: a user's, a label's, or that of one session.
struct Revocation {
    Revocation(Target const& target, std::string why) : name(target.name()), reason(std::move(why)) {}
    Revocation(SessionId one, std::string why) : session(one), reason(std::move(why)) {}
    /// Of the topic behind a Target.
    static Revocation of(std::string target, std::string why) {
        Revocation revocation(SessionId{}, std::move(why));
        revocation.name = std::move(target);
        return revocation;
    }

    std::string name{};   ///< of the topic behind a Target; empty for one session
    SessionId session{};  ///< none for a Target
    std::string reason;   ///< for the Close
};

}  // namespace hubbub::inline v0
