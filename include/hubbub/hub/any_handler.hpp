#pragma once

#include <concepts>
#include <memory>
#include <utility>

#include <hubbub/hub/close_info.hpp>
#include <hubbub/hub/subscription.hpp>
#include <hubbub/ws/message_view.hpp>

namespace hubbub::inline v0 {

namespace detail {
/// One sentence for a handler that is wrong, instead of all that the compiler knows about why.
template <class Handler, class SessionType>
consteval bool check_handler() {
    static_assert(std::copy_constructible<Handler>,
                  "hubbub: a handler is copied for each shard, and this one cannot be copied");
    static_assert(
        requires(Handler& handler, SessionType& session) { handler.on_open(session); },
        "hubbub: the handler needs on_open(auto& session): derive it from hubbub::NoopHandler, and do not hide that by one "
        "with other parameters");
    static_assert(
        requires(Handler& handler, SessionType& session, MessageView message) { handler.on_message(session, message); },
        "hubbub: the handler needs on_message(auto& session, MessageView): derive it from hubbub::NoopHandler, and do not hide "
        "that by one with other parameters");
    static_assert(
        requires(Handler& handler, SessionType& session, Subscription const& subscription) {
            handler.on_subscribed(session, subscription);
        },
        "hubbub: the handler needs on_subscribed(auto& session, Subscription const&): derive it from hubbub::NoopHandler, and "
        "do not hide that by one with other parameters");
    static_assert(
        requires(Handler& handler, SessionType& session, Subscription const& subscription) {
            handler.on_continuity_lost(session, subscription);
        },
        "hubbub: the handler needs on_continuity_lost(auto& session, Subscription const&): derive it from hubbub::NoopHandler, "
        "and do not hide that by one with other parameters");
    static_assert(
        requires(Handler& handler, SessionType& session) {
            handler.on_pressure(session);
            handler.on_relief(session);
        },
        "hubbub: the handler needs on_pressure(auto& session) and on_relief(auto& session): derive it from "
        "hubbub::NoopHandler, and do not hide that by one with other parameters");
    static_assert(
        requires(Handler& handler, SessionType& session) { handler.on_expiring(session); },
        "hubbub: the handler needs on_expiring(auto& session): derive it from hubbub::NoopHandler, and do not hide that by one "
        "with other parameters");
    static_assert(
        requires(Handler& handler, SessionType& session, CloseInfo const& info) { handler.on_close(session, info); },
        "hubbub: the handler needs on_close(auto& session, CloseInfo const&): derive it from hubbub::NoopHandler, and do not "
        "hide that by one with other parameters");
    return true;
}
}  // namespace detail

/// A handler with every hook for such sessions. What is wrong with one is an error with a sentence, and not the answer no; but for what
/// has a hub itself, as a Server has: whether it can be copied is asked where it is a member.
template <class Handler, class SessionType>
concept HandlerFor = !requires { typename Handler::HubType; } && detail::check_handler<Handler, SessionType>();

/// A handler of any type, behind one table of functions, so that a hub is not a template of its handler.
///
/// Cost: one indirect call a hook.
template <class SessionType>
class AnyHandler {
   public:
    template <class Handler>
    static AnyHandler make(Handler handler) {
        return AnyHandler(new Handler(std::move(handler)), &table<Handler>);
    }

    void on_open(SessionType& session) { table_->open(object_.get(), session); }
    void on_message(SessionType& session, MessageView message) { table_->message(object_.get(), session, message); }
    void on_subscribed(SessionType& session, Subscription const& subscription) {
        table_->subscribed(object_.get(), session, subscription);
    }
    void on_continuity_lost(SessionType& session, Subscription const& subscription) {
        table_->continuity_lost(object_.get(), session, subscription);
    }
    void on_pressure(SessionType& session, bool high) { table_->pressure(object_.get(), session, high); }
    void on_expiring(SessionType& session) { table_->expiring(object_.get(), session); }
    void on_close(SessionType& session, CloseInfo const& info) { table_->close(object_.get(), session, info); }

   private:
    struct Table {
        void (*destroy)(void*);
        void (*open)(void*, SessionType&);
        void (*message)(void*, SessionType&, MessageView);
        void (*subscribed)(void*, SessionType&, Subscription const&);
        void (*continuity_lost)(void*, SessionType&, Subscription const&);
        void (*pressure)(void*, SessionType&, bool);
        void (*expiring)(void*, SessionType&);
        void (*close)(void*, SessionType&, CloseInfo const&);
    };
    template <class Handler>
    static Handler& as(void* object) noexcept {
        return *static_cast<Handler*>(object);
    }
    template <class Handler>
    static constexpr Table table{
        [](void* object) { delete static_cast<Handler*>(object); },
        [](void* object, SessionType& session) { as<Handler>(object).on_open(session); },
        [](void* object, SessionType& session, MessageView message) { as<Handler>(object).on_message(session, message); },
        [](void* object, SessionType& session, Subscription const& subscription) {
            as<Handler>(object).on_subscribed(session, subscription);
        },
        [](void* object, SessionType& session, Subscription const& subscription) {
            as<Handler>(object).on_continuity_lost(session, subscription);
        },
        [](void* object, SessionType& session, bool high) {
            high ? as<Handler>(object).on_pressure(session) : as<Handler>(object).on_relief(session);
        },
        [](void* object, SessionType& session) { as<Handler>(object).on_expiring(session); },
        [](void* object, SessionType& session, CloseInfo const& info) { as<Handler>(object).on_close(session, info); }};

    AnyHandler(void* object, Table const* functions) : object_(object, functions->destroy), table_(functions) {}

    std::unique_ptr<void, void (*)(void*)> object_;
    Table const* table_;
};

}  // namespace hubbub::inline v0
