#pragma once

#include <memory>
#include <utility>

#include <hubbub/core/ids.hpp>
#include <hubbub/hub/session.hpp>

namespace hubbub::inline v0 {

/// What a hook keeps of its session to answer it later: `Hub::post` for who has no hub. It exists so that a handler, which is made
/// before its hub, can give an answer from anywhere.
///
/// Threading: any thread may copy, use and destroy one. Lifetime: it may outlive the hub.
/// Example: `pool.run([handle = session.handle()] { handle.post([](auto& same) { same.send("done"); }); });`
template <BasicConnection Conn, HubPolicy Policy>
class SessionHandle {
   public:
    using ShardType = Shard<Conn, Policy>;
    using SessionType = Session<Conn, Policy>;

    /// Sessions make them; see Session::handle.
    SessionHandle(std::weak_ptr<typename ShardType::Shared> shared, SessionId id) : shared_(std::move(shared)), id_(id) {}

    SessionId id() const noexcept { return id_; }
    /// Runs `function(session)` on the session's thread, in its next turn, if it is there then. False: the hub has ended.
    /// Cost: one posted function, which is not bounded, and a look-up by id.
    template <class F>
    bool post(F function) const {
        auto const shared = shared_.lock();
        return shared && shared->post(id_.shard, [id = id_, function = std::move(function)](ShardType& shard) mutable {
            shard.visit(id, function);
        });
    }

   private:
    std::weak_ptr<typename ShardType::Shared> shared_;  // weak: letters that wait in a hub may hold one
    SessionId id_;
};

}  // namespace hubbub::inline v0
