// hubbub: Policy::Rates needs of_session(Identity const&)
#include <hubbub/hub/hub.hpp>
#include <hubbub/transport/memory/memory_connection.hpp>

struct Policy : hubbub::DefaultPolicy {
    struct Rates {
        hubbub::SessionRates of_session(hubbub::Identity const&) const noexcept { return {}; }
    };
};

void make(hubbub::ShardLoop& loop) { hubbub::Hub<hubbub::MemoryConnection, Policy> hub{loop, hubbub::NoopHandler{}}; }
