#pragma once

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <hubbub/backplane/redis/redis_link.hpp>

namespace hubbub::inline v0::detail {

/// A master, and the slots of a cluster that are its own.
struct RedisHome {
    RedisUrl::Place place;
    std::vector<std::pair<std::uint16_t, std::uint16_t>> slots{};
    bool operator==(RedisHome const&) const = default;
};

/// What a finder tells; in a turn of the loop, once for each `ask`.
struct RedisFinderOwner {
    virtual void on_found(std::vector<RedisHome> homes) = 0;
    virtual void on_not_found(std::string_view why) = 0;

   protected:
    ~RedisFinderOwner() = default;
};

/// Asks sentinels for the master, or nodes of a cluster for the slots: one of them after the other, until one answers. It goes on
/// with that one the next time.
class RedisFinder final : public RedisLinkOwner, public std::enable_shared_from_this<RedisFinder> {
   public:
    RedisFinder(AsioLoop& loop, RedisOptions const& options, RedisUrl const& url, RedisLogin login,
                std::weak_ptr<RedisFinderOwner> owner)
        : loop_(loop), options_(options), url_(url), login_(std::move(login)), owner_(std::move(owner)), places_(url.places) {}

    void ask() {
        if (is_asking_) {  // still, although it was connected long ago
            if (link_->is_settled()) link_->lose("no answer");
            return;
        }
        is_asking_ = true;
        tried_ = 0;
        reasons_.clear();
        if (link_ && !link_->is_closed())
            send();
        else
            connect();
    }
    void close() noexcept {
        if (link_) link_->close();
    }

   private:
    void connect() {
        link_ = std::make_shared<RedisLink>(loop_, options_, weak_from_this());
        link_->connect(places_[at_ % places_.size()], url_.tls ? &options_.tls : nullptr, login_, options_.connect_limit);
    }
    void send() {
        auto answer = [this](redisReply const* reply) {
            if (!reply || !is_asking_) return;
            std::string const wrong = url_.kind == RedisUrl::Kind::sentinel ? read_master(*reply) : read_slots(*reply);
            if (!wrong.empty()) return link_->lose(wrong);
            link_->settled();
            is_asking_ = false;
            if (auto const owner = owner_.lock()) owner->on_found(std::move(homes_));
        };
        if (url_.kind == RedisUrl::Kind::sentinel)
            link_->call({"SENTINEL", "GET-MASTER-ADDR-BY-NAME", url_.master}, answer);
        else
            link_->call({"CLUSTER", "SLOTS"}, answer);
        link_->flush();
    }
    void on_link_up(RedisLink&) override { send(); }
    void on_link_push(RedisLink&, redisReply const&) override {}
    void on_link_lost(RedisLink&, std::string_view why) override {
        ++at_;
        if (!is_asking_) return;
        reasons_.append(reasons_.empty() ? "" : "; ").append(why);  // of each, since the last need not say the most
        if (++tried_ < places_.size()) return connect();
        is_asking_ = false;
        if (auto const owner = owner_.lock()) owner->on_not_found(reasons_);
    }

    std::string read_master(redisReply const& reply);
    std::string read_slots(redisReply const& reply);

    AsioLoop& loop_;
    RedisOptions const& options_;
    RedisUrl const& url_;
    RedisLogin login_;
    std::weak_ptr<RedisFinderOwner> owner_;
    std::vector<RedisUrl::Place> places_;
    std::size_t at_ = 0, tried_ = 0;
    bool is_asking_ = false;
    std::string reasons_;
    std::shared_ptr<RedisLink> link_;
    std::vector<RedisHome> homes_;
};

inline std::string RedisFinder::read_master(redisReply const& reply) {
    std::string_view const host = redis_text(reply, 0), port = redis_text(reply, 1);
    RedisHome home{{std::string(host), 0}};
    std::from_chars(port.data(), port.data() + port.size(), home.place.port);
    if (reply.type == REDIS_REPLY_ERROR) return std::string(redis_text(reply));
    if (host.empty() || home.place.port == 0) return "the sentinel knows no such master";
    homes_ = {std::move(home)};
    return {};
}

inline std::string RedisFinder::read_slots(redisReply const& reply) {
    if (reply.type == REDIS_REPLY_ERROR) return std::string(redis_text(reply));
    std::vector<RedisHome> homes;
    std::size_t covered = 0;
    for (std::size_t i = 0; redisReply const* const range = redis_element(reply, i); ++i) {
        redisReply const* const first = redis_element(*range, 0);
        redisReply const* const last = redis_element(*range, 1);
        redisReply const* const node = redis_element(*range, 2);
        redisReply const* const port = node ? redis_element(*node, 1) : nullptr;
        if (!first || !last || !port || first->integer < 0 || last->integer > 16383 || first->integer > last->integer ||
            port->integer < 1 || port->integer > 65535)
            return "CLUSTER SLOTS answers what cannot be";
        // An empty or missing host is the one that was asked.
        std::string_view const host = redis_text(*node, 0);
        RedisUrl::Place place{host.empty() || host == "?" ? places_[at_ % places_.size()].host : std::string(host),
                              static_cast<std::uint16_t>(port->integer)};
        auto found = std::find_if(homes.begin(), homes.end(), [&](RedisHome const& home) { return home.place == place; });
        if (found == homes.end()) found = homes.insert(homes.end(), RedisHome{std::move(place)});
        found->slots.emplace_back(static_cast<std::uint16_t>(first->integer), static_cast<std::uint16_t>(last->integer));
        covered += static_cast<std::size_t>(last->integer - first->integer) + 1;
    }
    if (covered != 16384) return "the cluster does not cover all slots";
    for (RedisHome& home : homes) std::sort(home.slots.begin(), home.slots.end());
    std::sort(homes.begin(), homes.end(), [](RedisHome const& a, RedisHome const& b) { return a.slots < b.slots; });
    // Those that the URL names may all go; whoever is in the cluster now can be asked too.
    places_ = url_.places;
    for (RedisHome const& home : homes)
        if (std::find(places_.begin(), places_.end(), home.place) == places_.end()) places_.push_back(home.place);
    homes_ = std::move(homes);
    return {};
}

}  // namespace hubbub::inline v0::detail
