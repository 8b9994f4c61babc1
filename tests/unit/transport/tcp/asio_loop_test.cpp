#include <hubbub/transport/tcp/asio_loop.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include <asio/executor_work_guard.hpp>

#include "tests/support/catch.hpp"

using hubbub::AsioLoop;
using hubbub::Threading;

namespace {

struct Hook final : hubbub::TurnHook {
    void on_turn_begin() noexcept override { ++begun; }
    void on_turn_end() noexcept override { ++ended; }
    void on_wake() noexcept override {
        ++wakes;
        if (at_wake) at_wake();
    }
    int begun = 0, ended = 0, wakes = 0;
    std::function<void()> at_wake;
};

struct Pipe {
    Pipe() { REQUIRE(::pipe(ends) == 0); }
    ~Pipe() {
        ::close(ends[0]);
        ::close(ends[1]);
    }
    void fill() { REQUIRE(::write(ends[1], "x", 1) == 1); }
    void drain() {
        char byte;
        REQUIRE(::read(ends[0], &byte, 1) == 1);
    }
    int ends[2];
};

auto both() { return GENERATE(Threading::one_thread, Threading::several_threads); }

}  // namespace

TEST_CASE("posted functions run in order, in a turn, on the loop's thread, and never inside the caller") {
    asio::io_context context;
    AsioLoop loop(context, both());
    Hook hook;
    loop.attach(&hook);
    std::vector<int> order;
    bool always_inside = true;
    for (int i = 0; i < 5; ++i)
        loop.post([&, i] {
            order.push_back(i);
            always_inside = always_inside && loop.in_turn() && loop.runs_here();
            if (i == 0) loop.post([&] { order.push_back(100); });
        });
    CHECK(order.empty());
    CHECK_FALSE(loop.runs_here());
    context.run();
    CHECK(order == std::vector<int>{0, 1, 2, 3, 4, 100});
    CHECK(always_inside);
    CHECK(hook.begun == 2);
    CHECK(hook.ended == 2);
}

TEST_CASE("turns that are asked for share one post") {
    asio::io_context context;
    AsioLoop loop(context, both());
    Hook hook;
    loop.attach(&hook);
    for (int i = 0; i < 10; ++i) loop.request_turn();
    CHECK(context.run() == 1);
    CHECK(hook.ended == 1);
    context.restart();
    loop.turn([&] { loop.request_next_turn(); });
    CHECK(hook.ended == 2);
    context.run();
    CHECK(hook.ended == 3);
}

TEST_CASE("the timer wakes in a turn, at its time and not before, and the last call counts") {
    asio::io_context context;
    AsioLoop loop(context, both());
    Hook hook;
    loop.attach(&hook);
    hubbub::TimePoint woken;
    bool inside = false;
    hook.at_wake = [&] {
        woken = loop.now();
        inside = loop.in_turn();
    };
    auto const start = loop.now();
    SECTION("later than before") {
        loop.wake_at(start + std::chrono::milliseconds(1));
        loop.wake_at(start + std::chrono::milliseconds(20));
        context.run();
        CHECK(woken >= start + std::chrono::milliseconds(20));
    }
    SECTION("sooner than before") {
        loop.wake_at(start + std::chrono::hours(1));
        loop.wake_at(start + std::chrono::milliseconds(2));
        context.run();
        CHECK(woken >= start + std::chrono::milliseconds(2));
    }
    SECTION("in the past") {
        loop.wake_at(start - std::chrono::seconds(1));
        context.run();
    }
    SECTION("again from the wake itself") {
        hook.at_wake = [&] {
            inside = loop.in_turn();
            if (hook.wakes == 1) {
                loop.wake_at(loop.now() + std::chrono::milliseconds(1));
                --hook.wakes;
                hook.at_wake = [] {};
            }
        };
        loop.wake_at(start);
        context.run();
    }
    CHECK(hook.wakes == 1);
    CHECK(inside);
}

TEST_CASE("a timer that was cancelled does not wake, and does not keep the io_context running") {
    asio::io_context context;
    AsioLoop loop(context, both());
    Hook hook;
    loop.attach(&hook);
    loop.wake_at(loop.now() + std::chrono::hours(1));
    loop.wake_at(hubbub::TimePoint::max());
    context.run();
    CHECK(hook.wakes == 0);
    // Expired already, its handler on the way.
    loop.wake_at(loop.now() - std::chrono::seconds(1));
    loop.wake_at(hubbub::TimePoint::max());
    context.restart();
    context.run();
    CHECK(hook.wakes == 0);
}

