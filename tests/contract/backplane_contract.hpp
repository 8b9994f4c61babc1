// What every RemoteBackplane must do, a section for each sentence of backplane/backplane.hpp. A model brings a fixture, of which each
// section makes one:
//
//     struct Fixture {
//         using Backplane = ...;
//         Backplane::Options options();   // to a broker that is there; its limits short, so that losses are soon noticed
//         void cut();       // all connections to the broker are lost, and may be made again
//         void freeze();    // the broker takes bytes and does nothing, and no connection is lost
//         void thaw();      // it goes on where it was
//         void deafen();    // subscriptions bring nothing any more, while connections look alive; new connections are good
//         void empty();     // the broker has lost all that it kept, and no connection
//         void restart();   // the broker is ended and begun again
//     };
#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <hubbub/backplane/backplane.hpp>

#include "tests/support/catch.hpp"

namespace hubbub_contract {

using hubbub::BackplaneOutcome;
using hubbub::Position;

/// One node: a backplane on its thread, and a host that writes down what it is told.
///
/// Threading: the functions are for the test's thread; they run what they have to in a turn, and wait for it.
template <class Backplane>
class BackplaneNode final : hubbub::BackplaneHost, hubbub::TurnHook {
   public:
    struct Message {
        std::string topic, body;
        Position position;
    };
    struct Entry {
        std::uint64_t offset;
        std::chrono::milliseconds age;
        std::string body;
    };
    struct Page {
        bool failed = false, complete = false, more = false;
        Position begins;
        std::uint64_t reached = 0;
        std::vector<Entry> entries;
        std::vector<std::string> bodies() const {
            std::vector<std::string> all;
            for (Entry const& entry : entries) all.push_back(entry.body);
            return all;
        }
    };
    struct Answer {
        BackplaneOutcome outcome;
        Position position;
    };
    struct Extra {
        std::uint64_t key = 0, id = 0;
    };

    BackplaneNode(typename Backplane::Options const& options, std::uint64_t node, std::size_t broker = 0)
        : thread_(Backplane::make_thread(options)) {
        in_turn([&] {
            thread_->loop().attach(this);
            backplane_.emplace(options, broker, node, *thread_, static_cast<hubbub::BackplaneHost&>(*this));
            call([&] { backplane_->start(); });
        });
    }
    ~BackplaneNode() {
        in_turn([&] {
            thread_->loop().attach(nullptr);
            backplane_.reset();
        });
        thread_.reset();
        CHECK(wrongs_ == std::vector<std::string>{});
    }

