#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include <hubbub/backplane/broker_of.hpp>
#include <hubbub/hub/outgoing.hpp>
#include <hubbub/hub/subscription.hpp>
#include <hubbub/hub/topic_index.hpp>
#include <hubbub/hub/topic_link.hpp>

namespace hubbub::inline v0 {

/// What the links ask of their router.
struct LinkHost {
    virtual void write_to_broker(Mail const& mail, std::string_view topic, Outgoing const& outgoing) = 0;
    /// A publication has its place, which is the topic's position now. `at`: when it was published, in ticks. `is_new`: those who are
    /// here have not got it yet.
    virtual void place(std::uint32_t topic, Outgoing const& outgoing, std::int64_t at, bool is_new) = 0;
    /// One without a place in a topic that remembers: those who are here get it.
    virtual void deliver_unplaced(std::uint32_t topic, Outgoing const& outgoing) = 0;
    /// What is remembered is forgotten: it goes on behind the topic's position.
    virtual void begin_anew(std::uint32_t topic) = 0;
    /// What is published arrives from here on.
    virtual void on_linked(std::uint32_t topic) = 0;
    /// Who has waited is let in.
    virtual void open(std::uint32_t topic) = 0;
    /// Members are told that they may have missed something. Calls user code at once.
    virtual void tell_lost(std::uint32_t topic) = 0;
    /// What other nodes say of who is there.
    virtual void hear_presence(std::uint32_t topic, std::uint64_t node, MessageView message) = 0;
    virtual std::int64_t now() const noexcept = 0;

   protected:
    ~LinkHost() = default;
};

/// The links of the topics that one shard owns to the brokers.
///
/// A topic that does not remember is delivered here at once and told to the broker, which tells the other nodes. One that remembers gets
/// its order from the broker: what is published goes there first, comes back with its position, and what the shard keeps of the topic is a
/// copy of what the broker keeps. Where offsets show that something is missing, or the link was interrupted, it is read from the broker
/// before anything else is delivered; what cannot be read, members are told.
///
/// Threading: the shard's. Cost: of each publication constant; of an interruption, one read for each topic that remembers.
class TopicLinks {
   public:
    TopicLinks(TopicIndex& topics, ShardIndex mine, std::size_t brokers, LinkHost& host)
        : topics_(&topics), host_(&host), brokers_(brokers), tokens_(std::uint64_t{mine.value} << 48) {}

    /// Somebody is here, or about to be. True: he is to wait until `open`.
    bool need(std::uint32_t number) {
        Topic& topic = (*topics_)[number];
        if (!topic.link) {
            topic.link = std::make_unique<TopicLink>();
            topic.link->number = ++numbers_;
            topic.link->is_open = is_apart(topic.name);  // nobody waits for a broker that is not there
            linked_.insert(number);
            host_->write_to_broker({.kind = Mail::Kind::interest, .from = {}, .session = {numbers_, 0, {}}, .position = {}},
                                   topic.name, nothing());
        }
        topic.link->left_at = 0;
        return !topic.link->is_open;
    }
    /// Somebody comes back, perhaps from another node. True: he has more than is here yet, and waits until the broker was asked for it.
    bool is_behind(std::uint32_t number, Position since) const noexcept {
        Topic const& topic = (*topics_)[number];
        return topic.link && topic.link->is_synced && since.epoch == topic.position.epoch &&
               since.offset > topic.position.offset && !is_apart(topic.name);
    }
    void catch_up_with(std::uint32_t number) {
        Topic& topic = (*topics_)[number];
        if (topic.link->state == TopicLink::State::live) return read(topic, topic.position);
        topic.link->is_asked_late = true;
    }
    /// True: nobody has been here for a while, and the link is gone.
    bool end(std::uint32_t number) {
        Topic& topic = (*topics_)[number];
        TopicLink& link = *topic.link;
        if (link.waiting_shards || !link.questions.empty() || !link.readers.empty()) return false;
        if (!link.left_at) link.left_at = host_->now();
        if (host_->now() - link.left_at < Duration(linger).count()) return false;
        settle(topic, true);
        loose_.merge(link.pending);  // the broker has not answered those yet
        host_->write_to_broker({.kind = Mail::Kind::no_interest, .from = {}, .session = {}, .position = {}}, topic.name,
                               nothing());
        topic.link.reset();
        linked_.erase(number);
        return true;
    }
    bool is_any_apart() const noexcept { return apart_ != 0; }
    bool is_apart(std::string_view topic) const noexcept { return apart_ >> broker_of(topic, brokers_) & 1; }

