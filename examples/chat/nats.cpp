#include <stdexcept>

#include "serve.hpp"

#ifdef CHAT_HAS_NATS

#include <hubbub/backplane/nats/nats_backplane.hpp>

#include "cluster.hpp"

void chat::serve_over_nats(Arguments const& arguments) { serve_over<hubbub::NatsBackplane>(arguments, arguments.nats); }

#else

void chat::serve_over_nats(Arguments const&) {
    throw std::invalid_argument("--nats needs hubbub::nats (libnats-dev) when the chat is built");
}

#endif
