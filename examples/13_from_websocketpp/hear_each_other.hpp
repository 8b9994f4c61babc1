#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

#include <hubbub/testing/socket_client.hpp>

/// Two clients of a server on that port: true if each hears what the other says, and what itself says.
inline bool hear_each_other(std::uint16_t port, std::string_view target = "/") {
    hubbub::testing::SocketClient first(port, target), second(port, target);
    first.send("I am in");
    bool fine = first.receive() == "I am in";  // from here on the first is one of them, and the same for the second
    second.send("so am I");
    std::string heard = second.receive();
    if (heard == "I am in") heard = second.receive();
    fine = fine && heard == "so am I" && first.receive() == "so am I";
    first.send("hello");
    return fine && first.receive() == "hello" && second.receive() == "hello";
}

/// True if the server answers the handshake with 403.
inline bool is_forbidden(std::uint16_t port, std::string_view target) try {
    hubbub::testing::SocketClient(port, target);
    return false;
} catch (std::runtime_error const& refusal) {
    return std::string_view(refusal.what()).ends_with(" 403");
}
