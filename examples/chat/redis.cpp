#include <stdexcept>

#include "serve.hpp"

#ifdef CHAT_HAS_REDIS

#include <hubbub/backplane/redis/redis_backplane.hpp>

#include "cluster.hpp"

hubbub::ServerEnd chat::serve_over_redis(Arguments const& arguments) {
    return serve_over<hubbub::RedisBackplane>(arguments, arguments.redis);
}

#else

hubbub::ServerEnd chat::serve_over_redis(Arguments const&) {
    throw std::invalid_argument("--redis needs hubbub::redis (libhiredis-dev and libssl-dev) when the chat is built");
}

#endif
