#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <hubbub/backplane/backplane.hpp>
#include <hubbub/backplane/broker_of.hpp>
#include <hubbub/backplane/envelope.hpp>
#include <hubbub/hub/backplane_state.hpp>
#include <hubbub/hub/desk_flushes.hpp>
#include <hubbub/hub/hub_options.hpp>
#include <hubbub/hub/outbox.hpp>
#include <hubbub/hub/outgoing.hpp>
#include <hubbub/hub/post_office.hpp>
#include <hubbub/hub/topic_options_of.hpp>
#include <hubbub/policy/event_sink.hpp>

namespace hubbub::inline v0 {

/// What desks and their shards share.
struct DeskShared {
    PostOffice::Ports const* ports;  ///< of the shards, and behind them the desk's
    SipHash hash;                    ///< of a topic's owner
    std::uint64_t node;              ///< not 0
    BackplaneCounts* counts;
    std::shared_ptr<void const> keeps;  ///< all that
};

/// Where a hub's shards meet its brokers: a party of their post office, with a loop of its own. It keeps what the broker has not
/// acknowledged, and gives it once more where the answer was lost; says which messages are this node's own; and notices when a broker is
/// away for so long that nobody waits for it any more.
///
/// Threading: made, used and destroyed on the loop of the backplane's thread.
/// Cost: of each publication a copy; of each message a letter to the owner of its topic.
template <HubPolicy Policy>
class BrokerDesk final : private TurnHook {
   public:
    using BackplaneType = typename Policy::Backplane;

    BrokerDesk(HubOptions<Policy> const& options, DeskShared const& shared, typename BackplaneType::Thread& thread)
        : options_(options),
          topic_options_(options.topics),
          shared_(shared),
          loop_(thread.loop()),
          mine_{static_cast<std::uint16_t>(shared.ports->size() - 1)},
          post_office_(mine_, *shared.ports, shared.ports->size() - 1) {
        std::size_t const count = BackplaneType::brokers(options.backplane);
        for (std::size_t i = 0; i < count; ++i) brokers_.push_back(std::make_unique<Broker>(*this, i, thread));
        loop_.attach(this);
        for (auto& broker : brokers_) broker->backplane.start();
        set_timer();
        loop_.request_turn();
    }
    ~BrokerDesk() {
        port().end();
        loop_.attach(nullptr);
    }

   private:
    /// A question that the broker has not answered.
    struct Read {
        std::uint32_t link;
        Position since;
    };
    struct Broker final : BackplaneHost {
        Broker(BrokerDesk& its_desk, std::size_t its_number, typename BackplaneType::Thread& thread)
            : desk(its_desk),
              number(its_number),
              away_since(its_desk.loop_.now()),
              backplane(its_desk.options_.backplane, its_number, its_desk.shared_.node, thread, *this) {}

        void on_ready(bool is, std::string_view reason) override { desk.hear_ready(*this, is, reason); }
        void on_subscribed(std::string_view topic) override { desk.hear_subscribed(*this, topic); }
        void on_message(std::string_view topic, std::string_view body, Position position) override {
            desk.hear_message(topic, body, position);
        }
        void on_published(std::uint64_t serial, BackplaneOutcome outcome, Position position) override {
            desk.hear_published(*this, serial, outcome, position);
        }
        void on_history(std::string_view topic, BackplaneHistory const& history) override {
            desk.hear_history(*this, topic, history);
        }
        void on_event(std::string_view name, std::string_view detail) override { desk.tell_event(name, detail); }

        BrokerDesk& desk;
        std::size_t number;
        bool ready = false, apart = false;
        TimePoint away_since;
        Outbox outbox;
        std::vector<std::pair<std::string, Position>> reads;  ///< that wait until it is ready
        std::unordered_map<std::string, std::deque<Read>> open_reads;
        BackplaneType backplane;
    };
    /// A topic that somebody here is subscribed to.
    struct Wanted {
        HistoryLimits history;
        std::uint32_t link;  ///< which of the topic's links it is for: what was meant for an earlier one is not for this
        bool was_subscribed = false;
        bool has_hole = false;  ///< its owner did not take what came, and is told when he takes mail again
        std::vector<std::pair<std::uint64_t, std::uint64_t>> newest{};  ///< of each node that publishes: its newest serial

