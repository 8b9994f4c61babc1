#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <unordered_map>
#include <utility>
#include <vector>

#include <hubbub/backplane/backplane_host.hpp>
#include <hubbub/backplane/redis/redis_finder.hpp>
#include <hubbub/backplane/redis/redis_held.hpp>
#include <hubbub/backplane/redis/redis_master.hpp>
#include <hubbub/backplane/redis/redis_names.hpp>
#include <hubbub/backplane/redis/redis_options.hpp>
#include <hubbub/backplane/redis/redis_requests.hpp>
#include <hubbub/backplane/redis/redis_topics.hpp>
#include <hubbub/core/entropy.hpp>
#include <hubbub/core/small_random.hpp>
#include <hubbub/transport/tcp/asio_loop.hpp>

namespace hubbub::inline v0::detail {

/// What RedisBackplane is, held by handlers too: one that runs when the backplane has gone finds `host_` null and does nothing.
///
/// It is down (waits, asks where the masters are, connects) or up: all masters are ready. Whatever goes wrong takes it down as a
/// whole and up again, because that is the only way that keeps the order of what was sent behind what went wrong.
class RedisCore final : public RedisMasterOwner, public RedisFinderOwner, public std::enable_shared_from_this<RedisCore> {
   public:
    RedisCore(RedisOptions const& options, std::string const& url, std::uint64_t node, AsioLoop& loop, BackplaneHost& host)
        : options_(options),
          loop_(loop),
          host_(&host),
          names_(options.prefix, node),
          requests_(names_),
          random_(entropy()),
          retry_(loop.executor()),
          tick_(loop.executor()),
          hold_(loop.executor()) {
        (void)url_.parse(url);
        login_ = {url_.user, url_.password, {}, url_.database};
        for (char const c : options.prefix) login_.name += c > ' ' && c < '\x7f' ? c : '_';
        login_.name += '-' + names_.node();
    }

    void start() { begin_soon({}); }
    void stop() noexcept {
        host_ = nullptr;
        retry_.cancel();
        tick_.cancel();
        hold_.cancel();
        close_all();
    }

    void subscribe(std::string_view topic) { topics_.subscribe(topic); }
    void unsubscribe(std::string_view topic) { topics_.unsubscribe(topic); }
    void publish(BackplanePublication const& it);
    void read(std::string_view topic, HistoryLimits const& limits, Position since);
    void flush();

   private:
    // What a handler of a timer does, in a turn, unless the backplane has gone.
    template <class Function>
    auto when_alive(Function function) {
        return [weak = weak_from_this(), function](std::error_code error) {
            auto const self = weak.lock();
            if (error || !self || !self->host_) return;
            self->loop_.claim();
            self->loop_.turn([&] { function(*self); });
        };
    }

    void begin_soon(std::chrono::milliseconds pause) {
        retry_.expires_after(pause);
        retry_.async_wait(when_alive([](RedisCore& self) { self.begin(); }));
    }
    void begin();
    void connect(std::vector<RedisHome> homes);
    void fail(std::string_view why);
    /// Everything is well, but elsewhere: that is no reason to wait longer each time.
    void begin_anew(std::string_view why) {
        failures_ = 0;
        fail(why);
    }
    void close_all() noexcept {
        if (finder_) finder_->close();
        for (auto const& master : masters_) master->close();
    }
    void tick_soon() {
        tick_.expires_after(options_.probe_every);
        tick_.async_wait(when_alive([](RedisCore& self) { self.on_tick(); }));
    }
    void on_tick();

    void on_found(std::vector<RedisHome> homes) override;
    void on_not_found(std::string_view why) override {
        if (host_ && !is_up_) fail(why);
    }
    void on_master_ready() override;
    void on_master_lost(std::string_view why) override {
        if (!host_) return;
        if (is_cluster() &&
            (why.find("MOVED ") != std::string_view::npos || why.find("moved a slot") != std::string_view::npos))
            begin_anew(why);
        else
            fail(why);
    }
    void on_master_message(std::string_view channel, std::string_view payload) override;
    void on_master_unsubscribed(std::string_view channel) override;
    void on_master_subscribed(std::string_view channel) override {
        std::string_view topic;
        if (host_ && names_.topic_of(channel, topic) && topics_.confirm(topic)) host_->on_subscribed(topic);
    }

