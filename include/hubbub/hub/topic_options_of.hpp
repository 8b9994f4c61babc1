#pragma once

#include <chrono>
#include <string_view>

#include <hubbub/hub/subscription.hpp>
#include <hubbub/policy/topics.hpp>

namespace hubbub::inline v0 {

/// What the policy says of a topic, or the hub of its own.
template <TopicsPolicy Topics>
TopicOptions topic_options(Topics const& policy, std::string_view name) {
    // Revocations, for as long as a node may be cut off from its broker and still hear of them.
    if (name == internal_topics::control) return {.history = {.messages = 10'000, .age = std::chrono::hours(1)}};
    TopicOptions options = policy.options_for(name);
    if (is_topic_name(name)) return options;
    options.history = {};
    options.presence = {};
    return options;
}

}  // namespace hubbub::inline v0
