// hubbub: Policy::Auth needs authenticate(
#include <hubbub/hub/hub.hpp>
#include <hubbub/transport/memory/memory_connection.hpp>

struct Doorman {
    bool authenticate(hubbub::http::Request const&) { return true; }
};
struct Policy : hubbub::DefaultPolicy {
    using Auth = Doorman;
};

void make(hubbub::ShardLoop& loop) { hubbub::Hub<hubbub::MemoryConnection, Policy> hub{loop, hubbub::NoopHandler{}}; }
