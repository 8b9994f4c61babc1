// hubbub: Policy::Sharding needs ShardIndex operator()
#include <hubbub/hub/hub.hpp>
#include <hubbub/transport/memory/memory_connection.hpp>

struct Policy : hubbub::DefaultPolicy {
    struct Sharding {
        int operator()(hubbub::SessionInfo const&, hubbub::ShardCount) { return 0; }  // a number is no ShardIndex
    };
};

void make(hubbub::ShardLoop& loop) { hubbub::Hub<hubbub::MemoryConnection, Policy> hub{loop, hubbub::NoopHandler{}}; }
