#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <span>

namespace hubbub::inline v0::testing {

/// Where the choices of a simulation come from: a seed, or bytes, as a fuzzer makes them, and a seed when they are used up.
///
/// Lifetime: the bytes are borrowed.
class Choices {
   public:
    using result_type = std::uint64_t;

    explicit Choices(std::uint64_t seed) : random_(seed) {}
    explicit Choices(std::span<std::byte const> bytes) : bytes_(bytes), random_(bytes.size()) {}

    static constexpr result_type min() noexcept { return 0; }
    static constexpr result_type max() noexcept { return std::numeric_limits<result_type>::max(); }

    result_type operator()() {
        if (bytes_.size() < 2) return random_();
        // Of most choices there are few: two bytes are enough, and a fuzzer learns what each does.
        auto const number = std::to_integer<std::uint64_t>(bytes_[0]) | std::to_integer<std::uint64_t>(bytes_[1]) << 8;
        bytes_ = bytes_.subspan(2);
        return number;
    }

   private:
    std::span<std::byte const> bytes_{};
    std::mt19937_64 random_;
};

}  // namespace hubbub::inline v0::testing
