#pragma once

#include <bit>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <hubbub/core/completes.hpp>
#include <hubbub/core/probe.hpp>
#include <hubbub/core/siphash.hpp>
#include <hubbub/hub/control_message.hpp>
#include <hubbub/hub/delivery.hpp>
#include <hubbub/hub/hub_options.hpp>
#include <hubbub/hub/outgoing.hpp>
#include <hubbub/hub/post_office.hpp>
#include <hubbub/hub/presence_book.hpp>
#include <hubbub/hub/presence_nodes.hpp>
#include <hubbub/hub/recoveries.hpp>
#include <hubbub/hub/subscription.hpp>
#include <hubbub/hub/topic_links.hpp>
#include <hubbub/hub/topic_memory.hpp>
#include <hubbub/hub/topic_options_of.hpp>

namespace hubbub::inline v0 {

/// What the router asks of its shard.
struct RouterHost {
    /// The session with that id, if it lives here.
    virtual Subscriber* find_subscriber(SessionId id) noexcept = 0;
    /// Members that were joining are members of the topic now, from `position` on. Calls no user code at once.
    virtual void on_admitted(std::uint32_t topic, Subscriber& subscriber) = 0;
    virtual void on_direct(SessionId id, MessageView message) = 0;
    /// Where the topic begins for who subscribed to one that remembers. Calls user code at once.
    virtual void on_recovery(SessionId id, Subscription const& subscription) = 0;
    /// Members may have missed something. Calls user code at once.
    virtual void on_lost(std::uint32_t topic) = 0;
    /// Another node says what all nodes are to do.
    virtual void on_control(ControlMessage const& message) = 0;
    virtual void on_event(Event const& event) noexcept = 0;
    /// The brokers have what this shard had written to them before `flush(number)`.
    virtual void on_flushed(std::uint64_t number) noexcept = 0;
    virtual SessionId id_of(Subscriber& subscriber) noexcept = 0;
    virtual PresenceMember member_of(Subscriber& subscriber) = 0;
    virtual std::int64_t now_ticks() const noexcept = 0;
    /// Queues have much of the memory, and there is little left.
    virtual bool is_short_of_memory() noexcept = 0;

   protected:
    ~RouterHost() = default;
};

/// One shard's part of the topics that all shards share.
///
/// A topic's *owner*, by a seeded hash of its name, gives each publication its place. Publications, subscriptions and their answers
/// travel between two shards in one first-in, first-out channel: what precedes the answer is not for who joins, what follows it
/// is, so that he hears nothing twice and misses nothing. Of a topic that remembers each subscriber gets an answer of his own, with what
/// he missed, in as many parts as there is room for; he is a member from the end of the last on.
///
/// Threading: its shard's. Cost: one letter for each shard that has members; one lock for each such shard and turn.
///
/// Why it is long: both ends of the channel stand here, since each kind of letter is right only with its answer.
template <HubPolicy Policy>
class TopicRouter : private LinkHost {
    static constexpr bool is_remote = RemoteBackplane<typename Policy::Backplane>;
    struct NoTap {
        explicit NoTap(OptionsOf<typename Policy::Backplane> const&) {}
    };
    struct Nothing {};
    using Tap = std::conditional_t<is_remote, NoTap, typename Policy::Backplane>;
    using Links = std::conditional_t<is_remote, TopicLinks, Nothing>;
    using Nodes = std::conditional_t<is_remote, PresenceNodes, Nothing>;

   public:
    using Ports = PostOffice::Ports;

    /// `ports` are those of the shards, and behind them that of the backplane's desk, if there is a broker.
    TopicRouter(ShardIndex index, Ports const& ports, Delivery& delivery, HubOptions<Policy> const& options, SipHash hash,
                std::uint64_t epoch, std::uint64_t node, RouterHost& host)
        : index_(index),
          delivery_(&delivery),
          hash_(hash),
          epoch_(epoch),
          node_(node),
          host_(&host),
          tap_(options.backplane),
          options_(options.topics),
          codec_(options.codec),
          memory_(delivery.topics()),
          presences_(delivery.topics()),
          links_(make_links(options.backplane)),
          nodes_(make_nodes()),
          post_office_(index, ports, ports.size() - is_remote) {
        if constexpr (is_remote)
            if (owner_of(internal_topics::control) == index_) need(intern(internal_topics::control));
    }

    ShardIndex owner_of(std::string_view topic) const noexcept {
        std::size_t const count = post_office_.shard_count();
        return {static_cast<std::uint16_t>(count == 1 ? 0 : hash_(topic) % count)};
    }

    /// From this shard's own thread.
    void publish(std::string_view topic, Outgoing outgoing) {
        ShardIndex const owner = owner_of(topic);
        if (owner == index_) return sequence(topic, outgoing);
        write(owner, outgoing.letter(Mail::Kind::publish), topic, outgoing);
    }
    void send(SessionId to, MessageView message, Frame const* frame) {
        Outgoing outgoing{.message = message, .frame = frame, .except = to};
        write(to.shard, outgoing.letter(Mail::Kind::direct), {}, outgoing);
    }

