#pragma once

#include <chrono>
#include <stdexcept>

#include <hubbub/core/exceptions.hpp>
#include <hubbub/http/operators_only.hpp>

namespace hubbub::inline v0 {

/// Who may look into the program, and for how long.
struct ProfilingOptions {
    http::OperatorsOnly allow{};    ///< by default who is on this machine
    std::chrono::seconds most{50};  ///< of one CPU profile; HubOptions::page_limit has to be longer

    /// Throws std::invalid_argument with a sentence that names the option.
    void check() const {
        if (most.count() < 1) detail::throw_exception(std::invalid_argument("ProfilingOptions::most is less than a second"));
    }
};

}  // namespace hubbub::inline v0
