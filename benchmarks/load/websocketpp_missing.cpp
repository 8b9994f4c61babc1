// Instead of the two transports where websocketpp was not found.
#include "transports.hpp"

void load::run_websocketpp(Arguments const&) {
    refuse("--transport websocketpp is not built: websocketpp was not found (libwebsocketpp-dev)");
}
void load::run_websocketpp_adopted(Arguments const& arguments) { run_websocketpp(arguments); }