    /// Made, and it can be published.
    BackplaneNode& ready(std::size_t times = 1) {
        wait([&] { return readies_ >= times && is_ready_; });
        return *this;
    }
    void subscribe(std::string const& topic) {
        std::size_t const before = subscribed(topic);
        ask_to_subscribe(topic);
        wait([&] { return subscribed_[topic] > before; });
    }
    void ask_to_subscribe(std::string const& topic) {
        in_turn([&] { call([&] { backplane_->subscribe(topic); }); });
    }
    void unsubscribe(std::string const& topic) {
        in_turn([&] { call([&] { backplane_->unsubscribe(topic); }); });
    }
    std::uint64_t next_serial() { return ++serial_; }
    /// Hands it over, and does not wait for its answer. 0 if the backplane is not ready.
    std::uint64_t publish(std::string const& topic, std::string const& body, hubbub::HistoryLimits const* limits,
                          Extra const& extra = {}, std::uint64_t serial = 0) {
        if (serial == 0) serial = next_serial();
        bool was_ready = false;
        in_turn([&] {
            was_ready = is_ready_;
            if (!was_ready) return;
            open_.insert(serial);
            hubbub::BackplanePublication it{topic, body, serial, limits, extra.key, extra.id};
            call([&] { backplane_->publish(it); });
        });
        return was_ready ? serial : 0;
    }
    /// All in one turn, so that what becomes of the first is not known when the last is handed over.
    std::vector<std::uint64_t> publish_together(std::string const& topic, std::vector<std::string> const& bodies,
                                                hubbub::HistoryLimits const* limits) {
        std::vector<std::uint64_t> serials;
        in_turn([&] {
            if (!is_ready_) return;
            for (std::string const& body : bodies) {
                serials.push_back(next_serial());
                open_.insert(serials.back());
                hubbub::BackplanePublication it{topic, body, serials.back(), limits};
                call([&] { backplane_->publish(it); });
            }
        });
        return serials;
    }
    Answer answer(std::uint64_t serial) {
        wait([&] { return answers_.contains(serial); });
        std::lock_guard const lock(mutex_);
        auto const answer = answers_.at(serial);
        answers_.erase(serial);
        if (answer.outcome == BackplaneOutcome::refused) UNSCOPED_INFO(events_);  // why it was refused
        return answer;
    }
    Answer publish_and_wait(std::string const& topic, std::string const& body, hubbub::HistoryLimits const* limits,
                            Extra const& extra = {}, std::uint64_t serial = 0) {
        if (serial == 0) serial = next_serial();
        while (publish(topic, body, limits, extra, serial) == 0) wait([&] { return is_ready_; });
        return answer(serial);
    }
    /// False: it is not ready, and nothing was asked.
    bool ask_to_read(std::string const& topic, hubbub::HistoryLimits const& limits, Position since) {
        bool was_ready = false;
        in_turn([&] {
            was_ready = is_ready_;
            if (!was_ready) return;
            open_reads_.push_back(since);
            call([&] { backplane_->read(topic, limits, since); });
        });
        return was_ready;
    }
    Page read(std::string const& topic, hubbub::HistoryLimits const& limits, Position since = {}) {
        std::size_t const before = locked([&] { return pages_.size(); });
        while (!ask_to_read(topic, limits, since)) wait([&] { return is_ready_; });
        wait([&] { return pages_.size() > before; });
        return locked([&] { return pages_.back(); });
    }
    /// All parts as one.
    Page read_all(std::string const& topic, hubbub::HistoryLimits const& limits, Position since = {}) {
        Page all = read(topic, limits, since);
        while (all.more && !all.failed) {
            Page next = read(topic, limits, {all.begins.epoch, all.reached});
            if (next.begins != Position{all.begins.epoch, all.reached}) return next;
            all.complete = all.complete && next.complete;
            all.more = next.more;
            all.reached = next.reached;
            all.failed = next.failed;
            all.entries.insert(all.entries.end(), next.entries.begin(), next.entries.end());
        }
        return all;
    }
    std::vector<Message> messages(std::string const& topic) {
        return locked([&] {
            std::vector<Message> found;
            for (Message const& message : messages_)
                if (message.topic == topic) found.push_back(message);
            return found;
        });
    }
    std::vector<Message> messages(std::string const& topic, std::size_t count) {
        wait([&] {
            return static_cast<std::size_t>(std::count_if(messages_.begin(), messages_.end(), [&](Message const& message) {
                       return message.topic == topic;
                   })) >= count;
        });
        return messages(topic);
    }
    std::vector<std::string> bodies(std::string const& topic, std::size_t count) {
        std::vector<std::string> found;
        for (Message const& message : messages(topic, count)) found.push_back(message.body);
        return found;
    }
    std::size_t subscribed(std::string const& topic) {
        return locked([&] { return subscribed_[topic]; });
    }
    void wait_subscribed(std::string const& topic, std::size_t times) {
        wait([&] { return subscribed_[topic] >= times; });
    }
    std::size_t readies() {
        return locked([&] { return readies_; });
    }
    void wait_not_ready() {
        wait([&] { return !is_ready_; });
    }
    std::string events() {
        return locked([&] { return events_; });
    }
    void wait_event(std::string const& part) {
        wait([&] { return events_.find(part) != std::string::npos; });
    }

