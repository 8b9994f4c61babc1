#pragma once

#include <memory>
#include <unordered_map>
#include <utility>
#include <vector>

#include <hubbub/hub/noop_handler.hpp>
#include <hubbub/testing/client.hpp>

namespace hubbub::inline v0::testing {

/// The clients of a simulation, by where they come from.
struct ClientTable {
    std::vector<Client> all;
    std::unordered_map<PeerAddress, Client> by_address;

    void note_open(PeerAddress const& peer, SessionId id) {
        if (auto const found = by_address.find(peer); found != by_address.end()) found->second.state_->session = id;
    }
    void note_close(PeerAddress const& peer, CloseInfo const& info) {
        if (auto const found = by_address.find(peer); found != by_address.end()) found->second.state_->ended = info;
    }
};

/// A handler that also tells the simulation how sessions end; see `Simulation::hub`.
template <class Handler>
class Watched {
   public:
    Watched(Handler handler, std::shared_ptr<ClientTable> clients)
        : handler_(std::move(handler)), clients_(std::move(clients)) {}

    void on_open(auto& session) {
        peers_.emplace(session.id(), session.peer());
        clients_->note_open(session.peer(), session.id());
        handler_.on_open(session);
    }
    void on_message(auto& session, MessageView message) { handler_.on_message(session, message); }
    void on_subscribed(auto& session, Subscription const& subscription) { handler_.on_subscribed(session, subscription); }
    void on_continuity_lost(auto& session, Subscription const& subscription) {
        handler_.on_continuity_lost(session, subscription);
    }
    void on_pressure(auto& session) { handler_.on_pressure(session); }
    void on_relief(auto& session) { handler_.on_relief(session); }
    void on_expiring(auto& session) { handler_.on_expiring(session); }
    void on_close(auto& session, CloseInfo const& info) {
        if (auto const known = peers_.extract(session.id())) clients_->note_close(known.mapped(), info);
        handler_.on_close(session, info);
    }

   private:
    Handler handler_;
    std::shared_ptr<ClientTable> clients_;
    std::unordered_map<SessionId, PeerAddress> peers_;  // a session that is closed has no peer any more
};

}  // namespace hubbub::inline v0::testing
