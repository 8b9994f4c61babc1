#pragma once

#include <cstddef>
#include <cstdint>

namespace hubbub::inline v0 {

/// How large the io_uring of a loop is, where the engine is `uring`. The kernel rounds numbers up to powers of two.
///
/// Cost: `buffers` × `buffer_size` + 64 × `submissions` + 16 × `completions` bytes a loop, all of it touched at the start.
struct RingOptions {
    std::uint32_t submissions = 1024;       ///< entries that leave with one system call; more need several
    std::uint32_t completions = 8192;       ///< that wait at most; beyond it the kernel queues them, at a cost
    std::uint32_t buffers = 256;            ///< what is received at once; who finds none waits for the next round
    std::uint32_t buffer_size = 16 * 1024;  ///< bytes of each: what one connection brings in one piece
};

}  // namespace hubbub::inline v0