    /// Makes the session a member, or one that waits for the owner. True: it is one already now, so nothing will be told later.
    bool subscribe(Subscriber& subscriber, std::uint32_t number, SessionId session, SubscribeOptions const& options = {},
                   std::uint8_t variant = ws::Compressor::plain);
    void unsubscribe(Subscriber& subscriber, std::uint32_t number) {
        end_membership(subscriber, number);
        delivery_->leave(subscriber, number);
        if (delivery_->topics()[number].members.empty()) lonely_.push_back(number);
    }
    void leave_all(Subscriber& subscriber) {
        subscriber.each_membership([&](Membership const& each) {
            lonely_.push_back(each.topic);
            end_membership(subscriber, each.topic);
        });
        delivery_->leave_all(subscriber);
    }
    /// Its queue is empty: there is room for more of what it missed.
    void go_on(Subscriber& subscriber) {
        subscriber.each_membership([&](Membership const& each) {
            if (Recovery* const recovery = recoveries_.find(subscriber, each.topic); recovery && recovery->waits)
                ask_again(*recovery, each.topic);
        });
    }
    /// Calls `then` when what the topic remembers is known here; now, but where it has to be asked of a broker first.
    void when_known(std::string_view topic, UniqueFunction<void()> then) {
        if constexpr (is_remote) {
            if (is_topic_name(topic) && remembers(topic)) {
                std::uint32_t const number = intern(topic);
                bool const is_waiting = need(number);
                lonely_.push_back(number);  // if nobody needs it behind that
                if (is_waiting) return delivery_->topics()[number].link->readers.push_back(std::move(then));
            }
        }
        then();
    }
    /// Calls `then` when it is known here who is there; now, but where no member is, and the other nodes have to be asked first.
    void when_members_known(std::string_view topic, UniqueFunction<void()> then) {
        if constexpr (is_remote) {
            if (is_topic_name(topic) && topic_options(options_, topic).presence) {
                std::uint32_t const number = intern(topic);
                need(number);
                lonely_.push_back(number);  // if nobody needs it behind that
                if (!has_members(delivery_->topics()[number]))
                    return nodes_.when_heard(number, host_->now_ticks(), std::move(then));
            }
        }
        then();
    }
    HistoryPage read_history(std::string_view topic, HistoryQuery const& query) {
        auto const number = delivery_->topics().find(topic);
        if (!number || !delivery_->topics()[*number].history) return {};
        return memory_.page(*number, query, host_->now_ticks());
    }
    TopicMemory const& memory() const noexcept { return memory_; }
    /// Topics remember less, and those that nobody needs go. Returns the bytes that are free by that.
    std::size_t shed_history(std::size_t bytes) {
        return memory_.forget_some(bytes, [this](std::uint32_t number) { forget(number, true); });
    }
    /// Its topics are told who it is now.
    void note_identity(Subscriber& subscriber) {
        subscriber.each_membership([&](Membership const& each) {
            if (delivery_->topics()[each.topic].knows_members) enter(subscriber, each.topic);
        });
    }
    PresencePage read_presence(std::string_view topic, std::size_t most) {
        auto const number = delivery_->topics().find(topic);
        if (!number || !delivery_->topics()[*number].presence) return {};
        if constexpr (is_remote)  // its link is not there, or was not in time
            if (!has_members(delivery_->topics()[*number]) && !nodes_.has_asked(*number)) return {};
        return presences_.page(*number, most);
    }
    PresenceBook const& presences() const noexcept { return presences_; }
    /// Tells subscribers who has come and gone, where it is time.
    void tell_presence();
    std::uint32_t intern(std::string_view name);

    /// All that shards have posted to this one goes to the brokers, and who has come and gone; then `on_flushed`.
    void flush(std::uint64_t number)
        requires is_remote
    {
        take_mail();
        tell_presence();
        Outgoing const nothing{.message = MessageView::text({}), .id = number};
        write_to_broker(nothing.letter(Mail::Kind::flush), {}, nothing);
    }

    /// Reads what others have left here, and answers who recovers; once a turn.
    void take_mail() {
        if (is_remote && !begun_) begun_ = host_->now_ticks();
        answered_ = 0;
        answer_some();
        post_office_.take_mail([this](Mail const& mail, std::string_view topic, MessageView message, Frame const* frame,
                                      std::shared_ptr<PendingReceipt> receipt) {
            read(mail, topic, Outgoing{message, frame, mail.session, mail.key, mail.expires_at, mail.id, std::move(receipt)});
        });
        if constexpr (is_remote) links_.catch_up();
    }
    PostOffice& post_office() noexcept { return post_office_; }
    /// Publications that this shard was asked to give a place.
    std::uint64_t published() const noexcept { return published_; }
    /// There is more to answer in the next turn.
    bool has_questions() noexcept { return !questions_.empty() && !host_->is_short_of_memory(); }
    /// Who publishes to a topic now should pause: this shard, or the topic's owner, cannot get rid of its mail.
    bool is_congested(std::string_view topic) const noexcept {
        return (is_remote || post_office_.shard_count() > 1) && post_office_.is_congested(owner_of(topic));
    }
    /// What is published to the topic now is refused, because its broker is not there.
    bool refuses(std::string_view topic) const {
        if constexpr (is_remote) {
            if (links_.is_any_apart())
                return links_.is_apart(topic) && options_.options_for(topic).when_apart == WhenApart::refuse;
        }
        return false;
    }
    /// On a slow tick, so that a topic whose last member comes back at once is not asked for again.
    void forget_lonely();

