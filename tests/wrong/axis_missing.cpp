// hubbub: a policy lacks an axis: derive it from hubbub::DefaultPolicy
#include <hubbub/hub/hub.hpp>
#include <hubbub/transport/memory/memory_connection.hpp>

struct Policy {
    using Overflow = hubbub::DropOldest;
};

void make(hubbub::ShardLoop& loop) { hubbub::Hub<hubbub::MemoryConnection, Policy> hub{loop, hubbub::NoopHandler{}}; }
