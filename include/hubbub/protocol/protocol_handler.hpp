#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <hubbub/core/verdict.hpp>
#include <hubbub/hub/close_info.hpp>
#include <hubbub/hub/history_page.hpp>
#include <hubbub/hub/publish_options.hpp>
#include <hubbub/hub/results.hpp>
#include <hubbub/json/envelope.hpp>
#include <hubbub/protocol/protocol_app.hpp>
#include <hubbub/protocol/protocol_codec.hpp>
#include <hubbub/protocol/protocol_hash.hpp>
#include <hubbub/protocol/protocol_input.hpp>
#include <hubbub/protocol/protocol_limits.hpp>
#include <hubbub/protocol/protocol_publication.hpp>
#include <hubbub/protocol/protocol_replies.hpp>
#include <hubbub/protocol/protocol_state.hpp>
#include <hubbub/protocol/protocol_text.hpp>
#include <hubbub/protocol/raw_member.hpp>

namespace hubbub::inline v0 {

/// A handler that speaks the protocol of docs/protocol.md, for an application that is spared it. See ProtocolApp.
///
/// The hub's policy has `Codec = ProtocolCodec` and a `SessionData` that is or derives from ProtocolState, and its options have
/// `protocol_name` among their `protocols`. A session that did not ask for that subprotocol is closed with 1008.
/// Threading: as each handler's. Errors: std::invalid_argument of the limits; none for what clients send, who are told.
/// Cost: one parse of each message, with an allocation for most values; a publication's data is passed on as it came.
/// Example: `hubbub::Server<ShopPolicy> server{hubbub::ProtocolHandler{Shop{}}, options};`
template <class App>
class ProtocolHandler : private ProtocolReplies {
   public:
    explicit ProtocolHandler(App app, ProtocolLimits const& limits = {}, ProtocolHash const& hash = {})
        : app_(std::move(app)), limits_(limits), hash_(hash) {
        static_assert(std::derived_from<App, ProtocolApp>,
                      "hubbub: ProtocolHandler needs an App that derives from ProtocolApp");
        limits_.check();
    }

    App& app() noexcept { return app_; }

    void on_open(auto& session) {
        if (session.protocol() != protocol_name)
            return session.close(CloseCode::policy_violation, "this server speaks hubbub.v1.json: ask for that subprotocol");
        state(session).is_open_ = true;
        greet(session, limits_);
        app_.on_open(session);
    }
    void on_message(auto& session, MessageView message) {
        json::Envelope<json::Nlohmann> envelope;
        if (auto const problem = envelope.open(message, limits_.deepest)) return mistake(session, {}, *problem);
        ProtocolInput input(envelope.document);
        std::optional<std::uint64_t> const id = input.maybe_number("id", 1, ProtocolInput::largest);
        std::string const type(envelope.type);
        if (input.problem || !understand(session, type, id, input, message))
            return mistake(session, id, input.problem ? *input.problem : unknown(type));
        if (input.problem) mistake(session, id, *input.problem);
    }
    void on_subscribed(auto& session, Subscription const& told) {
        auto const id = state(session).take_subscription(told.topic);
        if (told.allowed) {
            tell_beginning(session, told, id);
        } else {
            error(session, id, "refused", "this topic may not be subscribed to", "topic");
        }
        app_.on_subscribed(session, told);
    }
    void on_continuity_lost(auto& session, Subscription const& told) {
        tell_beginning(session, told, {}, true);
        app_.on_continuity_lost(session, told);
    }
    void on_pressure(auto& session) { app_.on_pressure(session); }
    void on_relief(auto& session) { app_.on_relief(session); }
    void on_expiring(auto& session) {
        session.send(ProtocolText("expiring").text());
        app_.on_expiring(session);
    }
    void on_close(auto& session, CloseInfo const& info) {
        if (state(session).is_open_) app_.on_close(session, info);
    }

   private:
    using Id = std::optional<std::uint64_t>;
    /// What becomes of a publication. Without an answer it was refused: then nobody is told.
    struct Published {
        bool accepted = false;
        PublishReceipt receipt{};
        static Published unanswered() { return {}; }
    };

    static void tell_beginning(auto& session, Subscription const& told, Id id, bool is_again = false) {
        ProtocolText text("subscribed");
        if (id) text.number("id", *id);
        text.string("topic", told.topic);
        if (told.remembered) text.position(told.position);
        if (told.remembered || is_again) text.boolean("recovered", told.recovered);
        session.send(text.text());
    }

    // ---- what clients say. False: there is no such message. What is wrong with it is in the input.

