// Counts the allocations of this whole program, and may refuse some; the operators may be replaced in one place only, and
// ThreadSanitizer has replaced them already.
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define HUBBUB_TEST_OPERATORS_ARE_TAKEN
#endif
#endif
#if !defined(HUBBUB_TEST_OPERATORS_ARE_TAKEN) && !defined(__SANITIZE_THREAD__)
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <string>
#include <thread>
#include <vector>

#include <asio/executor_work_guard.hpp>

#include <hubbub/hub/delivery.hpp>

#include "tests/support/catch.hpp"
#include "tests/unit/transport/tcp/tcp_fixture.hpp"

namespace {
std::atomic<std::size_t> allocations{0};
std::atomic<std::size_t> refused_from{SIZE_MAX};  ///< bytes, of those that may be refused without an exception
std::atomic<std::size_t> grants{SIZE_MAX};        ///< so many of the others are not refused
}  // namespace

// Not inlined: g++ takes what new and delete become for a mismatch.
[[gnu::noinline]] void* operator new(std::size_t size) {
    allocations.fetch_add(1, std::memory_order_relaxed);
    if (grants == 0) throw std::bad_alloc();
    if (grants != SIZE_MAX) --grants;
    if (void* const memory = std::malloc(size)) return memory;
    throw std::bad_alloc();
}
[[gnu::noinline]] void* operator new(std::size_t size, std::nothrow_t const&) noexcept {
    allocations.fetch_add(1, std::memory_order_relaxed);
    return size < refused_from ? std::malloc(size) : nullptr;
}
// These are not left to call those above: AddressSanitizer has its own.
[[gnu::noinline]] void* operator new[](std::size_t size) { return operator new(size); }
[[gnu::noinline]] void operator delete[](void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::nothrow_t const&) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

using namespace hubbub_test;

namespace {

/// Whether there is too little memory for that with so many more allocations.
template <class Call>
bool fails_with(std::size_t more, Call&& call) {
    grants = more;
    try {
        call();
    } catch (std::bad_alloc const&) {
        grants = SIZE_MAX;
        return true;
    }
    grants = SIZE_MAX;
    return false;
}

/// Its queues take a mebibyte.
struct RoomyDelivery {
    hubbub::QueueLimits limits{.bytes = 1u << 20, .messages = 1000, .high_bytes = 1u << 20, .low_bytes = 1};
    hubbub::Disconnect policy;
    hubbub::Delivery delivery{limits, policy, hubbub::SipHash({1, 2})};
};

/// Sends back what it gets.
struct Echo final : hubbub::ByteConnectionOwner {
    void on_bytes(std::span<std::byte> borrowed) noexcept override {
        hubbub::ws::Block block{};
        block.bytes = borrowed.data();
        hubbub::ws::Slice const slice{&block, 0, static_cast<std::uint32_t>(borrowed.size())};
        (void)connection->write({&slice, 1});
        ++rounds;
    }
    void on_writable() noexcept override {}
    void on_written(std::uint32_t) noexcept override {}
    void on_lost() noexcept override {}
    hubbub::TcpConnection* connection = nullptr;
    int rounds = 0;
};

}  // namespace

TEST_CASE("reading, writing, posting and waking allocate nothing once they are warm", "[tcp]") {
    TcpFixture::usual = GENERATE(TcpFixture::epoll_on_one_thread, TcpFixture::asio_on_one_thread);
    CAPTURE(TcpFixture::usual.name);
    constexpr int connections = 20;
    TcpFixture fixture;
    std::vector<RawPeer> peers;
    std::vector<hubbub::TcpConnection> served;
    std::vector<Echo> owners(connections);
    served.reserve(connections);
    for (int i = 0; i < connections; ++i) {
        auto pair = fixture.connect();
        peers.push_back(std::move(pair.peer));
        served.emplace_back(fixture.driver(), std::move(pair.socket));
        Echo& owner = owners[static_cast<std::size_t>(i)];
        owner.connection = &served.back();
        served.back().start(owner);
    }
    int posted = 0;
    char answer[16];
    std::size_t before = 0;
    int complete = 0;
    for (int round = 0; round < 200; ++round) {
        if (round == 100) before = allocations;
        fixture.loop().post([&] { ++posted; });
        fixture.loop().wake_at(fixture.loop().now());
        for (auto& peer : peers) peer.write("12345678");
        for (int tries = 0; tries < 10000 && owners[0].rounds + owners[connections - 1].rounds < 2 * round + 2; ++tries)
            (void)fixture.pump(1);
        for (auto& peer : peers) complete += ::recv(peer.descriptor(), answer, sizeof answer, 0) == 8;
    }
    CHECK(allocations - before == 0);
    CHECK(posted == 200);
    CHECK(complete == 200 * connections);
}

TEST_CASE("a post from another thread allocates nothing once it is warm") {
    asio::io_context context;
    hubbub::AsioLoop loop(context);
    auto work = asio::make_work_guard(context);
    std::thread runner([&] { context.run(); });
    std::atomic<int> ran{0};
    std::size_t before = 0;
    for (int i = 0; i < 200; ++i) {
        if (i == 100) before = allocations;
        loop.post([&] { ++ran; });
        while (ran <= i) std::this_thread::yield();
    }
    CHECK(allocations - before == 0);
    work.reset();
    runner.join();
}