    /// Tells the broker. Of a topic that remembers, `outgoing` comes back; `is_remembered` says that it is one.
    void publish(std::string_view name, std::optional<std::uint32_t> number, Outgoing const& outgoing, bool is_remembered);
    /// At the end of a turn: members hear of a position where there was nothing new for them.
    void catch_up() {
        for (std::uint32_t const number : std::exchange(behind_, {})) catch_up(number);
    }
    void announce(std::string_view name, std::string_view text) {
        Outgoing const outgoing{.message = MessageView::text(text)};
        host_->write_to_broker(outgoing.letter(Mail::Kind::announce), name, outgoing);
    }
    /// A letter of the broker's desk.
    void hear(Mail const& mail, std::string_view name, Outgoing outgoing);
    static void fail(Outgoing const& outgoing, PublishFailure failure) {
        if (!outgoing.receipt) return;
        outgoing.receipt->failure = failure;
        outgoing.receipt->add({});
    }

   private:
    /// So long a topic that nobody needs keeps its link, for who comes back at once.
    static constexpr std::chrono::seconds linger{5};

    static Outgoing nothing() noexcept { return {.message = MessageView::text({})}; }
    void catch_up(std::uint32_t number) {
        Topic const& topic = (*topics_)[number];
        if (topic.link && std::exchange(topic.link->is_behind, false)) host_->tell_lost(number);
    }
    void on_subscribed(std::uint32_t number);
    void on_begin(std::uint32_t number, Position begins);
    void on_entry(std::uint32_t number, Mail const& mail, Outgoing const& outgoing);
    void on_end(std::uint32_t number, std::uint64_t reached, bool more);
    void on_message(std::uint32_t number, Mail const& mail, Outgoing const& outgoing);
    void on_published(std::string_view name, Mail const& mail);
    void on_waiting(std::optional<std::uint32_t> number, Mail const& mail, Outgoing outgoing);
    void read(Topic& topic, Position since) {
        topic.link->state = TopicLink::State::reading;
        ++topic.link->asked;
        host_->write_to_broker({.kind = Mail::Kind::recover, .from = {}, .session = {}, .position = since}, topic.name,
                               nothing());
    }
    void place(std::uint32_t number, std::uint64_t offset, std::uint64_t token, Outgoing outgoing, std::int64_t at);
    void open(std::uint32_t number) {
        Topic& topic = (*topics_)[number];
        TopicLink& link = *topic.link;
        bool const is_settled = link.state == TopicLink::State::live || is_apart(topic.name);
        if (std::exchange(link.is_open, true) && (link.questions.empty() || !is_settled)) return;
        host_->open(number);
    }
    /// Publications that will not come back any more, `all` that the broker has: whoever waits is told what is known.
    static void settle(Topic& topic, bool all);
    static void settle(TopicLink::Pending& pending, bool is_remembered, PublishFailure failure = PublishFailure::none) {
        if (!pending.receipt) return;
        pending.receipt->position = pending.position;
        pending.receipt->remembered = is_remembered;
        pending.receipt->failure = failure;
        std::exchange(pending.receipt, nullptr)->add({});
    }
    void part(std::uint64_t broker);

