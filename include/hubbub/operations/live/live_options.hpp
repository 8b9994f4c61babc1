#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include <hubbub/http/operators_only.hpp>
#include <hubbub/hub/drain.hpp>

namespace hubbub::inline v0 {

/// What an OperationsServer shows, and to whom.
struct OperationsOptions {
    std::string address = "127.0.0.1";
    std::uint16_t port = 9180;                 ///< 0: the system chooses
    http::OperatorsOnly allow{};               ///< who may see it; by default this machine alone
    std::optional<http::OperatorsOnly> act{};  ///< who may also close sessions and drain; nobody, unless it is given
    DrainOptions drain{};                      ///< how the button drains
    std::size_t sessions = 20;                 ///< the slowest consumers that are listed
    std::size_t topics = 20;                   ///< the largest and busiest topics that are listed
    bool hide_addresses = false;               ///< the last part of addresses is not shown
    bool hide_users = false;
    std::size_t watchers = 16;  ///< live pages that may be open at once
};

}  // namespace hubbub::inline v0
