#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace chat {

/// What one client may do, so that no client spoils it for the others, and what a room remembers. The page is told those that it shows.
struct Rules {
    static constexpr std::size_t name = 32;          ///< characters: code points
    static constexpr std::size_t room = 32;          ///< the same
    static constexpr std::size_t text = 1000;        ///< the same
    static constexpr std::size_t id = 64;            ///< bytes of what a client calls its message
    static constexpr std::size_t bytes = 16 * 1024;  ///< of a message; more closes with 1009, before it is read
    static constexpr std::size_t rooms = 8;          ///< that one session is in

    static constexpr double says_at_once = 8, says_per_second = 4;                   ///< more is refused
    static constexpr std::uint32_t messages_at_once = 60, messages_per_second = 20;  ///< of any type; more closes with 1008
    static constexpr unsigned mistakes = 20;                          ///< messages that make no sense; more closes with 1008
    static constexpr std::chrono::milliseconds between_typing{2000};  ///< of one session; more is dropped

    static constexpr std::uint32_t remembered = 100;  ///< messages of a room
    static constexpr std::chrono::hours remembered_for{24};
};

/// So much at once, and so much a second in the long run.
class Allowance {
   public:
    using Clock = std::chrono::steady_clock;

    /// Takes one; false if there is none. The two numbers may change.
    bool take(Clock::time_point now, double at_once, double per_second) {
        double const grown = std::chrono::duration<double>(now - then_).count() * per_second;
        left_ = grown < at_once - left_ ? left_ + grown : at_once;
        then_ = now;
        if (left_ < 1) return false;
        left_ -= 1;
        return true;
    }

   private:
    double left_ = 0;
    Clock::time_point then_{};  ///< long ago: at first there is as much as may be
};

}  // namespace chat