   private:
    static constexpr std::size_t most_answered = 512 * 1024;  ///< bytes that those who recover are told in a turn

    void write(ShardIndex to, Mail const& mail, std::string_view topic, Outgoing const& outgoing) {
        post_office_.write(to, mail, topic, outgoing.message.payload(), outgoing.frame, outgoing.receipt);
    }
    void write(ShardIndex to, Mail::Kind kind, std::string_view topic, Position position = {}) {
        post_office_.write(to, {.kind = kind, .from = {}, .session = {}, .position = position}, topic, {});
    }
    /// The same; on this shard it is heard at once, as publications are.
    void tell(ShardIndex to, Mail const& mail, std::string_view topic, Outgoing const& outgoing) {
        if (to == index_) return read(mail, topic, outgoing);
        write(to, mail, topic, outgoing);
    }
    void read(Mail const& mail, std::string_view topic, Outgoing const& outgoing);
    /// At the owner: somebody on this node is subscribed, or about to be.
    static bool has_members(Topic const& topic) noexcept {
        return topic.interested_shards || !topic.members.empty() || (topic.link && topic.link->waiting_shards);
    }
    bool remembers(std::string_view topic) const { return static_cast<bool>(topic_options(options_, topic).history); }
    void sequence(std::string_view name, Outgoing const& outgoing);
    void keep(std::uint32_t number, Outgoing const& outgoing, Outgoing const& encoded, std::int64_t at, bool is_new = true);
    void pass_on(std::uint32_t number, Outgoing const& outgoing) {
        pass_on(number, outgoing, delivery_->topics()[number].position);
    }
    void pass_on(std::uint32_t number, Outgoing const& outgoing, Position position);
    template <class Pass>
    void encode(std::uint32_t number, Position position, Outgoing const& outgoing, Pass&& pass);
    static void tell_nobody(Outgoing const& outgoing, Position position = {}, bool repeated = false) {
        if (!outgoing.receipt) return;
        if (position.epoch) outgoing.receipt->position = position;
        outgoing.receipt->repeated = outgoing.receipt->remembered = repeated;
        outgoing.receipt->add({});
    }
    void end_membership(Subscriber& subscriber, std::uint32_t number) {
        recoveries_.end(subscriber, number);
        Topic const& topic = delivery_->topics()[number];
        if (topic.history) memory_.note_use(number, host_->now_ticks());
        if (!topic.knows_members) return;
        tell_of(Mail::Kind::leave, topic.name, {host_->id_of(subscriber), {}}, {});
    }
    void enter(Subscriber& subscriber, std::uint32_t number) {
        PresenceMember const member = host_->member_of(subscriber);
        tell_of(Mail::Kind::enter, delivery_->topics()[number].name, member, detail::write_member(member));
    }
    void tell_of(Mail::Kind kind, std::string_view topic, PresenceMember const& member, std::string const& text) {
        Outgoing const who{.message = MessageView::text(text), .except = member.session};
        tell(owner_of(topic), who.letter(kind), topic, who);
    }
    template <class Change>
    void change_presence(std::string_view name, SessionId whose, Change&& change);
    bool tell_change(std::uint32_t number, PresenceChange const& change);
    void ask(Recovery const& recovery, std::uint32_t number, SubscribeOptions const& options);
    void ask(Recovery const& recovery, std::uint32_t number, Position since, std::uint32_t newest, bool is_new = false);
    void ask_again(Recovery& recovery, std::uint32_t number) {
        recoveries_.ask_again(recovery);
        ask(recovery, number, recovery.reached, 0);
    }
    void hear_question(Mail const& question, std::string_view name) {
        if constexpr (is_remote) {
            std::uint32_t const number = intern(name);
            bool const waits = need(number);
            if (waits || links_.is_behind(number, question.position)) {
                delivery_->topics()[number].link->questions.push_back(question);
                if (!waits) links_.catch_up_with(number);
                return;
            }
        }
        questions_.emplace_back(question, name);
        answer_some();
    }
    void answer_some();
    void answer(Mail const& question, std::string_view name);
    void hear_answer(Mail const& mail, std::string_view name, Outgoing const& outgoing);
    void end_recovery(Recovery& recovery, std::uint32_t number, Subscriber& subscriber, Mail const& mail);
    void publish_here(std::uint32_t number, Outgoing const& outgoing);
    void acknowledge(std::string_view name, Position position);
    Links make_links([[maybe_unused]] OptionsOf<typename Policy::Backplane> const& options) {
        if constexpr (is_remote)
            return Links(delivery_->topics(), index_, Policy::Backplane::brokers(options), *this);
        else
            return {};
    }
    Nodes make_nodes() {
        if constexpr (is_remote)
            return Nodes(delivery_->topics(), presences_, node_);
        else
            return {};
    }
    /// At the owner: somebody is here, or about to be. True: he waits until the broker has answered.
    bool need(std::uint32_t number) {
        if constexpr (is_remote)
            return links_.need(number);
        else
            return false;
    }
    /// At the owner: who joins waits for the broker.
    static bool waits(Topic const& topic) noexcept { return is_remote && topic.link && !topic.link->is_open; }
    /// At the owner: somebody has more than is here, because he was on another node.
    bool is_behind(std::uint32_t number, std::optional<Position> since) const noexcept {
        if constexpr (is_remote)
            return since && links_.is_behind(number, *since);
        else
            return false;
    }
    void sequence_over_broker(std::string_view name, Outgoing const& outgoing);