        /// False: it was sent again, and had come to the broker before, or is late, from a connection that had been given up, and was sent
        /// again meanwhile. Whoever is to hear it has heard it, or was told of a loss: what that node sent behind it is here.
        bool is_news(Envelope const& envelope) {
            for (auto& [node, serial] : newest) {
                if (node != envelope.node) continue;
                if (envelope.serial <= serial) return false;
                serial = envelope.serial;
                return true;
            }
            newest.emplace_back(envelope.node, envelope.serial);
            return true;
        }
    };

    // ---- TurnHook
    void on_turn_begin() noexcept override { port().wake_up(); }
    void on_turn_end() noexcept override;
    void on_wake() noexcept override {
        for (auto& broker : brokers_)
            if (!broker->ready && !broker->apart && loop_.now() >= broker->away_since + options_.outbox.patience) part(*broker);
        set_timer();
    }
    void set_timer() {
        TimePoint next = TimePoint::max();
        for (auto const& broker : brokers_)
            if (!broker->ready && !broker->apart)
                next = std::min(next, TimePoint(broker->away_since + options_.outbox.patience));
        loop_.wake_at(next);
    }

    // ---- from the shards
    void read(Mail const& mail, std::string_view topic, MessageView message);
    void take_publication(Broker& broker, Mail const& mail, std::string_view topic, MessageView message, Envelope::Kind kind);
    bool deliver_here(Outbox::Entry& entry);
    void fail(Outbox::Entry const& entry, PublishFailure failure);

    // ---- from the brokers
    void hear_ready(Broker& broker, bool ready, std::string_view reason);
    void hear_subscribed(Broker& broker, std::string_view topic);
    void hear_message(std::string_view topic, std::string_view body, Position position);
    void hear_published(Broker& broker, std::uint64_t serial, BackplaneOutcome outcome, Position position);
    void hear_history(Broker& broker, std::string_view topic, BackplaneHistory const& history);

    void ask(Broker& broker, std::string_view topic, Wanted& wanted, Position since) {
        broker.open_reads[std::string(topic)].push_back({wanted.link, since});
        broker.backplane.read(topic, wanted.history, since);
    }
    HistoryLimits history_of(std::string_view topic) const { return hubbub::topic_options(topic_options_, topic).history; }
    void part(Broker& broker);
    void tell_event(std::string_view name, std::string_view detail);
    void give(Broker& broker);
    /// A publication as it is on its way, for the owner of its topic.
    std::optional<Envelope> open(std::string_view body, Mail& mail, MessageView& message);
    /// Every letter to a shard goes this way.
    void write(std::string_view topic, Mail const& mail, MessageView message = MessageView::text({})) {
        std::optional<Frame> frame;  // a large one is copied once for all shards
        if (message.size() >= MailBag::copied_below) frame.emplace(message);
        post_office_.write(owner_of(topic), mail, topic, frame ? frame->message().payload() : message.payload(),
                           frame ? &*frame : nullptr);
        loop_.request_turn();
    }
    void write_to_all(Mail const& mail, std::string_view topic = {}) {
        for (std::size_t i = 0; i < post_office_.shard_count(); ++i)
            post_office_.write({static_cast<std::uint16_t>(i)}, mail, topic, {});
        loop_.request_turn();
    }
    ShardIndex owner_of(std::string_view topic) const noexcept {
        return {static_cast<std::uint16_t>(shared_.hash(topic) % post_office_.shard_count())};
    }
    static Mail letter(Mail::Kind kind, Position position = {}, std::uint32_t link = 0) noexcept {
        return {.kind = kind, .from = {}, .session = {link, 0, {}}, .position = position};
    }
    Broker& broker_for(std::string_view topic) noexcept { return *brokers_[broker_of(topic, brokers_.size())]; }
    ShardPort& port() noexcept { return *(*shared_.ports)[mine_.value]; }
    static std::int64_t wall() noexcept {
        using namespace std::chrono;
        return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
    }
    std::int64_t ticks() const noexcept { return loop_.now().time_since_epoch().count(); }

    static constexpr std::size_t most_for_a_shard = 16 * 1024 * 1024;  ///< bytes that wait for one that does not take its mail

    HubOptions<Policy> options_;
    typename Policy::Topics topic_options_;
    DeskShared shared_;
    ShardLoop& loop_;
    ShardIndex mine_;
    PostOffice post_office_;
    std::vector<std::unique_ptr<Broker>> brokers_;
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const noexcept { return std::hash<std::string_view>{}(text); }
    };
    std::unordered_map<std::string, Wanted, Hash, std::equal_to<>> wanted_;
    std::vector<std::string> holes_;
    DeskFlushes flushes_;
};

