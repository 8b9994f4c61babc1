#pragma once

#include <cstdint>

namespace hubbub::inline v0::detail {

/// Numbers that look like chance, for what is no secret: SplitMix64 (Steele, Lea and Flood, 2014). Eight bytes and two
/// multiplications, and no need of <random>.
class SmallRandom {
   public:
    explicit SmallRandom(std::uint64_t seed) noexcept : state_(seed) {}

    std::uint64_t operator()() noexcept {
        std::uint64_t number = state_ += 0x9E3779B97F4A7C15u;
        number = (number ^ number >> 30) * 0xBF58476D1CE4E5B9u;
        number = (number ^ number >> 27) * 0x94D049BB133111EBu;
        return number ^ number >> 31;
    }

   private:
    std::uint64_t state_;
};

}  // namespace hubbub::inline v0::detail
