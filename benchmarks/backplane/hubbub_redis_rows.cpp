// What two processes that are one hub over Redis cost, beside the bare commands of hiredis in the same run:
//   hubbub_redis_rows HOST PORT [LATENCIES [PUBLICATIONS]]
// Latency: from `hub.publish` in one process to a WebSocket client of the other, one publication a millisecond; beside it PUBLISH to a
// connection that has SUBSCRIBEd. Throughput: publications a second that the broker acknowledges, and what each costs this process of a
// core; to be compared with `redis-benchmark -P 16 -n 1000000 PUBLISH throughput xxx` on the same server.
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <hiredis/hiredis.h>

#include <hubbub/backplane/redis/redis_backplane.hpp>
#include <hubbub/server/server.hpp>
#include <hubbub/testing/socket_client.hpp>

namespace {
using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

struct OverRedis : hubbub::DefaultPolicy {
    using Backplane = hubbub::RedisBackplane;
};
struct Subscribed : hubbub::NoopHandler {
    void on_open(auto& session) { session.subscribe("latency"); }
    void on_subscribed(auto& session, hubbub::Subscription const&) { session.send("subscribed"); }
};

hubbub::ServerOptions<OverRedis> options(std::string const& url) {
    hubbub::ServerOptions<OverRedis> made{.port = 0, .threads = 1};
    made.hub.backplane.url = url;
    made.hub.outbox = {.bytes = std::size_t{64} << 20, .messages = 65'536};
    made.drain.deadline = 500ms;
    return made;
}
void wait_until_ready(auto& hub) {
    auto const end = Clock::now() + 10s;
    while (!hub.backplane().continuous && Clock::now() < end) std::this_thread::sleep_for(5ms);
    if (!hub.backplane().continuous) throw std::runtime_error("the broker is not there");
}

/// The other process: serves until its parent closes the pipe.
[[noreturn]] void serve(std::string const& url, int tell, int wait) {
    hubbub::Server<OverRedis> server{Subscribed{}, options(url)};
    std::thread runner([&] { server.run(); });
    wait_until_ready(server.hub());
    std::uint16_t const port = server.port();
    if (::write(tell, &port, sizeof port) != sizeof port) std::_Exit(1);
    char byte = 0;
    while (::read(wait, &byte, 1) > 0) {}
    server.stop();
    runner.join();
    std::_Exit(0);
}
struct Other {
    explicit Other(std::string const& url) {
        int up[2], down[2];
        if (::pipe(up) != 0 || ::pipe(down) != 0) throw std::runtime_error("pipe");
        process = ::fork();
        if (process == 0) {
            ::close(down[1]);
            serve(url, up[1], down[0]);
        }
        ::close(up[1]);
        ::close(down[0]);
        end = down[1];
        if (::read(up[0], &port, sizeof port) != sizeof port) throw std::runtime_error("the other process did not begin");
    }
    ~Other() {
        ::close(end);
        ::waitpid(process, nullptr, 0);
    }
    pid_t process = 0;
    int end = -1;
    std::uint16_t port = 0;
};

/// Sends `count` times a millisecond, each with the time, and receives in another thread.
std::vector<double> measure(int count, auto send, auto receive) {
    std::vector<double> microseconds;
    std::thread receiver([&] {
        for (int i = 0; i < count; ++i) {
            std::int64_t const sent = std::stoll(receive());
            microseconds.push_back(static_cast<double>(Clock::now().time_since_epoch().count() - sent) / 1000);
        }
    });
    auto due = Clock::now();
    for (int i = 0; i < count; ++i) {
        std::this_thread::sleep_until(due += 1ms);
        send(std::to_string(Clock::now().time_since_epoch().count()));
    }
    receiver.join();
    std::sort(microseconds.begin(), microseconds.end());
    return microseconds;
}
void print(char const* what, std::vector<double> const& sorted) {
    auto const at = [&](double part) {
        return sorted[static_cast<std::size_t>(part * static_cast<double>(sorted.size() - 1))];
    };
    std::cout << what << ": p50 " << at(0.5) << " us, p99 " << at(0.99) << " us, of " << sorted.size() << std::endl;
}

using Context = std::unique_ptr<redisContext, decltype(&redisFree)>;
using Reply = std::unique_ptr<void, decltype(&freeReplyObject)>;
Context connect(char const* host, int port) {
    Context context(redisConnect(host, port), redisFree);
    if (!context || context->err) throw std::runtime_error("Redis cannot be reached");
    return context;
}
std::vector<double> bare(char const* host, int port, int count) {
    Context const publisher = connect(host, port), subscriber = connect(host, port);
    Reply(redisCommand(subscriber.get(), "SUBSCRIBE latency"), freeReplyObject);
    return measure(
        count,
        [&](std::string const& text) {
            Reply(redisCommand(publisher.get(), "PUBLISH latency %b", text.data(), text.size()), freeReplyObject);
        },
        [&] {
            void* reply = nullptr;
            redisGetReply(subscriber.get(), &reply);
            Reply const owned(reply, freeReplyObject);
            redisReply const& message = *static_cast<redisReply*>(reply);
            return std::string(message.element[2]->str, message.element[2]->len);
        });
}

double cpu_seconds() {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    auto const seconds = [](timeval const& time) {
        return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}
void throughput(auto& hub, std::uint64_t count) {
    std::uint64_t const before = hub.backplane().published;
    double const cpu = cpu_seconds();
    auto const begun = Clock::now();
    hubbub::Frame const frame = hubbub::Frame::text("xxx");
    for (std::uint64_t i = 0; i < count; ++i) {
        while (hub.publish("throughput", frame) != hubbub::PublishResult::accepted) std::this_thread::yield();
        if (i % 256 == 0)
            while (hub.backplane().waiting_messages > 30'000) std::this_thread::sleep_for(100us);
    }
    while (hub.backplane().published - before < count) std::this_thread::sleep_for(100us);
    double const seconds = std::chrono::duration<double>(Clock::now() - begun).count();
    std::cout << "publications: " << static_cast<std::uint64_t>(static_cast<double>(count) / seconds) << "/s, "
              << (cpu_seconds() - cpu) * 1e6 / static_cast<double>(count) << " us of a core each" << std::endl;
}
}  // namespace

int main(int argc, char** argv) try {
    if (argc < 3) {
        std::cerr << "usage: hubbub_redis_rows HOST PORT [LATENCIES [PUBLICATIONS]]\n";
        return 2;
    }
    char const* const host = argv[1];
    int const port = std::atoi(argv[2]), latencies = argc > 3 ? std::atoi(argv[3]) : 5'000;
    std::uint64_t const publications = argc > 4 ? static_cast<std::uint64_t>(std::atoll(argv[4])) : 1'000'000;
    std::string const url = "redis://" + std::string(host) + ":" + std::to_string(port);
    Other const other(url);  // before there are threads
    hubbub::Server<OverRedis> server{hubbub::NoopHandler{}, options(url)};
    std::thread runner([&] { server.run(); });
    wait_until_ready(server.hub());
    {
        hubbub::testing::SocketClient client(other.port);
        if (client.receive() != "subscribed") throw std::runtime_error("the other process does not serve");
        std::this_thread::sleep_for(200ms);  // the subscription at the broker
        print("Redis alone  ", bare(host, port, latencies));
        print("two processes",
              measure(
                  latencies, [&](std::string const& text) { server.hub().publish("latency", hubbub::Frame::text(text)); },
                  [&] { return client.receive(); }));
    }
    throughput(server.hub(), publications);
    server.stop();
    runner.join();
} catch (std::exception const& error) {
    std::cerr << "hubbub_redis_rows: " << error.what() << '\n';
    return 1;
}
