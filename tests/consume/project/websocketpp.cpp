#include <hubbub/transport/websocketpp/websocketpp_config.hpp>

#include <websocketpp/version.hpp>

// Only that it is found, and with it what hubbub::tcp brings.
#ifndef ASIO_STANDALONE
#error "hubbub::websocketpp brings hubbub::tcp"
#endif

bool websocketpp_works();
bool websocketpp_works() { return hubbub::WebsocketppConfig::client_version == 13 && websocketpp::user_agent[0] == 'W'; }
