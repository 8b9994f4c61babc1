// Bytes that choose what happens to a whole hub: who joins, publishes, stalls, resets, closes, what hooks call, how time passes. What the
// simulation demands after each step holds whatever they choose; see tests/simulation/hub_run.hpp.
#include "tests/simulation/hub_run.hpp"

#include <cstddef>
#include <cstdint>
#include <span>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    if (size < 2) return 0;
    auto const choices = std::as_bytes(std::span(data + 2, size - 2));
    hub_simulation::HubRun<>(hubbub::testing::Choices(choices), 1 + data[0] % 4).run(1 + data[1] % 64);
    return 0;
}
