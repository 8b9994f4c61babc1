// hubbub: Policy::Heartbeat needs HeartbeatTimes times_for
#include <hubbub/hub/hub.hpp>
#include <hubbub/transport/memory/memory_connection.hpp>

struct Policy : hubbub::DefaultPolicy {
    struct Heartbeat {
        std::chrono::seconds ping_after{10};
    };
};

void make(hubbub::ShardLoop& loop) { hubbub::Hub<hubbub::MemoryConnection, Policy> hub{loop, hubbub::NoopHandler{}}; }
