#pragma once

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <hubbub/backplane/backplane_host.hpp>
#include <hubbub/backplane/redis/redis_master.hpp>
#include <hubbub/backplane/redis/redis_names.hpp>
#include <hubbub/backplane/redis/redis_reader.hpp>
#include <hubbub/core/entropy.hpp>
#include <hubbub/core/small_random.hpp>

namespace hubbub::inline v0::detail {

/// What is said to Redis of publications and histories, and what its replies mean.
///
/// A message that is published is 'p' and the body, or with history 'h', epoch, ' ', offset, ' ' and the body: who hears it on a
/// channel does not know otherwise which of both the topic is.
///
/// Lifetime: the words of a command are borrowed until the next is made, and from what it was made of.
class RedisRequests {
   public:
    using Words = std::span<std::string_view const>;

    explicit RedisRequests(RedisNames const& names) : names_(names), random_(entropy()) {}

    Words publish(BackplanePublication const& it, RedisMaster const& master, std::string const& channel) {
        body_.assign(1, 'p').append(it.body);
        return begin({master.words().publish, channel, body_});
    }
    /// `after`: the serial of the one that went out before it to this topic and is not answered yet, or 0.
    Words publish_kept(BackplanePublication const& it, RedisMaster const& master, std::string const& channel,
                       std::uint64_t after) {
        begin_script(master.publish_script(), master, channel, *it.history);
        for (std::uint64_t const value : {it.serial, after}) add(value);
        words_.push_back(names_.node());
        add(it.id);
        add(static_cast<std::uint64_t>(it.history->id_age.count()));
        add(std::max(1u, it.history->ids));
        add(it.history->newest_per_key ? it.key : 0);
        words_.insert(words_.end(), {master.words().publish, channel, it.body});
        return words_;
    }
    Words read(RedisMaster const& master, std::string const& channel, HistoryLimits const& limits, Position since) {
        begin_script(master.read_script(), master, channel, limits);
        for (std::uint64_t const value : {since.epoch, since.offset, std::uint64_t{65'536}}) add(value);
        return words_;
    }
    Words touch(RedisMaster const& master, std::string const& channel, std::chrono::milliseconds lives) {
        begin_keys(master.touch_script(), channel);
        add(static_cast<std::uint64_t>(lives.count()));
        return words_;
    }
    /// Gives back the memory of a large body.
    void settle() {
        if (body_.capacity() > std::size_t{1} << 16) body_ = {};
    }

    /// What is kept lives well beyond what anybody may ask for.
    static std::chrono::milliseconds life(HistoryLimits const& limits) {
        return 2 * std::max(limits.age, limits.id_age) + std::chrono::hours(1);
    }

    struct Published {
        BackplaneOutcome outcome;
        Position position{};
    };
    /// Null: no reply came.
    static Published published(redisReply const* reply);
    static BackplaneHistory history(redisReply const* reply, Position since);
    /// False if it is none.
    static bool message(std::string_view payload, std::string_view& body, Position& position);
    static bool is_passing(redisReply const* reply) {
        return reply && reply->type == REDIS_REPLY_ERROR && RedisMaster::is_passing(redis_text(*reply));
    }

   private:
    Words begin(std::initializer_list<std::string_view> words) {
        numbers_.clear();
        return words_ = words;
    }
    void begin_keys(std::string_view script, std::string const& channel) {
        keys_ = RedisNames::keys(channel);
        begin({"EVALSHA", script, "6", keys_[0], keys_[1], keys_[2], keys_[3], keys_[4], keys_[5]});
    }
    void begin_script(std::string_view script, RedisMaster const& master, std::string const& channel,
                      HistoryLimits const& limits) {
        begin_keys(script, channel);
        words_.push_back(master.generation());
        std::uint64_t epoch = 0;
        while (epoch == 0) epoch = random_();
        add(epoch);
        add(static_cast<std::uint64_t>(life(limits).count()));
        add(limits.messages);
        add(limits.bytes);
        add(static_cast<std::uint64_t>(limits.age.count()));
    }
    void add(std::uint64_t value) { words_.push_back(numbers_.emplace_back(std::to_string(value))); }
    static std::uint64_t number(std::string_view text) noexcept {
        std::uint64_t value = 0;
        std::from_chars(text.data(), text.data() + text.size(), value);
        return value;
    }

    RedisNames const& names_;
    SmallRandom random_;
    RedisNames::Keys keys_;
    std::deque<std::string> numbers_;  // which stay where they are while more come
    std::string body_;
    std::vector<std::string_view> words_;
};

inline RedisRequests::Published RedisRequests::published(redisReply const* reply) {
    if (!reply || is_passing(reply)) return {BackplaneOutcome::unknown};
    if (reply->type == REDIS_REPLY_ERROR) return {BackplaneOutcome::refused};
    redisReply const* const repeated = redis_element(*reply, 2);
    if (!repeated) return {BackplaneOutcome::done};  // how many a PUBLISH has reached says nothing about other nodes
    return {repeated->integer != 0 ? BackplaneOutcome::repeated : BackplaneOutcome::done,
            {number(redis_text(*reply, 0)), number(redis_text(*reply, 1))}};
}

inline BackplaneHistory RedisRequests::history(redisReply const* reply, Position since) {
    BackplaneHistory it;
    redisReply const* const entries = reply ? redis_element(*reply, 4) : nullptr;
    if (!entries) {
        it.failed = true;
        it.begins = since;
        return it;
    }
    it.begins = {number(redis_text(*reply, 0)), number(redis_text(*reply, 1))};
    it.more = reply->element[2]->integer != 0;
    it.reached = number(redis_text(*reply, 3));
    it.entries.reserve(entries->elements / 3);
    for (std::size_t i = 0; i + 2 < entries->elements; i += 3)
        it.entries.push_back({number(redis_text(*entries, i)),
                              std::chrono::milliseconds(std::max(0ll, entries->element[i + 1]->integer)),
                              redis_text(*entries, i + 2)});
    return it;
}

inline bool RedisRequests::message(std::string_view payload, std::string_view& body, Position& position) {
    if (payload.empty()) return false;
    char const kind = payload.front();
    body = payload.substr(1);
    position = {};
    if (kind != 'h') return kind == 'p';
    for (std::uint64_t* const part : {&position.epoch, &position.offset}) {
        std::size_t const end = body.find(' ');
        if (end == std::string_view::npos) return false;
        *part = number(body.substr(0, end));
        body.remove_prefix(end + 1);
    }
    return position.epoch != 0;
}

}  // namespace hubbub::inline v0::detail
