// Unmasking, which touches each byte that a client sends (RFC 6455 5.3). 16 and 125 are small messages, where the way in and out
// counts; 64 KiB is where the width of a step does. They begin at an odd address, as payloads do.
#include <string>

#include <benchmark/benchmark.h>

#include <hubbub/ws/mask.hpp>

namespace {
namespace mask {

void apply_mask(benchmark::State& state) {
    std::string bytes(static_cast<std::size_t>(state.range(0)) + 1, 'x');
    auto const payload = std::as_writable_bytes(std::span(bytes)).subspan(1);
    hubbub::ws::MaskKey key{std::byte{1}, std::byte{2}, std::byte{3}, std::byte{4}};
    for (auto _ : state) {
        benchmark::DoNotOptimize(key);
        hubbub::ws::apply_mask(payload, key);
        benchmark::ClobberMemory();
    }
    state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(apply_mask)->Arg(16)->Arg(125)->Arg(4096)->Arg(64 * 1024);

}  // namespace mask
}  // namespace
