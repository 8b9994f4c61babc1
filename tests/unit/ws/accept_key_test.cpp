#include <hubbub/ws/accept_key.hpp>

#include "tests/support/catch.hpp"

TEST_CASE("The accept key of the example in RFC 6455 1.3") {
    CHECK(hubbub::ws::AcceptKey("dGhlIHNhbXBsZSBub25jZQ==").view() == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}
