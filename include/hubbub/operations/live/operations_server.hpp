#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include <asio/post.hpp>
#include <asio/steady_timer.hpp>

#include <hubbub/hub/hub_snapshot.hpp>
#include <hubbub/operations/live/live_auth.hpp>
#include <hubbub/operations/live/live_feed.hpp>
#include <hubbub/operations/live/live_page.hpp>
#include <hubbub/operations/readiness.hpp>
#include <hubbub/server/server.hpp>

namespace hubbub::inline v0 {

/// A small server of its own beside a hub, for its operators: a page that lives, the same as JSON, readiness, and what the host adds to
/// its routes. On a port of its own, so that the clients' port tells nothing; by default for this machine alone.
///
///     /                the live page, fed by a topic of this server's own hub
///     /debug/hub       the same as JSON; as a page for who asks for text/html
///     /debug/why       why is it slow: the causes, as JSON
///     /healthz /readyz see add_health
///
/// Threading: `run` takes a thread of the host's, which makes text of what was measured; the hub's loops are asked once a second for a
/// snapshot. The rest on the thread that made it, but `stop`, on any.
/// Lifetime: the hub outlives it. Whoever runs it stops it, and joins the thread, before it is destroyed.
/// Errors: as those of Server.
/// Example:
///     hubbub::OperationsServer operations{server.hub(), {.port = 9180}};
///     std::thread thread([&] { operations.run(); });
template <class Hub>
class OperationsServer {
   public:
    OperationsServer(Hub& hub, OperationsOptions options = {})
        : options_(std::move(options)),
          hub_(hub),
          alive_(std::make_shared<Alive>()),
          feed_(std::make_shared<LiveFeed>(options_, doors())),
          server_(LiveWatchers(feed_), server_options()),
          timer_(context()) {
        alive_->server = this;
        add_pages();
        add_health(server_.routes(), *this);
        sample();
    }
    OperationsServer(OperationsServer const&) = delete;
    OperationsServer& operator=(OperationsServer const&) = delete;
    ~OperationsServer() {
        std::lock_guard const lock(alive_->mutex);
        alive_->server = nullptr;
    }

    /// To add more: add_metrics, add_profiling.
    http::Routes& routes() noexcept { return server_.routes(); }
    /// As Hub::collect, but `answer` is called on the thread of this server, if it is still there: pages that are added with this instead of
    /// the hub, as by `add_metrics(operations.routes(), operations)`, are made there and not on a loop that serves clients. Any thread.
    void collect(CollectOptions what, UniqueFunction<void(HubSnapshot const&)> answer) {
        hub_.collect(std::move(what), [alive = alive_, answer = std::move(answer)](HubSnapshot const& now) mutable {
            std::lock_guard const lock(alive->mutex);
            if (alive->server)
                asio::post(alive->server->context(), [now, answer = std::move(answer)]() mutable { answer(now); });
        });
    }
    void collect(UniqueFunction<void(HubSnapshot const&)> answer) { collect({}, std::move(answer)); }
    std::uint16_t port() const noexcept { return server_.port(); }
    Endpoint const& endpoint() const noexcept { return server_.endpoint(); }
    void run() { server_.run(); }
    void stop() {
        asio::post(context(), [this] { timer_.cancel(); });
        server_.stop();
    }

   private:
    struct LivePolicy : DefaultPolicy {
        using Auth = LiveAuth;
    };
    /// What answers hold on to that come from the loops of the hub: this may have gone by then.
    struct Alive {
        std::mutex mutex;
        OperationsServer* server = nullptr;
    };

    ServerOptions<LivePolicy> server_options() const {
        ServerOptions<LivePolicy> made{.address = options_.address, .port = options_.port, .threads = 1};
        made.hub.auth = {options_.allow, options_.act};
        made.hub.limits.in_all = static_cast<std::uint32_t>(options_.watchers * 2 + 64);
        made.hub.message = {.message = 4096};
        made.drain = {.code = CloseCode::going_away, .reason = "the server stops", .deadline = std::chrono::milliseconds(500)};
        return made;
    }
    asio::io_context& context() { return static_cast<AsioLoop&>(server_.hub().shard_loop(0)).context(); }
    LiveFeed::Doors doors() {
        return {[this](CollectOptions what, UniqueFunction<void(HubSnapshot const&)> answer) {
                    collect(std::move(what), std::move(answer));
                },
                [this](SessionId id, std::string reason) { hub_.close(id, CloseCode::policy_violation, std::move(reason)); },
                [this] { hub_.drain(options_.drain, [] {}); }};
    }
    void sample() {
        collect(feed_->wanted(), [this](HubSnapshot const& now) {
            feed_->take(now);
            if (feed_->has_report()) server_.hub().publish(LiveWatchers::topic, Frame::text(feed_->report()));
        });
        timer_.expires_after(std::chrono::seconds(1));
        timer_.async_wait([this](std::error_code error) {
            if (!error) sample();
        });
    }
    void add_pages();

    OperationsOptions const options_;
    Hub& hub_;
    std::shared_ptr<Alive> alive_;
    std::shared_ptr<LiveFeed> feed_;
    Server<LivePolicy> server_;
    asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>,
                               asio::io_context::executor_type>
        timer_;
};

template <class Hub>
void OperationsServer<Hub>::add_pages() {
    // All are for operators, and on the thread of this server, where the feed is.
    auto const add = [this](std::string path, auto make) {
        server_.routes().add(std::move(path), [this, make](http::Request const& request, PeerAddress const& peer) {
            if (auto const refusal = options_.allow.refusal(request, peer)) return http::Response(*refusal);
            return make(request);
        });
    };
    auto const page = [](http::Request const&) { return live_page(); };
    auto const json = [](std::string text) {
        http::Response response(http::Status::ok, std::move(text), "application/json");
        static_cast<void>(response.set_header("Cache-Control", "no-store"));
        return response;
    };
    add("/", page);
    for (LiveFile const& file : live_files)
        add("/" + std::string(file.name), [&file](http::Request const&) { return live_page(file); });
    add("/debug/hub", [this, page, json](http::Request const& request) {
        auto const accept = request.header("Accept");
        return accept && accept->find("text/html") != std::string_view::npos ? page(request) : json(feed_->history());
    });
    add("/debug/why",
        [this, json](http::Request const&) { return json(HubReport::text(HubReport::list_of(feed_->causes()))); });
}

}  // namespace hubbub::inline v0
