#pragma once

#include <concepts>
#include <cstdint>
#include <stdexcept>
#include <string>

#include <hubbub/core/exceptions.hpp>
#include <hubbub/core/identity.hpp>
#include <hubbub/core/peer_address.hpp>
#include <hubbub/core/token_bucket.hpp>

namespace hubbub::inline v0 {

/// What one session may do; 0 a second is without limit, here as in the next two. Pings, pongs and fragments are messages too.
struct SessionRates {
    Rate messages{1'000, 4'000};
    Rate bytes{4u << 20, 16u << 20};  ///< of payload
    Rate subscriptions{100, 512};     ///< beyond them `subscribe` says `too_often`
};
/// What all sessions of a user may do together.
struct UserRates {
    Rate messages{};
    Rate bytes{};
};
/// What all that comes from an address, or from a /64 of IPv6, may do together.
struct AddressRates {
    Rate connections{100, 1'000};  ///< beyond them 429
    Rate failures{1, 30};          ///< of authentication; beyond them 429, without asking
    Rate messages{};
    Rate bytes{};
};

/// What happens to a session beyond a rate of messages or bytes; the message that is too much is still delivered.
enum class RateAction : std::uint8_t {
    pause,  ///< it is not read from until it is within the rate again: its sender feels it, and nothing is lost
    close,  ///< with 1008
};

/// How often clients may do what costs the server something. It exists so that one client, or many of one person, cannot take the
/// time of all.
///
/// Exemplar:
///     struct RatesExemplar {
///         hubbub::SessionRates of_session(hubbub::Identity const&) const noexcept;
///         hubbub::UserRates of_user(hubbub::Identity const&) const noexcept;
///         hubbub::AddressRates of_address(hubbub::PeerAddress const&) const noexcept;
///         hubbub::RateAction on_excess(hubbub::Identity const&) const noexcept;
///     };
///
/// Required behaviour:
/// - Answers alike as long as it is asked about the same. Called for each message: an answer by reference costs less.
/// - `of_user` is asked about users who have a name; `of_address` not about Unix sockets.
/// - Each shard has an instance of its own.
///
/// Models: TokenBuckets, NoRates.
template <class T>
concept RatesPolicy = std::copy_constructible<T> && requires(T const& policy, Identity const& who, PeerAddress const& address) {
    { policy.of_session(who) } noexcept -> std::convertible_to<SessionRates const&>;
    { policy.of_user(who) } noexcept -> std::convertible_to<UserRates const&>;
    { policy.of_address(address) } noexcept -> std::convertible_to<AddressRates const&>;
    { policy.on_excess(who) } noexcept -> std::same_as<RateAction>;
};

/// The same for everybody.
struct TokenBuckets {
    SessionRates session{};
    UserRates user{};
    AddressRates address{};
    RateAction excess = RateAction::pause;

    /// Without any limit, while it can be set to one: `TokenBuckets rates = TokenBuckets::off();`
    static TokenBuckets off() { return {{{}, {}, {}}, {}, {{}, {}, {}, {}}, RateAction::pause}; }

    SessionRates const& of_session(Identity const&) const noexcept { return session; }
    UserRates const& of_user(Identity const&) const noexcept { return user; }
    AddressRates const& of_address(PeerAddress const&) const noexcept { return address; }
    RateAction on_excess(Identity const&) const noexcept { return excess; }

    /// Throws std::invalid_argument with a sentence that names the member.
    void check() const {
        auto const demand = [](Rate const& rate, char const* name) {
            if (!rate.is_limited() && rate.burst)
                detail::throw_exception(
                    std::invalid_argument("TokenBuckets::" + std::string(name) + " has a burst and no per_second"));
        };
        demand(session.messages, "session.messages");
        demand(session.bytes, "session.bytes");
        demand(session.subscriptions, "session.subscriptions");
        demand(user.messages, "user.messages");
        demand(user.bytes, "user.bytes");
        demand(address.connections, "address.connections");
        demand(address.failures, "address.failures");
        demand(address.messages, "address.messages");
        demand(address.bytes, "address.bytes");
    }
};
static_assert(RatesPolicy<TokenBuckets>);

/// Anybody may do anything as often as he likes. Choose it where no stranger comes.
struct NoRates {
    static constexpr bool never_limits = true;  ///< need not be asked

    SessionRates of_session(Identity const&) const noexcept { return {{}, {}, {}}; }
    UserRates of_user(Identity const&) const noexcept { return {}; }
    AddressRates of_address(PeerAddress const&) const noexcept { return {{}, {}, {}, {}}; }
    RateAction on_excess(Identity const&) const noexcept { return RateAction::pause; }
};
static_assert(RatesPolicy<NoRates>);

/// True for a policy that says that it never limits, so that it need not be asked.
template <class T>
inline constexpr bool never_limits = [] {
    if constexpr (requires { T::never_limits; })
        return T::never_limits;
    else
        return false;
}();

}  // namespace hubbub::inline v0
