#include <stdexcept>

#include "serve.hpp"

#if __has_include(<websocketpp/version.hpp>)

#include <hubbub/transport/websocketpp/websocketpp_connection.hpp>

hubbub::ServerEnd chat::serve_with_websocketpp(Arguments const& arguments) {
    return serve<hubbub::WebsocketppConnection<hubbub::TcpConnection>>(arguments);
}

#else

hubbub::ServerEnd chat::serve_with_websocketpp(Arguments const&) {
    throw std::invalid_argument("--transport websocketpp needs websocketpp (libwebsocketpp-dev) when the chat is built");
}

#endif
