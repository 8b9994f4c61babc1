#pragma once

#include <chrono>

namespace hubbub::inline v0 {

/// Time as a ShardLoop tells it: monotonic, and virtual in a simulation. Nothing that the hub decides reads another clock; the time
/// that a typed message carries is the wall clock's, unless the program gives it one.
using TimePoint = std::chrono::steady_clock::time_point;
using Duration = std::chrono::steady_clock::duration;

}  // namespace hubbub::inline v0
