// hubbub: Policy::Overflow needs OverflowAction on_full
#include <hubbub/hub/hub.hpp>
#include <hubbub/transport/memory/memory_connection.hpp>

struct Policy : hubbub::DefaultPolicy {
    struct Overflow {  // it might throw in the middle of a fan-out
        hubbub::OverflowAction on_full(hubbub::QueueState const&, hubbub::OverflowingMessage const&) const {
            return hubbub::OverflowAction::drop_newest;
        }
    };
};

void make(hubbub::ShardLoop& loop) { hubbub::Hub<hubbub::MemoryConnection, Policy> hub{loop, hubbub::NoopHandler{}}; }
