#pragma once

#include <concepts>

namespace hubbub::inline v0 {

namespace detail {
template <class Policy>
struct OptionsOf {
    using type = Policy;
};
template <class Policy>
    requires requires { typename Policy::Options; }
struct OptionsOf<Policy> {
    using type = typename Policy::Options;
};
}  // namespace detail

/// What a policy is configured with, and made from on each shard: its `Options`, or else an instance that is copied.
template <class Policy>
using OptionsOf = typename detail::OptionsOf<Policy>::type;

/// Throws what `check()` of the first that refuses throws: std::invalid_argument with a sentence that names the member. Options
/// without it are fine.
template <class... Options>
void check_options(Options const&... options) {
    auto const check = [](auto const& each) {
        if constexpr (requires { each.check(); }) each.check();
    };
    (check(options), ...);
}

}  // namespace hubbub::inline v0