template <HubPolicy Policy>
void BrokerDesk<Policy>::on_turn_end() noexcept {
    bool has_room = true;  // publishers wait while the broker is slow, but not while it is away: nothing would come of it
    for (auto const& broker : brokers_) has_room = has_room && (!broker->ready || broker->outbox.has_room(options_.outbox));
    if (has_room)
        post_office_.take_mail([this](Mail const& mail, std::string_view topic, MessageView message, Frame const*,
                                      std::shared_ptr<PendingReceipt> const&) { read(mail, topic, message); });
    std::size_t messages = 0, bytes = 0;
    for (auto& broker : brokers_) {
        if (broker->ready) give(*broker);
        broker->backplane.flush();
        messages += broker->outbox.size();
        bytes += broker->outbox.bytes();
    }
    BackplaneCounts::set(shared_.counts->waiting_messages, messages);
    BackplaneCounts::set(shared_.counts->waiting_bytes, bytes);
    flushes_.end(brokers_, [this](ShardIndex shard, std::uint64_t number) {
        Mail mail = letter(Mail::Kind::flush);
        mail.id = number;
        post_office_.write(shard, mail, {}, {});
    });
    std::erase_if(holes_, [this](std::string const& topic) {
        if (post_office_.bytes_for(owner_of(topic)) > most_for_a_shard / 2) return false;
        if (auto const found = wanted_.find(topic); found != wanted_.end()) {
            found->second.has_hole = false;
            write(topic, letter(Mail::Kind::acknowledge, {}, found->second.link));
        }
        return true;
    });
    post_office_.post_mail();
    if (port().fall_asleep() && has_room) loop_.request_next_turn();
}

template <HubPolicy Policy>
void BrokerDesk<Policy>::read(Mail const& mail, std::string_view topic, MessageView message) {
    Broker& broker = broker_for(topic);
    switch (mail.kind) {
        case Mail::Kind::interest:
            wanted_.insert_or_assign(std::string(topic), Wanted{history_of(topic), mail.session.index});
            return broker.backplane.subscribe(topic);
        case Mail::Kind::no_interest:
            if (auto const found = wanted_.find(topic); found != wanted_.end()) wanted_.erase(found);
            std::erase_if(broker.reads, [topic](auto const& each) { return each.first == topic; });
            return broker.backplane.unsubscribe(topic);
        case Mail::Kind::recover: {
            auto const found = wanted_.find(topic);
            if (found == wanted_.end()) return;
            if (!broker.ready) return broker.reads.emplace_back(topic, mail.position), void();
            return ask(broker, topic, found->second, mail.position);
        }
        case Mail::Kind::publish: return take_publication(broker, mail, topic, message, Envelope::Kind::publication);
        case Mail::Kind::announce: return take_publication(broker, mail, topic, message, Envelope::Kind::presence);
        case Mail::Kind::flush: return flushes_.begin(mail.from, mail.id, brokers_);
        default: return;
    }
}

template <HubPolicy Policy>
void BrokerDesk<Policy>::take_publication(Broker& broker, Mail const& mail, std::string_view topic, MessageView message,
                                          Envelope::Kind kind) {
    Outbox::Entry entry{.topic = std::string(topic), .token = mail.position.offset, .key = mail.key, .id = mail.id};
    if (kind == Envelope::Kind::publication) {
        auto const found = wanted_.find(topic);
        HistoryLimits const history = found != wanted_.end() ? found->second.history : history_of(topic);
        if (history) entry.history = history;
        entry.is_delivered = mail.position.epoch != 0;
    }
    Envelope envelope{.opcode = message.opcode(),
                      .kind = kind,
                      .node = shared_.node,
                      .serial = broker.outbox.next_serial(),
                      .token = entry.token,
                      .key = mail.key};
    if (mail.expires_at)
        envelope.expires_at =
            wall() + std::chrono::duration_cast<std::chrono::milliseconds>(Duration(mail.expires_at - ticks())).count();
    entry.body = envelope.write(message.view());
    if (broker.apart && !deliver_here(entry)) return;  // who is here gets it, whether or not there is room
    if (!broker.ready && !broker.outbox.has_room(options_.outbox)) {
        tell_event("outbox_full", topic);
        if (options_.outbox.on_full == OutboxLimits::Full::drop_newest) return fail(entry, PublishFailure::full);
        broker.outbox.drop_oldest([this](Outbox::Entry const& oldest) { fail(oldest, PublishFailure::full); });
    }
    broker.outbox.add(std::move(entry));
}

