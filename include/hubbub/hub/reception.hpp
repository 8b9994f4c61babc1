#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include <hubbub/core/completes.hpp>
#include <hubbub/core/memory_budget.hpp>
#include <hubbub/core/shard_loop.hpp>
#include <hubbub/hub/authentication_failure.hpp>
#include <hubbub/hub/callback_times.hpp>
#include <hubbub/hub/handshake.hpp>
#include <hubbub/hub/hub_options.hpp>
#include <hubbub/hub/shard_port.hpp>
#include <hubbub/hub/throttle.hpp>

namespace hubbub::inline v0 {

/// The handshakes of one loop: limits, deadline, authentication, and the pages that are served beside the hub.
///
/// Threading: its loop's. Cost: one allocation for a handshake, of about a kilobyte, for as long as it lasts.
template <ByteConnection Conn, HubPolicy Policy>
class Reception final : public HandshakeHost {
   public:
    using Driver = typename Conn::Driver;

    Reception(ws::BlockPool& pool, HubOptions<Policy> const& options, LimitTable& table, std::shared_ptr<ShardPort> port,
              typename Policy::EventSink& events, MemoryBudget const& memory, Throttle<typename Policy::Rates>& throttle,
              CallbackTimes& times)
        : pool_(pool),
          options_(options),
          table_(table),
          port_(std::move(port)),
          events_(events),
          memory_(memory),
          throttle_(throttle),
          times_(times),
          auth_(options.auth),
          origin_(options.origin),
          limits_(options.limits) {}

    /// A connection that was accepted. `read` is what somebody else has read of its request.
    void accept(Conn&& connection, TimePoint now, std::span<std::byte> read = {});
    /// From now on everybody is refused with 503.
    void close() noexcept { closed_ = true; }
    bool is_closed() const noexcept { return closed_; }

    /// Calls `open(Conn&&, Upgrade, when it was accepted)` for each that is ready, and forgets who is done.
    template <class Open>
    void take_ready(Open&& open) {
        for (std::size_t i = 0; i < done_.size(); ++i) {
            Handshake<Conn>& handshake = *done_[i];
            handshake.is_listed = false;
            bool const is_ready = handshake.is_ready();
            TimePoint const accepted = all_[handshake.place].deadline - options_.handshake_limit;
            if (is_ready) open(std::move(handshake.connection()), handshake.take_upgrade(), accepted);
            if (is_ready || handshake.is_over()) forget(handshake);  // else it was refused after it had been ready
        }
        done_.clear();
    }
    /// Ends those whose time is over.
    void check_time(TimePoint now) {
        for (std::size_t i = 0; i < all_.size(); ++i)
            if (now >= all_[i].deadline) all_[i].handshake->expire();
    }
    std::uint32_t most_of_user(Identity const& who) const { return limits_.most_of_user(who); }
    std::size_t size() const noexcept { return all_.size(); }
    /// Bytes that handshakes keep. Cost: a look at each.
    std::size_t kept() const noexcept {
        std::size_t sum = 0;
        for (Entry const& entry : all_) sum += entry.handshake->kept();
        return sum;
    }
    /// Nobody waits for an answer.
    bool is_idle() const noexcept {
        return std::all_of(all_.begin(), all_.end(), [](Entry const& entry) { return entry.handshake->is_answered(); });
    }
    void clear() {
        waiting_.clear();
        done_.clear();
        all_.clear();
    }
    std::uint64_t refused(std::size_t why) const noexcept { return refused_[why]; }
    std::uint64_t unauthenticated(std::size_t why) const noexcept { return unauthenticated_[why]; }

   private:
    struct Entry {
        TimePoint deadline;
        std::unique_ptr<Handshake<Conn>> handshake;
    };
    static constexpr std::size_t most_refused_politely = 256;
    static constexpr TurnedAway too_many_of_address{ConnectionRefusal::limit, http::Status::too_many_requests,
                                                    "there are too many connections from this address"};
    static constexpr TurnedAway too_often_of_address{ConnectionRefusal::rate, http::Status::too_many_requests,
                                                     "there were too many connections from this address of late"};

