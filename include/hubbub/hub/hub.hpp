#pragma once

#include <array>
#include <chrono>
#include <concepts>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <hubbub/core/exceptions.hpp>
#include <hubbub/hub/broadcaster.hpp>
#include <hubbub/hub/desk_thread.hpp>
#include <hubbub/hub/hub_connection.hpp>
#include <hubbub/hub/hub_snapshot.hpp>
#include <hubbub/hub/noop_handler.hpp>

namespace hubbub::inline v0 {

namespace detail {
/// A socket that was upgraded by an engine below, which knows the request, and is told the limit of messages.
template <class Socket>
concept UpgradedSocket = requires(Socket& socket, ws::DecoderLimits const& message, http::ParserLimits const& request) {
    socket.limit(message);
    { socket.request(request) } -> std::same_as<http::Request>;
    { socket.take_identity() } -> std::same_as<Identity>;
    { socket.protocol() } -> std::same_as<std::string>;
};
}  // namespace detail

/// Sessions, topics and fan-out over one or several loops of the host: one shard a loop.
///
/// Threading: every call on any thread, unless it says otherwise. Handlers run on the loops.
/// Lifetime: the loops outlive the hub. Its destructor ends each shard, on its own loop or, if that no longer runs, with it; no
/// hook runs afterwards, and the destructor does not wait. For an orderly end call `drain` first.
/// Errors: constructors throw std::invalid_argument that names the option.
/// Example: `hubbub::Hub<hubbub::TcpConnection> hub{loop, Chat{}};`
template <HubConnection Conn, HubPolicy Policy = DefaultPolicy>
class Hub {
   public:
    using ShardType = Shard<Conn, Policy>;
    using SessionType = Session<Conn, Policy>;
    using BroadcasterType = Broadcaster<Conn, Policy>;
    using Driver = typename Conn::Driver;
    using DriverOptions = typename Driver::Options;

    /// In one loop. Cost: an arena of 64 KiB and what the driver has, for each shard.
    template <HandlerFor<SessionType> Handler>
    Hub(ShardLoop& loop, Handler handler, HubOptions<Policy> options = {}, DriverOptions const& driver = {})
        : Hub(std::array<ShardLoop*, 1>{&loop}, std::move(handler), std::move(options), driver) {}

    /// In whatever the connection's loop can be made of: `hubbub::Hub<hubbub::TcpConnection> hub{io_context, Chat{}}`.
    template <class Host, HandlerFor<SessionType> Handler>
        requires(!std::derived_from<Host, ShardLoop> && std::constructible_from<typename Driver::Loop, Host&>)
    Hub(Host& host, Handler handler, HubOptions<Policy> options = {}, DriverOptions const& driver = {})
        : own_loop_(std::make_unique<typename Driver::Loop>(host)) {
        begin(std::array<ShardLoop*, 1>{own_loop_.get()}, std::move(handler), std::move(options), driver);
    }

    /// In several loops; each shard gets a copy of the handler.
    template <HandlerFor<SessionType> Handler>
    Hub(std::span<ShardLoop* const> loops, Handler handler, HubOptions<Policy> options = {}, DriverOptions const& driver = {}) {
        begin(loops, std::move(handler), std::move(options), driver);
    }
    Hub(Hub const&) = delete;
    Hub& operator=(Hub const&) = delete;
    ~Hub();

    /// Cost: constant, like the next two.
    std::size_t shard_count() const noexcept { return shards_.size(); }
    ShardLoop& shard_loop(std::size_t shard) { return shards_[shard]->loop(); }
    /// The driver of a shard, to accept connections with; on the shard's thread, or before its loop runs.
    Driver& driver(std::size_t shard) { return shards_[shard]->driver(); }

    /// A connection whose request has not been read, but for `read`: shard `on` does the handshake. A OneOf that is of the kind with
    /// an engine has shaken hands, and goes where the sharding policy says.
    /// Cost: of all three, one posted function, or none in a turn of that loop.
    void adopt(typename Conn::Socket socket, std::string read = {}, std::size_t on = 0)
        requires ByteConnection<Conn>;
    /// A connection that somebody else has upgraded; `upgrade.response` is what is still to be sent.
    void adopt(typename Conn::Socket socket, Upgrade upgrade, std::size_t on = 0);
    /// The same for a connection that knows how it was upgraded, on shard `on` or, without one, where the sharding policy says (the first
    /// shard asks it): `hub.adopt(server.get_con_from_hdl(hdl))` in the open handler of a websocketpp::server.
    void adopt(typename Conn::Socket socket, std::optional<std::size_t> on = {})
        requires detail::UpgradedSocket<typename Conn::Socket>
    {
        adopt_upgraded(std::move(socket), on);
    }