    template <class Function>
    auto locked(Function&& function) {
        std::lock_guard const lock(mutex_);
        return function();
    }
    /// Until `is_done`, which is called with the lock held.
    void wait(std::function<bool()> const& is_done) {
        std::unique_lock lock(mutex_);
        bool const came = changed_.wait_for(lock, std::chrono::seconds(30), is_done);
        if (!came) UNSCOPED_INFO(events_);
        lock.unlock();
        REQUIRE(came);
    }
    void in_turn(std::function<void()> const& function) {
        std::promise<void> done;
        thread_->loop().post([&] {
            function();
            thread_->loop().post([&] { done.set_value(); });  // behind the flush of this turn
        });
        done.get_future().wait();
    }
    Backplane& backplane() { return *backplane_; }

   private:
    template <class Function>
    void call(Function&& function) {
        is_calling_ = true;
        function();
        is_calling_ = false;
    }
    template <class Function>
    void told(Function&& function) {
        {
            std::lock_guard const lock(mutex_);
            if (is_calling_) wrongs_.push_back("the host was called from inside a call");
            if (!thread_->loop().runs_here() || !thread_->loop().in_turn())
                wrongs_.push_back("the host was called outside of a turn");
            function();
        }
        changed_.notify_all();
    }
    void on_turn_begin() noexcept override {}
    void on_turn_end() noexcept override {
        if (backplane_) call([&] { backplane_->flush(); });
    }
    void on_wake() noexcept override {}
    void on_ready(bool ready, std::string_view reason) override {
        told([&] {
            if (ready == is_ready_) wrongs_.push_back("on_ready told what it had told");
            is_ready_ = ready;
            if (ready) ++readies_;
            if (!ready && reason.empty()) wrongs_.push_back("not ready without a reason");
            if (!ready && (!open_.empty() || !open_reads_.empty()))
                wrongs_.push_back("not ready before all that is open was answered");
        });
    }
    void on_subscribed(std::string_view topic) override {
        told([&] { ++subscribed_[std::string(topic)]; });
    }
    void on_message(std::string_view topic, std::string_view body, Position position) override {
        told([&] { messages_.push_back({std::string(topic), std::string(body), position}); });
    }
    void on_published(std::uint64_t serial, BackplaneOutcome outcome, Position position) override {
        told([&] {
            if (open_.erase(serial) != 1) wrongs_.push_back("an answer that nobody waits for");
            answers_.insert_or_assign(serial, Answer{outcome, position});
        });
    }
    void on_history(std::string_view, hubbub::BackplaneHistory const& history) override {
        told([&] {
            if (open_reads_.empty()) return wrongs_.push_back("a read that nobody waits for");
            Position const since = open_reads_.front();
            open_reads_.pop_front();
            bool const is_complete = since.epoch == 0 || history.begins == since;
            Page page{history.failed, is_complete, history.more, history.begins, history.reached, {}};
            for (auto const& entry : history.entries)
                page.entries.push_back({entry.offset, entry.age, std::string(entry.body)});
            pages_.push_back(std::move(page));
        });
    }
    void on_event(std::string_view name, std::string_view detail) override {
        told([&] { events_.append(name).append(": ").append(detail).append("\n"); });
    }

