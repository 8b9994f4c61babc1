#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "tests/callbacks/callback_world.hpp"

namespace callbacks {

/// What user code calls.
enum class Call {
    publish,
    subscribe,
    unsubscribe,
    send,
    close_own,
    close_other,
    revoke,
    post,
    after,
    pause_reading,
    drain,
    destroy,
    count
};

/// Makes one call inside a hook, and finds out afterwards what it did, in the words of the page.
///
/// Where a hook is given no session, what is done to a session is done by its id: `hub.post(id, function)`, `hub.send(id, ...)`,
/// `hub.close(id)`.
template <class Policy>
class Caller {
   public:
    using WorldType = World<Policy>;
    using SessionType = typename WorldType::SessionType;

    Caller(WorldType& world, Call call) : world_(&world), call_(call) {}

    /// Inside the hook. `session` is null where the hook has none.
    void perform(SessionType* session);
    /// Afterwards, with everything at rest.
    std::string observe();

   private:
    template <class F>
    void with_session(SessionType* session, F function) {
        if (session) return function(*session);
        if (SessionId const id = self().id) world_->hub->post(id, [function](SessionType& there) mutable { function(there); });
    }
    Script::Client& self() { return world_->client("self"); }
    Script::Client& other() { return world_->client("other"); }
    std::string unexpected(std::string what) const { return "UNEXPECTED: " + std::move(what); }

    std::string observe_publish();
    std::string observe_subscribe();
    std::string observe_unsubscribe();
    std::string observe_send();
    std::string observe_close_own();
    std::string observe_close_other();
    std::string observe_revoke();
    std::string observe_post();
    std::string observe_after();
    std::string observe_pause();
    std::string observe_drain();
    std::string observe_destroy();

