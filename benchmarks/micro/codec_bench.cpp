// What each message costs before and after the hub: a client's frame is decoded, a server's is encoded. Small frames are those of
// a chat or a game, 32 of them in what one receive brings; 64 KiB is where unmasking and copying count alone.
#include <cstring>
#include <string>

#include <benchmark/benchmark.h>

#include <hubbub/ws/decoder.hpp>
#include <hubbub/ws/encoder.hpp>
#include <hubbub/ws/frame.hpp>

#include "counting_sink.hpp"

namespace {
namespace codec {

using namespace hubbub;

void decode_small_text(benchmark::State& state) {
    std::string const payload(static_cast<std::size_t>(state.range(0)), 'x');
    std::string frames;
    for (int i = 0; i < 32; ++i) ws::append_frame(frames, ws::ClientFrame::text(payload));
    std::string buffer = frames;
    ws::Decoder decoder;
    CountingSink sink;
    for (auto _ : state) {
        std::memcpy(buffer.data(), frames.data(), frames.size());  // it is unmasked in place
        decoder.feed(std::as_writable_bytes(std::span(buffer)), {}, sink);
    }
    if (sink.messages != static_cast<std::size_t>(state.iterations()) * 32) state.SkipWithError("not all was decoded");
    state.SetItemsProcessed(static_cast<std::int64_t>(sink.messages));
}
BENCHMARK(decode_small_text)->Arg(16)->Arg(64)->Arg(120);

void decode_large_binary(benchmark::State& state) {
    std::string const payload(65535, 'x');
    std::string buffer = ws::encode_frame(ws::ClientFrame::make(ws::Opcode::binary, payload));
    ws::Decoder decoder;
    CountingSink sink;
    for (auto _ : state) decoder.feed(std::as_writable_bytes(std::span(buffer)), {}, sink);
    if (sink.messages != static_cast<std::size_t>(state.iterations())) state.SkipWithError("not all was decoded");
    state.SetBytesProcessed(static_cast<std::int64_t>(sink.bytes));
}
BENCHMARK(decode_large_binary);

/// The same in pieces of 4 KiB, as small receive buffers bring it: each is kept, in memory of a pool as in a session.
void decode_large_in_pieces(benchmark::State& state) {
    struct PoolSink : CountingSink {
        ws::BlockPool blocks;
        ws::BlockPool& pool() { return blocks; }
    };
    std::string const payload(static_cast<std::size_t>(state.range(0)), 'x');
    std::string buffer = ws::encode_frame(ws::ClientFrame::make(ws::Opcode::binary, payload));
    PoolSink sink;
    ws::Decoder decoder;
    for (auto _ : state)
        for (std::size_t at = 0; at < buffer.size(); at += 4096)
            decoder.feed(std::as_writable_bytes(std::span(buffer).subspan(at, std::min<std::size_t>(4096, buffer.size() - at))),
                         {.message = payload.size()}, sink);
    if (sink.messages != static_cast<std::size_t>(state.iterations())) state.SkipWithError("not all was decoded");
    state.SetBytesProcessed(static_cast<std::int64_t>(sink.bytes));
}
BENCHMARK(decode_large_in_pieces)->Arg(65535)->Arg(1 << 20);

/// A Frame of one's own: what a publication from another thread allocates and copies.
void encode_frame(benchmark::State& state) {
    std::string const payload(static_cast<std::size_t>(state.range(0)), 'x');
    for (auto _ : state) benchmark::DoNotOptimize(Frame::text(payload).wire().data());
    state.SetItemsProcessed(state.iterations());
    state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(encode_frame)->Arg(64)->Arg(64 * 1024);

}  // namespace codec
}  // namespace
