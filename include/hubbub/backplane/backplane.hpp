#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include <hubbub/backplane/backplane_host.hpp>
#include <hubbub/core/shard_loop.hpp>
#include <hubbub/ws/message_view.hpp>

namespace hubbub::inline v0 {

/// Connects nodes over a broker, so that several processes are one hub. The hub does what is the same for all brokers: it buffers and
/// sends again, keeps the order, tells its own messages from others', and recovers.
///
/// Exemplar:
///     struct BackplaneExemplar {
///         struct Options {};                                             // with check(), as those of policies
///         using Thread = hubbub::AsioThread;                                 // what runs the loop, until it is destroyed
///         static std::unique_ptr<Thread> make_thread(Options const&);
///         static std::size_t brokers(Options const&);                   // independent of each other; topics are spread over them
///         BackplaneExemplar(Options const&, std::size_t broker, std::uint64_t node, Thread&, hubbub::BackplaneHost&);
///         void start();
///         void subscribe(std::string_view topic);
///         void unsubscribe(std::string_view topic);
///         void publish(hubbub::BackplanePublication const&);
///         void read(std::string_view topic, hubbub::HistoryLimits const&, hubbub::Position since);
///         void flush();
///     };
///
/// Required behaviour:
/// - Everything happens in turns of the loop of `Thread`: it is made, called and destroyed there, and calls its host there. Nothing waits.
/// - `start` connects. What is lost is connected again by itself, with pauses that grow and are jittered; each topic that was subscribed is
///   subscribed again, and told again by `on_subscribed`. A subscription that is dead although its connection looks alive is noticed by
///   a message of its own that travels the way of a publication, and ends as a lost connection.
/// - `publish` and `read` are called only between `on_ready(true)` and `on_ready(false)`. Before `on_ready(false)` each that is open is
///   answered: `unknown`, `failed`.
/// - Publications of one topic keep the order of the calls. Without history a message arrives once or not at all, in one order from each
///   node. With history the broker gives each the next offset, from 1, atomically with keeping it: all nodes see one order; what arrives is
///   the next, or there was a loss. A topic has another epoch, which is never 0, after the broker has lost anything of it.
/// - With history, what was published with a serial that the node has published to that topic already is `repeated`, and not published again:
///   the hub sends what is `unknown` again in the order of the serials, before anything newer of its topic. Without history that need not be
///   noticed: nodes that have heard it drop it.
/// - `read` gives what is kept behind `since`, the oldest first, in parts of about 64 KiB; everything for epoch 0. It never gives
///   what is older than the limits. It makes the position of a topic that the broker has never heard of.
/// - `flush` at the end of each turn: what was called goes out together.
///
/// Models: LocalBackplane (which is asked nothing: `is_local`), RedisBackplane, NatsBackplane.
template <class T>
concept RemoteBackplane =
    requires(typename T::Options const& options, typename T::Thread& thread, BackplaneHost& host, T& backplane,
             std::string_view topic, BackplanePublication const& publication, HistoryLimits const& limits, Position since) {
        { T::make_thread(options) } -> std::same_as<std::unique_ptr<typename T::Thread>>;
        { thread.loop() } -> std::convertible_to<ShardLoop&>;
        { T::brokers(options) } -> std::same_as<std::size_t>;
        T(options, std::size_t{}, std::uint64_t{}, thread, host);
        backplane.start();
        backplane.subscribe(topic);
        backplane.unsubscribe(topic);
        backplane.publish(publication);
        backplane.read(topic, limits, since);
        backplane.flush();
    };

/// One process alone, where the owner shard of a topic gives it its order.
template <class T>
concept OwnBackplane = std::copy_constructible<T> && requires { requires T::is_local; };

/// One that is shown each publication when it gets its place, on the loop of the topic's owner: to write it down, for one.
template <class T>
concept TapBackplane = OwnBackplane<T> && requires(T& backplane, std::string_view topic, Position position,
                                                   MessageView message) { backplane.on_publication(topic, position, message); };

template <class T>
concept Backplane = RemoteBackplane<T> || OwnBackplane<T>;

}  // namespace hubbub::inline v0