    WorldType* world_;
    Call call_;
    std::optional<PublishResult> published_;
    std::optional<SubscribeResult> subscribed_;
    std::optional<bool> unsubscribed_;
    std::optional<SendResult> sent_;
    bool is_unborn_ = false;  ///< there is no session yet
    int ran_ = 0, ran_inside_ = 0, drained_ = 0;
};

template <class Policy>
void Caller<Policy>::perform(SessionType* session) {
    auto& hub = world_->hub;
    switch (call_) {
        case Call::publish:
            is_unborn_ = !self().id;
            published_ = session ? session->publish("room", "P") : hub->publish("room", Frame::text("P"));
            break;
        case Call::subscribe:
            with_session(session, [this](SessionType& there) { subscribed_ = there.subscribe("extra"); });
            break;
        case Call::unsubscribe:
            with_session(session, [this](SessionType& there) { unsubscribed_ = there.unsubscribe("room"); });
            break;
        case Call::send:
            if (session)
                sent_ = session->send("S");
            else if (self().id)
                hub->send(self().id, Frame::text("S"));
            break;
        case Call::close_own:
            if (session)
                session->close(CloseCode{4000}, "own");
            else if (self().id)
                hub->close(self().id, CloseCode{4000}, "own");
            break;
        case Call::close_other: hub->close(other().id, CloseCode{4001}, "other"); break;
        case Call::revoke:
            if (self().id) hub->revoke(self().id);
            break;
        case Call::post:
            hub->post(self().id ? self().id : other().id, [this](SessionType&) {
                ++ran_;
                ran_inside_ += world_->script->is_inside;
            });
            break;
        case Call::after:
            with_session(session, [this](SessionType& there) {
                there.after(std::chrono::milliseconds(500), [this](SessionType&) { ++ran_; });
            });
            break;
        case Call::pause_reading: with_session(session, [](SessionType& there) { there.pause_reading(); }); break;
        case Call::drain: hub->drain({}, [this] { ++drained_; }); break;
        case Call::destroy:
            hub.reset();
            world_->script->hub_is_gone = true;
            if (session) session->send("the session is there until the turn ends");
            break;
        case Call::count: break;
    }
}

template <class Policy>
std::string Caller<Policy>::observe() {
    switch (call_) {
        case Call::publish: return observe_publish();
        case Call::subscribe: return observe_subscribe();
        case Call::unsubscribe: return observe_unsubscribe();
        case Call::send: return observe_send();
        case Call::close_own: return observe_close_own();
        case Call::close_other: return observe_close_other();
        case Call::revoke: return observe_revoke();
        case Call::post: return observe_post();
        case Call::after: return observe_after();
        case Call::pause_reading: return observe_pause();
        case Call::drain: return observe_drain();
        case Call::destroy: return observe_destroy();
        case Call::count: break;
    }
    return {};
}

template <class Policy>
std::string Caller<Policy>::observe_publish() {
    long const to_self = world_->got("self", "P"), to_other = world_->got("other", "P");
    if (published_ == PublishResult::closed && !to_self && !to_other) return "`closed`";
    if (published_ != PublishResult::accepted) return unexpected("not accepted");
    if (is_unborn_ && to_other == 1 && to_self <= 1) return "all members get it; this one may be one by then";
    if (to_self == 1 && to_other == 1) return "all members get it";
    if (!to_self && !to_other) return "`accepted`, but nobody is left";
    return unexpected(std::to_string(to_self) + " to self, " + std::to_string(to_other) + " to the other");
}

template <class Policy>
std::string Caller<Policy>::observe_subscribe() {
    bool const told = self().subscribed == 1;
    world_->hub->publish("extra", Frame::text("E"));
    world_->run();
    long const got = world_->got("self", "E");
    if (subscribed_ == SubscribeResult::closed && !got && !self().subscribed) return "`closed`";
    if (!subscribed_ && !got && !self().subscribed) return self().closed ? "nothing: it has gone" : "there is no session yet";
    if (subscribed_ == SubscribeResult::started && told && got == 1) return "`on_subscribed` follows, once";
    return unexpected(std::to_string(self().subscribed) + " times told, " + std::to_string(got) + " messages");
}

template <class Policy>
std::string Caller<Policy>::observe_unsubscribe() {
    world_->hub->publish("room", Frame::text("U"));
    world_->run();
    long const to_self = world_->got("self", "U"), to_other = world_->got("other", "U");
    if (unsubscribed_ == false && !to_self && to_other == 1) return "`false`: it has left already";
    if (!unsubscribed_ && !to_other) return "nothing: it has gone";
    if (!unsubscribed_ && to_self == 1) return "there is no session yet";
    if (unsubscribed_ == true && !to_self && to_other == 1) return "gets what was published before, nothing after";
    return unexpected(std::to_string(to_self) + " to self, " + std::to_string(to_other) + " to the other");
}

template <class Policy>
std::string Caller<Policy>::observe_send() {
    long const got = world_->got("self", "S");
    if (sent_ == SendResult::closed && !got) return "`closed`";
    if (sent_ && *sent_ != SendResult::queued) return unexpected("not queued");
    if (got == 1) return "arrives";
    if (!sent_ && !got) return self().closed ? "nothing: it has gone" : "there is no session yet";
    return unexpected(std::to_string(got) + " messages");
}

template <class Policy>
std::string Caller<Policy>::observe_close_own() {
    int const code = world_->closes("self");
    auto const before = self().heard.size();
    if (!self().closed && !code) return "there is no session yet";
    world_->say("self", "not heard any more");
    world_->pass(std::chrono::milliseconds(100));
    if (self().closed != 1 || self().heard.size() != before) return unexpected("closed " + std::to_string(self().closed));
    if (code == 4000 && self().info.by == CloseInfo::By::us && self().info.code == CloseCode{4000})
        return "a Close behind what was queued; `on_close` later, once; no message any more";
    if (code != 4000 && self().info.code != CloseCode{4000}) return "nothing: it ends already";
    return unexpected("Close " + std::to_string(code));
}

template <class Policy>
std::string Caller<Policy>::observe_close_other() {
    world_->pass(std::chrono::milliseconds(100));
    if (other().closed != 1) return unexpected("closed " + std::to_string(other().closed));
    int const code = world_->closes("other");
    if (code == 4001 && other().info.code == CloseCode{4001}) return "a Close; its `on_close` later, once";
    if (code == 1012) return "nothing: it has gone";
    return unexpected("Close " + std::to_string(code));
}

template <class Policy>
std::string Caller<Policy>::observe_revoke() {
    int const code = world_->closes("self");
    if (!self().closed && !code) return "there is no session yet";
    world_->pass(std::chrono::milliseconds(100));
    if (self().closed != 1) return unexpected("closed " + std::to_string(self().closed));
    if (code == 4403 && self().info.code == CloseCode::identity_revoked)
        return "a Close with 4403, what is queued is dropped; `on_close` later, once";
    if (code != 4403 && self().info.code != CloseCode::identity_revoked) return "nothing: it ends already";
    return unexpected("Close " + std::to_string(code));
}

template <class Policy>
std::string Caller<Policy>::observe_post() {
    if (ran_inside_) return unexpected("ran inside the hook");
    if (ran_ == 1) return "runs later, once";
    return ran_ == 0 ? "never runs: the session has gone" : unexpected("ran " + std::to_string(ran_) + " times");
}

template <class Policy>
std::string Caller<Policy>::observe_after() {
    if (ran_ != 0) return unexpected("ran too early");
    world_->pass(std::chrono::milliseconds(1000));
    if (ran_ == 1) return "runs at its time, once";
    if (ran_) return unexpected("ran " + std::to_string(ran_) + " times");
    return self().closed ? "never runs: the session has gone" : "there is no session yet";
}

template <class Policy>
std::string Caller<Policy>::observe_pause() {
    auto const heard = [this](std::string_view text) {
        auto const& all = self().heard;
        return std::count(all.begin(), all.end(), text);
    };
    if (self().closed) return self().closed == 1 ? "nothing: it has gone" : unexpected("closed twice");
    world_->say("self", "x");
    world_->say("self", "y");
    if (heard("x") == 1 && heard("y") == 1) return "there is no session yet";
    if (heard("x") || heard("y")) return unexpected("heard while paused");
    world_->hub->post(self().id, [](SessionType& there) { there.resume_reading(); });
    world_->run();
    if (heard("x") == 1 && heard("y") == 1) return "no message until `resume_reading`, then all";
    return unexpected("not all was heard");
}

template <class Policy>
std::string Caller<Policy>::observe_drain() {
    world_->pass(std::chrono::seconds(3));
    if (drained_ != 1) return unexpected("completed " + std::to_string(drained_) + " times");
    for (auto const* name : {"self", "other"}) {
        auto const& client = world_->client(name);
        if (client.opened != client.closed) return unexpected("a session is left");
        if (client.opened && world_->closes(name) != 1012 && !world_->wires[name]->lost)
            return unexpected("not closed with 1012");
    }
    return "all get a Close with 1012, this one too; then the completion, once";
}

template <class Policy>
std::string Caller<Policy>::observe_destroy() {
    world_->pass(std::chrono::seconds(1));
    if (world_->script->late_hooks) return unexpected(std::to_string(world_->script->late_hooks) + " hooks afterwards");
    for (auto const& [name, wire] : world_->wires)
        if (!wire->server_closed) return unexpected(name + " is still connected");
    if (world_->broadcaster->publish("room", "x") != PublishResult::closed) return unexpected("a publication is accepted");
    return "no hook begins any more; the turn ends, then the connections close";
}

}  // namespace callbacks
