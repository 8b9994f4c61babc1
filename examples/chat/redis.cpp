#include <stdexcept>
#include <utility>

#include "serve.hpp"

#ifdef CHAT_HAS_REDIS

#include <hubbub/backplane/redis/redis_backplane.hpp>

#include "teller.hpp"

namespace chat {

namespace {

/// All processes with the same Redis are one chat.
struct RedisPolicy : ChatPolicy {
    using Backplane = hubbub::RedisBackplane;
    using EventSink = Teller;
};

}  // namespace

void serve_over_redis(Arguments const& arguments) {
    auto options = hub_options<RedisPolicy>();
    options.backplane.url = arguments.redis;
    options.backplane.prefix = "hubbub_chat";
    serve<hubbub::TcpConnection, RedisPolicy>(arguments, std::move(options));
}

}  // namespace chat

#else

void chat::serve_over_redis(Arguments const&) {
    throw std::invalid_argument("--redis needs hubbub::redis (libhiredis-dev and libssl-dev) when the chat is built");
}

#endif
