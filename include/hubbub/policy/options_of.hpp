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

/// Throws what `options.check()` throws, if there is such a member: std::invalid_argument with a sentence that names it.
template <class Options>
void check_options(Options const& options) {
    if constexpr (requires { options.check(); }) options.check();
}

}  // namespace hubbub::inline v0
