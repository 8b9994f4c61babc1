#pragma once

#include <chrono>
#include <functional>
#include <stdexcept>

#include <hubbub/core/exceptions.hpp>
#include <hubbub/core/peer_address.hpp>
#include <hubbub/http/local_only.hpp>
#include <hubbub/http/request.hpp>

namespace hubbub::inline v0 {

/// Who may look into the program, and for how long.
struct ProfilingOptions {
    /// Asked before anything else, on the loop of the connection, so on several threads at once.
    std::function<bool(http::Request const&, PeerAddress const&)> allow = http::is_local;
    std::chrono::seconds most{50};  ///< of one CPU profile; HubOptions::page_limit has to be longer

    /// Throws std::invalid_argument with a sentence that names the option.
    void check() const {
        if (!allow) detail::throw_exception(std::invalid_argument("ProfilingOptions::allow is empty"));
        if (most.count() < 1) detail::throw_exception(std::invalid_argument("ProfilingOptions::most is less than a second"));
    }
};

}  // namespace hubbub::inline v0