    bool is_cluster() const noexcept { return url_.kind == RedisUrl::Kind::cluster; }
    RedisMaster& master_of(std::string_view channel) {
        return *masters_[masters_.size() == 1 ? 0 : slots_[redis_slot(channel)]];
    }
    /// A command about a topic, and its answer; in a cluster it waits where its slot is on its way.
    void send(std::string const& channel, RedisRequests::Words words, RedisLink::Answer answer);
    void send_held(std::uint16_t slot, RedisHeld::Pointer command);
    void retry_held_soon() {
        hold_.expires_after(std::chrono::milliseconds(20));
        hold_.async_wait(when_alive([](RedisCore& self) {
            self.held_.retry(
                [&self](std::uint16_t slot, RedisHeld::Pointer command) { self.send_held(slot, std::move(command)); });
            if (!self.held_.is_empty()) self.retry_held_soon();
            self.flush();
        }));
    }
    struct Open {
        std::uint64_t newest = 0;
        std::size_t count = 0;
    };
    using LastOpen = std::unordered_map<std::string, Open>;
    void on_published(std::uint64_t serial, LastOpen::value_type* last, RedisMaster& master, redisReply const* reply);
    /// What goes wrong for a while takes all down, behind the answer to what has met it.
    void lose_if_passing(RedisMaster& master, redisReply const* reply) {
        if (host_ && is_up_ && RedisRequests::is_passing(reply)) master.lose(redis_text(*reply));
    }
    std::string place() const;

