#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <hubbub/backplane/backplane.hpp>
#include <hubbub/backplane/redis/redis_core.hpp>
#include <hubbub/backplane/redis/redis_options.hpp>
#include <hubbub/transport/tcp/asio_thread.hpp>

namespace hubbub::inline v0 {

/// Nodes that are one hub over Redis: one server, one that sentinels watch, a cluster (7.0 or later), or several that know nothing of
/// each other. A publication is a PUBLISH; of a topic that keeps its newest it is a script that gives it its offset, keeps it and
/// publishes it.
///
/// Redis 5 or later, 7 for a cluster. What a server loses by a restart or a failover is never taken for kept: the topics have another
/// epoch then. The server should not evict keys (`maxmemory-policy noeviction`); one that does loses history, and it is noticed.
///
/// Threading: made, called and destroyed in turns of the loop of `thread`. Lifetime: goes before `thread` and `host`.
/// Cost: two connections to each master; a publication is one command, and one write for all of a turn.
/// Errors: what goes wrong with a server is an event and `on_ready(false)`, and is tried again.
/// Example: `options.backplane.url = "rediss://hub:secret@redis.example.org";`
class RedisBackplane {
   public:
    using Options = RedisOptions;
    using Thread = AsioThread;

    static std::unique_ptr<Thread> make_thread(Options const&) { return std::make_unique<Thread>(); }
    static std::size_t brokers(Options const& options) { return std::max<std::size_t>(1, options.urls.size()); }

    /// `options` have been checked.
    RedisBackplane(Options const& options, std::size_t broker, std::uint64_t node, Thread& thread, BackplaneHost& host)
        : core_(std::make_shared<detail::RedisCore>(options, options.urls.empty() ? options.url : options.urls[broker], node,
                                                    thread.loop(), host)) {}
    ~RedisBackplane() { core_->stop(); }
    RedisBackplane(RedisBackplane const&) = delete;
    RedisBackplane& operator=(RedisBackplane const&) = delete;

    void start() { core_->start(); }
    void subscribe(std::string_view topic) { core_->subscribe(topic); }
    void unsubscribe(std::string_view topic) { core_->unsubscribe(topic); }
    void publish(BackplanePublication const& publication) { core_->publish(publication); }
    void read(std::string_view topic, HistoryLimits const& limits, Position since) { core_->read(topic, limits, since); }
    void flush() { core_->flush(); }

   private:
    std::shared_ptr<detail::RedisCore> core_;
};
static_assert(RemoteBackplane<RedisBackplane>);

}  // namespace hubbub::inline v0