    bool understand(auto& session, std::string_view type, Id id, ProtocolInput& input, MessageView message) {
        if (type == "publish") return publish(session, id, input, message), true;
        if (type == "ping") return pong(session, id), true;
        using Hear = void (ProtocolHandler::*)(std::remove_reference_t<decltype(session)>&, std::uint64_t, ProtocolInput&);
        Hear hear = nullptr;
        if (type == "subscribe") hear = &ProtocolHandler::subscribe;
        if (type == "unsubscribe") hear = &ProtocolHandler::unsubscribe;
        if (type == "history") hear = &ProtocolHandler::history;
        if (type == "request") hear = &ProtocolHandler::request;
        if (type == "refresh") hear = &ProtocolHandler::refresh;
        if (type == "members") hear = &ProtocolHandler::members;
        if (!hear) return false;
        std::uint64_t const number = input.number("id", 1, ProtocolInput::largest);
        if (!input.problem) (this->*hear)(session, number, input);
        return true;
    }
    void subscribe(auto& session, std::uint64_t id, ProtocolInput& input);
    void unsubscribe(auto& session, std::uint64_t id, ProtocolInput& input);
    void publish(auto& session, Id id, ProtocolInput& input, MessageView message);
    void history(auto& session, std::uint64_t id, ProtocolInput& input);
    void request(auto& session, std::uint64_t id, ProtocolInput& input);
    void refresh(auto& session, std::uint64_t id, ProtocolInput& input);
    void members(auto& session, std::uint64_t id, ProtocolInput& input);