    RedisOptions const options_;
    AsioLoop& loop_;
    BackplaneHost* host_;
    RedisNames names_;
    RedisRequests requests_;
    SmallRandom random_;
    AsioLoop::Timer retry_, tick_, hold_;
    RedisUrl url_;
    RedisLogin login_;
    RedisTopics topics_;
    std::shared_ptr<RedisFinder> finder_;
    std::vector<RedisHome> homes_;
    std::vector<std::shared_ptr<RedisMaster>> masters_;
    std::vector<std::uint16_t> slots_;  // of a cluster with several masters: slot -> master
    RedisHeld held_;
    LastOpen last_open_;                   // of each topic with history: the newest that is not answered yet
    std::vector<std::uint64_t> too_late_;  // published while the rest was being answered
    bool is_up_ = false, was_told_up_ = false;
    unsigned failures_ = 0;
    TimePoint up_since_{}, ticked_{}, asked_{};
};

inline void RedisCore::begin() {
    if (url_.kind == RedisUrl::Kind::tcp || url_.kind == RedisUrl::Kind::local) return connect({{url_.places[0]}});
    if (finder_) finder_->close();
    RedisLogin login = login_;
    if (url_.kind == RedisUrl::Kind::sentinel) login = {options_.sentinel_user, options_.sentinel_password, login_.name, 0};
    finder_ = std::make_shared<RedisFinder>(loop_, options_, url_, std::move(login), weak_from_this());
    finder_->ask();
}

inline void RedisCore::on_found(std::vector<RedisHome> homes) {
    if (!host_) return;
    if (masters_.empty()) return connect(std::move(homes));
    if (homes != homes_) begin_anew(is_cluster() ? "the cluster has other slots now" : "the sentinels know another master now");
}

inline void RedisCore::connect(std::vector<RedisHome> homes) {
    homes_ = std::move(homes);
    slots_.assign(homes_.size() > 1 ? 16384 : 0, 0);
    for (std::size_t i = 0; i < homes_.size(); ++i)
        for (auto const& [first, last] : homes_[i].slots)
            if (!slots_.empty()) std::fill(slots_.begin() + first, slots_.begin() + last + 1, static_cast<std::uint16_t>(i));
    asked_ = loop_.now();
    for (std::size_t i = 0; i < homes_.size(); ++i) {
        std::uint32_t probe = 0;
        while (!slots_.empty() && slots_[redis_slot(names_.probe(probe))] != i) ++probe;
        masters_.push_back(std::make_shared<RedisMaster>(
            loop_, options_, is_cluster() ? RedisMaster::sharded : RedisMaster::usual, homes_[i].place, weak_from_this()));
        masters_.back()->connect(url_.tls ? &options_.tls : nullptr, login_, names_.probe(probe));
    }
}

inline std::string RedisCore::place() const {
    std::string text;
    for (RedisHome const& home : homes_) text += (text.empty() ? "" : ", ") + home.place.text();
    return text;
}

inline void RedisCore::on_master_ready() {
    if (!host_ || is_up_) return;
    for (auto const& master : masters_)
        if (!master->is_ready()) return;
    is_up_ = was_told_up_ = true;
    up_since_ = ticked_ = loop_.now();
    topics_.forget_told();
    tick_soon();
    host_->on_event("backplane_connected", place());
    if (host_) host_->on_ready(true, {});
    if (host_) flush();
}

inline void RedisCore::fail(std::string_view reason) {
    std::string const why(reason);
    auto const self = shared_from_this();  // the host may destroy the backplane in any of what it is told
    close_all();
    tick_.cancel();
    hold_.cancel();
    is_up_ = false;
    auto const masters = std::exchange(masters_, {});
    for (auto const& master : masters)
        if (host_) master->fail_calls();
    if (host_) held_.fail();
    while (host_ && !too_late_.empty()) {
        std::uint64_t const serial = too_late_.back();
        too_late_.pop_back();
        host_->on_published(serial, BackplaneOutcome::unknown, {});
    }
    if (!host_) return;
    if (std::exchange(was_told_up_, false)) {
        if (loop_.now() - up_since_ > options_.connect_limit) failures_ = 0;
        host_->on_ready(false, why);
        if (!host_) return;
    }
    auto const longest = std::min(options_.retry_most, options_.retry_first * (1 << std::min(failures_++, 16u)));
    auto const pause = std::chrono::milliseconds(random_() % static_cast<std::uint64_t>(longest.count() + 1));
    begin_soon(pause);
    host_->on_event("backplane_retry", "in " + std::to_string(pause.count()) + " ms: " + why);
}

inline void RedisCore::on_tick() {
    if (!is_up_) return;
    TimePoint const now = loop_.now();
    bool const late = now - std::exchange(ticked_, now) > options_.probe_limit;
    auto const masters = masters_;
    for (auto const& master : masters) {
        master->probe(now, late);
        if (!host_ || !is_up_) return;
    }
    topics_.touch_old(now, [&](std::string const& topic, RedisTopics::Topic const& state) {
        std::string const channel = names_.channel(topic);
        RedisMaster& master = master_of(channel);
        master.commands().call(requests_.touch(master, channel, state.lives), [](redisReply const*) {});
    });
    if (finder_ && now - asked_ >= options_.ask_every) {
        asked_ = now;
        finder_->ask();
        if (!host_ || !is_up_) return;
    }
    tick_soon();
    flush();
}

inline void RedisCore::flush() {
    if (!is_up_) return;
    static constexpr std::size_t batch = 200;
    auto const send = [](RedisMaster& master, std::string_view command, std::vector<std::string>& channels) {
        std::vector<std::string_view> words{command};
        words.insert(words.end(), channels.begin(), channels.end());
        master.subscriber().say(words);
        channels.clear();
    };
    std::vector<std::string> wanted, unwanted;
    auto const add = [&](std::vector<std::string>& channels, std::string_view command, std::string const& topic) {
        channels.push_back(names_.channel(topic));
        // A cluster takes only channels of one slot in one command.
        if (is_cluster() || channels.size() == batch) send(master_of(channels.back()), command, channels);
    };
    auto const& words = masters_[0]->words();
    topics_.take_changes([&](std::string const& topic) { add(wanted, words.subscribe, topic); },
                         [&](std::string const& topic) { add(unwanted, words.unsubscribe, topic); });
    if (!wanted.empty()) send(*masters_[0], words.subscribe, wanted);
    if (!unwanted.empty()) send(*masters_[0], words.unsubscribe, unwanted);
    for (auto const& master : masters_) {
        master->subscriber().flush();
        master->commands().flush();
    }
}

inline void RedisCore::send(std::string const& channel, RedisRequests::Words words, RedisLink::Answer answer) {
    if (!is_cluster()) return masters_[0]->commands().call(words, std::move(answer));
    std::uint16_t const slot = redis_slot(channel);
    auto command = std::make_unique<RedisHeld::Command>();
    command->words.assign(words.begin(), words.end());
    command->answer = std::move(answer);
    if (held_.is_waiting(slot))
        held_.hold(slot, std::move(command));
    else
        send_held(slot, std::move(command));
}

inline void RedisCore::send_held(std::uint16_t slot, RedisHeld::Pointer command) {
    std::vector<std::string_view> const words(command->words.begin(), command->words.end());
    RedisMaster& master = *masters_[slots_.empty() ? 0 : slots_[slot]];
    master.commands().call(words, [this, slot, command = std::move(command)](redisReply const* reply) mutable {
        if (host_ && is_up_ && RedisHeld::is_moving(reply)) {
            if (held_.is_empty()) retry_held_soon();
            return held_.hold(slot, std::move(command));
        }
        command->answer(reply);
        if (!command->is_retried || !host_ || !is_up_) return;
        if (RedisHeld::Pointer next = held_.next(slot)) send_held(slot, std::move(next));
    });
}

inline void RedisCore::publish(BackplanePublication const& it) {
    if (!is_up_) return too_late_.push_back(it.serial);
    std::string const channel = names_.channel(it.topic);
    RedisMaster& master = master_of(channel);
    LastOpen::value_type* last = nullptr;
    RedisRequests::Words words;
    if (it.history) {
        last = &*last_open_.try_emplace(std::string(it.topic)).first;
        ++last->second.count;
        words = requests_.publish_kept(it, master, channel, std::exchange(last->second.newest, it.serial));
    } else {
        words = requests_.publish(it, master, channel);
    }
    send(channel, words,
         [this, serial = it.serial, last, &master](redisReply const* reply) { on_published(serial, last, master, reply); });
    requests_.settle();
}

inline void RedisCore::on_published(std::uint64_t serial, LastOpen::value_type* last, RedisMaster& master,
                                    redisReply const* reply) {
    if (!host_) return;
    if (last && --last->second.count == 0) last_open_.erase(last_open_.find(last->first));
    auto const published = RedisRequests::published(reply);
    host_->on_published(serial, published.outcome, published.position);
    lose_if_passing(master, reply);
}

inline void RedisCore::read(std::string_view topic, HistoryLimits const& limits, Position since) {
    std::string const channel = names_.channel(topic);
    RedisMaster& master = master_of(channel);
    if (RedisTopics::Topic* const state = topics_.find(topic)) {
        state->lives = RedisRequests::life(limits);
        state->touch_at = loop_.now() + state->lives / 4;
    }
    send(channel, requests_.read(master, channel, limits, since),
         [this, name = std::string(topic), since, &master](redisReply const* reply) {
             if (!host_) return;
             host_->on_history(name, RedisRequests::history(reply, since));
             lose_if_passing(master, reply);
         });
}

inline void RedisCore::on_master_message(std::string_view channel, std::string_view payload) {
    std::string_view topic, body;
    Position position;
    if (host_ && names_.topic_of(channel, topic) && topics_.find(topic) && RedisRequests::message(payload, body, position))
        host_->on_message(topic, body, position);
}

inline void RedisCore::on_master_unsubscribed(std::string_view channel) {
    std::string_view topic;
    if (!host_ || !names_.topic_of(channel, topic)) return;
    // Nobody here wanted that: the slot has another master now.
    RedisTopics::Topic const* const state = topics_.find(topic);
    if (state && state->told && state->unconfirmed == 0) begin_anew("the cluster has moved a slot");
}

}  // namespace hubbub::inline v0::detail