/// A broker is not waited for any more. False: its topic refuses what cannot be told all nodes, and it is gone.
template <HubPolicy Policy>
bool BrokerDesk<Policy>::deliver_here(Outbox::Entry& entry) {
    if (!entry.history || entry.is_delivered) return true;
    if (hubbub::topic_options(topic_options_, entry.topic).when_apart == WhenApart::refuse) {
        if (entry.is_again) return true;  // the broker may have it
        fail(entry, PublishFailure::apart);
        return false;
    }
    entry.is_delivered = true;
    Mail mail = letter(Mail::Kind::waits);
    MessageView message = MessageView::text({});
    (void)open(entry.body, mail, message);
    write(entry.topic, mail, message);
    return true;
}

template <HubPolicy Policy>
void BrokerDesk<Policy>::fail(Outbox::Entry const& entry, PublishFailure failure) {
    BackplaneCounts::add(shared_.counts->failed);
    if (!entry.token) return;
    Mail mail = letter(Mail::Kind::published);
    mail.id = entry.token;
    mail.key = static_cast<std::uint64_t>(failure);
    write(entry.topic, mail);
}

template <HubPolicy Policy>
void BrokerDesk<Policy>::give(Broker& broker) {
    broker.outbox.give_waiting([&](Outbox::Entry& entry) {
        if (entry.is_again) {
            entry.body[Envelope::again_at] = 1;
            BackplaneCounts::add(shared_.counts->repeated);
        }
        broker.backplane.publish({.topic = entry.topic,
                                  .body = entry.body,
                                  .serial = entry.serial,
                                  .history = entry.history ? &*entry.history : nullptr,
                                  .key = entry.key,
                                  .id = entry.id});
    });
}

template <HubPolicy Policy>
void BrokerDesk<Policy>::hear_ready(Broker& broker, bool ready, std::string_view reason) {
    if (std::exchange(broker.ready, ready) == ready) return;
    if (ready) {
        BackplaneCounts::add(shared_.counts->ready);
        if (std::exchange(broker.apart, false)) {
            BackplaneCounts::set(shared_.counts->apart, BackplaneCounts::get(shared_.counts->apart) - 1);
            Mail mail = letter(Mail::Kind::together);
            mail.id = broker.number;
            write_to_all(mail);
        }
        tell_event("backplane_ready", {});
        for (auto const& [topic, since] : std::exchange(broker.reads, {}))
            if (auto const found = wanted_.find(topic); found != wanted_.end()) ask(broker, topic, found->second, since);
    } else {
        BackplaneCounts::set(shared_.counts->ready, BackplaneCounts::get(shared_.counts->ready) - 1);
        BackplaneCounts::add(shared_.counts->losses);
        broker.away_since = loop_.now();
        tell_event("backplane_lost", reason);
    }
    set_timer();
    loop_.request_turn();
}

template <HubPolicy Policy>
void BrokerDesk<Policy>::part(Broker& broker) {
    broker.apart = true;
    BackplaneCounts::add(shared_.counts->apart);
    tell_event("backplane_apart", {});
    Mail mail = letter(Mail::Kind::apart);
    mail.id = broker.number;
    write_to_all(mail);
    broker.outbox.each_waiting([this](Outbox::Entry& entry) { return deliver_here(entry); });
}

template <HubPolicy Policy>
void BrokerDesk<Policy>::hear_subscribed(Broker&, std::string_view topic) {
    auto const found = wanted_.find(topic);
    if (found == wanted_.end()) return;
    if (std::exchange(found->second.was_subscribed, true)) BackplaneCounts::add(shared_.counts->interruptions);
    write(topic, letter(Mail::Kind::acknowledge, {}, found->second.link));
}

