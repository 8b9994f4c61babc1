// What every ShardLoop must do: see core/shard_loop.hpp. A model brings a fixture:
//
//     struct Fixture {
//         static constexpr bool knows_threads;                     // `runs_here` is false on other threads
//         hubbub::ShardLoop& loop();
//         void start();                                            // from here on it runs
//         void in_loop(std::function<void()> const&);              // on its thread, outside of a turn; waits for it
//         bool pump_until(std::function<bool()> const& is_done);   // bounded; asks on the thread of the test
//         void settle();                                           // returns when what is ready now has run
//         void pass(hubbub::Duration);                             // a clock that does not run by itself is set forward
//     };
#pragma once

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include <hubbub/core/shard_loop.hpp>

#include "tests/support/catch.hpp"

namespace hubbub_contract {

/// Counts what a shard is told. Read by the thread of the test while another runs the loop.
struct CountingHook final : hubbub::TurnHook {
    void on_turn_begin() noexcept override {
        ++begun;
        if (at_begin) at_begin();
    }
    void on_turn_end() noexcept override {
        if (at_end) at_end();
        ++ended;
    }
    void on_wake() noexcept override {
        if (at_wake) at_wake();
        ++wakes;
    }
    std::atomic<int> begun{0}, ended{0}, wakes{0};
    std::function<void()> at_begin, at_end, at_wake;
};

struct ReadablePipe {
    ReadablePipe() {
        REQUIRE(::pipe(ends) == 0);
        REQUIRE(::fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0);
    }
    ~ReadablePipe() {
        ::close(ends[0]);
        ::close(ends[1]);
    }
    void fill() noexcept { (void)!::write(ends[1], "x", 1); }
    bool is_readable() const noexcept {
        pollfd descriptor{ends[0], POLLIN, 0};
        return ::poll(&descriptor, 1, 0) == 1;
    }
    void drain() noexcept {
        char byte;
        (void)!::read(ends[0], &byte, 1);
    }
    int ends[2];
};

/// A fixture with a hook, that ends in the right order.
template <class Fixture>
struct Watched {
    Watched() { fixture.loop().attach(&hook); }
    ~Watched() {
        fixture.in_loop([this] { fixture.loop().attach(nullptr); });
    }
    CountingHook hook;
    Fixture fixture;
};

template <class Fixture>
void posting_keeps_the_contract() {
    Watched<Fixture> watched;
    Fixture& fixture = watched.fixture;
    CountingHook& hook = watched.hook;
    hubbub::ShardLoop& loop = fixture.loop();
    std::atomic<int> ran{0};

    SECTION("posts of one thread run in their order, in one turn, on the loop") {
        std::vector<int> order;
        bool always_inside = true;
        for (int i = 0; i < 100; ++i)
            loop.post([&, i] {
                order.push_back(i);
                always_inside = always_inside && loop.in_turn() && loop.runs_here();
                ++ran;
            });
        CHECK(ran == 0);  // nothing runs inside the caller
        fixture.start();
        REQUIRE(fixture.pump_until([&] { return ran == 100 && hook.ended > 0; }));
        fixture.settle();
        CHECK(hook.begun == 1);
        CHECK(hook.ended == 1);
        fixture.in_loop([&] {
            for (int i = 0; i < 100; ++i) always_inside = always_inside && order[static_cast<std::size_t>(i)] == i;
        });
        CHECK(always_inside);
    }
    SECTION("a post inside of a turn never runs inside the caller, and runs") {
        fixture.start();
        std::atomic<bool> inside{false};
        loop.post([&] {
            loop.post([&] { ++ran; });
            inside = ran != 0;
        });
        CHECK(fixture.pump_until([&] { return ran == 1; }));
        CHECK_FALSE(inside);
    }
    SECTION("a post at the end of a turn begins another") {
        bool posted = false;
        hook.at_end = [&] {
            if (!std::exchange(posted, true)) loop.post([&] { ++ran; });
        };
        fixture.start();
        loop.post([] {});
        CHECK(fixture.pump_until([&] { return ran == 1; }));
        fixture.settle();
        CHECK(hook.begun == 2);
    }
    SECTION("a turn that is asked for inside of a turn is that turn; the next turn is another") {
        fixture.start();
        fixture.in_loop([&] { loop.turn([&] { loop.request_turn(); }); });
        fixture.settle();
        CHECK(hook.ended == 1);
        fixture.in_loop([&] { loop.turn([&] { loop.request_next_turn(); }); });
        CHECK(fixture.pump_until([&] { return hook.ended == 3; }));
        fixture.settle();
        CHECK(hook.ended == 3);
    }
    SECTION("a turn that is asked for from outside comes, once for many") {
        for (int i = 0; i < 50; ++i) loop.request_turn();
        fixture.start();
        CHECK(fixture.pump_until([&] { return hook.ended == 1; }));
        fixture.settle();
        CHECK(hook.ended == 1);
    }
    SECTION("no hook is called when nobody is attached, and functions still run") {
        loop.attach(nullptr);
        fixture.start();
        loop.post([&] { ++ran; });
        CHECK(fixture.pump_until([&] { return ran == 1; }));
        CHECK(hook.begun + hook.ended == 0);
    }
    SECTION("who is detached in the middle of a turn does not hear of its end") {
        fixture.start();
        loop.post([&] {
            loop.attach(nullptr);
            ++ran;
        });
        CHECK(fixture.pump_until([&] { return ran == 1; }));
        fixture.settle();
        CHECK(hook.begun == 1);
        CHECK(hook.ended == 0);
    }
    SECTION("runs_here tells the loop's thread from others, in_turn whether a turn runs") {
        fixture.start();
        std::atomic<bool> in_turn{false}, elsewhere{true}, here{false}, between{true};
        loop.post([&] {
            here = loop.runs_here();
            in_turn = loop.in_turn();
            std::thread([&] { elsewhere = !Fixture::knows_threads || !loop.runs_here(); }).join();
            ++ran;
        });
        REQUIRE(fixture.pump_until([&] { return ran == 1; }));
        fixture.in_loop([&] { between = loop.in_turn(); });
        CHECK(here);
        CHECK(in_turn);
        CHECK(elsewhere);
        CHECK_FALSE(between);
    }
    SECTION("a function is destroyed once it has run") {
        auto const token = std::make_shared<int>(0);
        fixture.start();
        loop.post([&ran, token] { ++ran; });
        CHECK(fixture.pump_until([&] { return ran == 1; }));
        fixture.settle();
        CHECK(token.use_count() == 1);
    }
}

template <class Fixture>
void waking_keeps_the_contract() {
    using namespace std::chrono_literals;
    Watched<Fixture> watched;
    Fixture& fixture = watched.fixture;
    CountingHook& hook = watched.hook;
    hubbub::ShardLoop& loop = fixture.loop();
    hubbub::TimePoint woken{};
    std::atomic<bool> in_turn{true};
    hook.at_wake = [&] {
        woken = loop.now();
        in_turn = in_turn && loop.in_turn();
    };
    fixture.start();
    auto const start = loop.now();
    auto const woken_at = [&] {
        hubbub::TimePoint at{};
        fixture.in_loop([&] { at = woken; });
        return at;
    };
    auto const wake_at = [&](hubbub::TimePoint when) { fixture.in_loop([&] { loop.wake_at(when); }); };

    SECTION("at its time and not before, once") {
        wake_at(start + 5ms);
        fixture.pass(5ms);
        CHECK(fixture.pump_until([&] { return hook.wakes == 1; }));
        fixture.pass(2ms);
        CHECK(hook.wakes == 1);
        CHECK(woken_at() >= start + 5ms);
    }
    SECTION("a later call replaces the earlier one: sooner") {
        fixture.in_loop([&] {
            loop.wake_at(start + 24h);
            loop.wake_at(start + 1ms);
        });
        fixture.pass(1ms);
        CHECK(fixture.pump_until([&] { return hook.wakes == 1; }));
    }
    SECTION("a later call replaces the earlier one: later") {
        fixture.in_loop([&] {
            loop.wake_at(start + 1ms);
            loop.wake_at(start + 10ms);
        });
        fixture.pass(10ms);
        CHECK(fixture.pump_until([&] { return hook.wakes == 1; }));
        CHECK(woken_at() >= start + 10ms);
    }
    SECTION("a time that has passed wakes soon") {
        wake_at(start - 1s);
        fixture.pass(0ms);
        CHECK(fixture.pump_until([&] { return hook.wakes == 1; }));
    }
    SECTION("max cancels, also what has expired already") {
        std::atomic<bool> other{false};
        fixture.in_loop([&] {
            loop.wake_at(loop.now() - 1s);
            loop.wake_at(hubbub::TimePoint::max());
        });
        fixture.pass(2ms);
        loop.post([&] { other = true; });
        CHECK(fixture.pump_until([&] { return other.load(); }));
        CHECK(hook.wakes == 0);
    }
    SECTION("the hook may ask again") {
        hook.at_wake = [&] {
            in_turn = in_turn && loop.in_turn();
            if (hook.wakes < 2) loop.wake_at(loop.now() + 1ms);
        };
        wake_at(start);
        fixture.pass(3ms);
        CHECK(fixture.pump_until([&] { return hook.wakes == 3; }));
    }
    CHECK(in_turn);
}

template <class Fixture>
void watching_keeps_the_contract() {
    Watched<Fixture> watched;
    Fixture& fixture = watched.fixture;
    hubbub::ShardLoop& loop = fixture.loop();
    ReadablePipe pipe, other;
    std::atomic<int> reports{0};
    std::atomic<bool> outside{true}, here{true};
    auto const token = std::make_shared<int>(0);
    std::unique_ptr<hubbub::Watch> watch, second;
    auto const note = [&] {
        outside = outside && !loop.in_turn();
        here = here && loop.runs_here();
        ++reports;
    };
    auto const begin = [&](std::unique_ptr<hubbub::Watch>& which, int descriptor, std::function<void()> ready) {
        fixture.in_loop([&] { which = loop.watch(descriptor, [ready, token] { ready(); }); });
    };
    auto const end = [&] {
        fixture.in_loop([&] {
            watch.reset();
            second.reset();
        });
    };
    fixture.start();

    SECTION("nothing is told while there is nothing") {
        begin(watch, pipe.ends[0], note);
        fixture.settle();
        CHECK(reports == 0);
    }
    SECTION("as often as it is readable, until it is drained, and again") {
        begin(watch, pipe.ends[0], [&] {
            if (!pipe.is_readable()) return;  // a report may be late
            note();
            if (reports % 3 == 0) pipe.drain();
        });
        pipe.fill();
        CHECK(fixture.pump_until([&] { return reports == 3; }));
        fixture.settle();
        CHECK(reports == 3);
        pipe.fill();
        CHECK(fixture.pump_until([&] { return reports == 6; }));
    }
    SECTION("not after the watch has ended") {
        begin(watch, pipe.ends[0], note);
        end();
        pipe.fill();
        fixture.settle();
        CHECK(reports == 0);
        CHECK(token.use_count() == 1);
    }
    SECTION("the callback may end its own watch") {
        begin(watch, pipe.ends[0], [&, kept = std::make_shared<int>(7)] {
            watch.reset();
            if (*kept == 7) note();  // what it holds lives until it returns
        });
        pipe.fill();
        CHECK(fixture.pump_until([&] { return reports == 1; }));
        fixture.settle();
        CHECK(reports == 1);
        fixture.in_loop([] {});
        CHECK(token.use_count() == 1);
    }
    SECTION("the callback may end another watch that is ready too") {
        begin(watch, pipe.ends[0], [&] {
            if (!pipe.is_readable()) return;
            note();
            pipe.drain();
            second.reset();
        });
        begin(second, other.ends[0], [&] {
            if (!other.is_readable()) return;
            note();
            other.drain();
            watch.reset();
        });
        fixture.in_loop([&] {
            pipe.fill();
            other.fill();
        });
        CHECK(fixture.pump_until([&] { return reports > 0; }));
        fixture.settle();
        CHECK(reports == 1);
    }
    SECTION("the callback may begin a watch in the place of its own") {
        std::atomic<int> later{0};
        begin(watch, pipe.ends[0], [&] {
            note();
            watch.reset();  // a loop may know a descriptor but once
            watch = loop.watch(pipe.ends[0], [&] {
                if (pipe.is_readable()) ++later;
                pipe.drain();
            });
        });
        pipe.fill();
        CHECK(fixture.pump_until([&] { return later == 1; }));
        fixture.settle();
        CHECK(later == 1);
        CHECK(reports == 1);
    }
    SECTION("the callback may run a turn") {
        begin(watch, pipe.ends[0], [&] {
            note();
            pipe.drain();
            loop.turn([] {});
        });
        pipe.fill();
        CHECK(fixture.pump_until([&] { return watched.hook.ended > 0; }));
    }
    end();
    CHECK(outside);
    CHECK(here);
}

}  // namespace hubbub_contract