TEST_CASE("a direct send for which there is no memory takes nothing from those before it") {
    using namespace hubbub;
    RoomyDelivery roomy;
    Delivery& delivery = roomy.delivery;
    auto& pool = delivery.pool();
    Subscriber before, after;
    std::string const text(1000, 'a');
    std::size_t sent = 0;
    refused_from = ws::BlockPool::largest_segment;
    bool is_out_of_memory = false;
    try {
        while (delivery.send(before, MessageView::text(text))) ++sent;
    } catch (std::bad_alloc const&) {
        is_out_of_memory = true;
    }
    refused_from = SIZE_MAX;
    CHECK(is_out_of_memory);
    CHECK(sent == ws::BlockPool::largest_segment / ws::server_frame_size(text.size()));
    CHECK(before.queue.messages() == sent);
    CHECK(delivery.counts().deliveries == sent);

    // When these are out, their block may be somebody else's; nobody may write to it any more.
    delivery.admission().note_written(before, before.queue.bytes());
    ws::Block* const other = pool.make(ws::BlockPool::largest_segment);
    REQUIRE(delivery.send(after, MessageView::text("later")));
    CHECK(after.queue.pending().front().block != other);
    pool.release(other);
    delivery.admission().drop_all(after);
    delivery.admission().flush_list().clear();
}

TEST_CASE("a direct send that cannot be queued for want of memory is not counted, and holds nothing") {
    using namespace hubbub;
    RoomyDelivery roomy;
    Delivery& delivery = roomy.delivery;
    auto& admission = delivery.admission();
    Subscriber one, other, third;
    auto const fails = [&](Subscriber& to, std::string_view text) {
        return fails_with(0, [&] { (void)delivery.send(to, MessageView::text(text)); });
    };
    // What lies between them makes each a slice of its own, and three are kept without memory.
    for (int i = 0; i < 3; ++i) {
        REQUIRE(delivery.send(one, MessageView::text("short")));
        REQUIRE(delivery.send(other, MessageView::text("short")));
    }
    admission.flush_list().shrink_to_fit();
    std::size_t const memory = delivery.pool().ledger().used();
    std::string const large(100'000, 'a');
    CHECK(fails(one, "short"));
    CHECK(fails(one, large));
    CHECK(fails(third, "who is to be flushed for the first time"));
    CHECK(delivery.pool().ledger().used() == memory);
    CHECK(one.queue.messages() == 3);
    CHECK(one.queue.bytes() == 3 * ws::server_frame_size(5));
    CHECK(third.queue.empty());
    CHECK_FALSE(third.in_flush_list);
    CHECK(delivery.counts().deliveries == 6);

    CHECK(delivery.send(one, MessageView::text("short")));
    CHECK(delivery.send(third, MessageView::text("short")));
    CHECK(one.queue.messages() == 4);
    CHECK(third.in_flush_list);
    CHECK(delivery.counts().deliveries == 8);
    for (Subscriber* each : {&one, &other, &third}) admission.drop_all(*each);
    admission.flush_list().clear();
}

TEST_CASE("whichever allocation of a direct send is refused, each message is queued, dropped or was never there") {
    using namespace hubbub;
    // Beyond the high watermark with the second, and condemned with the fourth.
    RoomyDelivery narrow{.limits = {.bytes = 25, .messages = 1000, .high_bytes = 10, .low_bytes = 1}, .policy = {}};
    Delivery& delivery = narrow.delivery;
    auto& admission = delivery.admission();
    std::vector<Subscriber> receivers(50);
    std::uint64_t failed = 0, wrong = 0;
    for (int i = 0; i < 4; ++i) {
        for (Subscriber& to : receivers) {
            auto const sums = [&] { return std::pair(delivery.counts().deliveries, to.accepted()); };
            auto const before = sums();
            for (std::size_t more = 0; fails_with(more, [&] { (void)delivery.send(to, MessageView::text("short")); }); ++more) {
                ++failed;
                wrong += sums() != before || to.state != Subscriber::State::open;
            }
            wrong += sums() != std::pair(before.first + 1, before.second + 1);
        }
    }
    CHECK(wrong == 0);
    CHECK(failed > 15);  // lists of who is to be flushed, is told of pressure or is condemned
    CHECK(admission.pressures().size() == receivers.size());
    CHECK(admission.overflowed().size() == receivers.size());
    for (Subscriber& each : receivers) admission.drop_all(each);
    admission.flush_list().clear();
    admission.overflowed().clear();
}

TEST_CASE("who cannot become a member for want of memory is none, and may try again") {
    using namespace hubbub;
    RoomyDelivery roomy;
    Delivery& delivery = roomy.delivery;
    std::vector<Subscriber> members(20);
    std::vector<std::uint32_t> topics;
    for (int i = 0; i < 40; ++i) topics.push_back(delivery.topics().intern("topic " + std::to_string(i)));
    std::size_t failed = 0, wrong = 0, joined = 0;
    for (std::uint32_t const number : topics) {
        Topic const& topic = delivery.topics()[number];
        for (Subscriber& member : members) {
            std::size_t const before = member.memberships(), place = topic.members.size();
            auto const is_as_before = [&] {
                return member.memberships() == before && topic.members.size() == place && !member.find(number);
            };
            std::size_t more = 0;
            while (fails_with(more, [&] { delivery.join(member, number); })) {
                ++more, ++failed;
                wrong += !is_as_before();
            }
            ++joined;
            wrong += member.memberships() != before + 1 || topic.members.size() != place + 1 || !member.find(number);
        }
    }
    CHECK(wrong == 0);
    CHECK(failed > 100);  // lists of members, lists of memberships and their tables
    CHECK(delivery.subscriptions() == joined);
    for (Subscriber& member : members) delivery.leave_all(member);
    CHECK(delivery.subscriptions() == 0);
}
#endif
