#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <hubbub/core/top_list.hpp>
#include <hubbub/hub/collect_options.hpp>
#include <hubbub/hub/topic_index.hpp>
#include <hubbub/hub/topic_snapshot.hpp>

namespace hubbub::inline v0 {

/// The topics of a shard that a snapshot is to list, each once and in no order. `is_owned(topic)`: its order is this shard's.
/// Cost: a look at each topic, if the busiest are wanted.
template <class IsOwned>
std::vector<TopicSnapshot> list_topics(TopicIndex& topics, CollectOptions const& options, IsOwned is_owned) {
    std::vector<Topic const*> chosen;
    auto const choose = [&](auto value_of) {
        using Valued = std::pair<std::uint64_t, Topic const*>;
        TopList<Valued> top(options.busiest);
        topics.each([&](Topic const& topic) {
            std::uint64_t const value = topic.is_internal() ? 0 : value_of(topic);
            if (value) top.show({value, &topic});
        });
        for (auto const& [value, topic] : std::move(top).take()) chosen.push_back(topic);
    };
    auto const published = [&](Topic const& topic) { return is_owned(topic) ? topic.position.offset : 0; };
    if (options.busiest) {
        choose([](Topic const& topic) { return topic.members.size(); });
        choose(published);
    }
    for (std::string const& name : options.topics)
        if (auto const number = topics.find(name)) chosen.push_back(&topics[*number]);
    std::sort(chosen.begin(), chosen.end());
    chosen.erase(std::unique(chosen.begin(), chosen.end()), chosen.end());
    std::vector<TopicSnapshot> list;
    for (Topic const* const topic : chosen) {
        list.push_back({topic->name, topic->members.size(), published(*topic), {}});
        std::copy_n(topic->dropped, drop_reasons, list.back().dropped);
    }
    return list;
}

}  // namespace hubbub::inline v0
