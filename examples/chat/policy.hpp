#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include <hubbub/hub/hub_options.hpp>
#include <hubbub/protocol/protocol_codec.hpp>
#include <hubbub/protocol/protocol_limits.hpp>
#include <hubbub/protocol/protocol_state.hpp>

#include "names.hpp"
#include "rules.hpp"
#include "teller.hpp"
#include "text.hpp"

namespace chat {

/// A room has two topics: what is said, which it remembers, and who is typing, which it does not.
inline constexpr std::string_view said_in = "room/", typing_in = "typing/";

/// The room that a topic belongs to, or empty. A room has one name, so that nobody sits alone in a `Lobby` beside the `lobby`.
inline std::string_view room_of(std::string_view topic) {
    for (std::string_view const prefix : {said_in, typing_in}) {
        if (!topic.starts_with(prefix)) continue;
        std::string_view const room = topic.substr(prefix.size());
        return !room.empty() && text::length(room) <= Rules::room && text::room(room) == room ? room : std::string_view();
    }
    return {};
}

struct RoomsOnly {
    void authorize(hubbub::AuthorizationRequest const& request, hubbub::Verdict<hubbub::Permission> verdict) {
        verdict.answer({!room_of(request.topic).empty()});
    }
};

/// What the hub does for this chat. What is the chat's lives in topics, their histories and their presence, and nowhere else: so with
/// another Backplane here several processes are one chat.
///
/// Who cannot keep up is ended, as everywhere by default, and misses nothing by that: he comes back, and the room remembers.
struct ChatPolicy : hubbub::DefaultPolicy {
    using Auth = NamedByHimself;
    using Access = RoomsOnly;
    using Topics = hubbub::TopicsByName;
    using Codec = hubbub::ProtocolCodec;
    using EventSink = Teller;

    /// What belongs to one session. Its own thread alone uses it.
    struct SessionData : hubbub::ProtocolState {
        Allowance says{};
        Allowance::Clock::time_point typed{};
    };
};

template <class Policy = ChatPolicy>
hubbub::HubOptions<Policy> hub_options() {
    using namespace std::chrono_literals;
    hubbub::HubOptions<Policy> options;
    options.protocols = {std::string(hubbub::protocol_name)};
    // An id is known as long as its message: a laptop that was closed for an hour sends again what it does not know to have arrived.
    hubbub::HistoryLimits const history{.messages = Rules::remembered,
                                        .age = Rules::remembered_for,
                                        .id_age = Rules::remembered_for,
                                        .ids = 10 * Rules::remembered};
    options.topics.prefixes = {
        {std::string(said_in), {.history = history, .presence = {.kept = true, .told_every = 500ms, .lease = 15s}}}};
    options.message.message = Rules::bytes;
    options.subscriptions = 2 * Rules::rooms;
    options.rates.session.messages = {Rules::messages_per_second, Rules::messages_at_once};
    options.rates.excess = hubbub::RateAction::close;
    // Whoever is gone without a word is seen for no longer than that.
    options.heartbeat = {.ping_after = 20s, .silence_limit = 30s};
    return options;
}

}  // namespace chat