    TopicIndex* topics_;
    LinkHost* host_;
    std::size_t brokers_;
    std::uint64_t tokens_;
    std::uint32_t numbers_ = 0;
    std::uint64_t apart_ = 0;                                      ///< a bit for each broker that is not there
    std::unordered_set<std::uint32_t> linked_;                     ///< topics
    std::vector<std::uint32_t> behind_;                            ///< topics
    std::unordered_map<std::uint64_t, TopicLink::Pending> loose_;  ///< of topics that nobody here needs
};

inline void TopicLinks::publish(std::string_view name, std::optional<std::uint32_t> number, Outgoing const& outgoing,
                                bool is_remembered) {
    Mail mail = outgoing.letter(Mail::Kind::publish);
    mail.session = {};
    bool const is_done = name == internal_topics::control;  // here, before the others are told
    if (is_remembered) {
        // Where the broker is not waited for, its desk gives it back for who is here: behind what was on its way there before.
        mail.position = {is_done, ++tokens_};
        TopicLink* const link = number ? (*topics_)[*number].link.get() : nullptr;
        (link ? link->pending : loose_)[tokens_] = {outgoing.except, outgoing.receipt, {}, is_done};
    }
    host_->write_to_broker(mail, name, outgoing);
}

inline void TopicLinks::hear(Mail const& mail, std::string_view name, Outgoing outgoing) {
    using Kind = Mail::Kind;
    if (mail.kind == Kind::apart) return part(mail.id);
    if (mail.kind == Kind::together) {
        apart_ &= ~(std::uint64_t{1} << mail.id);
        return;
    }
    if (mail.kind == Kind::published) return on_published(name, mail);
    auto const number = topics_->find(name);
    if (mail.kind == Kind::waits) return on_waiting(number, mail, outgoing);
    if (!number || !(*topics_)[*number].link) return;                    // nobody needs it any more
    if ((*topics_)[*number].link->number != mail.session.index) return;  // or again, and that was before
    outgoing.except = {};                                                // those members of the letter are the desk's
    outgoing.id = 0;
    switch (mail.kind) {
        case Kind::acknowledge: return on_subscribed(*number);
        case Kind::begin: return on_begin(*number, mail.position);
        case Kind::backlog: return on_entry(*number, mail, outgoing);
        case Kind::end: return on_end(*number, mail.position.offset, mail.key != 0);
        case Kind::deliver: return on_message(*number, mail, outgoing);
        case Kind::announce: return host_->hear_presence(*number, mail.id, outgoing.message);
        default: return;
    }
}

inline void TopicLinks::on_subscribed(std::uint32_t number) {
    Topic& topic = (*topics_)[number];
    TopicLink& link = *topic.link;
    host_->on_linked(number);
    if (topic.history) return read(topic, link.is_synced ? topic.position : Position{});
    bool const was_open = link.is_open;
    link.state = TopicLink::State::live;
    open(number);
    if (was_open) host_->tell_lost(number);
}

/// Where the broker's answer begins. It is later than what is here if that cannot be had any more.
inline void TopicLinks::on_begin(std::uint32_t number, Position begins) {
    Topic& topic = (*topics_)[number];
    TopicLink& link = *topic.link;
    if (link.is_synced && begins.epoch == topic.position.epoch && begins.offset <= topic.position.offset) return;
    topic.position = begins;
    link.is_synced = true;
    host_->begin_anew(number);
    settle(topic, false);
    if (link.is_open) host_->tell_lost(number);
    link.is_behind = false;
}

inline void TopicLinks::on_entry(std::uint32_t number, Mail const& mail, Outgoing const& outgoing) {
    place(number, mail.position.offset, mail.id, outgoing, static_cast<std::int64_t>(mail.position.epoch));
}

inline void TopicLinks::place(std::uint32_t number, std::uint64_t offset, std::uint64_t token, Outgoing outgoing,
                              std::int64_t at) {
    Topic& topic = (*topics_)[number];
    bool is_new = true;
    if (auto const own = topic.link->pending.find(token); token && own != topic.link->pending.end()) {
        outgoing.except = own->second.except;
        outgoing.receipt = std::move(own->second.receipt);
        is_new = !own->second.is_delivered;
        topic.link->pending.erase(own);
    }
    if (offset <= topic.position.offset) {  // it came twice
        if (outgoing.receipt) outgoing.receipt->position = {topic.position.epoch, offset};
        return fail(outgoing, PublishFailure::none);
    }
    if (is_new) catch_up(number);
    topic.position.offset = offset;
    if (outgoing.expires_at == Mail::for_nobody) return;
    host_->place(number, outgoing, at, is_new);
    // It was delivered when it had no place yet, and who came later does not get it: they are told to go on behind it.
    if (!is_new && topic.name != internal_topics::control && !std::exchange(topic.link->is_behind, true))
        behind_.push_back(number);
}

inline void TopicLinks::on_end(std::uint32_t number, std::uint64_t reached, bool more) {
    Topic& topic = (*topics_)[number];
    TopicLink& link = *topic.link;
    ++link.answered;
    if (more) return read(topic, {topic.position.epoch, reached});
    topic.position.offset = std::max(topic.position.offset, reached);  // the last may have expired or been replaced
    if (link.answered != link.asked) return;
    if (std::exchange(link.is_asked_late, false)) return read(topic, topic.position);
    link.state = TopicLink::State::live;
    link.held_bytes = 0;
    for (TopicLink::Held const& held : std::exchange(link.held, {})) {
        // What came before it was asked is known by now, or it is of an order that is no more.
        bool const is_old = held.asked < link.asked && held.mail.position.epoch != topic.position.epoch;
        if (is_old) continue;
        MessageView const message(held.mail.opcode, std::as_bytes(std::span(held.payload)));
        on_message(number, held.mail, {.message = message, .key = held.mail.key, .expires_at = held.mail.expires_at});
    }
    if (std::exchange(link.has_missed, false) && link.state == TopicLink::State::live) read(topic, topic.position);
    if (link.state == TopicLink::State::live) settle(topic, false);
    open(number);
}

inline void TopicLinks::on_message(std::uint32_t number, Mail const& mail, Outgoing const& outgoing) {
    Topic& topic = (*topics_)[number];
    TopicLink& link = *topic.link;
    if (!topic.history) {
        ++topic.position.offset;
        return host_->place(number, outgoing, 0, true);
    }
    if (link.state != TopicLink::State::live) return link.hold(mail, outgoing.message);
    if (mail.position.epoch == topic.position.epoch && mail.position.offset <= topic.position.offset + 1)
        return place(number, mail.position.offset, mail.id, outgoing, host_->now());
    link.hold(mail, outgoing.message);
    read(topic, topic.position);
}

/// What the broker says of a publication of ours. Where somebody is here, its coming back is what counts.
inline void TopicLinks::on_published(std::string_view name, Mail const& mail) {
    auto const number = topics_->find(name);
    TopicLink* const link = number ? (*topics_)[*number].link.get() : nullptr;
    auto* where = link ? &link->pending : &loose_;
    auto found = where->find(mail.id);
    if (found == where->end() && where != &loose_) found = (where = &loose_)->find(mail.id);
    if (found == where->end()) return;  // it has come back
    auto const failure = static_cast<PublishFailure>(mail.key);
    bool const is_delivered = found->second.is_delivered;
    // That the broker had it when it was sent again need not mean that its place is known, and it may come back still.
    if (failure == PublishFailure::none && is_delivered && where != &loose_ && !mail.position.offset) return;
    found->second.position = mail.position;
    bool const repeated = mail.expires_at != 0 && mail.position.offset;  // without: it is this one that was sent again
    bool const has_come = link && mail.position.epoch == (*topics_)[*number].position.epoch &&
                          mail.position.offset <= (*topics_)[*number].position.offset;
    bool const will_come = where != &loose_ && !has_come && (!repeated || is_delivered);
    if (failure == PublishFailure::none && will_come) return;
    TopicLink::Pending pending = std::move(found->second);
    where->erase(found);
    if (pending.receipt) pending.receipt->repeated = repeated;
    settle(pending, true, failure);
}

/// A publication of ours waits for a broker that is not waited for any more: who is here gets it now, without a place.
inline void TopicLinks::on_waiting(std::optional<std::uint32_t> number, Mail const& mail, Outgoing outgoing) {
    TopicLink* const link = number ? (*topics_)[*number].link.get() : nullptr;
    auto* where = link ? &link->pending : &loose_;
    auto found = where->find(mail.id);
    if (found == where->end() && link) found = (where = &loose_)->find(mail.id);  // who is here has come since
    if (found == where->end() || std::exchange(found->second.is_delivered, true)) return;
    outgoing.id = 0;
    outgoing.except = found->second.except;
    outgoing.receipt = std::move(found->second.receipt);
    if (where != &loose_) return host_->deliver_unplaced(*number, outgoing);
    fail(outgoing, PublishFailure::none);
}

inline void TopicLinks::settle(Topic& topic, bool all) {
    auto& pending = topic.link->pending;
    std::vector<TopicLink::Pending> settled;  // told at the end, because who is told may publish
    for (auto each = pending.begin(); each != pending.end();) {
        Position const position = each->second.position;
        bool const is_behind = position.epoch != topic.position.epoch || position.offset <= topic.position.offset;
        if (position.epoch && (all || is_behind)) {
            settled.push_back(std::move(each->second));
            each = pending.erase(each);
        } else {
            ++each;
        }
    }
    bool const is_remembered = topic.history != nullptr;
    for (TopicLink::Pending& each : settled) settle(each, is_remembered);
}

/// A broker has been away for so long that nobody waits for it any more.
inline void TopicLinks::part(std::uint64_t broker) {
    apart_ |= std::uint64_t{1} << broker;
    // Who is let in may leave at once.
    for (std::uint32_t const number : std::vector(linked_.begin(), linked_.end()))
        if (is_apart((*topics_)[number].name)) open(number);
}

}  // namespace hubbub::inline v0
