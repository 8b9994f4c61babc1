#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <hubbub/backplane/redis/redis_link.hpp>
#include <hubbub/backplane/redis/redis_scripts.hpp>

namespace hubbub::inline v0::detail {

/// What a master tells whoever made it; in a turn of the loop.
struct RedisMasterOwner {
    virtual void on_master_ready() = 0;
    virtual void on_master_lost(std::string_view why) = 0;
    virtual void on_master_message(std::string_view channel, std::string_view payload) = 0;
    virtual void on_master_subscribed(std::string_view channel) = 0;
    virtual void on_master_unsubscribed(std::string_view channel) = 0;

   protected:
    ~RedisMasterOwner() = default;
};

/// One server that can be written to: a link for commands and one that subscribes, and the probe that goes out through the one and
/// comes back through the other. If either is lost both are, since what one of them says is worth nothing without the other.
///
/// What a publication costs is not hidden behind a read of history: a part of it is about 64 KiB, so both are on one link.
class RedisMaster final : public RedisLinkOwner, public std::enable_shared_from_this<RedisMaster> {
   public:
    struct Words {
        std::string_view subscribe, unsubscribe, publish;
    };
    static constexpr Words usual{"SUBSCRIBE", "UNSUBSCRIBE", "PUBLISH"}, sharded{"SSUBSCRIBE", "SUNSUBSCRIBE", "SPUBLISH"};

    RedisMaster(AsioLoop& loop, RedisOptions const& options, Words const& words, RedisUrl::Place place,
                std::weak_ptr<RedisMasterOwner> owner)
        : loop_(loop), options_(options), words_(words), place_(std::move(place)), owner_(std::move(owner)) {}

    void connect(RedisTls const* tls, RedisLogin const& login, std::string probe) {
        probe_ = std::move(probe);
        commands_ = std::make_shared<RedisLink>(loop_, options_, weak_from_this());
        subscriber_ = std::make_shared<RedisLink>(loop_, options_, weak_from_this());
        commands_->connect(place_, tls, login, options_.connect_limit);
        subscriber_->connect(place_, tls, login, options_.connect_limit);
    }
    void close() noexcept {
        commands_->close();
        subscriber_->close();
    }
    /// Of one that is closed.
    void fail_calls() { commands_->fail_calls(); }

    bool is_ready() const noexcept { return !generation_.empty() && is_probed_ && scripts_ == 3; }
    RedisUrl::Place const& place() const noexcept { return place_; }
    RedisLink& commands() noexcept { return *commands_; }
    RedisLink& subscriber() noexcept { return *subscriber_; }
    Words const& words() const noexcept { return words_; }
    std::string const& generation() const noexcept { return generation_; }
    std::string const& publish_script() const noexcept { return hashes_[0]; }
    std::string const& read_script() const noexcept { return hashes_[1]; }
    std::string const& touch_script() const noexcept { return hashes_[2]; }

    /// Sends the next probe, asks the server who it is, and looks when the last probe has come. `late`: this process itself has slept.
    void probe(TimePoint now, bool late) {
        if (late) heard_ = now;
        if (now - heard_ > options_.probe_limit) return subscriber_->lose("what is published does not arrive");
        std::string const number = std::to_string(++probes_);
        commands_->call({words_.publish, probe_, number}, [this](redisReply const* reply) {
            if (reply && reply->type == REDIS_REPLY_ERROR && is_passing(redis_text(*reply))) lose(redis_text(*reply));
        });
        ask_generation();
    }
    /// Whether the same server or another may take later what it has answered with this error: then it is not refused, but waits for
    /// that, and the master counts as lost. NOSCRIPT is one: what was sent behind must not overtake what it is the answer to.
    static bool is_passing(std::string_view error);
    void lose(std::string_view error) { commands_->lose(error.substr(0, 200)); }

   private:
    void on_link_up(RedisLink& link) override;
    void on_link_push(RedisLink& link, redisReply const& reply) override;
    void on_link_lost(RedisLink&, std::string_view why) override {
        if (auto const owner = owner_.lock()) owner->on_master_lost(why);
    }
    void ask_generation();
    void load(std::size_t which, std::string_view text);
    void check_ready() {
        if (!is_ready() || std::exchange(was_ready_, true)) return;
        heard_ = loop_.now();
        commands_->settled();
        subscriber_->settled();
        if (auto const owner = owner_.lock()) owner->on_master_ready();
    }

