#pragma once

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "tests/simulation/truth.hpp"

namespace hub_simulation {

/// A client, its session, and what is known of both.
template <class Conn, class P>
struct Peer {
    using SessionType = Session<Conn, P>;

    explicit Peer(testing::Client whose) : client(std::move(whose)) {}

    testing::Client client;
    int number = 0;
    std::size_t shard = 0;
    bool is_user = false;

    SessionType* session = nullptr;  ///< from on_open to on_close
    SessionId id;
    int opened = 0, closed = 0;
    std::optional<CloseInfo> expected_end{};
    std::optional<std::uint64_t> written_by_close{};  ///< how much a client that has room all the time gets before its Close
    bool paused = false, pressed = false, had_keys = false;

    std::vector<Window> windows;
    std::uint64_t direct = 0, direct_at_most = 0;  ///< sends that were for it

    std::size_t looked_at = 0;  ///< received messages
    std::uint64_t notices = 0, told_missed = 0;
    std::vector<bool> has;  ///< received, by message
    std::array<Place, topics> seen{}, seen_with_key_0{};
    std::map<std::uint64_t, Place> seen_of_key;
    std::map<std::pair<std::size_t, std::size_t>, std::size_t> seen_of_actor;
    std::uint64_t writes = 0;
    std::size_t said = 0, heard = 0;  ///< commands
    std::string ping;                 ///< the last one
    std::size_t pings = 0;
    bool partial = false;  ///< a frame was partly there at the last check
    std::uint64_t accepted_at_end = 0, written_at_end = 0;

    Subscriber& subscriber() const { return (Subscriber&)*session; }  // a private base: only this cast reaches it
    bool has_room() const { return client.wire().room == MemoryWire::unlimited && !client.wire().lost; }
    bool is_live() const { return session && subscriber().state == Subscriber::State::open; }
};

/// One random program over a whole hub, and what has to hold after each step of it. The first violation is thrown. Its connections
/// are in memory, or made of those.
template <class Conn = MemoryConnection, class P = Policy>
class HubRun {
   public:
    using HubType = Hub<Conn, P>;
    using SessionType = typename HubType::SessionType;
    using ShardType = typename HubType::ShardType;
    using Peer = hub_simulation::Peer<Conn, P>;
    struct Violation : std::runtime_error {
        using std::runtime_error::runtime_error;
    };

    explicit HubRun(std::uint64_t seed, HubOptions<P> options = {})
        : HubRun(testing::Choices(seed), 1 + seed % 4, std::move(options)) {}
    HubRun(testing::Choices choices, std::size_t shards, HubOptions<P> options = {});
    virtual ~HubRun() {
        ended_ = true;
        hub_.reset();
        while (sim_.step()) {}
        truth = nullptr;
    }
    HubRun(HubRun const&) = delete;

    void run(int steps);

   protected:
    /// What else a client is like.
    virtual void equip(std::size_t, testing::ClientOptions&) {}
    virtual void say(Peer& who, std::string const& text) { who.client.send_text(text); }
    std::vector<std::unique_ptr<Peer>> const& peers() const noexcept { return peers_; }
    std::size_t pick(std::size_t end) { return static_cast<std::size_t>(sim_.pick(end)); }
    bool one_in(std::size_t times) { return pick(times) == 0; }

   private:
    struct Hooks;

    // ---- the program
    void event();
    void connect();
    template <class Condition>
    Peer* any(Condition holds) {
        std::size_t const first = peers_.empty() ? 0 : pick(peers_.size());
        for (std::size_t i = 0; i < peers_.size(); ++i)
            if (Peer& peer = *peers_[(first + i) % peers_.size()]; holds(peer)) return &peer;
        return nullptr;
    }
    Peer* any_live(std::optional<std::size_t> shard) {
        return any([&](Peer const& peer) { return peer.session && (!shard || peer.shard == *shard); });
    }
    Peer* any_gone() {
        return any([](Peer const& peer) { return peer.closed != 0; });
    }
    void act_outside();
    void act_inside(std::size_t shard);
    void publish(Peer* by);
    void send(Peer& to, bool by_session);
    void subscribe(Peer& who);
    void unsubscribe(Peer& who);
    void close(Peer& who);
    void broadcast_close();
    void pause(Peer& who);
    void settle(int most);
    void pass(Duration duration);
    void quiesce();
    void drain();
    void finish();

    // ---- hooks
    void on_open(SessionType& session);
    void on_message(SessionType& session, MessageView message);
    void on_subscribed(SessionType& session, Subscription const& told);
    void on_pressure(SessionType& session, bool high);
    void on_close(SessionType& session, CloseInfo const& info);
    Peer& peer_of(SessionType& session) { return *peers_[static_cast<std::size_t>(session.data().peer)]; }

    // ---- what has to hold
    void expect(bool holds, std::string_view what, std::size_t message = 0) { truth_.expect(holds, what, message); }
    Place places(std::size_t topic) const { return truth_.orders[topic].messages.size(); }
    std::optional<Place> view(std::size_t shard, std::size_t topic) const;
    bool is_joining(Peer const& who, std::size_t topic) const;
    void open_window(Peer& who, std::size_t topic, Place before);
    void close_windows(Peer& who, bool exactly);
    std::uint64_t meant(Peer const& who, std::size_t topic, Place low, Place end) const;
    void check();
    void check_live(Peer& who);
    void check_wire(Peer& who);
    void check_arrived(Peer& who, testing::Received const& received);
    void check_sums();
    void check_quiet();
    void check_newest_of_keys(Peer const& who);
    void check_receipts();
    std::string text_of(std::size_t number) { return std::to_string(number) + ":" + std::string(padding(), 'x'); }
    std::size_t padding() {
        if (large_ && one_in(12)) return one_in(8) ? 70'000 : 4000 + pick(3000);
        return one_in(8) ? pick(400) : pick(60);
    }

