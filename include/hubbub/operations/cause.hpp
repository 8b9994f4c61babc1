#pragma once

#include <string>

namespace hubbub::inline v0 {

/// A reason why clients wait.
struct Cause {
    std::string name;      ///< such as "callbacks"; see SlowCauses
    double weight = 0;     ///< from 0 to 1: how much of the trouble it explains
    std::string evidence;  ///< what was measured
    std::string remedy;    ///< what to change, and with which option
};

}  // namespace hubbub::inline v0
