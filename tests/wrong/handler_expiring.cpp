// hubbub: the handler needs on_expiring(
#include <hubbub/hub/hub.hpp>
#include <hubbub/transport/memory/memory_connection.hpp>

struct Handler {
    void on_open(auto&) {}
    void on_message(auto&, hubbub::MessageView) {}
    void on_subscribed(auto&, hubbub::Subscription const&) {}
    void on_continuity_lost(auto&, hubbub::Subscription const&) {}
    void on_pressure(auto&) {}
    void on_relief(auto&) {}
    void on_close(auto&, hubbub::CloseInfo const&) {}
};

void make(hubbub::ShardLoop& loop) { hubbub::Hub<hubbub::MemoryConnection> hub{loop, Handler{}}; }
