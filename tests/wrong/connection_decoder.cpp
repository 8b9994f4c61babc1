// hubbub: Connection::Decoder must be a ws::MessageDecoder
#include <hubbub/hub/hub.hpp>
#include <hubbub/transport/memory/memory_connection.hpp>

struct Undecoded final : hubbub::MemoryConnection {
    struct Decoder {
        void feed(std::span<std::byte>);
    };
    using hubbub::MemoryConnection::MemoryConnection;
};

void make(hubbub::ShardLoop& loop) { hubbub::Hub<Undecoded> hub{loop, hubbub::NoopHandler{}}; }
