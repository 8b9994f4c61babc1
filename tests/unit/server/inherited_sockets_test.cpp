#include <hubbub/server/inherited_sockets.hpp>

#include <stdexcept>
#include <string>

#include "tests/support/catch.hpp"

using hubbub::InheritedSocket;
using hubbub::detail::parse_inherited_sockets;

namespace inherited {

std::string refusal(char const* process, char const* count) {
    try {
        static_cast<void>(parse_inherited_sockets(7, process, count, ""));
    } catch (std::invalid_argument const& error) {
        return error.what();
    }
    return "";
}

}  // namespace inherited

TEST_CASE("sockets that a service manager has opened begin with the third descriptor, and have the names of their units") {
    auto const sockets = parse_inherited_sockets(7, "7", "3", "http::admin");
    REQUIRE(sockets.size() == 3);
    CHECK(sockets[0].descriptor == 3);
    CHECK(sockets[0].name == "http");
    CHECK(sockets[1].name.empty());
    CHECK(sockets[2].descriptor == 5);
    CHECK(sockets[2].name == "admin");
    CHECK(parse_inherited_sockets(7, "7", "2", "").size() == 2);
}

TEST_CASE("sockets for another process, or none, are nobody's here") {
    CHECK(parse_inherited_sockets(7, "8", "3", "").empty());
    CHECK(parse_inherited_sockets(7, "", "3", "").empty());
    CHECK(parse_inherited_sockets(7, "7", "", "").empty());
    CHECK(parse_inherited_sockets(7, "7", "0", "").empty());
}

TEST_CASE("what a service manager would not say is refused with the variable's name") {
    CHECK(inherited::refusal("seven", "1") == "$LISTEN_PID is no number: \"seven\"");
    CHECK(inherited::refusal("7", "-1") == "$LISTEN_FDS is no number: \"-1\"");
    CHECK(inherited::refusal("7", "1x") == "$LISTEN_FDS is no number: \"1x\"");
    CHECK(inherited::refusal("7", "1025") == "$LISTEN_FDS is above 1024");
}
