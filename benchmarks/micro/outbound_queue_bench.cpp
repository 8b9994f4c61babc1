// The queue of a session: each delivery pushes one slice, and each write settles it. A thousand queues, because those of one topic
// are touched one after the other.
#include <cstdint>
#include <vector>

#include <benchmark/benchmark.h>

#include <hubbub/hub/outbound_queue.hpp>

namespace {
namespace outbound_queue {

using namespace hubbub;

constexpr std::uint32_t frame = 66;  // 64 bytes of payload

ws::Block* block_of_frames(ws::BlockPool& pool, std::uint32_t count) {
    ws::Block* const block = pool.make(frame * std::size_t{count}, 1);
    for (std::uint32_t i = 0; i < count; ++i) ws::encode_server_header(block->bytes + i * frame, ws::Opcode::text, frame - 2);
    block->size = frame * count;
    return block;
}

/// One topic, one run a turn, and a socket that takes all.
void push_and_settle(benchmark::State& state) {
    ws::BlockPool pool;
    ws::Block* const block = block_of_frames(pool, 1);
    std::vector<OutboundQueue> queues(1000);
    for (auto _ : state) {
        for (auto& queue : queues) queue.push(block, 0, frame, 1);
        for (auto& queue : queues) benchmark::DoNotOptimize(queue.taken(pool, queue.bytes()));
    }
    pool.release(block);
    state.SetItemsProcessed(state.iterations() * 1000);
}
BENCHMARK(push_and_settle);

/// A socket that takes half of what is there: 16 slices of runs of 4, cut in the middle of a frame.
void settle_partly(benchmark::State& state) {
    ws::BlockPool pool;
    std::vector<ws::Block*> blocks;
    for (int i = 0; i < 16; ++i) blocks.push_back(block_of_frames(pool, 4));
    OutboundQueue queue;
    for (auto _ : state) {
        for (ws::Block* const block : blocks) queue.push(block, 0, 4 * frame, 4);
        std::uint32_t const half = queue.bytes() / 2 + 7;
        benchmark::DoNotOptimize(queue.taken(pool, half));
        benchmark::DoNotOptimize(queue.taken(pool, queue.bytes()));
    }
    for (ws::Block* const block : blocks) pool.release(block);
    state.SetItemsProcessed(state.iterations() * 64);
}
BENCHMARK(settle_partly);

/// A session that is behind: each new message drops the oldest of its topic.
void drop_oldest(benchmark::State& state) {
    ws::BlockPool pool;
    std::vector<ws::Block*> blocks;
    for (int i = 0; i < 64; ++i) blocks.push_back(block_of_frames(pool, 1));
    OutboundQueue queue;
    for (ws::Block* const block : blocks) queue.push(block, 0, frame, 1);
    std::size_t next = 0;
    for (auto _ : state) {
        if (!queue.drop_oldest(pool, 1)) state.SkipWithError("there was one");
        queue.push(blocks[next++ % blocks.size()], 0, frame, 1);
    }
    queue.clear(pool);
    for (ws::Block* const block : blocks) pool.release(block);
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(drop_oldest);

}  // namespace outbound_queue
}  // namespace
