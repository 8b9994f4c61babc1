// The load server over websocketpp's parser.
#include <hubbub/transport/websocketpp/websocketpp_connection.hpp>

#include "load_server.hpp"
#include "transports.hpp"

void load::run_websocketpp(Arguments const& arguments) {
    Server<hubbub::WebsocketppConnection<hubbub::TcpConnection>>(arguments).run();
}