    AsioLoop& loop_;
    RedisOptions const& options_;
    Words const& words_;
    RedisUrl::Place place_;
    std::weak_ptr<RedisMasterOwner> owner_;
    std::shared_ptr<RedisLink> commands_, subscriber_;
    std::string probe_, generation_;
    std::array<std::string, 3> hashes_;
    int scripts_ = 0;
    bool is_probed_ = false, was_ready_ = false;
    std::uint64_t probes_ = 0;
    TimePoint heard_{};
};

inline void RedisMaster::on_link_up(RedisLink& link) {
    if (&link == subscriber_.get()) {
        std::array<std::string_view, 2> const words{words_.subscribe, probe_};
        return link.say(words);
    }
    ask_generation();
    load(0, RedisScripts::publish_text());
    load(1, RedisScripts::read_text());
    load(2, RedisScripts::touch);
}

inline void RedisMaster::load(std::size_t which, std::string_view text) {
    commands_->call({"SCRIPT", "LOAD", text}, [this, which](redisReply const* reply) {
        if (!reply) return;
        if (reply->type != REDIS_REPLY_STRING) return commands_->lose("SCRIPT LOAD: " + std::string(redis_text(*reply)));
        hashes_[which] = redis_text(*reply);
        ++scripts_;
        check_ready();
    });
}

inline void RedisMaster::ask_generation() {
    commands_->call({"INFO", "replication"}, [this](redisReply const* reply) {
        if (!reply) return;
        std::string_view const text = redis_text(*reply);
        if (reply->type != REDIS_REPLY_STRING) return commands_->lose("INFO: " + std::string(text));
        if (text.find("role:master") == std::string_view::npos) return commands_->lose("it is not a master");
        static constexpr std::string_view label = "master_replid:";
        std::size_t const at = text.find(label);
        std::string_view const id = at == std::string_view::npos ? "" : text.substr(at + label.size(), 40);
        if (id.size() != 40) return commands_->lose("INFO replication has no master_replid");
        // It gets another also when the first replica comes: nothing is lost then, but others may have seen the new one already.
        if (!generation_.empty() && generation_ != id) return commands_->lose("it has another replication id");
        generation_ = id;
        check_ready();
    });
}

inline void RedisMaster::on_link_push(RedisLink& link, redisReply const& reply) {
    auto const owner = owner_.lock();
    if (!owner) return;
    std::string_view const kind = redis_text(reply, 0);
    if (&link != subscriber_.get() || kind.empty())
        return link.lose(redis_text(reply).empty() ? "a reply that nobody has asked for" : redis_text(reply));
    std::string_view const channel = redis_text(reply, 1);
    if (kind == "message" || kind == "smessage") {
        if (channel == probe_)
            heard_ = loop_.now();
        else
            owner->on_master_message(channel, redis_text(reply, 2));
    } else if (kind == "subscribe" || kind == "ssubscribe") {
        if (channel != probe_) return owner->on_master_subscribed(channel);
        is_probed_ = true;
        check_ready();
    } else if (kind == "sunsubscribe") {
        // So a cluster tells also that a slot has gone to another master.
        if (channel == probe_) return link.lose("the cluster has moved a slot");
        owner->on_master_unsubscribed(channel);
    }
}

inline bool RedisMaster::is_passing(std::string_view error) {
    error = error.substr(0, 200);
    // Older servers wrap what a script has met.
    for (std::string_view const code : {"READONLY", "LOADING", "MASTERDOWN", "NOREPLICAS", "MISCONF", "BUSY", "NOSCRIPT",
                                        "NOAUTH", "CLUSTERDOWN", "MOVED", "ASK", "TRYAGAIN", "UNKILLABLE", "OVERTAKES"}) {
        std::size_t const at = error.find(code);
        if (at != std::string_view::npos && (at == 0 || error[at - 1] == ' ' || error[at - 1] == '-')) return true;
    }
    return false;
}

}  // namespace hubbub::inline v0::detail
