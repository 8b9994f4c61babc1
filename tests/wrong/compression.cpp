// hubbub: Policy::Compression must be NoCompression, PermessageDeflate
#include <hubbub/hub/hub.hpp>
#include <hubbub/transport/memory/memory_connection.hpp>

struct Policy : hubbub::DefaultPolicy {
    struct Compression {
        int level = 9;
    };
};

void make(hubbub::ShardLoop& loop) { hubbub::Hub<hubbub::MemoryConnection, Policy> hub{loop, hubbub::NoopHandler{}}; }