    /// What background threads keep. Cost: a reference.
    BroadcasterType broadcaster() const { return BroadcasterType(shared_); }
    /// To all that are subscribed. Cost: see Broadcaster, whose functions these are.
    PublishResult publish(std::string_view topic, Frame const& frame, PublishOptions options = {}) {
        return broadcaster().publish(topic, frame, std::move(options));
    }
    PublishResult publish(Target const& target, Frame const& frame, PublishOptions options = {}) {
        return broadcaster().publish(target, frame, std::move(options));
    }
    PublishResult send(SessionId session, Frame const& frame) { return broadcaster().send(session, frame); }

    /// A part of what a topic remembers, given to `completion` on the loop of the topic's owner. False: the hub has ended.
    /// Cost: a posted function; a reference for each message.
    bool read_history(std::string_view topic, HistoryQuery query, UniqueFunction<void(HistoryPage const&)> completion) {
        return shared_->read_history(topic, query, std::move(completion));
    }
    /// Who is subscribed to a topic that knows it (TopicOptions::presence), at most so many; the counts are of all. As `read_history`.
    /// Cost: a posted function; a copy of each member.
    bool read_presence(std::string_view topic, std::size_t most, UniqueFunction<void(PresencePage const&)> completion) {
        return shared_->read_presence(topic, most, std::move(completion));
    }

    /// Runs `function(session)` on the session's thread, if it is there then. False: the hub has ended.
    /// Cost: one posted function, which is not bounded, and a look-up by id.
    template <class F>
    bool post(SessionId id, F function) {
        return id.shard.value < shards_.size() &&
               shared_->post(
                   id.shard, [id, function = std::move(function)](ShardType& shard) mutable { shard.visit(id, function); });
    }
    /// Runs `function(shard index)` on each shard's thread. Cost: one posted function for each.
    template <class F>
    void on_each_shard(F function) {
        each([function](ShardType& shard) mutable { function(shard); });
    }
    /// Closes one session, if it is there. Cost: as `post`.
    void close(SessionId id, CloseCode code = CloseCode::normal, std::string reason = {}) {
        post(id, [code, reason = std::move(reason)](SessionType& session) { session.close(code, reason); });
    }
    /// Closes all sessions of a user, with a label, or all: with a broker those of the other nodes too, but for Target::all, which are
    /// this node's. Cost: one posted function for each shard, which walks those sessions.
    void close(Target const& target, CloseCode code, std::string const& reason = {}) {
        if (target.name() != internal_topics::all)
            shared_->tell_nodes({ControlMessage::Kind::close, code, target.name(), {}, reason});
        each([name = target.name(), code, reason](ShardType& shard) { shard.close_members(name, code, reason); });
    }
    /// Ends the subscriptions to a topic that a user's sessions have, or those with a label; on all nodes. Clients are not told: publish to
    /// the user what they should know. Cost: as `close`.
    void unsubscribe(Target const& target, std::string const& topic) {
        shared_->tell_nodes({ControlMessage::Kind::unsubscribe, CloseCode::normal, target.name(), topic});
        each([name = target.name(), topic](ShardType& shard) { shard.unsubscribe_members(name, topic); });
    }
    /// Ends, with 4403 and at once, what one session, a user or a label may no longer have: what is queued for them is dropped. Sessions that
    /// were let in before this call and have not opened yet are ended too. Who comes later is the authentication's to judge. With a broker the
    /// sessions of a user or with a label end on all nodes; on one that is cut off, when it is back.
    void revoke(SessionId id, std::string reason = "revoked") { revoke(Revocation(id, std::move(reason))); }
    void revoke(Target const& target, std::string reason = "revoked") {
        shared_->tell_nodes({ControlMessage::Kind::revoke, CloseCode::identity_revoked, target.name(), {}, reason});
        revoke(Revocation(target, std::move(reason)));
    }
    /// What both come to on this node.
    void revoke(Revocation const& revocation) {
        if (!revocation.name.empty()) return each([revocation](ShardType& shard) { shard.revoke_everywhere(revocation); });
        if (revocation.session.shard.value < shards_.size())
            shared_->post(revocation.session.shard, [revocation](ShardType& shard) { shard.revoke(revocation); });
    }
    /// Refuses new connections, closes sessions in paced batches, then calls `completion`, on a loop. Idempotent: each completion is
    /// called. With a broker it waits until that has got what was published, and other nodes know who has gone: as long as `options` says.
    /// What the broker has not got then is `backplane().waiting_messages`, and told as `drain_unpublished`.
    /// Cost: each session once; a tick closes its part and looks at nothing else.
    void drain(DrainOptions options, UniqueFunction<void()> completion) {
        auto const drain = std::make_shared<Drain>(std::move(options), shards_.size(), std::move(completion));
        each([drain](ShardType& shard) { shard.drain(drain); }, [&drain] { drain->shard_is_done(); });
    }
    /// Tells the EventSink of a shard what the application knows: that accepting stalls, for one. False: the hub has ended.
    /// Cost: one posted function.
    bool report(std::string name, std::string detail, std::size_t on = 0) {
        return shared_->post(ShardIndex{static_cast<std::uint16_t>(on)},
                             [name = std::move(name), detail = std::move(detail)](ShardType& shard) {
                                 shard.tell_event({.name = name, .detail = detail});
                             });
    }
    /// What is known of the brokers, on any thread. Cost: a read of each number.
    BackplaneSnapshot backplane() const noexcept { return shared_->backplane.snapshot(); }
    /// What all shards have counted and measured, on the loop of the shard that was last.
    /// Cost: a posted function for each shard, which walks its sessions to count what is pending.
    void collect(UniqueFunction<void(HubSnapshot const&)> completion) { collect({}, std::move(completion)); }
    /// The same, with single sessions and topics. Cost: also a look at each topic, if the busiest are wanted.
    void collect(CollectOptions options, UniqueFunction<void(HubSnapshot const&)> completion);
    /// The same of one shard, on its thread, or where its loop does not run. Cost: a walk over its sessions.
    ShardSnapshot snapshot(std::size_t shard) { return shards_[shard]->snapshot(); }

