// The hub in memory that most tests have, compiled once, in hubs.cpp.
#pragma once

#include <hubbub/hub/hub.hpp>
#include <hubbub/transport/memory/memory_connection.hpp>

extern template class hubbub::Hub<hubbub::MemoryConnection>;
extern template class hubbub::Shard<hubbub::MemoryConnection, hubbub::DefaultPolicy>;
extern template class hubbub::Session<hubbub::MemoryConnection, hubbub::DefaultPolicy>;
