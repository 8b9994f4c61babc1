#pragma once

#include <cstddef>
#include <functional>
#include <string>

#include <websocketpp/common/connection_hdl.hpp>

#include <hubbub/core/identity.hpp>

namespace hubbub::inline v0 {

/// What a program says about a websocketpp connection that it gives to a hub: who it is, and the handlers that it wants to keep.
///
/// The hub sets the message, close, pong and ping handlers of the connection, and websocketpp has no way to ask for those that were
/// there before. All others stay as the endpoint has set them.
///
/// Threading: handlers are called as websocketpp's own are, on the endpoint's threads.
/// Example: `hub.adopt({server.get_con_from_hdl(hdl), {.on_close = [&](auto hdl) { forget(hdl); }, .identity = {.user = "ada"}}});`
struct AdoptOptions {
    /// After the hub was told. The connection is over.
    std::function<void(websocketpp::connection_hdl)> on_close{};
    /// False: the ping is not answered.
    std::function<bool(websocketpp::connection_hdl, std::string)> on_ping{};
    /// Pongs that answer no ping of the hub's.
    std::function<void(websocketpp::connection_hdl, std::string)> on_pong{};
    Identity identity{};
    /// What may wait for the hub, in bytes; beyond it, the connection is not read from. A message larger than this may wait alone.
    std::size_t inbound_bytes = 64 * 1024;
};

}  // namespace hubbub::inline v0
