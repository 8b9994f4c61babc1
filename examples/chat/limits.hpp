#pragma once

#include <atomic>

#include "rules.hpp"

namespace chat {

/// What an operator may change while the chat runs. All threads look at it.
struct Limits {
    std::atomic<double> says_at_once = Rules::says_at_once, says_per_second = Rules::says_per_second;
};

}  // namespace chat