TEST_CASE("a watched descriptor is reported while it is readable, outside of a turn, until the watch ends") {
    asio::io_context context;
    AsioLoop loop(context, both());
    Pipe pipe;
    int reports = 0;
    bool outside = true;
    std::unique_ptr<hubbub::Watch> watch;
    auto const guard = std::make_shared<int>(0);
    SECTION("level-triggered") {
        watch = loop.watch(pipe.ends[0], [&, guard] {
            outside = outside && !loop.in_turn();
            if (++reports == 3) watch.reset();  // from inside
        });
        CHECK(guard.use_count() == 2);
        context.poll();
        CHECK(reports == 0);
        pipe.fill();
        context.restart();
        context.run();
        CHECK(reports == 3);
    }
    SECTION("not when it is drained, and again afterwards") {
        watch = loop.watch(pipe.ends[0], [&, guard] {
            ++reports;
            pipe.drain();
        });
        for (int i = 1; i <= 3; ++i) {
            pipe.fill();
            while (context.poll() > 0) {}
            CHECK(reports == i);
        }
        watch.reset();
        pipe.fill();
        context.restart();
        context.run();
        CHECK(reports == 3);
    }
    SECTION("ended with the report on its way") {
        watch = loop.watch(pipe.ends[0], [&, guard] { ++reports; });
        pipe.fill();
        asio::post(context, [&] { watch.reset(); });
        context.run();
        CHECK(reports <= 1);
    }
    CHECK(outside);
    CHECK(guard.use_count() == 1);
    CHECK(::fcntl(pipe.ends[0], F_GETFD) >= 0);  // never closed
}

TEST_CASE("a loop may go while its handlers are pending, and takes posted functions with it") {
    asio::io_context context;
    Pipe pipe;
    auto const threading = both();
    auto const guard = std::make_shared<int>(0);
    int ran = 0;
    {
        AsioLoop loop(context, threading);
        loop.post([&, guard] { ++ran; });
        loop.wake_at(loop.now());
        auto const watch = loop.watch(pipe.ends[0], [&, guard] { ++ran; });
        pipe.fill();
        CHECK(guard.use_count() == 3);
    }
    CHECK(guard.use_count() == 1);
    context.run();
    CHECK(ran == 0);
}

TEST_CASE("a handler of the io_context may destroy a loop that has work pending") {
    asio::io_context context;
    auto loop = std::make_unique<AsioLoop>(context, both());
    Hook hook;
    loop->attach(&hook);
    asio::post(context, [&] { loop.reset(); });
    loop->post([] {});
    loop->wake_at(hubbub::TimePoint::min());
    context.run();
    CHECK(hook.ended <= 1);
}

TEST_CASE("an io_context may destroy a loop with a handler that owns it") {
    auto const guard = std::make_shared<int>(0);
    Pipe pipe;
    {
        asio::io_context context;
        struct Server {
            Server(asio::io_context& io, Threading threading, Pipe& pipe, std::shared_ptr<int> const& kept)
                : loop(io, threading) {
                watch = loop.watch(pipe.ends[0], [kept] {});
                loop.wake_at(loop.now() + std::chrono::hours(1));
                loop.post([kept] {});
            }
            AsioLoop loop;
            std::unique_ptr<hubbub::Watch> watch;
        };
        asio::post(context, [server = std::make_shared<Server>(context, both(), pipe, guard)] {});
        CHECK(guard.use_count() == 3);
    }
    CHECK(guard.use_count() == 1);
}

TEST_CASE("the extension leads from the interface to the AsioLoop") {
    asio::io_context context;
    AsioLoop loop(context);
    hubbub::ShardLoop& base = loop;
    CHECK(base.extension(&AsioLoop::key) == &loop);
    int const other = 0;
    CHECK(base.extension(&other) == nullptr);
    CHECK(&loop.context() == &context);
}

TEST_CASE("a thread that claims a loop is its own") {
    asio::io_context context;
    AsioLoop loop(context);
    loop.claim();
    CHECK(loop.runs_here());
    bool elsewhere = true;
    std::thread([&] { elsewhere = loop.runs_here(); }).join();
    CHECK_FALSE(elsewhere);
    loop.post([] {});
    std::thread([&] { context.run(); }).join();
    CHECK_FALSE(loop.runs_here());
}

TEST_CASE("no post of another thread is lost, whoever runs the loop") {
    asio::io_context context;
    auto const threading = both();
    std::optional<AsioLoop> loop;
    loop.emplace(context, threading);
    Hook hook;
    loop->attach(&hook);
    constexpr int posters = 3, posts = 5000;
    int ran = 0;  // no atomic: the loop is one thread or a strand
    auto work = asio::make_work_guard(context);
    std::vector<std::thread> runners, threads;
    for (int i = 0; i < (threading == Threading::several_threads ? 3 : 1); ++i) runners.emplace_back([&] { context.run(); });
    for (int i = 0; i < posters; ++i)
        threads.emplace_back([&] {
            for (int j = 0; j < posts; ++j)
                loop->post([&] {
                    if (++ran == posters * posts) work.reset();
                });
        });
    for (auto& thread : threads) thread.join();
    for (auto& runner : runners) runner.join();  // hangs if a wake-up is lost
    CHECK(ran == posters * posts);
    CHECK(hook.begun == hook.ended);
}
