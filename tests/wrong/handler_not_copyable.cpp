// hubbub: a handler is copied for each shard
#include <memory>

#include <hubbub/hub/hub.hpp>
#include <hubbub/transport/memory/memory_connection.hpp>

struct Handler : hubbub::NoopHandler {
    std::unique_ptr<int> state;
};

void make(hubbub::ShardLoop& loop) { hubbub::Hub<hubbub::MemoryConnection> hub{loop, Handler{}}; }
