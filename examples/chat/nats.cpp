#include <stdexcept>

#include "serve.hpp"

#ifdef CHAT_HAS_NATS

#include <hubbub/backplane/nats/nats_backplane.hpp>

#include "cluster.hpp"

hubbub::ServerEnd chat::serve_over_nats(Arguments const& arguments) {
    return serve_over<hubbub::NatsBackplane>(arguments, arguments.nats);
}

#else

hubbub::ServerEnd chat::serve_over_nats(Arguments const&) {
    throw std::invalid_argument("--nats needs hubbub::nats (libnats-dev) when the chat is built");
}

#endif
