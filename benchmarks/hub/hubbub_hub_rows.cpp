// The hub alone, on connections that swallow everything: rows P9 to P13. Prints one line a figure.
//   hubbub_hub_rows [--json]
#include <sys/resource.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <iomanip>
#include <iostream>
#include <memory>
#include <new>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "../micro/hub_in_memory.hpp"

namespace {

using namespace hub_in_memory;

std::uint64_t allocations = 0;

struct Bench : World {
    explicit Bench(std::size_t count, bool shuffled = true) : World(count) {
        std::mt19937 random(1);
        if (shuffled) std::shuffle(sessions.begin(), sessions.end(), random);
    }
};

double user_ns() {
    timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return double(now.tv_sec) * 1e9 + double(now.tv_nsec);
}

/// Nanoseconds of one call: the least of several rounds, which is what noise does not touch.
template <class F>
double least_ns(int rounds, std::uint64_t calls, F&& function) {
    double least = 1e18;
    for (int round = 0; round < rounds; ++round) {
        double const begin = user_ns();
        for (std::uint64_t i = 0; i < calls; ++i) function();
        least = std::min(least, (user_ns() - begin) / double(calls));
    }
    return least;
}

bool as_json = false;
bool is_first = true;

void report(std::string_view row, std::string_view what, double figure, std::string_view unit, double bar) {
    if (as_json) {
        std::cout << (is_first ? "[" : ",") << "\n {\"row\": \"" << row << "\", \"what\": \"" << what
                  << "\", \"figure\": " << figure << ", \"unit\": \"" << unit << "\", \"bar\": " << bar << "}";
    } else {
        std::cout << row << "  " << std::left << std::setw(64) << what << std::right << std::setw(9) << std::fixed
                  << std::setprecision(2) << figure << " " << std::setw(14) << std::left << unit << std::right << " bar " << bar
                  << (figure <= bar ? "" : "   MISSED") << '\n';
    }
    is_first = false;
}

std::string const payload(64, 'x');
MessageView const message = MessageView::text(payload);

void fan_out() {
    for (std::size_t const per_turn : {16u, 1u}) {
        Bench bench(1000);
        bench.turn([&] {
            for (auto* session : bench.sessions) session->subscribe("room");
        });
        auto const publish = [&] {
            bench.turn([&] {
                for (std::size_t i = 0; i < per_turn; ++i) bench.sessions[0]->publish("room", message);
            });
        };
        for (int i = 0; i < 500; ++i) publish();
        std::uint64_t const before = allocations;
        double const ns = least_ns(7, per_turn == 16 ? 300 : 2000, publish) / 1000 / double(per_turn);
        std::uint64_t const made = allocations - before;
        std::string const what = std::to_string(per_turn) + " a turn to 1,000";
        report("P10", what, ns, "ns/delivery", per_turn == 16 ? 2.5 : 20);
        report("P9", "allocations in all: " + what, double(made), "calls", 0);
    }
    Bench bench(1000, false);
    auto const names = topic_names(100);
    bench.turn([&] {
        for (std::size_t i = 0; i < 1000; ++i) bench.sessions[i]->subscribe(names[i % 100]);
    });
    auto const publish = [&] {
        bench.turn([&] {
            for (auto const& name : names) bench.sessions[0]->publish(name, message);
        });
    };
    for (int i = 0; i < 500; ++i) publish();
    report("P10", "100 topics of 10, one message each a turn", least_ns(7, 1000, publish) / 1000, "ns/delivery", 30);
}

void burst() {
    Bench bench(100);
    bench.turn([&] {
        for (auto* session : bench.sessions) session->subscribe("room");
    });
    std::uint64_t const before = SwallowingConnection::writes;
    bench.turn([&] {
        for (int i = 0; i < 1000; ++i) bench.sessions[0]->publish("room", message);
    });
    bench.run();  // what is much takes several turns
    report("P11", "writes a subscriber for 1,000 messages of one callback", double(SwallowingConnection::writes - before) / 100,
           "writes", 2);
}

void exclusion() {
    Bench bench(1000);
    bench.turn([&] {
        for (auto* session : bench.sessions) session->subscribe("room");
    });
    std::size_t sender = 0;
    auto const plain = [&] {
        bench.turn([&] {
            for (int i = 0; i < 16; ++i) bench.sessions[sender = (sender + 61) % 1000]->publish("room", message);
        });
    };
    auto const excluding = [&] {
        bench.turn([&] {
            for (int i = 0; i < 16; ++i) bench.sessions[sender = (sender + 61) % 1000]->publish_to_others("room", message);
        });
    };
    for (int i = 0; i < 100; ++i) plain(), excluding();
    double with = 1e18, without = 1e18;
    for (int i = 0; i < 15; ++i) {
        without = std::min(without, least_ns(1, 300, plain));
        with = std::min(with, least_ns(1, 300, excluding));
    }
    report("P12", "16 a turn, each excluding its sender, over the same without", with / without, "x", 1.10);

    Bench rooms(100, false);
    auto const names = topic_names(10);
    rooms.turn([&] {
        for (std::size_t i = 0; i < 100; ++i) rooms.sessions[i]->subscribe(names[i / 10]);
    });
    auto const to_all = [&] {
        rooms.turn([&] {
            for (std::size_t i = 0; i < 100; ++i) rooms.sessions[i]->publish(names[i / 10], message);
        });
    };
    auto const to_others = [&] {
        rooms.turn([&] {
            for (std::size_t i = 0; i < 100; ++i) rooms.sessions[i]->publish_to_others(names[i / 10], message);
        });
    };
    for (int i = 0; i < 100; ++i) to_all(), to_others();
    with = without = 1e18;
    for (int i = 0; i < 15; ++i) {
        without = std::min(without, least_ns(1, 300, to_all));
        with = std::min(with, least_ns(1, 300, to_others));
    }
    report("P12", "rooms of 10 in which each excludes himself, over without", with / without, "x", 2.0);
}

void joins() {
    double publishes = 1e18, joining = 1e18;
    for (int round = 0; round < 10; ++round) {
        Bench bench(11'000);
        bench.turn([&] {
            for (std::size_t i = 0; i < 10'000; ++i) bench.sessions[i]->subscribe("room");
        });
        auto const publish = [&] {
            bench.turn([&] {
                for (int i = 0; i < 1000; ++i) bench.sessions[0]->publish("room", message);
            });
        };
        for (int i = 0; i < 3; ++i) publish();
        publishes = std::min(publishes, least_ns(1, 1, publish));
        joining = std::min(joining, least_ns(1, 1, [&] {
                               bench.turn([&] {
                                   for (std::size_t i = 0; i < 1000; ++i) {
                                       bench.sessions[10'000 + i]->subscribe("room");
                                       bench.sessions[10'000 + i]->publish("room", message);
                                   }
                               });
                           }));
    }
    report("P13", "1,000 joins that publish to a topic of 10,000, over the publishes", joining / publishes, "x", 3);
}

}  // namespace

// Not inline: g++ 12 would take the pair for mismatched.
[[gnu::noinline]] void* operator new(std::size_t bytes) {
    ++allocations;
    if (void* memory = std::malloc(bytes)) return memory;
    throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

int main(int argc, char** argv) {
    as_json = argc > 1 && std::string_view(argv[1]) == "--json";
    if (!as_json) std::cout << "session " << sizeof(MemorySession) << " bytes\n";
    fan_out();
    burst();
    exclusion();
    joins();
    if (as_json) std::cout << "\n]\n";
}
