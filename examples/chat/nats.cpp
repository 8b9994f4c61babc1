#include <stdexcept>
#include <utility>

#include "serve.hpp"

#ifdef CHAT_HAS_NATS

#include <hubbub/backplane/nats/nats_backplane.hpp>

#include "teller.hpp"

namespace chat {

namespace {

/// All processes with the same NATS are one chat.
struct NatsPolicy : ChatPolicy {
    using Backplane = hubbub::NatsBackplane;
    using EventSink = Teller;
};

}  // namespace

void serve_over_nats(Arguments const& arguments) {
    auto options = hub_options<NatsPolicy>();
    options.backplane.url = arguments.nats;
    options.backplane.prefix = "hubbub_chat";
    serve<hubbub::TcpConnection, NatsPolicy>(arguments, std::move(options));
}

}  // namespace chat

#else

void chat::serve_over_nats(Arguments const&) {
    throw std::invalid_argument("--nats needs hubbub::nats (libnats-dev) when the chat is built");
}

#endif
