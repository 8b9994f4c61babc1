#pragma once

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <nlohmann/json.hpp>

#include <hubbub/core/unique_function.hpp>
#include <hubbub/hub/collect_options.hpp>
#include <hubbub/hub/hub_snapshot.hpp>
#include <hubbub/hub/noop_handler.hpp>
#include <hubbub/hub/target.hpp>
#include <hubbub/operations/live/hub_report.hpp>
#include <hubbub/operations/live/live_auth.hpp>
#include <hubbub/operations/live/live_options.hpp>
#include <hubbub/operations/slow_causes.hpp>

namespace hubbub::inline v0 {

/// What is known of a hub over the last minutes, and what operators ask of it; for one thread, that of an OperationsServer.
///
/// It does not know the hub's type: `collect`, `close` and `drain` are what it can do with it.
class LiveFeed {
   public:
    using Json = HubReport::Json;
    struct Doors {
        UniqueFunction<void(CollectOptions, UniqueFunction<void(HubSnapshot const&)>)>
            collect;  ///< answers on the feed's thread
        UniqueFunction<void(SessionId, std::string reason)> close;
        UniqueFunction<void()> drain;
    };
    static constexpr std::size_t most_points = 300;  ///< one a second
    static constexpr std::size_t window = 5;         ///< seconds that causes are looked for in

    LiveFeed(OperationsOptions const& options, Doors doors) : options_(options), doors_(std::move(doors)) {}

    /// Once a second.
    void take(HubSnapshot now) {
        if (options_.hide_users) hide_users(now);  // causes name who is worst
        if (!moments_.empty()) {
            HubReport const report(moments_.back(), now, options_);
            HubSnapshot const& earlier = moments_.size() < window ? moments_.front() : moments_[moments_.size() - window];
            causes_ = SlowCauses(earlier, now, ProcessFacts::look()).ranked();
            report_ = report.whole(causes_);
            report_["point"] = report.point();
            points_.push_back(report_["point"]);
            if (points_.size() > most_points) points_.pop_front();
        }
        moments_.push_back(std::move(now));
        if (moments_.size() > window + 1) moments_.pop_front();
    }
    CollectOptions wanted() const {
        CollectOptions options;
        options.sessions = options_.sessions;
        options.busiest = options_.topics;
        return options;
    }
    bool has_report() const noexcept { return !report_.is_null(); }
    std::string report() const { return HubReport::text(report_); }
    /// The report with the plots of the last minutes.
    std::string history() const {
        Json all = report_.is_null() ? Json::object() : report_;
        all["type"] = "history";
        all["points"] = points_;
        return HubReport::text(all);
    }
    std::vector<Cause> const& causes() const noexcept { return causes_; }
    /// The sessions that a filter lets through, for one page: calls `answer(text)` later.
    void list_sessions(CollectOptions filter, UniqueFunction<void(std::string)> answer) {
        filter.sessions = options_.sessions;
        doors_.collect(std::move(filter), [this, answer = std::move(answer)](HubSnapshot const& now) mutable {
            answer(HubReport::text({{"type", "sessions"}, {"sessions", HubReport(now, now, options_).sessions(now.worst())}}));
        });
    }
    Doors& doors() noexcept { return doors_; }

    /// Of a name as `session_name` gives it; its node, if it has one, is this one.
    static std::optional<SessionId> id_of(std::string_view name) {
        std::array<std::uint32_t, 3> parts{};
        for (std::size_t i = parts.size(); i-- > 0;) {
            std::size_t const dash = name.rfind('-');
            std::string_view const digits = name.substr(dash == name.npos ? 0 : dash + 1);
            auto const [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), parts[i], 16);
            if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
            if (dash == name.npos && i != 0) return std::nullopt;
            name = name.substr(0, dash == name.npos ? 0 : dash);
        }
        if (parts[0] > 0xFFFF || parts[2] == 0) return std::nullopt;
        return SessionId{parts[1], parts[2], {static_cast<std::uint16_t>(parts[0])}};
    }

   private:
    static void hide_users(HubSnapshot& hub) {
        for (ShardSnapshot& shard : hub.shards)
            for (SessionSnapshot& each : shard.worst)
                if (!each.user.empty()) each.user = HubReport::hidden;
    }

    OperationsOptions const& options_;
    Doors doors_;
    std::deque<HubSnapshot> moments_;
    std::deque<Json> points_;
    std::vector<Cause> causes_;
    Json report_;
};

/// The live page's end of it: each watcher hears a report a second, and may filter sessions, close one, or drain.
///
///     {"type":"filter","user":"bob"}      only sessions of that user, address or label are listed, to this page
///     {"type":"close","session":"0-5-1"}  for who may act
///     {"type":"drain"}                    the same
///
/// Answers are `sessions`, `done` and `error`.
class LiveWatchers : public NoopHandler {
   public:
    static constexpr std::string_view topic = "report";

    explicit LiveWatchers(std::shared_ptr<LiveFeed> feed) : feed_(std::move(feed)) {}

    void on_open(auto& session) {
        session.send(HubReport::text({{"type", "hello"}, {"acts", acts(session)}}));
        session.send(feed_->history());
        session.subscribe(topic);
    }
    void on_message(auto& session, MessageView message) {
        auto const said = HubReport::Json::parse(message.view(), nullptr, false);
        if (!said.is_object()) return fail(session, "a message is one JSON object");
        std::string const type = text_of(said, "type");
        if (type == "filter") return filter(session, said);
        if (type != "close" && type != "drain") return fail(session, "there is no such type");
        if (!acts(session)) return fail(session, "you may only look");
        if (type == "drain") {
            feed_->doors().drain();
            return session.send(HubReport::text({{"type", "done"}, {"what", "the hub drains"}})), void();
        }
        auto const id = LiveFeed::id_of(text_of(said, "session"));
        if (!id) return fail(session, "that is no session");
        feed_->doors().close(*id, "closed by an operator");
        session.send(HubReport::text({{"type", "done"}, {"what", "session " + text_of(said, "session") + " is closed"}}));
    }

   private:
    static bool acts(auto& session) {
        auto const& labels = session.identity().labels;
        return std::find(labels.begin(), labels.end(), LiveAuth::acts) != labels.end();
    }
    static std::string text_of(HubReport::Json const& said, char const* member) {
        auto const found = said.find(member);
        return found != said.end() && found->is_string() ? found->template get<std::string>() : std::string();
    }
    static void fail(auto& session, std::string_view why) { session.send(HubReport::text({{"type", "error"}, {"why", why}})); }
    void filter(auto& session, HubReport::Json const& said) {
        CollectOptions wanted;
        wanted.user = text_of(said, "user");
        wanted.address = text_of(said, "address");
        wanted.label = text_of(said, "label");
        feed_->list_sessions(std::move(wanted), [handle = session.handle()](std::string text) {
            handle.post([text = std::move(text)](auto& whose) { whose.send(text); });
        });
    }

    std::shared_ptr<LiveFeed> feed_;
};

}  // namespace hubbub::inline v0