    struct ShardTotals {
        ShardType* shard = nullptr;
        std::uint64_t accepted = 0, written = 0;  ///< of sessions that have ended
    };

    testing::Simulation sim_;
    Truth truth_;
    HubOptions<P> options_;
    bool large_ = false, keys_ = false, expiry_ = false;
    std::unique_ptr<HubType> hub_;
    typename HubType::BroadcasterType broadcaster_;
    std::vector<ShardTotals> shards_;
    std::vector<std::unique_ptr<Peer>> peers_;
    std::array<std::map<std::size_t, Place>, topics> asked_;  ///< by shard: since when it waits for the owner
    std::uint64_t turns_ = 0, hooks_ = 0, notices_ = 0;       ///< at the last check
    std::uint64_t hooks_run_ = 0, notices_got_ = 0;
    TimePoint checked_at_{};
    int depth_ = 0;
    bool ended_ = false, draining_ = false;
    int drained_ = 0, drains_ = 0;
};

template <class Conn, class P>
struct HubRun<Conn, P>::Hooks {
    HubRun* run;
    void on_open(auto& session) { run->on_open(session); }
    void on_message(auto& session, MessageView message) { run->on_message(session, message); }
    void on_subscribed(auto& session, Subscription const& told) { run->on_subscribed(session, told); }
    void on_continuity_lost(auto&, Subscription const&) {}
    void on_pressure(auto& session) { run->on_pressure(session, true); }
    void on_relief(auto& session) { run->on_pressure(session, false); }
    void on_expiring(auto&) {}
    void on_close(auto& session, CloseInfo const& info) { run->on_close(session, info); }
};

template <class Conn, class P>
HubRun<Conn, P>::HubRun(testing::Choices choices, std::size_t shards, HubOptions<P> options)
    : sim_(choices, shards), options_(std::move(options)), broadcaster_([&] {
          truth = &truth_;
          truth_.sim = &sim_;
          truth_.messages.resize(1);
          truth_.overflow = static_cast<OverflowAction>(pick(3));
          truth_.tells_gaps = one_in(2);
          keys_ = one_in(3);
          expiry_ = one_in(3);
          if (keys_) truth_.on_full[keyed_topic] = OverflowAction::replace_key;
          if (one_in(2)) truth_.on_full[1] = static_cast<OverflowAction>(pick(3));
          large_ = one_in(4);
          auto& queue = options_.queue;
          queue.bytes = large_ ? 1u << 20 : 128 + static_cast<std::uint32_t>(pick(2500));
          queue.messages = large_ ? 4000 : 2 + static_cast<std::uint32_t>(pick(30));
          queue.high_bytes = queue.bytes / 2;
          queue.low_bytes = queue.bytes / 8;
          if (one_in(2)) options_.mailbox = {4096, 1 + pick(8)};
          if (one_in(4)) options_.lifetime_limit = std::chrono::seconds(20);
          options_.subscriptions = one_in(4) ? 2 : 128;
          hub_.reset(new HubType(sim_.template hub<P, Conn>(Hooks{this}, options_)));
          return hub_->broadcaster();
      }()) {
    shards_.resize(sim_.loops().size());
    hub_->on_each_shard([this](ShardType& shard) { shards_[*sim_.running()].shard = &shard; });
    sim_.run_until_idle();
}

// ---- the program

template <class Conn, class P>
void HubRun<Conn, P>::run(int steps) {
    for (std::size_t i = 2 + pick(4); i-- > 0;) connect();
    int const ends_at = one_in(5) ? static_cast<int>(pick(static_cast<std::size_t>(steps))) : steps;
    for (int i = 0; i < ends_at; ++i) {
        event();
        settle(static_cast<int>(pick(6)));
        if (one_in(12)) quiesce();
    }
    finish();
}

template <class Conn, class P>
void HubRun<Conn, P>::settle(int most) {
    while (most-- > 0) {
        bool const more = sim_.step();
        check();
        if (!more) return;
    }
}

template <class Conn, class P>
void HubRun<Conn, P>::pass(Duration duration) {
    Duration const piece = std::max<Duration>(duration / 20, std::chrono::milliseconds(100));
    for (Duration left = duration; left > Duration{}; left -= piece) {
        settle(1'000'000);
        sim_.run_for(std::min(left, piece));
        check();
    }
}

/// Everything that is under way arrives, and then all has to be as if at once.
template <class Conn, class P>
void HubRun<Conn, P>::quiesce() {
    for (int left = 1'000'000; sim_.step(); --left) {
        check();
        if (!left) throw Violation("they never rest");
    }
    check();
    if (!ended_) check_quiet();
}

template <class Conn, class P>
void HubRun<Conn, P>::connect() {
    if (peers_.size() >= 14) return;
    auto const number = peers_.size();
    std::size_t const shard = pick(shards_.size());
    bool const is_user = one_in(3);
    testing::ClientOptions client;
    client.mode = static_cast<MemoryMode>(pick(3));
    client.target = "/" + std::to_string(shard) + "/" + std::to_string(number) + (is_user ? "/u" : one_in(6) ? "/late" : "/");
    client.shard = pick(shards_.size());
    if (one_in(4)) client.latency = std::chrono::milliseconds(pick(300));
    if (one_in(2)) client.largest_piece = 1 + pick(60);
    client.answers = !one_in(8);
    if (one_in(16)) client.request = "GET / HTTP/1.1\r\nHost: half";
    equip(number, client);
    peers_.push_back(std::make_unique<Peer>(sim_.connect(*hub_, std::move(client))));
    Peer& peer = *peers_.back();
    peer.number = static_cast<int>(number);
    peer.shard = shard;
    peer.is_user = is_user;
}

/// Something happens outside of the hub: at a client, in the network, in another thread, or time passes.
template <class Conn, class P>
void HubRun<Conn, P>::event() {
    Peer* const peer = any([](Peer const&) { return true; });
    if (!peer || one_in(9)) return connect();
    testing::Client& client = peer->client;
    switch (pick(26)) {
        case 0: client.unstall(); return;
        case 1:
        case 2: peer->written_by_close.reset(); return client.stall();
        case 3: peer->written_by_close.reset(); return client.limit_to(pick(300));
        case 4:
            if (!one_in(6)) return;
            peer->written_by_close.reset();
            return client.reset();
        case 5:
            if (!one_in(6)) return;
            peer->written_by_close.reset();
            return client.end();
        case 6:
            if (one_in(6)) client.close(static_cast<CloseCode>(3000 + pick(9)), "enough");
            return;
        case 7: peer->ping = std::to_string(++peer->pings); return client.ping(peer->ping);
        case 8:
        case 9:
        case 10: return pass(std::chrono::milliseconds(pick(400)));
        case 11:
            if (one_in(10)) pass(std::chrono::seconds(pick(40)));
            return;
        case 12:
            if (!truth_.waiting.empty()) {
                auto const which = static_cast<std::ptrdiff_t>(pick(truth_.waiting.size()));
                truth_.waiting[static_cast<std::size_t>(which)].answer(
                    one_in(4) ? Authenticated::refused(http::Status::unauthorized, "no") : Authenticated::as({}));
                truth_.waiting.erase(truth_.waiting.begin() + which);
            }
            return;
        case 13: return broadcast_close();
        case 14:
            if (one_in(12)) drain();
            return;
        case 15:
        case 16:
        case 17:
        case 18:
            for (std::size_t i = 1 + pick(one_in(3) ? 24 : 3); i-- > 0;) act_outside();
            return;
        default:
            if (client.wire().lost || client.wire().client_ended || peer->expected_end) return;
            for (std::size_t i = 1 + (one_in(4) ? pick(8) : 0); i-- > 0;) say(*peer, std::to_string(++peer->said));
    }
}

/// As a thread that is no shard's.
template <class Conn, class P>
void HubRun<Conn, P>::act_outside() {
    Peer* const peer = any_live(std::nullopt);
    if (Peer* const gone = one_in(8) ? any_gone() : nullptr) {
        hub_->post(gone->id, [this](SessionType&) { expect(false, "a function for who has gone is given another session"); });
        return send(*gone, false);
    }
    if (peer && one_in(3)) return send(*peer, false);
    if (peer && one_in(6)) {
        hub_->post(peer->id, [this](SessionType& session) {
            expect(session.data().peer >= 0, "a function that was posted to a session got another");
            act_inside(*sim_.running());
        });
        return;
    }
    publish(nullptr);
}

/// As a hook would, on that shard.
template <class Conn, class P>
void HubRun<Conn, P>::act_inside(std::size_t shard) {
    if (depth_ > 2) return;
    ++depth_;
    for (std::size_t i = one_in(3) ? pick(5) : 1; i-- > 0;) {
        Peer* const who = any_live(shard);
        if (!who) break;
        switch (pick(16)) {
            case 0:
            case 1:
            case 2: publish(who); break;
            case 3: publish(nullptr); break;
            case 4:
            case 5: send(*who, true); break;
            case 6:
                if (Peer* const other = any_live(std::nullopt)) send(*other, false);
                break;
            case 7:
            case 8:
            case 9: subscribe(*who); break;
            case 10: unsubscribe(*who); break;
            case 11:
                if (one_in(8)) close(*who);
                break;
            case 12:
                if (one_in(3)) pause(*who);
                break;
            case 13: sim_.elsewhere([this] { act_outside(); }); break;
            case 14: sim_.interleave(); break;
            default:
                if (who->is_live() && one_in(3)) {
                    who->session->after(std::chrono::milliseconds(pick(500)),
                                        [this](SessionType& session) { act_inside(peer_of(session).shard); });
                }
        }
    }
    --depth_;
}

template <class Conn, class P>
void HubRun<Conn, P>::publish(Peer* by) {
    std::size_t const number = truth_.messages.size();
    Message message;
    message.topic = one_in(6) ? own_topics + pick(3) : pick(own_topics);
    auto const shard = sim_.running();
    message.actor = shard ? *shard : 100 + pick(2);
    PublishOptions options;
    if (keys_ && message.topic == keyed_topic && !one_in(3)) options.key = message.key = 1 + pick(3);
    if (expiry_ && one_in(4)) {
        options.expires_in = std::chrono::milliseconds(1 + pick(900));
        message.expires = sim_.now() + options.expires_in;
    }
    if (Peer* const except = one_in(3) ? (by ? by : one_in(6) ? any_gone() : any_live(std::nullopt)) : nullptr; except) {
        options.except = except->id;
        message.peer = except->number;
    }
    if (one_in(6)) {
        message.wants_receipt = true;
        options.on_receipt = [this, number](PublishReceipt const& receipt) {
            Message& told = truth_.messages[number];
            expect(!told.receipt, "a receipt came twice", number);
            told.receipt = receipt;
            if (one_in(4) && depth_ < 2 && !ended_) {
                ++depth_;
                publish(nullptr);
                --depth_;
            }
        };
    }
    for (auto const& peer : peers_)
        for (Window const& window : peer->windows)
            if (window.topic == message.topic && window.is_open && window.sure != never && peer->is_live())
                message.certain = true;
    std::string const text = text_of(number);
    MessageView const view = one_in(2) ? MessageView::text(text) : MessageView::binary(std::as_bytes(std::span(text)));
    std::string const& name = topic_name(message.topic);
    std::size_t const topic = message.topic;
    truth_.messages.push_back(std::move(message));
    bool const could_fit = ws::server_frame_size(text.size()) <= options_.queue.bytes;
    bool const closed = by && topic < own_topics && by->subscriber().state == Subscriber::State::closed;
    PublishResult result;
    if (topic >= own_topics)
        result = broadcaster_.publish(topic == topic_of_all     ? Target::all()
                                      : topic == topic_of_label ? Target::label("x")
                                                                : Target::user("u"),
                                      Frame(view), std::move(options));
    else if (by)
        result = by->session->publish(name, view, std::move(options));
    else if (one_in(2))
        result = broadcaster_.publish(name, Frame(view), std::move(options));
    else
        result = broadcaster_.publish(name, view, std::move(options));
    bool const inside = shard.has_value();
    if (ended_ || closed)
        expect(result == PublishResult::closed || (!could_fit && result == PublishResult::too_big), "who has ended publishes",
               number);
    else if (!could_fit)
        expect(result == PublishResult::too_big, "what could never fit is published", number);
    else
        expect(result == PublishResult::accepted || (!inside && result == PublishResult::busy),
               "a publication was not accepted", number);
    if (result != PublishResult::accepted) {
        Message& refused = truth_.messages[number];
        expect(refused.place == 0 && !refused.receipt, "a message was refused and published all the same", number);
        refused.certain = refused.wants_receipt = false;
    }
}

template <class Conn, class P>
void HubRun<Conn, P>::send(Peer& to, bool by_session) {
    std::size_t const number = truth_.messages.size();
    auto const shard = sim_.running();
    Message message;
    message.peer = to.number;
    message.actor = shard ? *shard : 100 + pick(2);
    bool const here = shard && *shard == to.shard;
    bool const is_live = to.is_live();
    if (here)
        for (std::size_t topic = 0; topic < topics; ++topic)
            if (!keys_ || topic != keyed_topic) message.behind[topic] = view(to.shard, topic);
    std::string const text = text_of(number);
    truth_.messages.push_back(message);
    bool const could_fit = ws::server_frame_size(text.size()) <= options_.queue.bytes;
    if (by_session) {
        auto const result = to.session->send(text);
        if (!is_live) return expect(result == SendResult::closed, "who is closed is sent to", number);
        if (!could_fit) return expect(result == SendResult::too_big, "what could never fit is sent", number);
        expect(result == SendResult::queued || result == SendResult::dropped, "a message was neither queued nor dropped",
               number);
        ++to.direct, ++to.direct_at_most;
        return;
    }
    auto const result = broadcaster_.send(to.id, Frame::text(text));
    if (ended_) return expect(result == PublishResult::closed, "a hub that has ended sends", number);
    if (!could_fit) return expect(result == PublishResult::too_big, "what could never fit is sent", number);
    if (result == PublishResult::busy) return expect(!shard, "a shard is told that a mailbox is full", number);
    expect(result == PublishResult::accepted, "a message to a session was not accepted", number);
    if (here) {
        if (is_live) ++to.direct, ++to.direct_at_most;
        return;
    }
    truth_.messages[number].under_way = true;
    ++to.direct_at_most;
}

template <class Conn, class P>
void HubRun<Conn, P>::subscribe(Peer& who) {
    std::size_t const topic = pick(own_topics);
    bool const knew = std::any_of(who.windows.begin(), who.windows.end(),
                                  [&](Window const& window) { return window.topic == topic && window.is_open; });
    bool const live = who.is_live();
    Place const before = places(topic);
    if (topic == keyed_topic && keys_) who.had_keys = true;
    auto const result = who.session->subscribe(topic_name(topic));
    if (!live) return expect(result == SubscribeResult::closed, "who is closed subscribes");
    if (knew) return expect(result == SubscribeResult::already, "a member joins again");
    if (result == SubscribeResult::too_many) return expect(options_.subscriptions == 2, "a limit that is not there");
    expect(result == SubscribeResult::started, "a subscription did not start");
    open_window(who, topic, before);
}

template <class Conn, class P>
void HubRun<Conn, P>::unsubscribe(Peer& who) {
    std::size_t const topic = pick(own_topics);
    for (Window& window : who.windows) {
        if (window.topic != topic || !window.is_open || !who.is_live()) continue;
        bool const joining = is_joining(who, topic);
        auto const now = view(who.shard, topic);
        expect(who.session->unsubscribe(topic_name(topic)), "a member cannot leave");
        window.is_open = false;
        if (joining) {
            window.end = window.low;  // he has never been one
            window.sure_end = 0;
        } else {
            expect(now.has_value(), "a member of a topic that its shard does not know");
            window.end = window.sure_end = now.value_or(0);
        }
        return;
    }
    if (who.is_live()) expect(!who.session->unsubscribe(topic_name(topic)), "who is no member leaves");
}

template <class Conn, class P>
void HubRun<Conn, P>::close(Peer& who) {
    if (!who.is_live()) return;
    auto const code = static_cast<CloseCode>(4000 + pick(9));
    if (one_in(4)) {
        return hub_->close(who.id, code, "by the hub");
    }
    who.expected_end = CloseInfo{code, "bye", CloseInfo::By::us};
    std::uint64_t const dropped = who.subscriber().dropped;
    who.session->close(code, "bye");
    who.session->close(CloseCode::normal, "too late");
    // What it was to get before goes out before the Close, if the network takes it and no limit or key drops it.
    if (large_ && !keys_ && !expiry_ && who.has_room()) who.written_by_close = who.subscriber().accepted() - dropped;
    close_windows(who, true);
}

template <class Conn, class P>
void HubRun<Conn, P>::broadcast_close() {
    if (!one_in(20)) return;
    hub_->close(one_in(2) ? Target::label("x") : Target::user("u"), CloseCode::policy_violation, "out");
}

template <class Conn, class P>
void HubRun<Conn, P>::pause(Peer& who) {
    if (!who.is_live()) return;
    if (who.paused) {
        who.paused = false;
        who.session->resume_reading();
        return;
    }
    who.paused = true;
    who.session->pause_reading();
    who.session->after(std::chrono::milliseconds(pick(700)), [this](SessionType& session) {
        Peer& peer = peer_of(session);
        if (!std::exchange(peer.paused, false)) return;
        session.resume_reading();
    });
}

template <class Conn, class P>
void HubRun<Conn, P>::drain() {
    draining_ = true;
    ++drains_;
    DrainOptions options;
    options.per_second = 1 + pick(200);
    options.deadline = std::chrono::milliseconds(500 + pick(3000));
    hub_->drain(options, [this] {
        ++drained_;
        expect(ended_ || !any_live(std::nullopt), "a drain is over although there are sessions");
    });
}

/// The hub goes, at whatever moment this is, or in good order.
template <class Conn, class P>
void HubRun<Conn, P>::finish() {
    if (one_in(3)) {
        ended_ = true;
        hub_.reset();
        publish(nullptr);
        for (int left = 100'000; sim_.step(); --left) {
            if (!left) throw Violation("they never rest");
            if (!truth_.problem.empty()) break;
        }
        for (auto const& peer : peers_) {
            expect(peer->client.wire().endpoint == nullptr, "a connection outlives its hub");
            peer->session = nullptr;
            check_wire(*peer);
        }
        if (!truth_.problem.empty()) throw Violation(truth_.problem);
        return;
    }
    quiesce();
    for (auto const& peer : peers_) peer->client.unstall();
    quiesce();
    pass(std::chrono::seconds(1));
    quiesce();
    check_receipts();
    if (!draining_) drain();
    for (auto& verdict : std::exchange(truth_.waiting, {})) verdict.answer(Authenticated::as({}));
    pass(std::chrono::seconds(20));
    quiesce();
    expect(drained_ == drains_, "a drain is not over, or told twice");
    for (auto const& peer : peers_) {
        expect(!peer->session, "a session outlives the drain");
        expect(peer->client.is_closed(), "a connection outlives the drain");
    }
    for (std::size_t i = 0; i < shards_.size(); ++i) {
        auto const sum = hub_->snapshot(i);
        expect(sum.sessions == 0 && sum.handshakes == 0 && sum.opened == sum.closed, "a shard is not empty after the drain");
        expect(sum.pooled_bytes == ws::BlockPool::largest_pooled, "blocks are left when all sessions are gone");
    }
    if (!truth_.problem.empty()) throw Violation(truth_.problem);
}

// ---- hooks

template <class Conn, class P>
void HubRun<Conn, P>::on_open(SessionType& session) {
    ++hooks_run_;
    std::string_view const target = session.request()->target();
    auto const shard = Truth::number_of(target.substr(1));
    auto const number = Truth::number_of(target.substr(target.find('/', 1) + 1));
    Peer& who = *peers_[number];
    expect(!ended_ && who.opened == 0, "a session was opened twice, or after the end");
    expect(sim_.running() == shard, "a session was opened on another shard than the policy chose");
    session.data().peer = static_cast<int>(number);
    who.session = &session;
    who.id = session.id();
    who.opened = 1;
    open_window(who, topic_of_all, places(topic_of_all));
    if (who.is_user) open_window(who, topic_of_user, places(topic_of_user));
    if (one_in(3)) {
        Place const before = places(topic_of_label);
        session.add_label("x");
        open_window(who, topic_of_label, before);
    }
    if (one_in(2)) subscribe(who);
    if (one_in(4)) act_inside(who.shard);
}

template <class Conn, class P>
void HubRun<Conn, P>::on_message(SessionType& session, MessageView message) {
    Peer& who = peer_of(session);
    expect(!ended_ && who.session == &session && who.is_live(), "a message is heard of who is not open");
    expect(!who.paused, "a message is heard although reading is paused");
    expect(Truth::number_of(message.view()) == ++who.heard, "what a client says is heard in another order");
    act_inside(who.shard);
    if (one_in(60) && who.is_live()) {
        who.expected_end = CloseInfo{CloseCode::internal_error, "internal error", CloseInfo::By::us};
        close_windows(who, false);
        throw std::runtime_error("on purpose");
    }
}

template <class Conn, class P>
void HubRun<Conn, P>::on_subscribed(SessionType& session, Subscription const& told) {
    ++hooks_run_;
    Peer& who = peer_of(session);
    std::size_t const topic = topic_number(told.topic);
    expect(!ended_ && who.is_live() && told.allowed, "a subscription is told to who is not open");
    bool found = false;
    for (Window& window : who.windows) {
        if (window.topic != topic || !window.is_open) continue;
        // Leaving and joining again in one turn is told twice.
        found = true;
        Place const place = truth_.place_of(topic, told.position);
        expect(window.low <= place, "a subscription is told with a position before it began");
        if (window.sure == never) window.sure = place;
        window.is_told = true;
    }
    expect(found, "a subscription is told that is none");
    if (one_in(2)) act_inside(who.shard);
}

template <class Conn, class P>
void HubRun<Conn, P>::on_pressure(SessionType& session, bool high) {
    ++hooks_run_;
    Peer& who = peer_of(session);
    expect(!ended_ && who.is_live() && who.pressed != high, "pressure and relief do not alternate");
    who.pressed = high;
    if (one_in(2)) act_inside(who.shard);
}

template <class Conn, class P>
void HubRun<Conn, P>::on_close(SessionType& session, CloseInfo const& info) {
    ++hooks_run_;
    Peer& who = peer_of(session);
    expect(!ended_ && who.opened == 1 && ++who.closed == 1, "on_close is not called once");
    expect(who.session == &session, "on_close of another session");
    if (who.expected_end)
        expect(info.code == who.expected_end->code && info.by == who.expected_end->by, "it ended in another way");
    if (info.code == CloseCode::try_again_later) expect(!large_, "an overflow although there is room");
    close_windows(who, false);
    Subscriber const& subscriber = who.subscriber();
    expect(subscriber.queue.messages() == 0 && subscriber.queue.bytes() == 0, "something is queued for who has ended");
    expect(subscriber.memberships() == 0, "a member that has ended");
    if (who.written_by_close) expect(subscriber.written == *who.written_by_close, "a Close went before what was queued");
    who.accepted_at_end = subscriber.accepted();
    who.written_at_end = subscriber.written;
    shards_[who.shard].accepted += who.accepted_at_end;
    shards_[who.shard].written += who.written_at_end;
    if (one_in(3)) act_inside(who.shard);
    who.session = nullptr;
}

// ---- what has to hold

/// The place of the newest message of the topic that the shard has seen; nothing if it does not know yet.
template <class Conn, class P>
std::optional<Place> HubRun<Conn, P>::view(std::size_t shard, std::size_t topic) const {
    auto& all = shards_[shard].shard->delivery().topics();
    auto const number = all.find(topic_name(topic));
    if (!number) return std::nullopt;
    Topic const& known = all[*number];
    bool const is_owner = shards_[shard].shard->router().owner_of(topic_name(topic)).value == shard;
    if (!is_owner && known.interest != Topic::Interest::acknowledged) return std::nullopt;
    return truth_.place_of(topic, known.position);
}

template <class Conn, class P>
bool HubRun<Conn, P>::is_joining(Peer const& who, std::size_t topic) const {
    auto& all = shards_[who.shard].shard->delivery().topics();
    auto const number = all.find(topic_name(topic));
    auto const* const membership = number ? who.subscriber().find(*number) : nullptr;
    return membership && all[*number].members[membership->place].from == Topic::Member::joining;
}

/// `before`: how many messages the topic had when he asked.
template <class Conn, class P>
void HubRun<Conn, P>::open_window(Peer& who, std::size_t topic, Place before) {
    Window window;
    window.topic = topic;
    if (is_joining(who, topic)) {
        // Those who wait on one shard are let in together, when the first of them is answered.
        auto const [asked, fresh] = asked_[topic].try_emplace(who.shard, before);
        window.low = asked->second;
    } else {
        auto const now = view(who.shard, topic);
        expect(now.has_value(), "a member of a topic that its shard does not know");
        window.low = window.sure = now.value_or(0);
    }
    who.windows.push_back(window);
}

/// `exactly`: what comes from now on is not for him. Else he may have been a member for some time after the last check.
template <class Conn, class P>
void HubRun<Conn, P>::close_windows(Peer& who, bool exactly) {
    for (Window& window : who.windows) {
        if (!window.is_open) continue;
        window.is_open = false;
        auto const now = view(who.shard, window.topic);
        window.end = now.value_or(places(window.topic));
        if (exactly) window.sure_end = now.value_or(0);
        // What else comes in this turn is counted, and dropped because he is closed.
        window.end = std::max(window.end, places(window.topic) + 1'000);
    }
}

template <class Conn, class P>
std::uint64_t HubRun<Conn, P>::meant(Peer const& who, std::size_t topic, Place low, Place end) const {
    if (low >= end) return 0;
    std::uint64_t count = end - low;
    auto const excluded = truth_.excluded.find(who.number);
    if (excluded == truth_.excluded.end()) return count;
    for (auto const& [of, place] : excluded->second) count -= of == topic && place > low && place <= end;
    return count;
}

template <class Conn, class P>
void HubRun<Conn, P>::check() {
    for (std::size_t topic = 0; topic < topics; ++topic)
        std::erase_if(asked_[topic], [&](auto const& asked) { return view(asked.first, topic).has_value() || ended_; });
    for (auto const& peer : peers_) {
        check_wire(*peer);
        if (peer->session) check_live(*peer);
    }
    if (!ended_) check_sums();
    checked_at_ = sim_.now();
    turns_ = sim_.turns();
    hooks_ = hooks_run_;
    notices_ = truth_.notices;
    if (!truth_.problem.empty()) throw Violation(truth_.problem);
}

template <class Conn, class P>
void HubRun<Conn, P>::check_live(Peer& who) {
    Subscriber const& subscriber = who.subscriber();
    bool const live = who.is_live();
    if (!live) close_windows(who, false);
    expect(subscriber.queue.messages() <= options_.queue.messages, "a queue has more messages than it may");
    if (subscriber.queue.bytes() > options_.queue.bytes) {
        std::uint64_t data = 0;  // control frames and the 101 are not data
        bool first = true;
        for (ws::Slice const& slice : subscriber.queue.pending()) {
            bool const control = !first && !ws::is_message_frame(slice.data());
            if (!control && (!first || subscriber.queue.control_frames() == 0)) data += slice.length;
            first = false;
        }
        expect(data <= options_.queue.bytes + 400, "a queue has more bytes than it may");
    }
    std::uint64_t least = who.direct, most = who.direct_at_most;
    for (Window& window : who.windows) {
        if (window.is_open) {
            auto const now = view(who.shard, window.topic);
            if (window.sure != never) {
                expect(now.has_value(), "a member of a topic that its shard does not know");
                window.sure_end = now.value_or(0);
            }
            most += meant(who, window.topic, window.low, now.value_or(places(window.topic)));
        } else {
            most += meant(who, window.topic, window.low, std::min(window.end, std::max(places(window.topic), window.low)));
        }
        if (window.sure != never) least += meant(who, window.topic, window.sure, window.sure_end);
    }
    // Gap notices are counted as sends; which session they were for is known when they arrive.
    std::uint64_t const accepted = subscriber.accepted() - who.notices;
    expect(accepted >= least, "a message that was for a session is not accounted");
    expect(accepted <= most + (truth_.notices - notices_got_), "more is accounted to a session than was for it");
    bool const exact = who.client.wire().mode != MemoryMode::records;
    std::uint64_t const got = who.looked_at;
    expect(exact ? got == subscriber.written : got >= subscriber.written, "what a client got is not what counts as written");
    if (large_ && live && !who.had_keys && !expiry_)
        expect(subscriber.dropped == 0, "something was dropped although there is room");
}

template <class Conn, class P>
void HubRun<Conn, P>::check_wire(Peer& who) {
    testing::ServerStream const& stream = who.client.stream();
    expect(stream.problem().empty(), stream.problem());
    auto const& all = stream.messages();
    bool first = true;
    while (who.looked_at < all.size()) {
        std::size_t const at = who.looked_at++;
        if (all[at].payload.starts_with("gap ")) {
            ++who.notices, ++notices_got_;
            who.told_missed += Truth::number_of(std::string_view(all[at].payload).substr(4));
        } else {
            check_arrived(who, all[at]);
            std::size_t const number = Truth::number_of(all[at].payload);
            bool const late = number < truth_.messages.size() && truth_.messages[number].expires <= checked_at_;
            // What was on the wire in part cannot be taken back.
            if (late && !(first && who.partial) && who.client.wire().mode != MemoryMode::records)
                expect(false, "a message that has outlived its time was sent", number);
        }
        first = false;
    }
    who.partial = stream.unread() != 0;
    std::uint64_t const writes = who.client.wire().writes - who.writes;
    who.writes += writes;
    // A turn writes once; what hooks of its close phase send is written in a round of its own.
    expect(writes <= (sim_.turns() - turns_) + (hooks_run_ - hooks_) + (truth_.notices - notices_) + 1,
           "more than one write for a session and flush");
}

/// Meant for him, once, in the order of its topic, of its publisher, and of the program.
template <class Conn, class P>
void HubRun<Conn, P>::check_arrived(Peer& who, testing::Received const& received) {
    std::size_t const number = Truth::number_of(received.payload);
    if (number == 0 || number >= truth_.messages.size()) return expect(false, "a client got what nobody sent", number);
    Message& message = truth_.messages[number];
    int const peer = who.number;
    if (who.has.size() <= number) who.has.resize(truth_.messages.size());
    expect(!who.has[number], "a client got a message twice", number);
    who.has[number] = true;
    ++message.arrived;
    std::size_t const colon = received.payload.find(':');
    expect(colon != std::string::npos && received.payload.find_first_not_of('x', colon + 1) == std::string::npos,
           "a message was damaged", number);
    if (message.topic == Message::direct) {
        expect(message.peer == peer, "a client got what was sent to another", number);
        auto& last = who.seen_of_actor[{message.topic, message.actor}];
        expect(last < number, "one sender's messages to a session came in another order", number);
        last = number;
        for (std::size_t topic = 0; topic < topics; ++topic) {
            if (!message.behind[topic]) continue;
            expect(who.seen[topic] <= *message.behind[topic], "a message came before what was sent before it", number);
            who.seen[topic] = std::max(who.seen[topic], *message.behind[topic]);
        }
        return;
    }
    expect(message.peer != peer, "a client got what it was excluded from", number);
    expect(message.place != 0, "a client got what its topic's owner has not seen", number);
    expect(std::any_of(who.windows.begin(), who.windows.end(),
                       [&](Window const& window) {
                           return window.topic == message.topic && window.low < message.place && message.place <= window.end;
                       }),
           "a client got what was not for it: it had not joined, or had left", number);
    Place& last = message.topic == keyed_topic && keys_ ? who.seen_of_key[message.key] : who.seen[message.topic];
    expect(last < message.place, "the messages of a topic came in another order", number);
    last = message.place;
}

/// L0, on each shard: what was meant is written, dropped or pending, and the sessions' sums are the shard's.
template <class Conn, class P>
void HubRun<Conn, P>::check_sums() {
    for (std::size_t i = 0; i < shards_.size(); ++i) {
        DeliveryCounts const& counts = shards_[i].shard->delivery().counts();
        std::uint64_t accepted = shards_[i].accepted, written = shards_[i].written, pending = 0;
        for (auto const& peer : peers_) {
            if (!peer->session || peer->shard != i) continue;
            accepted += peer->subscriber().accepted();
            written += peer->subscriber().written;
            pending += peer->subscriber().queue.messages();
        }
        expect(counts.deliveries == counts.written + counts.all_dropped() + pending, "the sums of a shard do not match");
        expect(counts.deliveries == accepted && counts.written == written, "the sums of the sessions are not the shard's");
    }
}

/// Nothing is under way: what was accepted has its place, members are members, and who has room has everything.
template <class Conn, class P>
void HubRun<Conn, P>::check_quiet() {
    for (std::size_t number = 1; number < truth_.messages.size(); ++number) {
        Message& message = truth_.messages[number];
        if (message.topic != Message::direct) {
            expect(!message.certain || message.place, "a publication that was accepted is lost", number);
            continue;
        }
        if (!std::exchange(message.under_way, false)) continue;
        if (Peer& to = *peers_[static_cast<std::size_t>(message.peer)]; to.is_live()) ++to.direct;
    }
    for (auto const& peer : peers_) {
        Peer& who = *peer;
        if (!who.is_live()) continue;
        for (Window& window : who.windows) {
            if (!window.is_open) continue;
            expect(!is_joining(who, window.topic), "a subscription has not begun although nothing is under way");
            expect(window.is_told || window.topic >= own_topics, "a subscription was never told");
            if (window.sure == never) window.sure = view(who.shard, window.topic).value_or(never);
        }
        check_live(who);
        MemoryWire const& wire = who.client.wire();
        if (!who.has_room()) continue;
        Subscriber const& subscriber = who.subscriber();
        expect(subscriber.queue.empty(), "something is queued although there is room");
        expect(!who.client.stream().unread(), "half a frame is left");
        expect(!who.pressed, "there is room, and no relief was told");
        if (truth_.tells_gaps && !who.had_keys)
            expect(who.told_missed == subscriber.dropped, "a client is not told how many messages it missed");
        if (keys_ && large_ && !expiry_) check_newest_of_keys(who);
        if (who.paused || wire.client_ended || !who.client.has_arrived()) continue;
        expect(who.heard == who.said, "what a client said was not heard");
        // RFC 6455 5.5.3: the newest ping is answered.
        auto const& pongs = who.client.stream().pongs();
        expect(who.ping.empty() || (!pongs.empty() && pongs.back() == who.ping), "a ping was not answered");
    }
    if (!truth_.problem.empty()) throw Violation(truth_.problem);
}

/// Where there is room for all, only an older message of a key gives way to a newer one.
template <class Conn, class P>
void HubRun<Conn, P>::check_newest_of_keys(Peer const& who) {
    for (Window const& window : who.windows) {
        if (window.topic != keyed_topic || !window.is_open || window.sure == never) continue;
        std::map<std::uint64_t, std::size_t> newest;
        for (Place place = window.sure + 1; place <= window.sure_end; ++place) {
            std::size_t const number = truth_.orders[keyed_topic].messages[place - 1];
            Message const& message = truth_.messages[number];
            if (message.peer != who.number) newest[message.key] = number;
        }
        for (auto const& [key, number] : newest)
            expect(number < who.has.size() && who.has[number], "the newest message of a key has not come", number);
    }
}

/// At a quiet moment: each receipt has come, and says what became of the message.
template <class Conn, class P>
void HubRun<Conn, P>::check_receipts() {
    for (std::size_t number = 1; number < truth_.messages.size(); ++number) {
        Message const& message = truth_.messages[number];
        if (!message.wants_receipt) continue;
        expect(message.receipt.has_value(), "a receipt has not come", number);
        if (!message.receipt) continue;
        PublishReceipt const& receipt = *message.receipt;
        std::uint64_t sum = receipt.queued, least = 0, most = 0;
        for (std::uint64_t const dropped : receipt.dropped) sum += dropped;
        expect(sum == receipt.subscribers, "a receipt's sums do not match", number);
        expect(message.arrived <= receipt.queued, "more clients got a message than its receipt says", number);
        if (!message.place) {
            expect(receipt.subscribers == 0, "a receipt of what nobody was subscribed to has subscribers", number);
            continue;
        }
        expect(truth_.place_of(message.topic, receipt.position) == message.place, "a receipt has another position", number);
        for (std::size_t i = 0; i < peers_.size(); ++i) {
            if (message.peer == static_cast<int>(i)) continue;
            bool may = false, must = false;
            for (Window const& window : peers_[i]->windows) {
                if (window.topic != message.topic) continue;
                may = may || (window.low < message.place && message.place <= window.end);
                must = must || (window.sure < message.place && message.place <= window.sure_end);
            }
            least += must;
            most += may;
        }
        expect(least <= receipt.subscribers && receipt.subscribers <= most, "a receipt counts other subscribers", number);
    }
}

}  // namespace hub_simulation
