// The hubs that most tests have: where the precompiled header has code, it is made there, else in hubs.cpp.
#pragma once

#include "tests/support/memory_hub.hpp"

template class hubbub::Hub<hubbub::MemoryConnection>;
template class hubbub::Shard<hubbub::MemoryConnection, hubbub::DefaultPolicy>;
template class hubbub::Session<hubbub::MemoryConnection, hubbub::DefaultPolicy>;

#ifdef ASIO_STANDALONE
#include "tests/support/tcp_hub.hpp"

template class hubbub::Hub<hubbub::TcpConnection>;
template class hubbub::Shard<hubbub::TcpConnection, hubbub::DefaultPolicy>;
template class hubbub::Session<hubbub::TcpConnection, hubbub::DefaultPolicy>;
#endif
