#pragma once

#include <memory>
#include <utility>

#include <hubbub/hub/close_info.hpp>
#include <hubbub/ws/message_view.hpp>

namespace hubbub::inline v0 {

/// A handler of any type, behind one table of functions, so that a hub is not a template of its handler.
///
/// Cost: one indirect call a hook.
template <class SessionType>
class AnyHandler {
   public:
    template <class Handler>
    static AnyHandler make(Handler handler) {
        AnyHandler any;
        any.object_ = {new Handler(std::move(handler)), [](void* object) { delete static_cast<Handler*>(object); }};
        any.open_ = [](void* object, SessionType& session) { static_cast<Handler*>(object)->on_open(session); };
        any.message_ = [](void* object, SessionType& session, MessageView message) {
            static_cast<Handler*>(object)->on_message(session, message);
        };
        any.close_ = [](void* object, SessionType& session, CloseInfo const& info) {
            static_cast<Handler*>(object)->on_close(session, info);
        };
        return any;
    }

    void on_open(SessionType& session) { open_(object_.get(), session); }
    void on_message(SessionType& session, MessageView message) { message_(object_.get(), session, message); }
    void on_close(SessionType& session, CloseInfo const& info) { close_(object_.get(), session, info); }

   private:
    AnyHandler() : object_(nullptr, nullptr) {}

    std::unique_ptr<void, void (*)(void*)> object_;
    void (*open_)(void*, SessionType&) = nullptr;
    void (*message_)(void*, SessionType&, MessageView) = nullptr;
    void (*close_)(void*, SessionType&, CloseInfo const&) = nullptr;
};

}  // namespace hubbub::inline v0