template <HubPolicy Policy>
std::optional<Envelope> BrokerDesk<Policy>::open(std::string_view body, Mail& mail, MessageView& message) {
    auto const envelope = Envelope::read(body);
    if (!envelope) {
        BackplaneCounts::add(shared_.counts->malformed);
        mail.expires_at = Mail::for_nobody;  // but if the topic remembers it has a place
        return std::nullopt;
    }
    message = MessageView(envelope->opcode, std::as_bytes(std::span(body.substr(Envelope::size))));
    mail.opcode = envelope->opcode;
    mail.key = envelope->key;
    mail.id = envelope->node == shared_.node ? envelope->token : 0;
    if (envelope->expires_at) {
        std::chrono::milliseconds const left(envelope->expires_at - wall());
        mail.expires_at = std::max<std::int64_t>(1, ticks() + Duration(left).count());
    }
    return envelope;
}

template <HubPolicy Policy>
void BrokerDesk<Policy>::hear_message(std::string_view topic, std::string_view body, Position position) {
    auto const found = wanted_.find(topic);
    if (found == wanted_.end() || found->second.has_hole) return;
    Mail mail = letter(Mail::Kind::deliver, position, found->second.link);
    MessageView message = MessageView::text({});
    auto const envelope = open(body, mail, message);
    if (!envelope && !position.epoch) return tell_event("backplane_malformed", topic);  // else its place has to be taken
    if (envelope && !position.epoch) {
        if (envelope->node == shared_.node) return;  // that one was heard here when it was published
        if (!found->second.is_news(*envelope)) {
            BackplaneCounts::add(shared_.counts->doubles);
            return;
        }
        if (envelope->kind == Envelope::Kind::presence) {
            mail.kind = Mail::Kind::announce;
            mail.id = envelope->node;
        }
    }
    if (!envelope || envelope->node != shared_.node) BackplaneCounts::add(shared_.counts->received);
    if (post_office_.bytes_for(owner_of(topic)) > most_for_a_shard) {
        found->second.has_hole = true;
        holes_.emplace_back(topic);
        return tell_event("backplane_overflow", topic);
    }
    write(topic, mail, message);
}

template <HubPolicy Policy>
void BrokerDesk<Policy>::hear_published(Broker& broker, std::uint64_t serial, BackplaneOutcome outcome, Position position) {
    loop_.request_turn();
    if (outcome == BackplaneOutcome::unknown) return broker.outbox.give_back(serial);
    broker.outbox.settle(serial, [&](Outbox::Entry const& entry) {
        if (outcome == BackplaneOutcome::refused) {
            tell_event("publication_refused", entry.topic);
            return fail(entry, PublishFailure::refused);
        }
        BackplaneCounts::add(shared_.counts->published);
        if (!entry.token) return;
        Mail mail = letter(Mail::Kind::published, position);
        mail.id = entry.token;
        // Without an id of the publisher's it was repeated only because the answer was lost.
        mail.expires_at = outcome == BackplaneOutcome::repeated && entry.id;
        write(entry.topic, mail);
    });
}

template <HubPolicy Policy>
void BrokerDesk<Policy>::hear_history(Broker& broker, std::string_view topic, BackplaneHistory const& history) {
    auto const asked = broker.open_reads.find(std::string(topic));
    if (asked == broker.open_reads.end()) return;
    Read const read = asked->second.front();
    asked->second.pop_front();
    if (asked->second.empty()) broker.open_reads.erase(asked);
    auto const found = wanted_.find(topic);
    if (found == wanted_.end() || found->second.link != read.link) return;
    if (history.failed) return broker.reads.emplace_back(topic, read.since), void();
    write(topic, letter(Mail::Kind::begin, history.begins, read.link));
    for (BackplaneHistory::Entry const& entry : history.entries) {
        Mail mail = letter(Mail::Kind::backlog,
                           {static_cast<std::uint64_t>(ticks() - Duration(entry.age).count()), entry.offset}, read.link);
        MessageView message = MessageView::text({});
        (void)open(entry.body, mail, message);
        write(topic, mail, message);
    }
    Mail end = letter(Mail::Kind::end, {history.begins.epoch, history.reached}, read.link);
    end.key = history.more;
    write(topic, end);
}

/// To the sink of the first shard, because the desk has none.
template <HubPolicy Policy>
void BrokerDesk<Policy>::tell_event(std::string_view name, std::string_view detail) {
    Mail const mail = letter(Mail::Kind::event);
    post_office_.write({0}, mail, name, std::as_bytes(std::span(detail)));
    loop_.request_turn();
}

}  // namespace hubbub::inline v0