    std::unique_ptr<typename Backplane::Thread> thread_;
    std::optional<Backplane> backplane_;
    bool is_calling_ = false;
    std::uint64_t serial_ = 0;
    std::mutex mutex_;
    std::condition_variable changed_;
    bool is_ready_ = false;
    std::size_t readies_ = 0;
    std::deque<Position> open_reads_;  ///< where each is to begin
    std::multiset<std::uint64_t> open_;
    std::map<std::uint64_t, Answer> answers_;
    std::map<std::string, std::size_t> subscribed_;
    std::vector<Message> messages_;
    std::vector<Page> pages_;
    std::vector<std::string> wrongs_;
    std::string events_;
};

inline std::vector<std::string> numbered(std::string const& name, int first, int last) {
    std::vector<std::string> all;
    for (int i = first; i <= last; ++i) all.push_back(name + std::to_string(i));
    return all;
}

inline hubbub::HistoryLimits ten_thousand() { return {.messages = 10'000, .bytes = std::size_t{64} << 20}; }

/// Polls what the broker answers, for what comes with time alone.
template <class Condition>
bool eventually(Condition&& condition, std::chrono::seconds patience = std::chrono::seconds(30)) {
    auto const end = std::chrono::steady_clock::now() + patience;
    while (!condition()) {
        if (std::chrono::steady_clock::now() > end) return false;
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return true;
}

template <class Fixture>
void plain_publications_keep_the_contract() {
    Fixture fixture;
    using Node = BackplaneNode<typename Fixture::Backplane>;
    Node one(fixture.options(), 1), other(fixture.options(), 2);
    one.ready();
    other.ready();

    SECTION("who is subscribed hears himself and others, in the order of each node") {
        one.subscribe("talk");
        other.subscribe("talk");
        for (int i = 1; i <= 300; ++i) {
            one.publish("talk", "one" + std::to_string(i), nullptr);
            other.publish("talk", "other" + std::to_string(i), nullptr);
        }
        for (Node* const node : {&one, &other}) {
            std::vector<std::string> of_one, of_other;
            for (auto const& message : node->messages("talk", 600)) {
                CHECK(message.position == Position{});
                (message.body.starts_with("one") ? of_one : of_other).push_back(message.body);
            }
            CHECK(of_one == numbered("one", 1, 300));
            CHECK(of_other == numbered("other", 1, 300));
        }
        for (std::uint64_t serial = 1; serial <= 300; ++serial) CHECK(one.answer(serial).outcome == BackplaneOutcome::done);
    }
    SECTION("nobody is subscribed, and the broker takes it") {
        CHECK(one.publish_and_wait("nobody", "x", nullptr).outcome == BackplaneOutcome::done);
    }
    SECTION("a subscription that was confirmed hears what others publish from there on; one that ended nothing") {
        one.subscribe("first");
        one.subscribe("second");
        other.publish_and_wait("first", "a", nullptr);
        CHECK(one.bodies("first", 1) == std::vector<std::string>{"a"});
        one.unsubscribe("first");
        other.publish_and_wait("first", "b", nullptr);
        other.publish_and_wait("second", "c", nullptr);
        CHECK(one.bodies("second", 1) == std::vector<std::string>{"c"});
        one.subscribe("first");
        other.publish_and_wait("first", "d", nullptr);
        CHECK(one.bodies("first", 2) == std::vector<std::string>{"a", "d"});
    }
    SECTION("what ends and begins within a turn is told as subscribed, and goes on") {
        one.subscribe("talk");
        one.in_turn([&] {
            one.backplane().unsubscribe("talk");
            one.backplane().subscribe("talk");
        });
        one.wait_subscribed("talk", 2);
        one.in_turn([&] {  // and what begins and ends is nothing
            one.backplane().subscribe("not");
            one.backplane().unsubscribe("not");
        });
        other.publish_and_wait("not", "x", nullptr);
        other.publish_and_wait("talk", "y", nullptr);
        CHECK(one.bodies("talk", 1) == std::vector<std::string>{"y"});
        CHECK(one.messages("not").empty());
        CHECK(one.subscribed("not") == 0);
    }
    SECTION("names and bodies are bytes") {
        std::vector<std::string> const topics{std::string("\0inbox", 6),
                                              std::string(255, 'x'),
                                              std::string("a b\r\nc", 6),
                                              "{}",
                                              "}{",
                                              std::string("\xff\x00\xfe", 3),
                                              "*",
                                              "a.b",
                                              "a.>",
                                              "?",
                                              "é"};
        std::string every_byte;
        for (int i = 0; i < 256; ++i) every_byte += static_cast<char>(i);
        std::vector<std::string> const bodies{"", std::string("\0\0", 2), every_byte, std::string(std::size_t{1} << 20, '\r')};
        for (std::string const& topic : topics) one.subscribe(topic);
        for (std::string const& topic : topics)
            for (std::string const& body : bodies) other.publish(topic, body, nullptr);
        for (std::string const& topic : topics) CHECK((one.bodies(topic, bodies.size()) == bodies));
    }
    SECTION("many topics in one turn") {
        one.in_turn([&] {
            for (int i = 0; i < 1500; ++i) one.backplane().subscribe("many" + std::to_string(i));
        });
        for (int i = 0; i < 1500; ++i) one.wait_subscribed("many" + std::to_string(i), 1);
        other.publish("many0", "x", nullptr);
        other.publish("many1499", "y", nullptr);
        CHECK(one.bodies("many1499", 1) == std::vector<std::string>{"y"});
        CHECK(one.bodies("many0", 1) == std::vector<std::string>{"x"});
    }
}

template <class Fixture>
void publications_with_history_keep_the_contract() {
    Fixture fixture;
    using Node = BackplaneNode<typename Fixture::Backplane>;
    Node one(fixture.options(), 1), other(fixture.options(), 2);
    one.ready();
    other.ready();
    auto limits = ten_thousand();

    SECTION("offsets begin with 1, and all nodes see one order") {
        one.subscribe("order");
        other.subscribe("order");
        for (int i = 1; i <= 200; ++i) {
            one.publish("order", "one" + std::to_string(i), &limits);
            other.publish("order", "other" + std::to_string(i), &limits);
        }
        auto const seen = one.messages("order", 400), seen_too = other.messages("order", 400);
        REQUIRE(seen.size() == 400);
        REQUIRE(seen_too.size() == 400);
        CHECK(seen[0].position.epoch != 0);
        std::vector<std::string> of_one;
        for (std::size_t i = 0; i < 400; ++i) {
            CHECK(seen[i].position == Position{seen[0].position.epoch, i + 1});
            CHECK(seen_too[i].position == seen[i].position);
            CHECK(seen_too[i].body == seen[i].body);
            if (seen[i].body.starts_with("one")) of_one.push_back(seen[i].body);
        }
        CHECK(of_one == numbered("one", 1, 200));
        auto const first = one.answer(1);
        CHECK(first.outcome == BackplaneOutcome::done);
        CHECK(first.position.epoch == seen[0].position.epoch);
    }
    SECTION("topics have each their own offsets") {
        CHECK(one.publish_and_wait("a", "x", &limits).position.offset == 1);
        CHECK(one.publish_and_wait("b", "x", &limits).position.offset == 1);
        CHECK(other.publish_and_wait("a", "x", &limits).position.offset == 2);
    }
    SECTION("a serial is published once") {
        one.subscribe("once");
        auto const first = one.publish_and_wait("once", "a", &limits);
        auto const second = one.publish_and_wait("once", "b", &limits);
        CHECK(one.publish_and_wait("once", "a", &limits, {}, 1).outcome == BackplaneOutcome::repeated);
        CHECK(one.publish_and_wait("once", "b", &limits, {}, 2).outcome == BackplaneOutcome::repeated);
        CHECK(second.position == Position{first.position.epoch, 2});
        CHECK(other.publish_and_wait("once", "c", &limits).outcome == BackplaneOutcome::done);        // its own serial 1
        CHECK(one.publish_and_wait("twice", "a", &limits, {}, 1).outcome == BackplaneOutcome::done);  // of another topic
        CHECK(one.bodies("once", 3) == std::vector<std::string>{"a", "b", "c"});
        CHECK(one.read("once", limits).bodies() == std::vector<std::string>{"a", "b", "c"});
    }
    SECTION("an id is published once, from whomever") {
        one.subscribe("ids");
        std::uint64_t const large = 0xfedcba9876543210u;
        auto const first = one.publish_and_wait("ids", "a", &limits, {.id = large});
        auto const again = other.publish_and_wait("ids", "b", &limits, {.id = large});
        CHECK(first.outcome == BackplaneOutcome::done);
        CHECK(again.outcome == BackplaneOutcome::repeated);
        CHECK((again.position.offset == 0 || again.position == first.position));
        CHECK(other.publish_and_wait("ids", "c", &limits, {.id = large + 1}).outcome == BackplaneOutcome::done);
        CHECK(one.bodies("ids", 2) == std::vector<std::string>{"a", "c"});
        CHECK(one.publish_and_wait("other", "d", &limits, {.id = large}).outcome == BackplaneOutcome::done);
    }
    SECTION("an id is forgotten after its time") {
        limits.id_age = std::chrono::milliseconds(200);
        CHECK(one.publish_and_wait("ids", "a", &limits, {.id = 7}).outcome == BackplaneOutcome::done);
        CHECK(
            eventually([&] { return one.publish_and_wait("ids", "b", &limits, {.id = 7}).outcome == BackplaneOutcome::done; }));
    }
    SECTION("names and bodies are bytes") {
        std::vector<std::string> const topics{
            std::string("\0inbox", 6), std::string(255, '\xff'), "{}", "}{", "a b\r\n", "*", "a.b", "a.>"};
        std::string every_byte;
        for (int i = 0; i < 256; ++i) every_byte += static_cast<char>(i);
        std::vector<std::string> const bodies{"", std::string("\0 1 2", 5), every_byte,
                                              std::string(std::size_t{1} << 20, '\n')};
        for (std::string const& topic : topics) {
            one.subscribe(topic);
            for (std::string const& body : bodies) other.publish(topic, body, &limits);
        }
        for (std::string const& topic : topics) {
            CHECK((one.bodies(topic, bodies.size()) == bodies));
            CHECK((one.read_all(topic, limits).bodies() == bodies));
        }
    }
}

template <class Fixture>
void reading_keeps_the_contract() {
    Fixture fixture;
    using Node = BackplaneNode<typename Fixture::Backplane>;
    Node one(fixture.options(), 1), other(fixture.options(), 2);
    one.ready();
    other.ready();
    auto limits = ten_thousand();
    auto const fill = [&](std::string const& topic, int first, int last) {
        typename Node::Answer last_answer{};
        for (int i = first; i <= last; ++i) last_answer = one.publish_and_wait(topic, "m" + std::to_string(i), &limits);
        return last_answer.position;
    };

    SECTION("a topic that the broker has never heard of gets a position") {
        auto const page = one.read("new", limits);
        CHECK_FALSE(page.failed);
        CHECK(page.complete);
        CHECK_FALSE(page.more);
        CHECK(page.begins.epoch != 0);
        CHECK(page.begins.offset == 0);
        CHECK(page.reached == 0);
        CHECK(page.entries.empty());
        CHECK(other.read("new", limits).begins == page.begins);
        CHECK(one.publish_and_wait("new", "x", &limits).position == Position{page.begins.epoch, 1});
    }
    SECTION("whole, and behind a position") {
        Position const newest = fill("whole", 1, 20);
        auto const all = other.read("whole", limits);
        CHECK(all.begins == Position{newest.epoch, 0});
        CHECK(all.complete);
        CHECK(all.reached == 20);
        CHECK(all.bodies() == numbered("m", 1, 20));
        for (std::size_t i = 0; i < all.entries.size(); ++i) {
            CHECK(all.entries[i].offset == i + 1);
            CHECK(all.entries[i].age >= std::chrono::milliseconds(0));
            CHECK(all.entries[i].age < std::chrono::seconds(60));
        }
        auto const some = other.read("whole", limits, {newest.epoch, 15});
        CHECK(some.complete);
        CHECK(some.begins == Position{newest.epoch, 15});
        CHECK(some.bodies() == numbered("m", 16, 20));
        auto const none = other.read("whole", limits, newest);
        CHECK(none.complete);
        CHECK(none.reached == 20);
        CHECK(none.entries.empty());
    }
    SECTION("from what cannot be, all that is kept") {
        Position const newest = fill("other", 1, 5);
        for (Position const since : {Position{newest.epoch + 1, 2}, Position{newest.epoch, 6}}) {
            auto const page = other.read("other", limits, since);
            CHECK_FALSE(page.complete);
            CHECK(page.begins == Position{newest.epoch, 0});
            CHECK(page.bodies() == numbered("m", 1, 5));
        }
    }
    SECTION("in parts") {
        for (int i = 0; i < 40; ++i) one.publish("parts", std::string(10'000, static_cast<char>('a' + i % 26)), &limits);
        for (std::uint64_t serial = 1; serial <= 40; ++serial) CHECK(one.answer(serial).outcome == BackplaneOutcome::done);
        auto const first = other.read("parts", limits);
        CHECK(first.more);
        CHECK(first.entries.size() >= 2);
        CHECK(first.entries.size() < 20);
        CHECK(first.reached == first.entries.back().offset);
        auto const all = other.read_all("parts", limits);
        CHECK(all.complete);
        REQUIRE(all.entries.size() == 40);
        for (std::size_t i = 0; i < 40; ++i) {
            CHECK(all.entries[i].offset == i + 1);
            CHECK((all.entries[i].body == std::string(10'000, static_cast<char>('a' + i % 26))));
        }
    }
    SECTION("one that is larger than a part") {
        one.publish_and_wait("large", std::string(300'000, 'x'), &limits);
        one.publish_and_wait("large", "small", &limits);
        auto const all = other.read_all("large", limits);
        REQUIRE(all.entries.size() == 2);
        CHECK(all.entries[0].body.size() == 300'000);
    }
    SECTION("what is beyond the number of messages is forgotten") {
        limits.messages = 5;
        Position const newest = fill("few", 1, 12);
        auto const all = other.read_all("few", limits);
        CHECK(all.bodies() == numbered("m", 8, 12));
        CHECK(all.begins == Position{newest.epoch, 7});
        CHECK(other.read_all("few", limits, {newest.epoch, 7}).complete);
        auto const late = other.read_all("few", limits, {newest.epoch, 6});
        CHECK_FALSE(late.complete);
        CHECK(late.begins == Position{newest.epoch, 7});
        CHECK(late.bodies() == numbered("m", 8, 12));
    }
    SECTION("what is beyond the bytes is forgotten") {
        limits.bytes = 1000;
        Position newest;
        for (int i = 0; i < 10; ++i) newest = one.publish_and_wait("bytes", std::string(300, 'x'), &limits).position;
        auto const all = other.read_all("bytes", limits);
        CHECK(all.entries.size() == 3);
        CHECK(all.begins == Position{newest.epoch, 7});
        CHECK_FALSE(other.read_all("bytes", limits, {newest.epoch, 3}).complete);
    }
    SECTION("what is too old is forgotten") {
        limits.age = std::chrono::milliseconds(300);
        Position const newest = fill("old", 1, 3);
        CHECK(eventually([&] { return other.read_all("old", limits).entries.empty(); }));
        auto const late = other.read_all("old", limits, {newest.epoch, 1});
        CHECK_FALSE(late.complete);
        CHECK(late.begins == newest);
        CHECK(late.reached == 3);
        CHECK(other.read_all("old", limits, newest).complete);
        CHECK(fill("old", 4, 4) == Position{newest.epoch, 4});
    }
    SECTION("the newest of each key") {
        limits.newest_per_key = true;
        auto const put = [&](std::string const& body, std::uint64_t key) {
            return one.publish_and_wait("keys", body, &limits, {.key = key}).position;
        };
        put("a1", 1);
        put("b1", 0xffffffffffffffffu);
        Position const third = put("a2", 1);
        put("none", 0);
        Position const newest = put("b2", 0xffffffffffffffffu);
        CHECK(newest == Position{third.epoch, 5});
        auto const all = other.read_all("keys", limits);
        CHECK(all.complete);
        CHECK(all.begins == Position{newest.epoch, 0});
        CHECK(all.bodies() == std::vector<std::string>{"a2", "none", "b2"});
        CHECK(all.entries[0].offset == 3);
        auto const some = other.read_all("keys", limits, {newest.epoch, 1});  // what it misses was replaced: nothing is lost
        CHECK(some.complete);
        CHECK(some.bodies() == std::vector<std::string>{"a2", "none", "b2"});
        // A key whose entry a limit took has none to replace.
        limits.messages = 2;
        put("c1", 3);
        Position const last = put("a3", 1);
        auto const rest = other.read_all("keys", limits);
        CHECK(rest.bodies() == std::vector<std::string>{"c1", "a3"});
        CHECK(rest.begins == Position{last.epoch, 5});
    }
    SECTION("a broker that lost what it kept has another epoch") {
        Position const newest = fill("gone", 1, 5);
        fixture.empty();
        auto const page = other.ready().read_all("gone", limits, newest);
        CHECK(page.begins.epoch != 0);
        CHECK(page.begins.epoch != newest.epoch);
        CHECK_FALSE(page.complete);
        CHECK(page.entries.empty());
        CHECK(fill("gone", 6, 6) == Position{page.begins.epoch, 1});
    }
}

template <class Fixture>
void losses_keep_the_contract() {
    Fixture fixture;
    using Node = BackplaneNode<typename Fixture::Backplane>;
    Node one(fixture.options(), 1), other(fixture.options(), 2);
    one.ready();
    other.ready();
    auto const limits = ten_thousand();
    one.subscribe("talk");
    one.subscribe("kept");
    Position const before = other.publish_and_wait("kept", "before", &limits).position;
    one.messages("kept", 1);

    SECTION("a connection that is lost is made again, and all is subscribed") {
        for (std::size_t time = 1; time <= 3; ++time) {
            fixture.cut();
            one.ready(time + 1);
            other.ready(time + 1);
            one.wait_subscribed("talk", time + 1);
            one.wait_subscribed("kept", time + 1);
            other.publish_and_wait("talk", "plain", nullptr);
            one.messages("talk", time);
        }
        auto const page = one.read_all("kept", limits, {before.epoch, 0});
        CHECK(page.complete);
        CHECK(page.bodies() == std::vector<std::string>{"before"});
    }
    SECTION("what is open is unknown, and may be published again") {
        fixture.freeze();
        auto const serials = other.publish_together("kept", numbered("open", 0, 9), &limits);
        REQUIRE(serials.size() == 10);
        other.ask_to_read("kept", limits, {});
        other.wait_not_ready();
        for (std::uint64_t const serial : serials) CHECK(other.answer(serial).outcome == BackplaneOutcome::unknown);
        fixture.thaw();
        other.ready(2);
        for (std::size_t i = 0; i < serials.size(); ++i) {
            auto const answer = other.publish_and_wait("kept", "open" + std::to_string(i), &limits, {}, serials[i]);
            CHECK((answer.outcome == BackplaneOutcome::done || answer.outcome == BackplaneOutcome::repeated));
        }
        auto const page = other.read_all("kept", limits, before);
        CHECK(page.complete);
        CHECK(page.bodies() == numbered("open", 0, 9));
    }
    SECTION("a subscription that is dead while its connection looks alive is noticed") {
        fixture.deafen();
        one.ready(2);
        one.wait_subscribed("talk", 2);
        one.wait_subscribed("kept", 2);
        CHECK(eventually([&] {
            other.publish_and_wait("talk", "alive", nullptr);
            return !one.messages("talk").empty();
        }));
    }
    SECTION("a broker that was restarted has another epoch, or has kept all") {
        fixture.restart();
        one.ready(2);
        other.ready(2);
        one.wait_subscribed("kept", 2);
        auto const page = one.read_all("kept", limits, before);
        auto const after = other.publish_and_wait("kept", "after", &limits);
        CHECK(after.outcome == BackplaneOutcome::done);
        if (page.begins.epoch == before.epoch) {
            CHECK(page.complete);
            CHECK(after.position == Position{before.epoch, before.offset + 1});
        } else {
            CHECK_FALSE(page.complete);
            CHECK(page.begins.epoch != 0);
            CHECK(after.position == Position{page.begins.epoch, page.begins.offset + 1});
        }
        CHECK(one.bodies("kept", 2).back() == "after");
    }
    SECTION("what is destroyed while it connects, publishes and reads does nothing any more") {
        for (int i = 0; i < 20; ++i) {
            Node node(fixture.options(), 100 + static_cast<std::uint64_t>(i));
            if (i % 2 == 0) continue;
            node.ready();
            node.ask_to_subscribe("kept");
            node.publish("kept", "x", &limits);
            node.ask_to_read("kept", limits, {});
        }
    }
}

}  // namespace hubbub_contract