    bool origin_passes(http::Request const& request) noexcept override {
        bool passes = false;
        if (!completes([&] { passes = origin_.passes(request); }))
            tell_event(events_, {.name = "policy_threw", .detail = "origin"});
        return passes;
    }
    std::optional<TurnedAway> settle(PeerAddress const& peer, LimitTable::Lease& lease) override;
    std::optional<TurnedAway> turn_away(PeerAddress const& peer, TimePoint now, LimitTable::Lease& lease);
    void on_request(void* handshake, http::Request const& request) override;
    ws::ExtensionAnswer on_extensions(std::span<std::string_view const> lines) override {
        if constexpr (compresses<Policy>)
            return Policy::Compression::negotiate(options_.compression, lines);
        else
            return {};
    }
    void on_page(void* handshake, http::Request const& request) override;
    void on_refused(ConnectionRefusal why) noexcept override {
        ++refused_[static_cast<std::size_t>(why)];
        tell_event(events_, {.name = "connection_refused", .detail = refusal_names[static_cast<std::size_t>(why)]});
    }
    void on_done(void* handshake) noexcept override {
        auto& done = *static_cast<Handshake<Conn>*>(handshake);
        if (!std::exchange(done.is_listed, true)) done_.push_back(&done);
    }
    /// A question about a handshake. An answer that comes later is posted to this loop, for `then(handshake, answer)`; by then the handshake
    /// may be over, or all of this gone.
    template <class Answer, class Then>
    Asked<Answer> ask(std::uint64_t serial, Then then) {
        return Asked<Answer>([port = port_, alive = std::weak_ptr<bool>(alive_), this, serial, then](Answer answer) {
            port->post([alive, this, serial, then, answer = std::move(answer)] {
                if (alive.expired()) return;
                if (auto const found = waiting_.find(serial); found != waiting_.end()) then(*found->second, answer);
            });
        });
    }
    void answer(Handshake<Conn>& handshake, Authenticated const& who) {
        // Only what the client has said: that a policy has no answer is not his fault.
        if (who.status != http::Status::switching_protocols) note(authentication_failure(who.status));
        if (who.status == http::Status::unauthorized || who.status == http::Status::forbidden)
            throttle_.note_failure(handshake.peer(), port_->now());
        handshake.answer(who, most_of_user(who.identity), who.expires_in ? port_->now() : TimePoint{});
    }
    void note(AuthenticationFailure why) noexcept { ++unauthenticated_[static_cast<std::size_t>(why)]; }
    /// False: it threw.
    template <class Callback>
    bool measured(CallbackKind hook, Callback&& callback) {
        bool completed = true;
        times_.measure(
            hook, [&] { completed = completes(std::forward<Callback>(callback)); },
            [&](std::chrono::nanoseconds time) {
                tell_event(events_,
                           {.name = "callback_slow", .detail = name_of(hook), .number = CallbackTimes::in_event(time)});
            });
        return completed;
    }
    void forget(Handshake<Conn>& handshake) {
        if (!waiting_.empty()) waiting_.erase(handshake.serial());
        std::size_t const place = handshake.place;
        if (place + 1 != all_.size()) {
            all_[place] = std::move(all_.back());
            all_[place].handshake->place = place;
        }
        all_.pop_back();
    }

