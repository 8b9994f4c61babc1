#pragma once

#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <hubbub/core/exceptions.hpp>
#include <hubbub/policy/overflow_action.hpp>
#include <hubbub/policy/presence.hpp>

namespace hubbub::inline v0 {

/// How much of its newest publications a topic keeps. What is beyond one of the limits is forgotten, the oldest first.
struct HistoryLimits {
    std::uint32_t messages = 0;                 ///< 0: it keeps nothing
    std::size_t bytes = std::size_t{1} << 20;   ///< of payload
    std::chrono::milliseconds age{300'000};     ///< of a publication
    bool newest_per_key = false;                ///< a publication with a key replaces the one that has the key
    std::chrono::milliseconds id_age{120'000};  ///< so long an id of a publication is known; see PublishOptions::id
    std::uint32_t ids = 10'000;                 ///< so many of them, the newest

    explicit operator bool() const noexcept { return messages != 0; }
    bool operator==(HistoryLimits const&) const = default;
};

/// What is published to a topic while its broker is not there: see `HubOptions::outbox`. Without a broker it means nothing.
enum class WhenApart : std::uint8_t {
    deliver_here,  ///< to those who are here at once, and to the other nodes when the broker is back
    refuse,        ///< nothing is published, and the publisher is told
};

/// What is special about a topic.
struct TopicOptions {
    std::optional<OverflowAction> on_full{};  ///< instead of the hub's policy
    HistoryLimits history{};                  ///< it remembers: who was away gets what he missed
    PresenceOptions presence{};               ///< it knows who is there
    WhenApart when_apart = WhenApart::deliver_here;
};

/// Says what is special about each topic, by its name or a prefix of it, so that ten thousand rooms need no ten thousand calls.
///
/// Exemplar:
///     struct TopicsExemplar {
///         hubbub::TopicOptions options_for(std::string_view name) const;
///     };
///
/// Required behaviour: the same name has the same options, on every shard. Called when a shard first hears of a topic, and for a
/// publication to a topic that nobody is subscribed to.
///
/// Models: UniformTopics, TopicsByName.
template <class T>
concept TopicsPolicy = std::copy_constructible<T> && requires(T const& policy, std::string_view name) {
    { policy.options_for(name) } -> std::same_as<TopicOptions>;
};

/// All topics are alike, and nothing is special about them.
struct UniformTopics {
    constexpr TopicOptions options_for(std::string_view) const noexcept { return {}; }
};
static_assert(TopicsPolicy<UniformTopics>);

/// Topics whose names are listed, or begin with what is listed, are special.
///
/// Example:
///     struct ShopPolicy : hubbub::DefaultPolicy { using Topics = hubbub::TopicsByName; };
///     options.topics.names = {{"orders", {.history = {.messages = 1000}}}};
///     options.topics.prefixes = {{"price/", {.history = {.messages = 1, .newest_per_key = true}}}};
class TopicsByName {
   public:
    using Named = std::vector<std::pair<std::string, TopicOptions>>;
    struct Options {
        Named names;             ///< whole names; they go before prefixes
        Named prefixes;          ///< the longest that fits decides
        TopicOptions otherwise;  ///< of all other topics

        /// Throws std::invalid_argument with a sentence that names the topic.
        void check() const {
            check(names, "names");
            check(prefixes, "prefixes");
            check(otherwise, "otherwise");
        }

       private:
        static void check(Named const& list, std::string const& where) {
            for (auto const& [name, options] : list) check(options, where + " \"" + name + '"');
        }
        static void check(TopicOptions const& options, std::string const& where) {
            HistoryLimits const& history = options.history;
            auto const demand = [&where](bool holds, char const* sentence) {
                if (!holds) detail::throw_exception(std::invalid_argument("TopicsByName::Options::" + where + sentence));
            };
            demand(options.presence.told_every.count() >= 0, ": presence.told_every must not be negative");
            demand(options.presence.lease.count() > 0, ": presence.lease must be positive");
            if (!history) return;
            demand(history.bytes > 0, ": history.bytes must be positive");
            demand(history.age.count() > 0, ": history.age must be positive");
            demand(history.id_age.count() >= 0, ": history.id_age must not be negative");
        }
    };

    TopicsByName() = default;
    explicit TopicsByName(Options options) : options_(std::move(options)) {}

    /// Cost: a comparison with each that is listed.
    TopicOptions options_for(std::string_view name) const {
        for (auto const& [whole, options] : options_.names)
            if (whole == name) return options;
        std::pair<std::string, TopicOptions> const* longest = nullptr;
        for (auto const& each : options_.prefixes)
            if (name.starts_with(each.first) && (!longest || each.first.size() > longest->first.size())) longest = &each;
        return longest ? longest->second : options_.otherwise;
    }

   private:
    Options options_;
};
static_assert(TopicsPolicy<TopicsByName>);

}  // namespace hubbub::inline v0
