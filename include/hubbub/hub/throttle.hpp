#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

#include <hubbub/core/identity.hpp>
#include <hubbub/hub/rate_table.hpp>
#include <hubbub/hub/talkers.hpp>
#include <hubbub/policy/options_of.hpp>
#include <hubbub/policy/rates.hpp>

namespace hubbub::inline v0 {

/// Holds what the clients of one shard do against the rates of the policy.
///
/// Threading: its shard's. Cost: nothing for a policy that never limits; else a few nanoseconds a message.
template <RatesPolicy Rates>
class Throttle {
   public:
    Throttle(OptionsOf<Rates> const& options, RateTable& table) : rates_(options), table_(table) {}

    // ---- handshakes, by address

    /// One more connection may come from there.
    bool admits(PeerAddress const& peer, TimePoint now) {
        return of_address(peer, [&](AddressRates const& rates) {
            return !rates.connections.is_limited() || use(peer, RateTable::connections, now, [&](TokenBucket& bucket) {
                return bucket.try_take(rates.connections, 1, now);
            });
        });
    }
    /// Not too many from there have failed to say who they are.
    bool may_authenticate(PeerAddress const& peer, TimePoint now) {
        return of_address(peer, [&](AddressRates const& rates) {
            return !rates.failures.is_limited() || use(peer, RateTable::failures, now, [&](TokenBucket const& bucket) {
                return bucket.has(rates.failures, 1, now);
            });
        });
    }
    void note_failure(PeerAddress const& peer, TimePoint now) {
        of_address(peer, [&](AddressRates const& rates) {
            return !rates.failures.is_limited() || use(peer, RateTable::failures, now, [&](TokenBucket& bucket) {
                bucket.take(rates.failures, 1, now);  // into debt: many may have been asked about at once
                return true;
            });
        });
    }

    // ---- sessions

    /// The number of a session's talker; the one that it has, or a new one. `Talkers::none` if there is nothing to count.
    template <class Peer>
    std::uint32_t talker_of(std::uint32_t number, std::uint32_t session, Identity const& who, Peer&& peer) {
        if (number != Talkers::none) return number;
        bool const counts_for_address = !of_address(
            peer(), [](AddressRates const& rates) { return !rates.messages.is_limited() && !rates.bytes.is_limited(); });
        if (!counts_for_address && !counts_for_itself(who)) return number;
        number = talkers_.make(session);
        if (number != Talkers::none) talkers_[number].counts_for_address = counts_for_address;
        return number;
    }
    /// A message of so many bytes has come. For how long nothing more of the session may; `peer()` is where it is.
    template <class Peer>
    Duration note_message(Talker& talker, Identity const& who, std::size_t bytes, TimePoint now, Peer&& peer);
    bool may_subscribe(Talker& talker, Identity const& who, TimePoint now) {
        SessionRates const& rates = rates_.of_session(who);
        return !rates.subscriptions.is_limited() || talker.subscriptions.try_take(rates.subscriptions, 1, now);
    }
    RateAction on_excess(Identity const& who) const noexcept { return rates_.on_excess(who); }
    Talkers& talkers() noexcept { return talkers_; }

   private:
    static constexpr std::uint32_t most_messages_in_advance = 16, most_bytes_in_advance = 64 * 1024;

    bool counts_for_itself(Identity const& who) const {
        SessionRates const& own = rates_.of_session(who);
        if (own.messages.is_limited() || own.bytes.is_limited() || own.subscriptions.is_limited()) return true;
        if (who.user.empty()) return false;
        UserRates const& shared = rates_.of_user(who);
        return shared.messages.is_limited() || shared.bytes.is_limited();
    }
    template <class F>
    bool of_address(PeerAddress const& peer, F&& function) const {
        if constexpr (never_limits<Rates>) {
            return true;
        } else {
            using Family = PeerAddress::Family;
            if (peer.family != Family::ipv4 && peer.family != Family::ipv6) return true;
            return function(rates_.of_address(peer));
        }
    }
    template <class F>
    auto use(PeerAddress const& peer, RateTable::AddressKind kind, TimePoint now, F&& function) const {
        return table_.addresses.use(peer.network(), kind, now, std::forward<F>(function));
    }
    /// In advance no more than a sixteenth of what may be used at once, so that who shares the bucket finds something there.
    static std::uint32_t in_advance(Rate const& rate, std::uint32_t most) noexcept {
        return std::clamp(rate.most_at_once() / 16, 1u, most);
    }

    Rates rates_;
    RateTable& table_;
    Talkers talkers_;
};

template <RatesPolicy Rates>
template <class Peer>
Duration Throttle<Rates>::note_message(Talker& talker, Identity const& who, std::size_t bytes, TimePoint now, Peer&& peer) {
    Duration wait = Duration::zero();
    talker.quiet = 0;
    auto const own = [&](TokenBucket& bucket, Rate const& rate, std::uint64_t count) {
        if (rate.is_limited()) wait = std::max(wait, bucket.take(rate, count, now));
    };
    auto const shared = [&](Credit& credit, Rate const& rate, std::uint64_t count, std::uint32_t most, auto&& find) {
        if (!rate.is_limited()) return;
        wait = std::max(wait, credit.use(count, in_advance(rate, most), [&](std::uint64_t more) {
            return find([&](TokenBucket& bucket) { return bucket.take(rate, more, now); });
        }));
    };
    SessionRates const& session = rates_.of_session(who);
    own(talker.messages, session.messages, 1);
    own(talker.bytes, session.bytes, bytes);
    if (!who.user.empty()) {
        UserRates const& user = rates_.of_user(who);
        auto const in = [&](RateTable::UserKind kind) {
            return [&, kind](auto&& take) { return table_.users.use(who.user, kind, now, take); };
        };
        shared(talker.user_messages, user.messages, 1, most_messages_in_advance, in(RateTable::messages_of_user));
        shared(talker.user_bytes, user.bytes, bytes, most_bytes_in_advance, in(RateTable::bytes_of_user));
    }
    if (!talker.counts_for_address) return wait;
    PeerAddress const from = peer();
    of_address(from, [&](AddressRates const& address) {
        auto const in = [&](RateTable::AddressKind kind) {
            return [&, kind](auto&& take) { return use(from, kind, now, take); };
        };
        shared(talker.address_messages, address.messages, 1, most_messages_in_advance, in(RateTable::messages_of_address));
        shared(talker.address_bytes, address.bytes, bytes, most_bytes_in_advance, in(RateTable::bytes_of_address));
        return true;
    });
    return wait;
}

}  // namespace hubbub::inline v0
