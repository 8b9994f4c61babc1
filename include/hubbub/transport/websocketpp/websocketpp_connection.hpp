#pragma once

#include <hubbub/transport/connection.hpp>
#include <hubbub/transport/websocketpp/websocketpp_decoder.hpp>

namespace hubbub::inline v0 {

/// A connection whose session reads with websocketpp, for a program that leaves its `websocketpp::server` but not yet its parser: the
/// hub does the I/O, the handshake and the writing, on every engine that `Below` has. The last step is to take the alias away.
///
/// Example: `hubbub::Hub<hubbub::WebsocketppConnection<hubbub::TcpConnection>> hub{io_context, Chat{}};`
template <ByteConnection Below>
class WebsocketppConnection final : public Below {
   public:
    using Decoder = WebsocketppDecoder;
    using Below::Below;
};

}  // namespace hubbub::inline v0
