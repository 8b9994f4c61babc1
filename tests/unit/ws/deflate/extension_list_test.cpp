#include <string>

#include <hubbub/ws/deflate/extension_list.hpp>

#include "tests/support/catch.hpp"

using hubbub::ws::ExtensionList;

namespace {
/// As "name(parameter=value parameter)name()", with an exclamation mark where the rest is malformed.
std::string read(std::string_view line) {
    ExtensionList list(line);
    std::string out;
    while (list.next_extension()) {
        out.append(list.extension()) += '(';
        while (list.next_parameter()) {
            out.append(list.parameter());
            if (list.has_value()) out.append("=").append(list.value());
            out += ' ';
        }
        out += ')';
    }
    return out + (list.is_malformed() ? "!" : "");
}
}  // namespace

TEST_CASE("A list of extensions is read with its parameters in order") {
    CHECK(read("").empty());
    CHECK(read("a") == "a()");
    CHECK(read("a, b") == "a()b()");
    CHECK(read(" \ta ;x; y=1 ,b; z = \"q\" ") == "a(x y=1 )b(z=q )");
    CHECK(read(",, a ,, b ,") == "a()b()");
    CHECK(read("permessage-deflate; client_max_window_bits") == "permessage-deflate(client_max_window_bits )");
}

TEST_CASE("A quoted value is what is left without its quotes and escapes") {
    CHECK(read("a; x=\"10\"") == "a(x=10 )");
    CHECK(read("a; x=\"1\\0\"; y") == "a(x=10 y )");
    CHECK(read("a; x=\"\"") == "a(x= )");
    CHECK(read("a; x=\"1 0\"; y") == "a(x=1 0 y )");
    CHECK(read("a; x=\"1,0;\", b") == "a(x=1,0; )b()");
    CHECK(read("a; x=\"10") == "a()!");
    CHECK(read("a; x=\"10\\") == "a()!");
}

TEST_CASE("What is no list of extensions is malformed") {
    for (auto const* line :
         {"a;", "a; =1", "a; x=", "a; x=,", "a b", "a; x y", "a; x=1 2", ";x", "=", "a(", "a; x=\"1\"2", "\"a\"", "a/b"}) {
        CAPTURE(line);
        CHECK(read(line).back() == '!');
    }
}

TEST_CASE("Parameters that nobody reads are skipped, and checked all the same") {
    ExtensionList list("a; x=1; y, b; z=\"2\", c; =");
    REQUIRE(list.next_extension());
    REQUIRE(list.next_extension());
    CHECK(list.extension() == "b");
    REQUIRE(list.next_extension());
    CHECK(list.extension() == "c");
    CHECK_FALSE(list.next_extension());
    CHECK(list.is_malformed());
}
