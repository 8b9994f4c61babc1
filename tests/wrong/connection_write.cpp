// hubbub: a connection needs WriteResult write(
#include <hubbub/hub/hub.hpp>
#include <hubbub/transport/memory/memory_connection.hpp>

struct Line {
    using Driver = hubbub::MemoryConnection::Driver;
    using Socket = hubbub::MemoryConnection::Socket;
    Line(Driver&, Socket);
    Line(Line&&);
    void start(hubbub::ByteConnectionOwner&);
    bool write(std::span<hubbub::ws::Slice const>);
    void pause_reading();
    void resume_reading();
    void shutdown();
    void close();
    void reset();
    Socket detach();
    hubbub::PeerAddress peer() const;
};

void make(hubbub::ShardLoop& loop) { hubbub::Hub<Line> hub{loop, hubbub::NoopHandler{}}; }
