// What most tests include, parsed once for a build. Tests still include what they use.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <variant>
#include <vector>

#ifdef ASIO_STANDALONE
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/steady_timer.hpp>
#endif

#include "catch.hpp"

#ifdef __clang__  // g++ gains nothing from these: what it reads of a precompiled header costs it as much as to parse them
#include <hubbub/hub/hub.hpp>
#include <hubbub/testing/client.hpp>
#include <hubbub/testing/simulation.hpp>
#include <hubbub/testing/socket_client.hpp>
#include <hubbub/transport/memory/memory_connection.hpp>
#include <hubbub/transport/memory/memory_message_connection.hpp>

#ifdef ASIO_STANDALONE
#include <hubbub/server/server.hpp>
#endif
#ifdef HUBBUB_TEST_HAS_JSON
#include <hubbub/json/router.hpp>
#endif
#ifdef HUBBUB_TEST_HAS_JWT
#include <hubbub/policy/jwt/jwt_auth.hpp>
#endif
#ifdef HUBBUB_TEST_HAS_REDIS
#include <hubbub/backplane/redis/redis_backplane.hpp>
#endif
#ifdef HUBBUB_TEST_HUBS_PRECOMPILED
#include "tests/support/hubs.hpp"
#endif
#endif
