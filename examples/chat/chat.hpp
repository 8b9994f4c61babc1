#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <hubbub/hub/noop_handler.hpp>
#include <hubbub/json/router.hpp>

#include "messages.hpp"
#include "policy.hpp"
#include "rooms.hpp"
#include "text.hpp"

namespace chat {

namespace json = hubbub::json;

/// The whole server behind the hub: each message of a client has a function here.
///
/// Each shard has a copy of it; the copies share the list of who is where. See Rooms.
struct Chat : hubbub::NoopHandler {
    std::shared_ptr<Rooms> rooms = std::make_shared<Rooms>();

    // ---- what the hub calls

    void on_open(auto& session) {
        session.send(json::message("welcome", Welcome{Rules::name, Rules::room, Rules::text, Rules::rooms}).message());
    }
    void on_message(auto& session, hubbub::MessageView message);
    /// The subscription that `join` asked for has begun: from now on nothing that is said in the room is missed.
    void on_subscribed(auto& session, hubbub::Subscription const& subscription);
    void on_close(auto& session, hubbub::CloseInfo const&) {
        for (auto const& seat : session.data().seats) {
            if (!seat.id) continue;
            Rooms::Change const change = rooms->leave(seat.room, seat.id);
            rooms->publish(topic_of(seat.room), json::message("went", Went{seat.room, change.version, seat.id, change.name}));
        }
    }

    // ---- what clients say

    static auto make_router() {
        return json::Router{}
            .on<Join>("join", [](auto& session, Join const& message, Chat& chat) { chat.join(session, message); })
            .on<Leave>("leave", [](auto& session, Leave const& message, Chat& chat) { chat.leave(session, message); })
            .on<Rename>("rename", [](auto& session, Rename const& message, Chat& chat) { chat.rename(session, message); })
            .on<Say>("say", [](auto& session, Say const& message, Chat& chat) { chat.say(session, message); })
            .on<StartTyping>("typing",
                             [](auto& session, StartTyping const& message, Chat& chat) { chat.typing(session, message); })
            .on<AskForMembers>("members",
                               [](auto& session, AskForMembers const& message, Chat& chat) { chat.members(session, message); });
    }
    void join(auto& session, Join const& message);
    void leave(auto& session, Leave const& message);
    void rename(auto& session, Rename const& message);
    void say(auto& session, Say const& message);
    void typing(auto& session, StartTyping const& message);
    void members(auto& session, AskForMembers const& message);

