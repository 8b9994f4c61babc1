// hubbub: ProtocolHandler needs a Policy::SessionData that is or derives from ProtocolState
#include <hubbub/hub/hub.hpp>
#include <hubbub/protocol/protocol_handler.hpp>
#include <hubbub/transport/memory/memory_connection.hpp>

void make(hubbub::ShardLoop& loop) {
    hubbub::Hub<hubbub::MemoryConnection> hub{loop, hubbub::ProtocolHandler{hubbub::ProtocolApp{}}};
}
