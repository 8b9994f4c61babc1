// The load server with permessage-deflate.
#include <hubbub/ws/deflate/permessage_deflate.hpp>

#include "load_server.hpp"
#include "transports.hpp"

namespace {
struct DeflatePolicy : load::LoadPolicy {
    using Compression = hubbub::PermessageDeflate;
};
}  // namespace

void load::run_deflate(Arguments const& arguments) { Server<hubbub::TcpConnection, DeflatePolicy>(arguments).run(); }
