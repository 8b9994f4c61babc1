// The hub over TCP that most tests of sockets have, compiled once, in hubs.cpp.
#pragma once

#include <hubbub/hub/hub.hpp>
#include <hubbub/transport/tcp/tcp_connection.hpp>

// [extern]
extern template class hubbub::Hub<hubbub::TcpConnection>;
extern template class hubbub::Shard<hubbub::TcpConnection, hubbub::DefaultPolicy>;
extern template class hubbub::Session<hubbub::TcpConnection, hubbub::DefaultPolicy>;
// [/extern]