   private:
    /// What does not fit is answered with a sentence for the user and a code for the program.
    static void refuse(auto& session, std::string_view about, std::string_view room, std::string code, std::string sentence,
                       std::string member) {
        Problem const problem{std::move(code), std::move(sentence), std::move(member), std::string(about),
                              std::string(text::first(room, Rules::room))};
        session.send(json::message("error", problem).message());
    }
    /// The seat in a room that the session is in; null, and refused, if it is not.
    static auto* seat_in(auto& session, std::string_view about, std::string const& room) {
        auto* const seat = session.data().find(text::room(room));
        if (seat && seat->id) return seat;
        refuse(session, about, room, "not_in_room", "You are not in that room.", "data.room");
        return static_cast<decltype(+seat)>(nullptr);
    }
    /// The name that somebody has signed in with, or else the one that he wants.
    static std::string name_of(auto& session, std::string const& wanted) {
        std::string const& user = session.identity().user;
        return text::name(user.empty() ? wanted : user);
    }
    static bool is_name(std::string_view name, std::size_t longest) { return !name.empty() && text::length(name) <= longest; }
};

void Chat::on_message(auto& session, hubbub::MessageView message) {
    static auto const router = make_router();
    auto& data = session.data();
    if (!data.messages.take(Allowance::Clock::now())) {
        session.close(hubbub::CloseCode::policy_violation, "too many messages in a short time");
    } else if (router(session, message, *this) != json::Outcome::handled && ++data.mistakes > Rules::mistakes) {
        session.close(hubbub::CloseCode::policy_violation, "too many messages that make no sense");
    }
}

void Chat::join(auto& session, Join const& message) {
    auto const room = text::room(message.room), name = name_of(session, message.name);
    if (!is_name(room, Rules::room))
        return refuse(session, "join", message.room, "bad_room",
                      "The name of a room has 1 to " + std::to_string(Rules::room) + " characters.", "data.room");
    if (!is_name(name, Rules::name))
        return refuse(session, "join", message.room, "bad_name",
                      "A name has 1 to " + std::to_string(Rules::name) + " characters.", "data.name");
    auto& data = session.data();
    if (auto* const seat = data.find(room)) {
        if (!seat->id) return;  // it is being joined
        Rooms::List const list = rooms->list(room);
        session.send(json::message("joined", Joined{room, seat->id, list.version, list.members}).message());
        return;
    }
    if (data.seats.size() >= Rules::rooms)
        return refuse(session, "join", message.room, "too_many_rooms",
                      "You can be in " + std::to_string(Rules::rooms) + " rooms at once.", "data.room");
    data.seats.push_back({room, name});
    session.subscribe(topic_of(room));
}

void Chat::on_subscribed(auto& session, hubbub::Subscription const& subscription) {
    auto& seats = session.data().seats;
    auto const seat =
        std::find_if(seats.begin(), seats.end(), [&](auto const& each) { return topic_of(each.room) == subscription.topic; });
    if (seat == seats.end() || seat->id) return;  // it has left before it was in
    auto entered = rooms->enter(seat->room, seat->name);
    if (!entered) {
        std::string const room = seat->room;
        session.data().erase(room);
        session.unsubscribe(topic_of(room));
        return refuse(session, "join", room, "room_full", "There are too many people in that room.", "data.room");
    }
    seat->id = entered->member.id;
    seat->name = entered->member.name;
    session.send(json::message("joined", Joined{seat->room, seat->id, entered->list.version, std::move(entered->list.members)})
                     .message());
    auto const came = json::message("came", Came{seat->room, entered->list.version, seat->id, seat->name});
    session.publish_to_others(topic_of(seat->room), came.message());
}

void Chat::leave(auto& session, Leave const& message) {
    auto* const seat = session.data().find(text::room(message.room));
    if (!seat) return refuse(session, "leave", message.room, "not_in_room", "You are not in that room.", "data.room");
    auto const gone = *seat;
    session.data().erase(gone.room);
    session.unsubscribe(topic_of(gone.room));
    if (gone.id) {
        Rooms::Change const change = rooms->leave(gone.room, gone.id);
        session.publish(topic_of(gone.room),
                        json::message("went", Went{gone.room, change.version, gone.id, change.name}).message());
    }
    session.send(json::message("left", Left{gone.room}).message());
}

void Chat::rename(auto& session, Rename const& message) {
    auto* const seat = seat_in(session, "rename", message.room);
    if (!seat) return;
    auto const name = name_of(session, message.name);
    if (!is_name(name, Rules::name))
        return refuse(session, "rename", seat->room, "bad_name",
                      "A name has 1 to " + std::to_string(Rules::name) + " characters.", "data.name");
    Rooms::Change change = rooms->rename(seat->room, seat->id, name);
    seat->name = change.name;
    auto const renamed =
        json::message("renamed", Renamed{seat->room, change.version, seat->id, change.name, std::move(change.before)});
    session.publish(topic_of(seat->room), renamed.message());
}

void Chat::say(auto& session, Say const& message) {
    auto* const seat = seat_in(session, "say", message.room);
    if (!seat) return;
    auto said = text::message(message.text);
    std::size_t const length = text::length(said);
    if (length == 0) return refuse(session, "say", seat->room, "empty", "There is nothing in that message.", "data.text");
    if (length > Rules::text)
        return refuse(session, "say", seat->room, "too_long",
                      "A message has at most " + std::to_string(Rules::text) + " characters; this one has " +
                          std::to_string(length) + ".",
                      "data.text");
    if (!session.data().says.take(Allowance::Clock::now()))
        return refuse(session, "say", seat->room, "too_fast", "That was a lot at once. Wait a moment, and send it again.",
                      "data.text");
    seat->typed = {};  // whoever begins anew is shown to be typing at once
    session.publish(topic_of(seat->room),
                    json::message("said", Said{seat->room, seat->id, std::move(said)}, {.from = seat->name}).message());
}

void Chat::typing(auto& session, StartTyping const& message) {
    auto* const seat = seat_in(session, "typing", message.room);
    auto const now = Allowance::Clock::now();
    if (!seat || now - seat->typed < Rules::between_typing) return;
    seat->typed = now;
    auto const notice = json::message("typing", Typing{seat->room, seat->id});
    // Who is slow need not hear of it later.
    session.publish(topic_of(seat->room), notice.message(), {.expires_in = std::chrono::seconds(3), .except = session.id()});
}

void Chat::members(auto& session, AskForMembers const& message) {
    auto* const seat = seat_in(session, "members", message.room);
    if (!seat) return;
    Rooms::List list = rooms->list(seat->room);
    session.send(json::message("members", Members{seat->room, list.version, std::move(list.members)}).message());
}

}  // namespace chat
