#pragma once

#include <concepts>
#include <cstdint>
#include <string_view>
#include <utility>

#include <hubbub/core/identity.hpp>
#include <hubbub/core/ids.hpp>
#include <hubbub/core/verdict.hpp>

namespace hubbub::inline v0 {

/// May a session do that?
struct Permission {
    bool allowed = false;

    static Permission unanswered() noexcept { return {}; }
};

/// What a session wants.
struct AuthorizationRequest {
    enum class Action : std::uint8_t { subscribe, publish };

    Action action;
    std::string_view topic;  ///< borrowed until the call returns, like the identity
    SessionId session;
    Identity const& identity;
};

/// Decides each subscription and each publication of a session. It exists so that the rule stands in one place.
///
/// Exemplar:
///     struct AuthorizationExemplar {
///         void authorize(hubbub::AuthorizationRequest const&, hubbub::Verdict<hubbub::Permission>);
///     };
///
/// Required behaviour:
/// - Called on the session's loop; each shard has an instance of its own.
/// - The verdict is answered once, at once or later on any thread. While a publication waits for its verdict the session is not
///   read, and what it publishes after it waits too: the order stays. Subscriptions that wait begin in the order in which they were
///   asked for; meanwhile the session is read, until `HubOptions::questions` of them wait.
/// - With `HubOptions::permissions` each session remembers that many verdicts, until it has a new identity.
///
/// Models: AllowEverything.
template <class T>
concept Authorization =
    std::copy_constructible<T> && requires(T& policy, AuthorizationRequest const& request, Verdict<Permission> verdict) {
        policy.authorize(request, std::move(verdict));
    };

/// The handler has checked already, or there is nothing to check.
struct AllowEverything {
    static constexpr bool always = true;  ///< need not be asked
    void authorize(AuthorizationRequest const&, Verdict<Permission> verdict) { verdict.answer({true}); }
};
static_assert(Authorization<AllowEverything>);

}  // namespace hubbub::inline v0