   private:
    template <class Socket>
    void adopt_upgraded(Socket socket, std::optional<std::size_t> on);
    /// Ends a shard when it runs, or with the loop that never ran it.
    struct TearDown {
        explicit TearDown(std::shared_ptr<ShardType> which) : shard(std::move(which)) {}
        ~TearDown() { shard->tear_down(); }
        std::shared_ptr<ShardType> shard;
    };

    template <class Handler>
    void begin(std::span<ShardLoop* const> loops, Handler handler, HubOptions<Policy> options, DriverOptions const& driver);
    template <class F, class G>
    void each(F function, G otherwise) {
        for (std::size_t i = 0; i < shards_.size(); ++i)
            if (!shared_->post(ShardIndex{static_cast<std::uint16_t>(i)}, function)) otherwise();
    }
    template <class F>
    void each(F function) {
        each(std::move(function), [] {});
    }

    static constexpr bool is_remote = RemoteBackplane<typename Policy::Backplane>;
    std::unique_ptr<typename Driver::Loop> own_loop_;
    std::unique_ptr<DeskOf<Policy>> desk_;
    std::shared_ptr<typename ShardType::Shared> shared_;
    std::vector<std::shared_ptr<ShardType>> shards_;
};

template <HubConnection Conn, HubPolicy Policy>
template <class Handler>
void Hub<Conn, Policy>::begin(std::span<ShardLoop* const> loops, Handler handler, HubOptions<Policy> options,
                              DriverOptions const& driver) {
    options.check();
    if (loops.empty() || loops.size() > 64 - is_remote)
        detail::throw_exception(std::invalid_argument("Hub: the number of loops must be from 1 to 64, or 63 with a broker"));
    shared_ = std::make_shared<typename ShardType::Shared>(std::move(options), loops.size());
    shared_->hash = {shared_->draw(0), shared_->draw(1)};
    for (ShardLoop* const loop : loops) shared_->ports.push_back(std::make_shared<ShardPort>(*loop, shared_->options.mailbox));
    if constexpr (is_remote) {
        shared_->node = shared_->draw(1000) | 1;
        // From here on none is there: who asks before the desk has begun must not think that all is well.
        BackplaneCounts::set(shared_->backplane.brokers, Policy::Backplane::brokers(shared_->options.backplane));
        desk_ = std::make_unique<DeskThread<Policy>>(shared_->options);
        shared_->ports.push_back(std::make_shared<ShardPort>(desk_->loop(), shared_->options.mailbox));
    }
    for (std::size_t i = 0; i < loops.size(); ++i)
        shards_.push_back(std::make_shared<ShardType>(*loops[i], ShardIndex{static_cast<std::uint16_t>(i)}, shared_, driver,
                                                      AnyHandler<SessionType>::make(handler)));
    shared_->shards.assign(shards_.begin(), shards_.end());
    if constexpr (is_remote)
        desk_->start(shared_->options, {&shared_->ports, shared_->hash, shared_->node, &shared_->backplane, shared_});
}

template <HubConnection Conn, HubPolicy Policy>
Hub<Conn, Policy>::~Hub() {
    if (shared_) shared_->is_over.store(true, std::memory_order_relaxed);  // null: a constructor threw
    desk_.reset();
    for (auto& shard : shards_) {
        ShardLoop& loop = shard->loop();
        if (loop.runs_here() && !loop.in_turn()) {
            shard->tear_down();
        } else {
            loop.post([end = std::make_unique<TearDown>(shard)]() mutable { end.reset(); });
        }
    }
    // A loop of our own that is still needed goes behind what was posted to it.
    if constexpr (requires { Driver::Loop::dispose(std::move(own_loop_)); })
        if (own_loop_ && !shards_.empty() && !(own_loop_->runs_here() && !own_loop_->in_turn())) {
            shards_.clear();
            Driver::Loop::dispose(std::move(own_loop_));
        }
    shards_.clear();
}

template <HubConnection Conn, HubPolicy Policy>
void Hub<Conn, Policy>::adopt(typename Conn::Socket socket, std::string read, std::size_t on)
    requires ByteConnection<Conn>
{
    if constexpr (EitherConnection<Conn>) {
        if (auto* const upgraded = socket.second()) {  // an engine has shaken hands
            if constexpr (detail::UpgradedSocket<std::remove_pointer_t<decltype(upgraded)>>)
                return adopt_upgraded(std::move(*upgraded), {});
            else
                return adopt(std::move(socket), Upgrade{}, on);
        }
    }
    auto const& shard = shards_[on];
    if (shard->loop().runs_here() && shard->loop().in_turn())
        return shard->accept(std::move(socket), std::as_writable_bytes(std::span(read)));
    shared_->post(ShardIndex{static_cast<std::uint16_t>(on)},
                  [socket = std::move(socket), read = std::move(read)](ShardType& target) mutable {
                      target.accept(std::move(socket), std::as_writable_bytes(std::span(read)));
                  });
}

template <HubConnection Conn, HubPolicy Policy>
void Hub<Conn, Policy>::adopt(typename Conn::Socket socket, Upgrade upgrade, std::size_t on) {
    shared_->post(ShardIndex{static_cast<std::uint16_t>(on)},
                  [socket = std::move(socket), upgrade = std::move(upgrade)](ShardType& target) mutable {
                      target.adopt(std::move(socket), std::move(upgrade));
                  });
}

template <HubConnection Conn, HubPolicy Policy>
template <class Socket>
void Hub<Conn, Policy>::adopt_upgraded(Socket socket, std::optional<std::size_t> on) {
    socket.limit(shared_->options.message);
    Upgrade upgrade{};
    upgrade.request = socket.request(shared_->options.request);
    upgrade.identity = socket.take_identity();
    upgrade.protocol = socket.protocol();
    if (on) return adopt(std::move(socket), std::move(upgrade), *on);
    shared_->post(ShardIndex{0}, [socket = std::move(socket), upgrade = std::move(upgrade)](ShardType& shard) mutable {
        shard.place(std::move(socket), std::move(upgrade));
    });
}

template <HubConnection Conn, HubPolicy Policy>
void Hub<Conn, Policy>::collect(CollectOptions options, UniqueFunction<void(HubSnapshot const&)> completion) {
    struct Collected {
        std::mutex mutex;
        std::size_t left;
        CollectOptions options;
        HubSnapshot all;
        UniqueFunction<void(HubSnapshot const&)> completion;

        void add(std::size_t at, ShardSnapshot of_one) {
            {
                std::lock_guard lock(mutex);
                all.shards[at] = std::move(of_one);
                if (--left) return;
            }
            completes([this] { completion(all); });
        }
    };
    auto const collected = std::make_shared<Collected>();
    collected->left = shards_.size();
    collected->options = std::move(options);
    collected->completion = std::move(completion);
    HubSnapshot& all = collected->all;
    all.shards.resize(shards_.size());
    all.backplane = backplane();
    all.node = shared_->node;
    all.memory_used = shared_->memory->used();
    all.memory_high = shared_->memory->high_mark();
    all.memory_limit = shared_->memory->limit();
    all.at = std::chrono::steady_clock::now();
    for (std::size_t i = 0; i < shards_.size(); ++i)
        if (!shared_->post(ShardIndex{static_cast<std::uint16_t>(i)},
                           [collected, i](ShardType& shard) { collected->add(i, shard.snapshot(collected->options)); }))
            collected->add(i, {});
}

}  // namespace hubbub::inline v0
