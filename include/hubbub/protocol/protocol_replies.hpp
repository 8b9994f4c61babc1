#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <hubbub/core/verdict.hpp>
#include <hubbub/hub/history_page.hpp>
#include <hubbub/hub/results.hpp>
#include <hubbub/hub/subscription.hpp>
#include <hubbub/json/problem.hpp>
#include <hubbub/protocol/protocol_limits.hpp>
#include <hubbub/protocol/protocol_state.hpp>
#include <hubbub/protocol/protocol_text.hpp>
#include <hubbub/ws/close_code.hpp>

namespace hubbub::inline v0 {

/// What clients of the protocol are told, and how a question waits for its answer; for ProtocolHandler, which derives from it.
///
/// Threading: the session's.
class ProtocolReplies {
   protected:
    static ProtocolState& state(auto& session) {
        using Data = std::remove_reference_t<decltype(session.data())>;
        static_assert(std::derived_from<Data, ProtocolState>,
                      "hubbub: ProtocolHandler needs a Policy::SessionData that is or derives from ProtocolState");
        return session.data();
    }
    static void greet(auto& session, ProtocolLimits const& given);
    static void pong(auto& session, std::optional<std::uint64_t> id) {
        ProtocolText text("pong");
        if (id) text.number("id", *id);
        session.send(text.text());
    }
    static void acknowledge(auto& session, std::uint64_t id) { session.send(ProtocolText("ack").number("id", id).text()); }
    static void error(auto& session, std::optional<std::uint64_t> id, std::string_view code, std::string_view message,
                      std::string_view member = {}) {
        ProtocolText text("error");
        if (id) text.number("id", *id);
        text.string("code", code).string("message", message);
        if (!member.empty()) text.string("member", member);
        session.send(text.text());
    }
    static void answer(auto& session, std::uint64_t id, std::string const& text) {
        if (session.send(text) == SendResult::too_big) error(session, id, "too_big", "the answer is too long to be sent");
    }
    /// At most so many messages, and about so many bytes of text, unless the first alone is longer.
    static std::string page_text(std::uint64_t id, std::string_view topic, HistoryPage const& page, std::uint32_t most,
                                 std::size_t bytes);
    static json::Problem unknown(std::string_view type) {
        return {json::Outcome::unknown_type, "there is no message of type \"" + json::excerpt(type) + '"', "type"};
    }
    static void count_mistake(auto& session, ProtocolLimits const& limits) {
        if (++state(session).mistakes_ > limits.mistakes)
            session.close(CloseCode::policy_violation, "too many messages that make no sense");
    }

    /// Calls `then(session, answer)` on the session's loop with what `ask(verdict)` makes somebody answer: now, if he does so at once.
    template <class Answer, class Session, class Ask, class Then>
    static void ask(Session& session, Ask&& ask, Then then) {
        Asked<Answer> asked([handle = session.handle(), then](Answer late) {
            handle.post([then, late = std::move(late)](Session& same) { then(same, late); });
        });
        ask(asked.verdict());
        if (auto const now = asked.take()) then(session, *now);
    }
};

inline std::string ProtocolReplies::page_text(std::uint64_t id, std::string_view topic, HistoryPage const& page,
                                              std::uint32_t most, std::size_t bytes) {
    std::string list(1, '[');
    std::size_t count = 0;
    for (; count < page.messages.size() && count < most; ++count) {
        auto const& each = page.messages[count];
        ProtocolText text;
        text.number("offset", each.offset).data(each.frame.message());
        std::string const& written = text.text();
        if (count && list.size() + written.size() > bytes) break;
        if (count) list += ',';
        list += written;
    }
    ProtocolText text("history");
    text.number("id", id).string("topic", topic);
    if (page.newest.epoch) text.position(page.newest);
    text.boolean("complete", page.complete).boolean("more", count < page.messages.size());
    return text.json("publications", list += ']').text();
}

inline void ProtocolReplies::greet(auto& session, ProtocolLimits const& given) {
    ProtocolText text("connected");
    text.number("version", 1).session(session.node(), session.id());
    if (!session.identity().user.empty()) text.string("user", session.identity().user);
    ProtocolText limits;
    limits.number("message", session.options().message.message)
        .number("subscriptions", session.options().subscriptions)
        .number("topic", longest_topic)
        .number("key", given.key)
        .number("method", given.method)
        .number("token", given.token)
        .number("depth", given.deepest)
        .number("pending", given.pending)
        .number("history", given.history)
        .number("newest", given.newest)
        .number("members", given.members);
    session.send(text.number("ping", static_cast<std::uint64_t>(given.ping.count()))
                     .json("features", R"(["presence"])")
                     .json("limits", limits.text())
                     .text());
}

}  // namespace hubbub::inline v0
