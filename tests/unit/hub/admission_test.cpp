#include <hubbub/hub/admission.hpp>

#include <string>

#include "tests/support/catch.hpp"
#include "tests/unit/hub/queue_bed.hpp"

using namespace queue_bed;

namespace {

/// An admission, one topic and one subscriber; the sums hold after each test.
template <OverflowPolicy Policy>
struct Gate {
    explicit Gate(QueueLimits const& limits) : admission(limits, policy) { topic.name = "room"; }
    ~Gate() {
        auto const& counts = admission.counts();
        CHECK(counts.deliveries == counts.written + counts.all_dropped() + subscriber.queue.messages());
        CHECK(subscriber.written + subscriber.dropped + subscriber.queue.messages() == counts.deliveries);
        subscriber.queue.clear(admission.pool());
    }
    void give(std::string_view text, std::uint64_t key = 0) {
        ws::BlockPool& pool = admission.pool();
        auto const size = static_cast<std::uint32_t>(ws::server_frame_size(text.size()));
        ws::Block* const block = pool.make(size, 1);
        auto const header = ws::encode_server_header(block->bytes, ws::Opcode::text, text.size());
        if (!text.empty()) std::memcpy(block->bytes + header, text.data(), text.size());
        block->size = size;
        if (key) pool.note(block, {0, 0, key, 0});
        admission.note_deliveries(1);
        if (topic.keeps_last_of_key)
            admission.enqueue_each(subscriber, &topic, block, 0, size, 1);
        else
            admission.enqueue(subscriber, &topic, block, 0, size, 1);
        pool.release(block);
    }
    Texts content() const { return texts(bytes_of(subscriber.queue)); }
    std::uint64_t dropped(DropReason reason) const { return admission.counts().dropped[static_cast<std::size_t>(reason)]; }

    Policy policy;
    Admission admission;
    Topic topic;
    Subscriber subscriber;
};

constexpr QueueLimits three{.bytes = 1000, .messages = 3, .high_bytes = 900, .low_bytes = 100};

}  // namespace

TEST_CASE("What fits is queued, and the subscriber is to be flushed once") {
    Gate<Disconnect> gate(three);
    gate.give("one");
    gate.give("two");
    CHECK(gate.content() == Texts{"one", "two"});
    CHECK(gate.admission.flush_list().size() == 1);
    gate.subscriber.blocked = true;
    gate.subscriber.in_flush_list = false;
    gate.give("three");
    CHECK(gate.admission.flush_list().size() == 1);  // who is blocked is not flushed
}

TEST_CASE("The limits of messages and of bytes are never overstepped, not even by one") {
    Gate<DropNewest> by_messages(three);
    for (int i = 0; i < 5; ++i) by_messages.give(std::to_string(i));
    CHECK(by_messages.content() == Texts{"0", "1", "2"});
    CHECK(by_messages.dropped(DropReason::slow_consumer) == 2);
    CHECK(by_messages.subscriber.missed == 2);

    Gate<DropNewest> by_bytes({.bytes = 128, .messages = 100, .high_bytes = 120, .low_bytes = 10});
    by_bytes.give(std::string(100, 'a'));
    by_bytes.give(std::string(25, 'b'));
    CHECK(by_bytes.subscriber.queue.bytes() == 102);
    by_bytes.give(std::string(24, 'c'));
    CHECK(by_bytes.subscriber.queue.bytes() == 128);
    by_bytes.give("");
    CHECK(by_bytes.subscriber.queue.bytes() == 128);
}

TEST_CASE("Disconnect condemns once, drops what is free, and what still comes is counted as such") {
    Gate<Disconnect> gate(three);
    for (int i = 0; i < 6; ++i) gate.give(std::to_string(i));
    CHECK(gate.subscriber.state == Subscriber::State::overflowed);
    CHECK(gate.admission.overflowed().size() == 1);
    CHECK(gate.content().empty());
    CHECK(gate.dropped(DropReason::slow_consumer) == 1);
    CHECK(gate.dropped(DropReason::session_closed) == 5);
}

TEST_CASE("DropOldest keeps the newest, and drops what is new if nothing may go") {
    Gate<DropOldest> gate(three);
    for (int i = 0; i < 5; ++i) gate.give(std::to_string(i));
    CHECK(gate.content() == Texts{"2", "3", "4"});
    CHECK(gate.subscriber.missed == 2);
    gate.subscriber.queue.hold(gate.subscriber.queue.bytes());
    gate.give("no room");
    CHECK(gate.content() == Texts{"2", "3", "4"});
    CHECK(gate.dropped(DropReason::slow_consumer) == 3);
}

TEST_CASE("A topic's own option decides instead of the policy") {
    Gate<Disconnect> gate(three);
    gate.topic.on_full = OverflowAction::drop_newest;
    for (int i = 0; i < 5; ++i) gate.give(std::to_string(i));
    CHECK(gate.subscriber.state == Subscriber::State::open);
    CHECK(gate.content() == Texts{"0", "1", "2"});
    CHECK(gate.topic.dropped[static_cast<std::size_t>(DropReason::slow_consumer)] == 2);
}

TEST_CASE("Of a key only the newest is kept, before the queue is full too, and that is no slowness") {
    Gate<LatestPerKey> gate(three);
    gate.topic.keeps_last_of_key = true;
    gate.give("a1", 1);
    gate.give("b1", 2);
    gate.give("a2", 1);
    CHECK(gate.content() == Texts{"a2", "b1"});
    CHECK(gate.dropped(DropReason::superseded) == 1);
    CHECK(gate.subscriber.missed == 0);
    gate.give("c1", 3);
    gate.give("d1", 4);  // full, and none with its key
    gate.give("b2", 2);
    CHECK(gate.content() == Texts{"a2", "b2", "c1"});
    CHECK(gate.dropped(DropReason::slow_consumer) == 1);
    CHECK(gate.subscriber.missed == 1);
}

TEST_CASE("Pressure is told when the high watermark is crossed, and relief when the low one is reached, each once") {
    Gate<DropNewest> gate({.bytes = 1000, .messages = 100, .high_bytes = 100, .low_bytes = 50});
    auto& pressures = gate.admission.pressures();
    for (int i = 0; i < 3; ++i) gate.give(std::string(48, 'p'));
    REQUIRE(pressures.size() == 1);
    CHECK(pressures[0].high);
    gate.admission.note_written(gate.subscriber, 60);
    CHECK(pressures.size() == 1);
    gate.admission.note_written(gate.subscriber, 40);
    REQUIRE(pressures.size() == 2);
    CHECK_FALSE(pressures[1].high);
    gate.give(std::string(48, 'p'));
    gate.give(std::string(48, 'p'));
    CHECK(pressures.size() == 3);
}

TEST_CASE("What a session leaves behind is counted: of an end in good order, of a loss, of time") {
    Gate<Disconnect> gate(three);
    gate.give("one");
    gate.give("two");
    gate.admission.note_written(gate.subscriber, 1);
    gate.admission.drop_free(gate.subscriber);
    CHECK(gate.dropped(DropReason::session_closed) == 1);
    CHECK(gate.subscriber.queue.messages() == 1);  // it is partly on the wire
    gate.admission.drop_all(gate.subscriber);
    CHECK(gate.dropped(DropReason::session_closed) == 2);
    CHECK(gate.subscriber.queue.empty());
}

TEST_CASE("A message that could never fit is known before it is tried") {
    Gate<Disconnect> gate({.bytes = 1000, .messages = 3, .high_bytes = 900, .low_bytes = 1});
    CHECK(gate.admission.fits(996));
    CHECK_FALSE(gate.admission.fits(997));
}
