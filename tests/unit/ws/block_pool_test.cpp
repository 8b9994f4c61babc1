#include <hubbub/ws/block_pool.hpp>

#include <cstring>
#include <string>
#include <vector>

#include <hubbub/ws/decoder.hpp>
#include <hubbub/ws/encoder.hpp>

#include "tests/support/catch.hpp"
#include "tests/unit/ws/recording_sink.hpp"

using namespace hubbub;

namespace {

struct PooledSink : RecordingSink {
    ws::BlockPool blocks;
    ws::BlockPool& pool() { return blocks; }
};

void feed(ws::Decoder& decoder, std::string bytes, PooledSink& sink, ws::DecoderLimits const& limits = {}) {
    decoder.feed(std::as_writable_bytes(std::span(bytes)), limits, sink);
}

}  // namespace

TEST_CASE("Plain memory is a power of two, charged while it is taken, and used again") {
    ws::BlockPool pool;
    for (std::size_t const bytes : {1u, 128u, 129u, 4096u, 65'535u, 65'536u}) {
        auto const memory = pool.take_plain(bytes);
        REQUIRE(memory.size() >= bytes);
        CHECK(memory.size() <= std::max<std::size_t>(2 * bytes, 128));
        std::memset(memory.data(), 1, memory.size());
        CHECK(pool.ledger().used() == memory.size());
        pool.give_plain(memory);
        CHECK(pool.ledger().used() == 0);
        auto const allocations = pool.allocations();
        auto const again = pool.take_plain(bytes);
        CHECK(again.data() == memory.data());
        CHECK(pool.allocations() == allocations);
        pool.give_plain(again);
    }
    auto const large = pool.take_plain(1'000'000);
    auto const free = pool.free_bytes();
    pool.give_plain(large);
    CHECK(pool.free_bytes() == free);  // what is that large is not kept
    for (int i = 0; i < 200; ++i) pool.trim();
    CHECK(pool.free_bytes() == 0);
}

TEST_CASE("What is incomplete is kept in the pool of the sink, and is back when the message is whole") {
    PooledSink sink;
    ws::Decoder decoder;
    std::string const frame = ws::encode_frame(ws::ClientFrame::text(std::string(65'536, 'x')));
    auto const in_pieces = [&] {
        for (std::size_t at = 0; at < frame.size(); at += 5'000) {
            feed(decoder, frame.substr(at, 5'000), sink);
            std::size_t const came = std::min(frame.size(), at + 5'000);
            if (came < frame.size()) CHECK(sink.blocks.ledger().used() > 0);
            CHECK(sink.blocks.ledger().used() <= 2 * came);
        }
        CHECK(sink.blocks.ledger().used() == 0);
    };
    in_pieces();
    auto const allocations = sink.blocks.allocations();
    in_pieces();
    in_pieces();
    CHECK(sink.blocks.allocations() == allocations);
    CHECK(sink.events.size() == 3);
}

TEST_CASE("A decoder that goes in the middle of a message, or moves, gives its memory back once") {
    PooledSink sink;
    std::string const frame = ws::encode_frame(ws::ClientFrame::text(std::string(1'000, 'x')));
    {
        ws::Decoder decoder;
        feed(decoder, frame.substr(0, 900), sink);
        CHECK(sink.blocks.ledger().used() > 0);
        ws::Decoder moved(std::move(decoder));
        feed(moved, frame.substr(900, 50), sink);
        CHECK(sink.blocks.ledger().used() > 0);
    }
    CHECK(sink.blocks.ledger().used() == 0);
    CHECK(sink.events.empty());
}
