#pragma once

#include <chrono>

namespace hubbub::inline v0 {

/// Time as a ShardLoop tells it: monotonic, and virtual in a simulation. Nothing else in the library reads a clock.
using TimePoint = std::chrono::steady_clock::time_point;
using Duration = std::chrono::steady_clock::duration;

}  // namespace hubbub::inline v0