    /// A client that does not understand the protocol is helped a few times.
    void mistake(auto& session, Id id, json::Problem const& problem) {
        error(session, id, json::name_of(problem.code), problem.message, problem.member);
        count_mistake(session, limits_);
    }
    /// False, and the client is told: too many of its questions wait.
    bool may_ask(auto& session, std::uint64_t id) {
        if (state(session).pending_ < limits_.pending) return ++state(session).pending_, true;
        error(session, id, "too_many", "too many questions wait for their answers");
        return false;
    }
    App app_;
    ProtocolLimits limits_;
    ProtocolHash hash_;
};

template <class App>
void ProtocolHandler<App>::subscribe(auto& session, std::uint64_t id, ProtocolInput& input) {
    std::string_view const topic = input.topic();
    SubscribeOptions options;
    options.since = input.maybe_position("since");
    options.newest = static_cast<std::uint32_t>(input.maybe_number("newest", 0, limits_.newest).value_or(0));
    if (input.problem) return;
    auto& subscribing = state(session).subscribing_;
    subscribing.emplace_back(topic, id);
    auto const fail = [&](std::string_view code, std::string_view message) {
        subscribing.pop_back();
        error(session, id, code, message, "topic");
    };
    switch (session.subscribe(topic, options)) {
        case SubscribeResult::started:
        case SubscribeResult::closed: return;
        case SubscribeResult::already:
            return fail("already_subscribed", "this session is subscribed to the topic, or about to be");
        case SubscribeResult::too_many: return fail("too_many", "this session has as many subscriptions as it may");
        case SubscribeResult::too_often: return fail("too_often", "too many subscriptions in a short time");
        case SubscribeResult::malformed_name: return fail("invalid_value", "this is no name of a topic");
    }
}

template <class App>
void ProtocolHandler<App>::unsubscribe(auto& session, std::uint64_t id, ProtocolInput& input) {
    std::string_view const topic = input.topic();
    if (input.problem) return;
    if (!session.unsubscribe(topic))
        return error(session, id, "not_subscribed", "this session is not subscribed to the topic", "topic");
    if (auto const waiting = state(session).take_subscription(topic))
        error(session, waiting, "withdrawn", "the subscription was taken back before it began");
    acknowledge(session, id);
}

template <class App>
void ProtocolHandler<App>::publish(auto& session, Id id, ProtocolInput& input, MessageView message) {
    std::string_view const topic = input.topic();
    auto const key = input.maybe_text("key", limits_.key), name = input.maybe_text("idempotency", limits_.key);
    if (!input.problem && !input.has("data")) input.problem = json::missing_member("data");
    if (input.problem) return;
    PublishOptions options;
    if (key) options.key = hash_.key(*key);
    if (name) options.id = hash_.id(session.identity().user, *name);
    auto& parsed = *input.any("data");
    ProtocolPublication publication{topic, parsed, options};
    if (auto const refused = app_.on_publish(session, publication)) {
        if (id) error(session, id, refused->code, refused->message, refused->member);
        return;
    }
    std::string& written = publication.text;
    std::optional<std::string_view> data;
    if (written.empty()) data = RawMember(message.view()).find("data");
    if (!data) {
        if (written.empty()) json::Nlohmann::write(written, parsed);  // where the name of the member is written with escapes
        data = written;
    }
    if (data->size() + ProtocolCodec::overhead(topic) > session.options().queue.bytes)
        return error(session, id, "too_big", "this is too long to be published", "data");
    if (!id) return static_cast<void>(session.publish(topic, MessageView::text(*data), std::move(options)));
    ask<Published>(
        session,
        [&](Verdict<Published> verdict) {
            options.on_receipt = [verdict = std::move(verdict)](PublishReceipt const& receipt) mutable {
                verdict.answer({true, receipt});
            };
            session.publish(topic, MessageView::text(*data), std::move(options));
        },
        [id = *id](auto& same, Published const& published) {
            if (!published.accepted) return error(same, id, "refused", "this may not be published", "topic");
            if (published.receipt.failure != PublishFailure::none)
                return error(same, id, "unavailable", "other servers cannot be told at the moment", "topic");
            ProtocolText text("ack");
            text.number("id", id);
            if (published.receipt.remembered)
                text.position(published.receipt.position).boolean("repeated", published.receipt.repeated);
            same.send(text.text());
        });
}

template <class App>
void ProtocolHandler<App>::history(auto& session, std::uint64_t id, ProtocolInput& input) {
    std::string_view const topic = input.topic();
    HistoryQuery query;
    query.after = input.maybe_number("after", 0, ProtocolInput::largest).value_or(0);
    query.before = input.maybe_number("before", 1, ProtocolInput::largest).value_or(0);
    auto const most = static_cast<std::uint32_t>(input.maybe_number("limit", 0, limits_.history).value_or(limits_.history));
    query.newest_first = input.flag("newest_first");
    if (input.problem) return;
    query.most = most + 1;  // whether there is more
    // Who may subscribe has been asked for this topic; nobody is asked for its past.
    if (!session.is_subscribed(topic))
        return error(session, id, "not_subscribed", "the history is for who is subscribed", "topic");
    if (!may_ask(session, id)) return;
    auto const tell = [id, most, bytes = std::min<std::size_t>(limits_.history_bytes, session.options().queue.bytes / 2),
                       topic = std::string(topic)](auto& same, HistoryPage const& page) {
        --state(same).pending_;
        answer(same, id, page_text(id, topic, page, most, bytes));
    };
    session.read_history(topic, query, tell);
}

template <class App>
void ProtocolHandler<App>::members(auto& session, std::uint64_t id, ProtocolInput& input) {
    std::string_view const topic = input.topic();
    std::uint64_t const most = input.maybe_number("limit", 0, limits_.members).value_or(limits_.members);
    if (input.problem) return;
    if (!session.is_subscribed(topic))
        return error(session, id, "not_subscribed", "who is there is for who is subscribed", "topic");
    if (!may_ask(session, id)) return;
    session.read_presence(topic, most, [id, topic = std::string(topic)](auto& same, PresencePage const& page) {
        --state(same).pending_;
        if (!page.known) return error(same, id, "unsupported", "this topic does not know who is there", "topic");
        ProtocolText text("members");
        text.number("id", id).string("topic", topic).number("sessions", page.sessions).number("users", page.users);
        answer(same, id, text.members("members", page.members).text());
    });
}

template <class App>
void ProtocolHandler<App>::request(auto& session, std::uint64_t id, ProtocolInput& input) {
    std::string_view const method = input.text("method", limits_.method);
    if (input.problem || !may_ask(session, id)) return;
    nlohmann::json none;
    auto* const params = input.any("params");
    ask<ProtocolAnswer>(
        session,
        [&](Verdict<ProtocolAnswer> reply) { app_.on_request(session, method, params ? *params : none, std::move(reply)); },
        [id](auto& same, ProtocolAnswer const& given) {
            --state(same).pending_;
            if (!given.is_result) return error(same, id, given.code, given.message, given.member);
            answer(same, id, ProtocolText("reply").number("id", id).json("result", given.result_text).text());
        });
}

template <class App>
void ProtocolHandler<App>::refresh(auto& session, std::uint64_t id, ProtocolInput& input) {
    std::string_view const token = input.text("token", limits_.token);
    if (input.problem || !may_ask(session, id)) return;
    ask<Authenticated>(
        session, [&](Verdict<Authenticated> verdict) { app_.judge(session, token, std::move(verdict)); },
        [id, limits = limits_](auto& same, Authenticated const& who) {
            --state(same).pending_;
            switch (same.refresh(who)) {
                case RefreshResult::refreshed: return acknowledge(same, id);
                case RefreshResult::refused:
                    error(same, id, "refused", who.reason.empty() ? "the token is not accepted" : std::string_view(who.reason),
                          "token");
                    return count_mistake(same, limits);  // who guesses tokens is not given many
                case RefreshResult::another_user:
                    return error(same, id, "another_user", "this token is somebody else's", "token");
                case RefreshResult::too_many:
                    return error(same, id, "too_many", "this user has as many connections as he may", "token");
                case RefreshResult::closed: return;
            }
        });
}

}  // namespace hubbub::inline v0
