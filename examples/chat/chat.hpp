#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include <hubbub/json/rfc3339.hpp>
#include <hubbub/protocol/protocol_handler.hpp>

#include "limits.hpp"
#include "messages.hpp"
#include "names.hpp"
#include "policy.hpp"
#include "rules.hpp"
#include "text.hpp"

namespace chat {

/// What this chat adds to the protocol: it tells who comes what he may, writes into what is said who says it, and changes names. The
/// hub does the rest. It keeps nothing of its own: each thread has a copy, and each process may have one.
struct Chat : hubbub::ProtocolApp {
    using Answer = hubbub::ProtocolAnswer;
    using Refused = std::optional<Answer>;

    std::shared_ptr<Limits const> limits = std::make_shared<Limits const>();

    void on_open(auto& session) {
        nlohmann::json const welcome{
            {"name", name_of(session.identity())},
            {"time", now()},
            {"limits", {{"name", Rules::name}, {"room", Rules::room}, {"text", Rules::text}, {"rooms", Rules::rooms}}}};
        session.send(hubbub::ProtocolCodec::message(welcome.dump()).message());
    }
    Refused on_publish(auto& session, hubbub::ProtocolPublication& publication) {
        if (std::string_view const room = room_of(publication.topic); room.empty() || !session.is_subscribed(topic_of(room)))
            return Answer::error("not_in_room", "You are not in that room.", "topic");
        return publication.topic.starts_with(said_in) ? say(session, publication) : type(session, publication);
    }
    void on_request(auto& session, std::string_view method, nlohmann::json& params, hubbub::Verdict<Answer> reply) {
        if (method != "rename") return ProtocolApp::on_request(session, method, params, std::move(reply));
        reply.answer(rename(session, params));
    }

   private:
    Refused say(auto& session, hubbub::ProtocolPublication& publication);
    Refused type(auto& session, hubbub::ProtocolPublication& publication);
    Answer rename(auto& session, nlohmann::json& params);

    static std::string topic_of(std::string_view room) { return std::string(said_in).append(room); }
    static std::string now() { return hubbub::json::rfc3339(std::chrono::system_clock::now()); }
    /// What clients cannot forge.
    static hubbub::ProtocolText by(auto& session) {
        hubbub::ProtocolText text;
        text.session(session.node(), session.id()).string("name", name_of(session.identity()));
        return text;
    }
};

Chat::Refused Chat::say(auto& session, hubbub::ProtocolPublication& publication) {
    auto const read = hubbub::json::Nlohmann::read<Say>(publication.data, "data");
    if (auto const* const wrong = std::get_if<1>(&read)) return Answer::error(*wrong);
    auto const& [id, typed] = std::get<0>(read);
    if (id.empty() || id.size() > Rules::id)
        return Answer::error("bad_id", "An id has 1 to " + std::to_string(Rules::id) + " bytes.", "data.id");
    std::string const said = text::message(typed);
    std::size_t const length = text::length(said);
    if (length == 0) return Answer::error("empty", "There is nothing in that message.", "data.text");
    if (length > Rules::text)
        return Answer::error("too_long",
                             "A message has at most " + std::to_string(Rules::text) + " characters; this one has " +
                                 std::to_string(length) + ".",
                             "data.text");
    if (!session.data().says.take(Allowance::Clock::now(), limits->says_at_once, limits->says_per_second))
        return Answer::error("too_fast", "That was a lot at once. Wait a moment, and send it again.", "data.text");
    session.data().typed = {};  // whoever begins anew is shown to be typing at once
    publication.text = by(session).string("id", id).string("text", said).string("time", now()).text();
    return std::nullopt;
}

Chat::Refused Chat::type(auto& session, hubbub::ProtocolPublication& publication) {
    auto const now = Allowance::Clock::now();
    if (now - session.data().typed < Rules::between_typing) return Answer::error("too_fast", "That is known.");
    session.data().typed = now;
    publication.text = by(session).text();
    publication.options.expires_in = std::chrono::seconds(3);  // who is slow need not hear of it later
    publication.options.except = session.id();
    return std::nullopt;
}

/// Presence tells the others.
Chat::Answer Chat::rename(auto& session, nlohmann::json& params) {
    auto const read = hubbub::json::Nlohmann::read<Rename>(params, "params");
    if (auto const* const wrong = std::get_if<1>(&read)) return Answer::error(*wrong);
    if (!session.identity().user.empty())
        return Answer::error("signed_in", "You have signed in under this name.", "params.name");
    std::string const name = text::name(std::get<0>(read).name);
    if (name.empty() || text::length(name) > Rules::name)
        return Answer::error("bad_name", "A name has 1 to " + std::to_string(Rules::name) + " characters.", "params.name");
    session.refresh(called(name));
    return Answer::result(nlohmann::json{{"name", name}});
}

}  // namespace chat
