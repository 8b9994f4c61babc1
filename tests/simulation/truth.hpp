#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <hubbub/hub/hub.hpp>
#include <hubbub/testing/simulation.hpp>
#include <hubbub/transport/memory/memory_connection.hpp>

/// What a whole hub is held against: who published what, in which order each topic's owner put it, and who was to hear it.
namespace hub_simulation {

using namespace hubbub;
using Place = std::uint64_t;  ///< in a topic's order over all its epochs, from 1
inline constexpr Place never = std::numeric_limits<Place>::max();

inline constexpr std::size_t own_topics = 4;  ///< that clients subscribe to; the third is the one with keys
inline constexpr std::size_t keyed_topic = 2;
inline constexpr std::size_t topic_of_all = 4, topic_of_label = 5, topic_of_user = 6;
inline constexpr std::size_t topics = 7;
inline std::string const& topic_name(std::size_t topic) {
    static std::array<std::string, topics> const names{
        "a", "b", "k", "d", std::string(internal_topics::all), internal_topics::label("x"), internal_topics::user("u")};
    return names[topic];
}
inline std::size_t topic_number(std::string_view name) {
    for (std::size_t topic = 0; topic < topics; ++topic)
        if (topic_name(topic) == name) return topic;
    return topics;
}

/// One publication, or one send to a session.
struct Message {
    static constexpr std::size_t direct = topics;

    std::size_t topic = direct;
    std::size_t actor = 0;  ///< who published it: a shard's thread or another
    int peer = -1;          ///< who is excluded, or the receiver of a direct send
    std::uint64_t key = 0;
    TimePoint expires = TimePoint::max();
    Place place = 0;         ///< 0: the owner has not seen it
    bool certain = false;    ///< somebody was subscribed when it was published, so the owner must see it
    bool under_way = false;  ///< a direct send that may not have arrived
    std::array<std::optional<Place>, topics> behind;  ///< a direct send: what its receiver's shard had of each topic
    bool wants_receipt = false;
    std::optional<PublishReceipt> receipt;
    std::size_t arrived = 0;  ///< at so many clients
};

/// Which messages of a topic are for one session: those in (sure, sure_end] certainly, none outside of (low, end].
struct Window {
    std::size_t topic = 0;
    Place low = 0, sure = never;
    Place sure_end = 0, end = never;
    bool is_open = true;
    bool is_told = false;
};

/// The order of one topic.
struct Order {
    std::vector<std::size_t> messages;        ///< by place, less 1
    std::map<std::uint64_t, Place> epochs;    ///< the place before the first of each epoch
    std::map<std::size_t, std::size_t> last;  ///< of each actor, its newest message
};

/// What the policies of the hub under test ask and tell; one at a time.
struct Truth {
    testing::Simulation* sim = nullptr;
    OverflowAction overflow = OverflowAction::drop_newest;
    std::array<std::optional<OverflowAction>, topics> on_full;
    bool tells_gaps = false;
    std::uint64_t notices = 0;
    std::vector<Message> messages;
    std::array<Order, topics> orders;
    std::string problem;
    std::vector<Verdict<Authenticated>> waiting;                         ///< handshakes whose answer comes later
    std::map<int, std::vector<std::pair<std::size_t, Place>>> excluded;  ///< by peer: topics and places

    void expect(bool holds, std::string_view what, std::size_t message = 0) {
        if (holds || !problem.empty()) return;
        problem = what;
        if (message) problem += " (message " + std::to_string(message) + ")";
    }
    static std::size_t number_of(std::string_view text) {
        std::size_t number = 0;
        for (char const c : text) {
            if (c < '0' || c > '9') break;
            number = number * 10 + static_cast<std::size_t>(c - '0');
        }
        return number;
    }
    void on_sequenced(std::string_view name, Position position, std::size_t number) {
        Order& order = orders[topic_number(name)];
        if (number == 0 || number >= messages.size()) return expect(false, "an unknown message was sequenced", number);
        Message& message = messages[number];
        expect(message.place == 0, "a message was sequenced twice", number);
        std::size_t& last = order.last[message.actor];
        expect(last < number, "a publisher's messages were sequenced in another order", number);
        last = number;
        order.epochs.try_emplace(position.epoch, order.messages.size());
        order.messages.push_back(number);
        message.place = order.messages.size();
        if (message.peer >= 0) excluded[message.peer].emplace_back(message.topic, message.place);
        expect(order.epochs[position.epoch] + position.offset == message.place, "positions of a topic are not counted singly",
               number);
    }
    /// Nothing has a place in an epoch that was not seen yet, so it begins where the order ends now.
    Place place_of(std::size_t topic, Position position) const {
        Order const& order = orders[topic];
        auto const known = order.epochs.find(position.epoch);
        return (known == order.epochs.end() ? order.messages.size() : known->second) + position.offset;
    }
};
inline Truth* truth = nullptr;

// ---- the policies

struct AnyOverflow {
    OverflowAction on_full(QueueState const& state, OverflowingMessage const& message) const noexcept {
        truth->expect(state.bytes + message.bytes > state.limits.bytes || state.messages + 1 > state.limits.messages,
                      "a message overflows although there is room");
        return truth->overflow;
    }
};
struct AnyTopics {
    TopicOptions options_for(std::string_view name) const { return {truth->on_full[topic_number(name)]}; }
};
struct GapNotices {
    std::optional<Frame> gap_notice(std::uint64_t missed) const {
        truth->expect(missed > 0, "a gap of nothing is told");
        if (!truth->tells_gaps) return std::nullopt;
        ++truth->notices;
        return Frame::text("gap " + std::to_string(missed));
    }
};
struct RecordingBackplane {
    static constexpr bool is_local = true;
    void on_publication(std::string_view topic, Position position, MessageView message) {
        truth->on_sequenced(topic, position, Truth::number_of(message.view()));
    }
};
/// "/SHARD/..." says where a session lives.
struct ByTarget {
    ShardIndex operator()(SessionInfo const& info, ShardCount) const {
        return {static_cast<std::uint16_t>(Truth::number_of(info.request.target().substr(1)))};
    }
};
/// Everybody may come; some wait for it. Every other one is the user "u".
struct LateAuthentication {
    void authenticate(http::Request const& request, PeerAddress const&, Verdict<Authenticated> verdict) {
        if (request.target().ends_with("/late")) return truth->waiting.push_back(std::move(verdict));
        verdict.answer(Authenticated::as({request.target().ends_with("/u") ? "u" : "", {}, {}}));
    }
};

template <class HowToCompress>
struct PolicyWith : DefaultPolicy {
    using Compression = HowToCompress;
    using Auth = LateAuthentication;
    using Overflow = AnyOverflow;
    using Topics = AnyTopics;
    using Codec = GapNotices;
    using Backplane = RecordingBackplane;
    using Sharding = ByTarget;
    struct SessionData {
        int peer = -1;
    };
};
using Policy = PolicyWith<NoCompression>;

}  // namespace hub_simulation