    // ---- LinkHost
    void write_to_broker(Mail const& mail, std::string_view topic, Outgoing const& outgoing) override {
        ShardIndex const desk{static_cast<std::uint16_t>(post_office_.shard_count())};
        post_office_.write(desk, mail, topic, outgoing.message.payload(), outgoing.frame);
    }
    void place(std::uint32_t number, Outgoing const& outgoing, std::int64_t at, bool is_new) override;
    void deliver_unplaced(std::uint32_t number, Outgoing const& outgoing) override;
    void begin_anew(std::uint32_t number) override { memory_.begin_anew(number); }
    void on_linked(std::uint32_t number) override {
        if constexpr (is_remote)
            if (delivery_->topics()[number].presence) nodes_.on_linked(number);
    }
    void open(std::uint32_t number) override;
    void tell_lost(std::uint32_t number) override;
    void hear_presence(std::uint32_t number, std::uint64_t node, MessageView message) override;
    std::int64_t now() const noexcept override { return host_->now_ticks(); }

    /// Forgets it, if nobody needs it; `is_urgent`: also if somebody could come back, but for nothing that it remembers.
    void forget(std::uint32_t number, bool is_urgent = false);

    ShardIndex index_;
    Delivery* delivery_;
    SipHash hash_;
    std::uint64_t epoch_;
    std::uint64_t node_;
    RouterHost* host_;
    [[no_unique_address]] Tap tap_;
    typename Policy::Topics options_;
    typename Policy::Codec codec_;
    TopicMemory memory_;
    PresenceBook presences_;
    Recoveries recoveries_;
    std::deque<std::pair<Mail, std::string>> questions_;  ///< of who recovers, and the topic
    std::size_t answered_ = 0;                            ///< bytes in this turn
    std::int64_t begun_ = 0;                              ///< with a broker: the first turn, in ticks
    [[no_unique_address]] Links links_;
    [[no_unique_address]] Nodes nodes_;
    PostOffice post_office_;
    std::uint64_t published_ = 0;
    std::vector<std::uint32_t> lonely_;  ///< topics that may have nobody any more
};

template <HubPolicy Policy>
std::uint32_t TopicRouter<Policy>::intern(std::string_view name) {
    if (auto const known = delivery_->topics().find(name)) return *known;
    std::uint32_t const number = delivery_->topics().intern(name);
    Topic& topic = delivery_->topics()[number];
    topic.position.epoch = ++epoch_;  // its order begins anew
    TopicOptions const options = topic_options(options_, name);
    topic.on_full = options.on_full;
    topic.remembers = static_cast<bool>(options.history);
    topic.knows_members = static_cast<bool>(options.presence);
    if ((topic.remembers || topic.knows_members) && owner_of(name) == index_) {
        if (topic.remembers) memory_.begin(number, options.history);
        if (topic.knows_members) {
            PresenceOptions known = options.presence;
            if constexpr (!PresenceCodec<typename Policy::Codec>) known.told_every = {};  // nobody is told
            topic.presence = std::make_unique<Presence>(known);
        }
    }
    if (topic.on_full) {
        topic.keeps_last_of_key = *topic.on_full == OverflowAction::replace_key;
    } else if constexpr (requires { Policy::Overflow::keeps_last_of_key; }) {
        topic.keeps_last_of_key = Policy::Overflow::keeps_last_of_key;
    }
    return number;
}

/// The owner gives a publication its place, and passes it on to the shards that have members.
template <HubPolicy Policy>
void TopicRouter<Policy>::sequence(std::string_view name, Outgoing const& outgoing) {
    ++published_;
    if constexpr (is_remote) return sequence_over_broker(name, outgoing);
    auto number = delivery_->topics().find(name);
    if (!number && remembers(name)) number = intern(name);
    if (!number) return tell_nobody(outgoing);  // nobody is subscribed anywhere
    Topic& topic = delivery_->topics()[*number];
    if (topic.history)
        if (auto const before = memory_.find_id(*number, outgoing.id, host_->now_ticks()))
            return tell_nobody(outgoing, {topic.position.epoch, *before}, true);
    Position const position{topic.position.epoch, topic.position.offset + 1};
    if constexpr (TapBackplane<typename Policy::Backplane>) tap_.on_publication(name, position, outgoing.message);
    encode(*number, position, outgoing, [&](Outgoing const& encoded) {
        topic.position = position;
        if (!topic.history) return pass_on(*number, encoded, position);
        keep(*number, outgoing, encoded, host_->now_ticks());
    });
}

/// What does not remember is delivered at once. What does comes back from the broker, with its place.
template <HubPolicy Policy>
void TopicRouter<Policy>::sequence_over_broker(std::string_view name, Outgoing const& outgoing) {
    auto const number = delivery_->topics().find(name);
    bool const is_remembered = number ? delivery_->topics()[*number].history != nullptr : remembers(name);
    if (refuses(name)) return links_.fail(outgoing, PublishFailure::apart);
    if (is_remembered) return links_.publish(name, number, outgoing, true);
    Outgoing told = outgoing;
    told.receipt.reset();  // who is here counts
    links_.publish(name, number, told, false);
    if (!number) return tell_nobody(outgoing);
    ++delivery_->topics()[*number].position.offset;
    place(*number, outgoing, 0, true);
}

/// A publication that has its place is passed on, and remembered.
template <HubPolicy Policy>
void TopicRouter<Policy>::keep(std::uint32_t number, Outgoing const& outgoing, Outgoing const& encoded, std::int64_t at,
                               bool is_new) {
    if (!delivery_->topics()[number].history) return pass_on(number, encoded);
    Frame const published = outgoing.frame ? *outgoing.frame : Frame(outgoing.message);
    Outgoing passed = encoded;
    std::optional<Frame> sent;
    if (encoded.frame != outgoing.frame) {
        sent = *encoded.frame;
    } else {  // so that a large one is referred to from here on, and not copied again
        passed.message = published.message();
        passed.frame = &published;
    }
    memory_.add(number, published, std::move(sent), outgoing.key, outgoing.expires_at, outgoing.id, at, host_->now_ticks());
    if (is_new) return pass_on(number, passed);
    tell_nobody(outgoing, delivery_->topics()[number].position);
}

template <HubPolicy Policy>
void TopicRouter<Policy>::place(std::uint32_t number, Outgoing const& outgoing, std::int64_t at, bool is_new) {
    Topic const& topic = delivery_->topics()[number];
    if (topic.name == internal_topics::control) {  // what was said before this node began is not for its sessions
        auto const message = is_new && at > begun_ ? ControlMessage::read(outgoing.message.view()) : std::nullopt;
        if (message) host_->on_control(*message);
        return;
    }
    encode(number, topic.position, outgoing, [&](Outgoing const& encoded) { keep(number, outgoing, encoded, at, is_new); });
}

template <HubPolicy Policy>
void TopicRouter<Policy>::deliver_unplaced(std::uint32_t number, Outgoing const& outgoing) {
    encode(number, {}, outgoing, [&](Outgoing const& encoded) { pass_on(number, encoded, Position{}); });
}

/// The broker has answered, or is not waited for any more.
template <HubPolicy Policy>
void TopicRouter<Policy>::open(std::uint32_t number) {
    Topic& topic = delivery_->topics()[number];
    TopicLink& link = *topic.link;
    std::uint64_t const shards = std::exchange(link.waiting_shards, 0);
    topic.interested_shards |= shards;
    for (std::uint64_t left = shards; left; left &= left - 1)
        write({static_cast<std::uint16_t>(std::countr_zero(left))}, Mail::Kind::acknowledge, topic.name, topic.position);
    for (Mail const& question : std::exchange(link.questions, {})) questions_.emplace_back(question, topic.name);
    if (topic.interest == Topic::Interest::asked) acknowledge(topic.name, topic.position);
    for (auto& reader : std::exchange(link.readers, {})) reader();
}

template <HubPolicy Policy>
void TopicRouter<Policy>::hear_presence(std::uint32_t number, std::uint64_t node, MessageView message) {
    if constexpr (is_remote) {
        Topic const& topic = delivery_->topics()[number];
        if (topic.presence) nodes_.hear(number, node, message.view(), host_->now_ticks());
    }
}

template <HubPolicy Policy>
void TopicRouter<Policy>::tell_lost(std::uint32_t number) {
    Topic const& topic = delivery_->topics()[number];
    if (is_topic_name(topic.name)) host_->on_event({.name = "continuity_lost", .detail = topic.name});
    for (std::uint64_t left = topic.interested_shards; left; left &= left - 1)
        write({static_cast<std::uint16_t>(std::countr_zero(left))}, Mail::Kind::lost, topic.name, topic.position);
    host_->on_lost(number);
}

/// Calls `pass(Outgoing const&)` with what subscribers are sent.
template <HubPolicy Policy>
template <class Pass>
void TopicRouter<Policy>::encode(std::uint32_t number, Position position, Outgoing const& outgoing, Pass&& pass) {
    Topic const& topic = delivery_->topics()[number];
    if constexpr (PublicationCodec<typename Policy::Codec>) {
        if (is_topic_name(topic.name)) {
            std::optional<Frame> frame;
            if (!completes([&] {
                    frame = codec_.publication({topic.name, position, topic.remembers && position.epoch}, outgoing.message);
                })) {
                host_->on_event({.name = "policy_threw", .detail = "codec"});
                return tell_nobody(outgoing);
            }
            if (!delivery_->fits(frame->size())) {
                host_->on_event({.name = "publication_too_big", .detail = topic.name, .number = frame->size()});
                return tell_nobody(outgoing);
            }
            Outgoing encoded = outgoing;
            encoded.message = frame->message();
            encoded.frame = &*frame;
            return pass(encoded);
        }
    }
    pass(outgoing);
}

template <HubPolicy Policy>
void TopicRouter<Policy>::pass_on(std::uint32_t number, Outgoing const& outgoing, Position position) {
    Topic const& topic = delivery_->topics()[number];
    HUBBUB_PROBE(4, publish, topic.name.data(), topic.name.size(), outgoing.message.size(), topic.members.size());
    if (outgoing.receipt) {
        outgoing.receipt->position = position;
        outgoing.receipt->remembered = topic.remembers && position.epoch;
        outgoing.receipt->expect(static_cast<std::size_t>(std::popcount(topic.interested_shards)));
    }
    Mail mail = outgoing.letter(Mail::Kind::deliver);
    mail.position = topic.position;
    for (std::uint64_t left = topic.interested_shards; left; left &= left - 1)
        write({static_cast<std::uint16_t>(std::countr_zero(left))}, mail, topic.name, outgoing);
    publish_here(number, outgoing);
}

template <HubPolicy Policy>
void TopicRouter<Policy>::publish_here(std::uint32_t number, Outgoing const& outgoing) {
    Publication const publication{.message = outgoing.message,
                                  .frame = outgoing.frame,
                                  .except = outgoing.except ? host_->find_subscriber(outgoing.except) : nullptr,
                                  .key = outgoing.key,
                                  .expires_at = outgoing.expires_at,
                                  .position = delivery_->topics()[number].position.offset};
    if (!outgoing.receipt) return delivery_->publish(number, publication);
    outgoing.receipt->add(delivery_->publish_counted(number, publication));
}

template <HubPolicy Policy>
bool TopicRouter<Policy>::subscribe(Subscriber& subscriber, std::uint32_t number, SessionId session,
                                    SubscribeOptions const& options, std::uint8_t variant) {
    using Begins = Delivery::Begins;
    Topic& topic = delivery_->topics()[number];
    ShardIndex const owner = owner_of(topic.name);
    bool const waits_for_broker = owner == index_ && need(number);
    bool const joining = owner == index_ ? waits_for_broker : topic.interest != Topic::Interest::acknowledged;
    Begins const begins = topic.remembers ? Begins::when_recovered : joining ? Begins::when_admitted : Begins::now;
    delivery_->join(subscriber, number, begins, variant);
    if (waits_for_broker) topic.interest = Topic::Interest::asked;
    if (joining && topic.interest == Topic::Interest::none) {
        topic.interest = Topic::Interest::asked;
        write(owner, Mail::Kind::interest, topic.name);
    }
    if (topic.knows_members) enter(subscriber, number);
    if (topic.remembers) ask(recoveries_.begin(subscriber, number, session), number, options);
    return begins == Begins::now;
}

template <HubPolicy Policy>
void TopicRouter<Policy>::ask(Recovery const& recovery, std::uint32_t number, SubscribeOptions const& options) {
    Topic const& topic = delivery_->topics()[number];
    if (!topic.history || waits(topic) || is_behind(number, options.since))
        return ask(recovery, number, options.since.value_or(Position{}), options.newest);
    // On the owner's shard publications are not written as letters, so that they would overtake this one: it is decided now.
    auto const [position, recovered] = memory_.begins(number, options.since, options.newest, host_->now_ticks());
    ask(recovery, number, position, options.newest, !recovered);
}

template <HubPolicy Policy>
void TopicRouter<Policy>::ask(Recovery const& recovery, std::uint32_t number, Position since, std::uint32_t newest,
                              bool is_new) {
    std::string_view const name = delivery_->topics()[number].name;
    Mail const question{.kind = Mail::Kind::recover,
                        .from = {},
                        .session = recovery.session,
                        .position = since,
                        .key = newest,
                        .expires_at = is_new,
                        .id = recovery.serial};
    write(owner_of(name), question, name, Outgoing{.message = MessageView::text({})});
}

/// A thousand that come back at once are answered in many turns, so that others are heard in between. Where what they are sent fills the
/// memory the rest waits, and is looked at again on each tick: until it is taken, or the write limit ends who takes nothing.
template <HubPolicy Policy>
void TopicRouter<Policy>::answer_some() {
    while (!questions_.empty() && answered_ < most_answered && !host_->is_short_of_memory()) {
        auto const [question, name] = std::move(questions_.front());
        questions_.pop_front();
        if (question.from == index_) {
            auto const number = delivery_->topics().find(name);
            Subscriber const* const subscriber = host_->find_subscriber(question.session);
            if (!number || !subscriber || !recoveries_.find(*subscriber, *number, question.id)) continue;  // it has left
        }
        answered_ += 256;  // for itself
        answer(question, name);
    }
}

/// The owner: what somebody missed, and where the live publications begin for him.
template <HubPolicy Policy>
void TopicRouter<Policy>::answer(Mail const& question, std::string_view name) {
    std::uint32_t const number = intern(name);
    Topic const& topic = delivery_->topics()[number];
    HUBBUB_ASSERT(topic.history);  // the same name has the same options on every shard
    std::optional<Position> since;
    if (question.position.epoch) since = question.position;
    Backlog const backlog = memory_.backlog(number, since, static_cast<std::uint32_t>(question.key),
                                            delivery_->admission().limits(), host_->now_ticks());
    Outgoing const nothing{.message = MessageView::text({})};
    Mail mail{.kind = Mail::Kind::begin,
              .from = index_,
              .session = question.session,
              .position = backlog.begins,
              .key = backlog.recovered && !question.expires_at,
              .id = question.id};
    tell(question.from, mail, name, nothing);
    mail.kind = Mail::Kind::backlog;
    for (HistoryPage::Message const& message : backlog.messages) {
        mail.opcode = message.frame.message().opcode();
        mail.position.offset = message.offset;
        tell(question.from, mail, name, {.message = message.frame.message(), .frame = &message.frame});
        answered_ += message.frame.size();
    }
    mail.kind = Mail::Kind::end;
    mail.position.offset = backlog.reached;
    mail.key = topic.position.offset > backlog.reached;  // who is told at once may have published by now
    tell(question.from, mail, name, nothing);
}

/// The subscriber's shard: what the owner says to who recovers.
template <HubPolicy Policy>
void TopicRouter<Policy>::hear_answer(Mail const& mail, std::string_view name, Outgoing const& outgoing) {
    auto const number = delivery_->topics().find(name);
    Subscriber* const subscriber = host_->find_subscriber(mail.session);
    Recovery* const recovery = number && subscriber ? recoveries_.find(*subscriber, *number, mail.id) : nullptr;
    if (!recovery) return;  // it has left meanwhile, or asked again
    if (mail.kind == Mail::Kind::end) return end_recovery(*recovery, *number, *subscriber, mail);
    if (mail.kind == Mail::Kind::begin) {
        if (recovery->is_told && mail.key) return;  // it goes on
        recovery->is_told = true;
        recovery->reached = mail.position;
        return host_->on_recovery(mail.session, {delivery_->topics()[*number].name, true, mail.position, mail.key != 0, true});
    }
    QueueLimits const& limits = delivery_->admission().limits();
    OutboundQueue const& queue = subscriber->queue;
    // A message by itself always has room.
    recovery->is_interrupted =
        recovery->is_interrupted || (!queue.empty() && (queue.messages() >= limits.messages / 2 ||
                                                        queue.bytes() + outgoing.message.size() > limits.bytes / 2));
    if (recovery->is_interrupted) return;
    recovery->reached = mail.position;
    host_->on_direct(mail.session, outgoing.message);
}

template <HubPolicy Policy>
void TopicRouter<Policy>::end_recovery(Recovery& recovery, std::uint32_t number, Subscriber& subscriber, Mail const& mail) {
    if (!recovery.is_interrupted) recovery.reached = mail.position;
    recovery.waits = recovery.is_interrupted || mail.key;
    if (!recovery.waits) {
        Topic& topic = delivery_->topics()[number];
        delivery_->admit(topic, topic.members[subscriber.find(number)->place]);
        recoveries_.end(subscriber, number);
    } else if (subscriber.queue.empty()) {
        ask_again(recovery, number);
    }
}

template <HubPolicy Policy>
void TopicRouter<Policy>::acknowledge(std::string_view name, Position position) {
    auto const number = delivery_->topics().find(name);
    HUBBUB_ASSERT(number);  // a topic that has asked is kept
    Topic& topic = delivery_->topics()[*number];
    topic.interest = Topic::Interest::acknowledged;
    topic.position = position;
    for (Topic::Member const& member : topic.members)
        if (member.from == Topic::Member::joining) host_->on_admitted(*number, *member.subscriber);
    delivery_->admit(topic);
    if (topic.members.empty()) lonely_.push_back(*number);
}

template <HubPolicy Policy>
void TopicRouter<Policy>::read(Mail const& mail, std::string_view topic, Outgoing const& outgoing) {
    if constexpr (is_remote)
        if (mail.from.value == post_office_.shard_count()) {
            if (mail.kind == Mail::Kind::event)
                return host_->on_event({.name = topic, .detail = outgoing.message.view(), .number = mail.id});
            if (mail.kind == Mail::Kind::flush) return host_->on_flushed(mail.id);
            return links_.hear(mail, topic, outgoing);
        }
    switch (mail.kind) {
        case Mail::Kind::publish: return sequence(topic, outgoing);
        case Mail::Kind::deliver: {
            auto const number = delivery_->topics().find(topic);
            if (!number) {
                if (outgoing.receipt) outgoing.receipt->add({});
                return;
            }
            delivery_->topics()[*number].position = mail.position;
            return publish_here(*number, outgoing);
        }
        case Mail::Kind::interest: {
            std::uint32_t const number = intern(topic);
            Topic& known = delivery_->topics()[number];
            std::uint64_t const shard = std::uint64_t{1} << mail.from.value;
            if (need(number)) {
                known.link->waiting_shards |= shard;
                return;
            }
            known.interested_shards |= shard;
            return write(mail.from, Mail::Kind::acknowledge, topic, known.position);
        }
        case Mail::Kind::acknowledge: return acknowledge(topic, mail.position);
        case Mail::Kind::no_interest:
            if (auto const number = delivery_->topics().find(topic)) {
                Topic& left = delivery_->topics()[*number];
                left.interested_shards &= ~(std::uint64_t{1} << mail.from.value);
                if (left.link) left.link->waiting_shards &= ~(std::uint64_t{1} << mail.from.value);
                if (left.history) memory_.note_use(*number, host_->now_ticks());
                lonely_.push_back(*number);
            }
            return;
        case Mail::Kind::direct: return host_->on_direct(mail.session, outgoing.message);
        case Mail::Kind::enter:
            return change_presence(topic, mail.session, [&](Presence& presence) {
                presence.enter(detail::read_member(node_, mail.session, outgoing.message.view()));
            });
        case Mail::Kind::leave:
            return change_presence(topic, mail.session, [&](Presence& presence) { presence.leave({node_, mail.session}); });
        case Mail::Kind::recover: return hear_question(mail, topic);
        case Mail::Kind::begin:
        case Mail::Kind::backlog:
        case Mail::Kind::end: return hear_answer(mail, topic, outgoing);
        case Mail::Kind::lost:
            if (auto const number = delivery_->topics().find(topic)) {
                delivery_->topics()[*number].position = mail.position;
                host_->on_lost(*number);
            }
            return;
        case Mail::Kind::announce:
        case Mail::Kind::waits:
        case Mail::Kind::published:
        case Mail::Kind::apart:
        case Mail::Kind::together:
        case Mail::Kind::event:
        case Mail::Kind::flush: return;  // of the desk alone
    }
}

template <HubPolicy Policy>
void TopicRouter<Policy>::forget_lonely() {
    memory_.sweep(host_->now_ticks(), [this](std::uint32_t number) { lonely_.push_back(number); });
    for (std::uint32_t const number : std::exchange(lonely_, {})) forget(number);
}

template <HubPolicy Policy>
void TopicRouter<Policy>::forget(std::uint32_t number, bool is_urgent) {
    Topic& topic = delivery_->topics()[number];
    if (topic.name == internal_topics::control) return;
    if (topic.name.empty() || !topic.members.empty() || !topic.run.empty() || topic.interest == Topic::Interest::asked) return;
    ShardIndex const owner = owner_of(topic.name);
    if (owner == index_) {
        if (topic.interested_shards) return;
        if constexpr (is_remote) {  // what the broker remembers need not be remembered here
            if (topic.link && !links_.end(number)) return lonely_.push_back(number);
        } else if (topic.history && !topic.history->is_over(host_->now_ticks()) && !is_urgent) {
            return;
        }
        if (topic.history) memory_.end(number);
        if (topic.presence) presences_.end(number);
        if constexpr (is_remote) nodes_.forget(number);
    } else if (topic.interest == Topic::Interest::acknowledged) {
        write(owner, Mail::Kind::no_interest, topic.name);
    }
    delivery_->topics().erase(number);
}

template <HubPolicy Policy>
template <class Change>
void TopicRouter<Policy>::change_presence(std::string_view name, SessionId whose, Change&& change) {
    auto const number = delivery_->topics().find(name);
    if (!number || !delivery_->topics()[*number].presence) return;
    presences_.change(*number, host_->now_ticks(), change);
    if constexpr (is_remote) nodes_.note(*number, whose);
}

/// False: it fits nobody's queue.
template <HubPolicy Policy>
bool TopicRouter<Policy>::tell_change(std::uint32_t number, PresenceChange const& change) {
    std::optional<Frame> frame;
    if (!completes([&] { frame = codec_.presence(change); }))
        return host_->on_event({.name = "policy_threw", .detail = "codec"}), true;
    if (!frame) return true;
    if (!delivery_->fits(frame->size())) return false;
    pass_on(number, {.message = frame->message(), .frame = &*frame});
    return true;
}

template <HubPolicy Policy>
void TopicRouter<Policy>::tell_presence() {
    if constexpr (is_remote)
        nodes_.tick(host_->now_ticks(), [this](std::uint32_t number, std::string const& text) {
            links_.announce(delivery_->topics()[number].name, text);
        });
    if constexpr (PresenceCodec<typename Policy::Codec>) {
        presences_.tell_due(host_->now_ticks(), [this](std::uint32_t number, Presence& presence) {
            Topic const& topic = delivery_->topics()[number];
            PresenceChange change = presence.take_change(topic.name);
            if (change.entered.empty() && change.left.empty()) return;
            if (tell_change(number, change)) return;
            change.untold += change.entered.size() + change.left.size();  // too long with all the names
            change.entered.clear();
            change.left.clear();
            if (!tell_change(number, change))
                host_->on_event({.name = "publication_too_big", .detail = topic.name, .number = change.sessions});
        });
    }
}

}  // namespace hubbub::inline v0
