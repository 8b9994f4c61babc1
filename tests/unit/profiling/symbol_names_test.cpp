#include <hubbub/profiling/symbol_names.hpp>

#include <dlfcn.h>

#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>

#include "tests/support/catch.hpp"

using hubbub::detail::symbol_names;

namespace symbol_names_test {
inline std::string address_of(char const* exported) {
    auto* const function = ::dlsym(RTLD_DEFAULT, exported);
    REQUIRE(function);
    char text[32];
    std::snprintf(text, sizeof text, "0x%zx", reinterpret_cast<std::uintptr_t>(function));
    return text;
}
}  // namespace symbol_names_test

TEST_CASE("Without addresses there is only that there are symbols") { CHECK(symbol_names("") == "num_symbols: 1\n"); }

TEST_CASE("Each address that has a name has a line, with what was asked for and the name demangled") {
    std::string const set_terminate = symbol_names_test::address_of("_ZSt13set_terminatePFvvE");
    std::string const qsort = symbol_names_test::address_of("qsort");
    CHECK(symbol_names(set_terminate + "+0x1+" + qsort) ==
          "num_symbols: 1\n" + set_terminate + " std::set_terminate(void (*)())\n" + qsort + " qsort\n");
}

TEST_CASE("What is no list of addresses is refused") {
    auto const query = GENERATE(values<std::string_view>(
        {"0x", "1234", "0xg", "0x1+", "+0x1", "0x1++0x2", "0x1,0x2", "0x1 ", "0x-1", "0x11112222333344445", "0X1", "a=0x1"}));
    CAPTURE(query);
    CHECK_FALSE(symbol_names(query));
}
