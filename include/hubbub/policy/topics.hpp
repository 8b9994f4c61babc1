#pragma once

#include <concepts>
#include <optional>
#include <string_view>

#include <hubbub/policy/overflow_action.hpp>

namespace hubbub::inline v0 {

/// What is special about a topic.
struct TopicOptions {
    std::optional<OverflowAction> on_full;  ///< instead of the hub's policy
};

/// Says what is special about each topic, by its name or a prefix of it, so that ten thousand rooms need no ten thousand calls.
///
/// Exemplar:
///     struct TopicsExemplar {
///         hubbub::TopicOptions options_for(std::string_view name) const;
///     };
///
/// Required behaviour: the same name has the same options, on every shard. Called when a shard first hears of a topic.
///
/// Models: UniformTopics.
template <class T>
concept TopicsPolicy = std::copy_constructible<T> && requires(T const& policy, std::string_view name) {
    { policy.options_for(name) } -> std::same_as<TopicOptions>;
};

/// All topics are alike.
struct UniformTopics {
    TopicOptions options_for(std::string_view) const noexcept { return {}; }
};
static_assert(TopicsPolicy<UniformTopics>);

}  // namespace hubbub::inline v0