    ws::BlockPool& pool_;
    HubOptions<Policy> const& options_;
    http::ProxyTrust proxies_{options_.proxies};
    HandshakeRules rules_{options_.request, options_.protocols, proxies_};
    LimitTable& table_;
    std::shared_ptr<ShardPort> port_;
    typename Policy::EventSink& events_;
    MemoryBudget const& memory_;
    Throttle<typename Policy::Rates>& throttle_;
    CallbackTimes& times_;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  ///< goes with this, on the loop's thread
    typename Policy::Auth auth_;
    typename Policy::Origin origin_;
    typename Policy::Limits limits_;
    std::vector<Entry> all_;
    std::vector<Handshake<Conn>*> done_;
    std::unordered_map<std::uint64_t, Handshake<Conn>*> waiting_;  ///< for an answer that was not given at once, by serial
    std::uint64_t serials_ = 0;
    std::uint64_t refused_[refusals] = {};
    std::uint64_t unauthenticated_[authentication_failures] = {};
    bool closed_ = false;
};

template <ByteConnection Conn, HubPolicy Policy>
void Reception<Conn, Policy>::accept(Conn&& connection, TimePoint now, std::span<std::byte> read) {
    LimitTable::Lease lease;
    auto const turned_away = turn_away(connection.peer(), now, lease);
    if (turned_away && all_.size() >= most_refused_politely) return on_refused(turned_away->why);
    auto handshake = std::make_unique<Handshake<Conn>>(++serials_, std::move(connection), pool_, rules_, table_, *this);
    Handshake<Conn>& fresh = *handshake;
    fresh.place = all_.size();
    all_.push_back({now + options_.handshake_limit, std::move(handshake)});
    fresh.start(std::move(lease));
    if (turned_away)
        fresh.refuse(*turned_away);
    else if (!read.empty())
        fresh.feed(read);
}

template <ByteConnection Conn, HubPolicy Policy>
std::optional<TurnedAway> Reception<Conn, Policy>::turn_away(PeerAddress const& peer, TimePoint now, LimitTable::Lease& lease) {
    using http::Status;
    using Why = ConnectionRefusal;
    if (closed_) return TurnedAway{Why::draining, Status::service_unavailable, "the server is going away"};
    if (memory_.is_high()) return TurnedAway{Why::memory, Status::service_unavailable, "the server is short of memory"};
    // A proxy's clients are counted for their own addresses, when these are known.
    bool const is_proxy = proxies_.trusts(peer);
    auto const refused = table_.take(peer, limits_.most_in_all(), is_proxy ? 0 : limits_.most_of_address(peer), lease);
    if (refused == LimitTable::Refused::in_all)
        return TurnedAway{Why::limit, Status::service_unavailable, "there are too many connections"};
    if (refused == LimitTable::Refused::address) return too_many_of_address;
    if (!is_proxy && !throttle_.admits(peer, now)) return too_often_of_address;
    return std::nullopt;
}

template <ByteConnection Conn, HubPolicy Policy>
std::optional<TurnedAway> Reception<Conn, Policy>::settle(PeerAddress const& peer, LimitTable::Lease& lease) {
    if (table_.settle(peer, limits_.most_of_address(peer), lease) != LimitTable::Refused::none) return too_many_of_address;
    if (!throttle_.admits(peer, port_->now())) return too_often_of_address;
    return std::nullopt;
}

template <ByteConnection Conn, HubPolicy Policy>
void Reception<Conn, Policy>::on_request(void* handshake, http::Request const& request) {
    auto& whose = *static_cast<Handshake<Conn>*>(handshake);
    if constexpr (always_agrees<typename Policy::Auth>) {
        static_cast<void>(request);
        answer(whose, Authenticated::as({}));
    } else {
        if (!throttle_.may_authenticate(whose.peer(), port_->now())) {
            note(AuthenticationFailure::too_often);
            return whose.refuse(
                {ConnectionRefusal::rate, http::Status::too_many_requests, "too many have failed to say who they are"});
        }
        auto asked =
            ask<Authenticated>(whose.serial(), [this](Handshake<Conn>& late, Authenticated const& who) { answer(late, who); });
        bool const done =
            measured(CallbackKind::authentication, [&] { auth_.authenticate(request, whose.peer(), asked.verdict()); });
        if (!done) tell_event(events_, {.name = "policy_threw", .detail = "authentication"});
        if (auto const now = asked.take())
            answer(whose, *now);
        else if (!done)
            answer(whose, Authenticated::unanswered());
        else
            waiting_.emplace(whose.serial(), &whose);
    }
}

template <ByteConnection Conn, HubPolicy Policy>
void Reception<Conn, Policy>::on_page(void* handshake, http::Request const& request) {
    auto& whose = *static_cast<Handshake<Conn>*>(handshake);
    if (!options_.routes)
        return whose.answer_page(http::Response(http::Refusal{http::Status::not_found, "there is no such page", false}));
    auto asked = ask<http::Response>(whose.serial(), [this](Handshake<Conn>& late, http::Response const& page) {
        all_[late.place].deadline = port_->now() + options_.handshake_limit;  // to read it
        late.answer_page(page);
    });
    bool const done = measured(CallbackKind::route, [&] { options_.routes->answer(request, whose.peer(), asked.verdict()); });
    if (!done) tell_event(events_, {.name = "policy_threw", .detail = "routes"});
    if (auto const now = asked.take()) return whose.answer_page(*now);
    if (!done) return whose.answer_page(http::Response::unanswered());
    all_[whose.place].deadline = port_->now() + options_.page_limit;
    waiting_.emplace(whose.serial(), &whose);
}

}  // namespace hubbub::inline v0
