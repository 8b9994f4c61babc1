// hubbub: ProtocolHandler needs an App that derives from ProtocolApp
#include <hubbub/protocol/protocol_handler.hpp>

void make() { hubbub::ProtocolHandler handler{hubbub::NoopHandler{}}; }
