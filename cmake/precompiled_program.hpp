// What nearly every program includes, parsed once, and the hub that many have. Programs still include what they use.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>

#include <hubbub/hub/broadcaster.hpp>
#include <hubbub/hub/hub.hpp>
#include <hubbub/server/server.hpp>
#include <hubbub/testing/socket_client.hpp>
#include <hubbub/transport/tcp/tcp_connection.hpp>

template class hubbub::Hub<hubbub::TcpConnection>;
template class hubbub::Shard<hubbub::TcpConnection, hubbub::DefaultPolicy>;
template class hubbub::Session<hubbub::TcpConnection, hubbub::DefaultPolicy>;
