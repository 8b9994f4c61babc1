// Fixed work for tools/guard, which counts its instructions and allocations. No clock, no chance, no threads: two runs do the same.
//   hubbub_guard_jobs --list
//   hubbub_guard_jobs --job NAME [--rounds N] [--spoil PERCENT]
//   hubbub_guard_jobs --list-growth         names, and two sizes to compare
//   hubbub_guard_jobs --growth NAME --size N
// Prints "ITEMS ALLOCATIONS": how many things (messages, deliveries, sessions) the rounds had, and the calls of the allocator in
// them. Only what guard_rounds does is counted. --spoil does so much of the work again, which the guard has to see.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <vector>

#include <hubbub/ws/encoder.hpp>
#include <hubbub/ws/utf8.hpp>

#include "../growth/growth_jobs.hpp"
#include "../micro/counting_sink.hpp"

namespace {

using namespace hub_in_memory;

std::uint64_t allocations = 0;

/// Keeps the compiler from leaving the work out.
template <class T>
void use(T const& value) {
    asm volatile("" : : "r"(&value) : "memory");
}

std::string const payload(64, 'x');
MessageView const message = MessageView::text(payload);

using growth::Job;

/// 32 small masked frames of text in one receive, the last of them in two.
struct Decode : Job {
    Decode() {
        for (int i = 0; i < 32; ++i) ws::append_frame(frames, ws::ClientFrame::text(payload));
        buffer = frames;
    }
    std::uint64_t round() override {
        std::uint64_t const before = sink.messages;
        std::memcpy(buffer.data(), frames.data(), frames.size());
        auto const bytes = std::as_writable_bytes(std::span(buffer));
        decoder.feed(bytes.first(bytes.size() - 20), {}, sink);
        decoder.feed(bytes.last(20), {}, sink);
        return sink.messages - before;
    }
    std::string frames, buffer;
    ws::Decoder decoder;
    CountingSink sink;
};

struct Mask : Job {
    std::uint64_t round() override {
        auto const all = std::as_writable_bytes(std::span(bytes)).subspan(1);
        ws::apply_mask(all, {std::byte{1}, std::byte{2}, std::byte{3}, std::byte{4}});
        use(bytes);
        return 1;
    }
    std::string bytes = std::string(4097, 'x');
};

struct Utf8 : Job {
    Utf8() {
        while (ascii.size() < 4000) ascii += "{\"type\": \"said\"}";
        while (mixed.size() < 1000)
            mixed += "Gr\xC3\xBC\xC3\x9F an \xD0\xBF\xD1\x80\xD0\xB8 \xF0\x9F\x91\x8B \xE4\xBD\xA0\xE5\xA5\xBD";
    }
    std::uint64_t round() override {
        bool const valid = ws::is_valid_utf8(ascii) && ws::is_valid_utf8(mixed);
        return valid ? 1 : 0;
    }
    std::string ascii, mixed;
};

struct Encode : Job {
    std::uint64_t round() override {
        for (int i = 0; i < 16; ++i) use(Frame::text(payload));
        return 16;
    }
};

/// A publication to 1,000, so many a turn.
struct FanOut : Job {
    explicit FanOut(int messages) : per_turn(messages) { world.subscribe_all("room"); }
    std::uint64_t round() override {
        world.turn([&] {
            for (int i = 0; i < per_turn; ++i) world.sessions[0]->publish("room", message);
        });
        return 1000u * static_cast<unsigned>(per_turn);
    }
    int per_turn;
    World world{1000};
};

struct SmallTopics : Job {
    SmallTopics() {
        world.turn([&] {
            for (std::size_t i = 0; i < 1000; ++i) world.sessions[i]->subscribe(names[i % 100]);
        });
    }
    std::uint64_t round() override {
        world.turn([&] {
            for (auto const& name : names) world.sessions[0]->publish(name, message);
        });
        return 1000;
    }
    World world{1000};
    std::vector<std::string> names = topic_names(100);
};

/// Sessions that come to topics and leave them, each topic being made and forgotten by that.
struct Churn : Job {
    std::uint64_t round() override {
        world.turn([&] {
            for (std::size_t i = 0; i < 100; ++i) world.sessions[i]->subscribe(names[(i + at) % 400]);
        });
        world.turn([&] {
            for (std::size_t i = 0; i < 100; ++i) world.sessions[i]->unsubscribe(names[(i + at) % 400]);
        });
        at += 37;
        return 100;
    }
    World world{100};
    std::vector<std::string> names = topic_names(400);
    std::size_t at = 0;
};

/// A minute in the life of 10,000 sessions at rest: each is pinged once, and answers.
struct Timers : Job {
    std::uint64_t round() override {
        for (int i = 0; i < 600; ++i) world.pass(std::chrono::milliseconds(100));
        world.turn([&] {
            for (ByteConnectionOwner* const owner : world.owners) {
                buffer = pong;
                owner->on_bytes(std::as_writable_bytes(std::span(buffer)));
            }
        });
        return 10'000;
    }
    World world{10'000};
    std::string pong = ws::encode_frame(ws::ClientFrame::make(ws::Opcode::pong, {})), buffer = pong;
};

/// The whole way of a client: request, check, answer, session, reset.
struct HandshakeAndLoss : Job {
    std::uint64_t round() override {
        for (int i = 0; i < 4; ++i) {
            ByteConnectionOwner* owner = nullptr;
            world.hub.adopt({&owner}, std::string(request));
            world.run();
            world.turn([&] { owner->on_lost(); });
            world.run();
        }
        std::uint64_t const opened = world.sessions.size();
        world.sessions.clear();
        return opened;
    }
    static constexpr std::string_view request =
        "GET /chat HTTP/1.1\r\nHost: example.test\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101\r\n"
        "Accept-Language: en\r\nAccept-Encoding: gzip, deflate, br\r\nOrigin: http://example.test\r\nUpgrade: websocket\r\n"
        "Connection: keep-alive, Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
    World world{0};
};

/// From one shard to 100 subscribers on another, 16 a turn.
struct CrossShard : Job {
    CrossShard() { world.subscribe_all("room", 1); }
    std::uint64_t round() override {
        world.turn([&] {
            for (int i = 0; i < 16; ++i) world.sessions[0]->publish("room", message);
        });
        world.run();
        return 1600;
    }
    World world{100, 2};
};

/// Each of 100 clients says something and gets it back.
struct Echo : Job {
    std::uint64_t round() override {
        world.turn([&] {
            for (ByteConnectionOwner* const owner : world.owners) {
                buffer = frame;
                owner->on_bytes(std::as_writable_bytes(std::span(buffer)));
            }
        });
        return 100;
    }
    World world{100};
    std::string frame = ws::encode_frame(ws::ClientFrame::text(payload)), buffer = frame;
};

struct Named {
    char const* name;
    std::unique_ptr<Job> (*make)();
    unsigned long rounds;
};
template <class T, int... Arguments>
std::unique_ptr<Job> make() {
    return std::make_unique<T>(Arguments...);
}
constexpr Named jobs[] = {
    {"decode", make<Decode>, 1000},
    {"mask", make<Mask>, 4000},
    {"utf8", make<Utf8>, 1000},
    {"encode", make<Encode>, 1000},
    {"fan_out_1", make<FanOut, 1>, 100},
    {"fan_out_16", make<FanOut, 16>, 100},
    {"small_topics", make<SmallTopics>, 50},
    {"topic_churn", make<Churn>, 100},
    {"timers", make<Timers>, 2},
    {"handshake", make<HandshakeAndLoss>, 100},
    {"cross_shard", make<CrossShard>, 100},
    {"echo", make<Echo>, 100},
};

}  // namespace

/// All that is counted. The name is what callgrind is told.
extern "C" [[gnu::noinline]] std::uint64_t guard_rounds(void* job, unsigned long rounds, unsigned long spoiled_percent) {
    std::uint64_t items = 0;
    for (unsigned long i = 0; i < rounds; ++i) {
        items += static_cast<Job*>(job)->round();
        if (i * spoiled_percent / 100 != (i + 1) * spoiled_percent / 100) static_cast<Job*>(job)->round();
    }
    return items;
}

// Not inline: g++ 12 would take the pair for mismatched.
[[gnu::noinline]] void* operator new(std::size_t bytes) {
    ++allocations;
    if (void* memory = std::malloc(bytes)) return memory;
    throw std::bad_alloc();
}
[[gnu::noinline]] void* operator new(std::size_t bytes, std::nothrow_t const&) noexcept {
    ++allocations;
    return std::malloc(bytes);
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace {

void run(Job& job, int warm_up, unsigned long rounds, unsigned long spoiled_percent) {
    for (int i = 0; i < warm_up; ++i) job.round();  // what is made once is there
    std::uint64_t const before = allocations;
    std::uint64_t const items = guard_rounds(&job, rounds, spoiled_percent);
    std::printf("%llu %llu\n", static_cast<unsigned long long>(items), static_cast<unsigned long long>(allocations - before));
}

}  // namespace

int main(int argc, char** argv) {
    std::string_view name, growing;
    unsigned long rounds = 0, spoiled_percent = 0, size = 0;
    for (int i = 1; i < argc; ++i) {
        std::string_view const option = argv[i];
        if (option == "--list") {
            for (Named const& job : jobs) std::puts(job.name);
            return 0;
        }
        if (option == "--list-growth") {
            for (growth::Named const& job : growth::jobs) std::printf("%s %zu %zu\n", job.name, job.small, job.large);
            return 0;
        }
        if (++i == argc) break;
        if (option == "--growth") growing = argv[i];
        if (option == "--size") size = std::strtoul(argv[i], nullptr, 10);
        if (option == "--job") name = argv[i];
        if (option == "--rounds") rounds = std::strtoul(argv[i], nullptr, 10);
        if (option == "--spoil") spoiled_percent = std::strtoul(argv[i], nullptr, 10);
    }
    for (Named const& each : jobs)
        if (name == each.name) return run(*each.make(), 3, rounds ? rounds : each.rounds, spoiled_percent), 0;
    for (growth::Named const& each : growth::jobs)
        if (growing == each.name && size) return run(*each.make(size), 1, 2, 0), 0;
    std::fprintf(stderr,
                 "usage: hubbub_guard_jobs --list | --job NAME [--rounds N] [--spoil PERCENT] | --list-growth | --growth NAME "
                 "--size N\n");
    return 2;
}
