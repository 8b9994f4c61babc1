#include <hubbub/core/exceptions.hpp>

#include <stdexcept>
#include <string>

#include "tests/support/catch.hpp"

using hubbub::detail::attempt;
using hubbub::detail::throw_exception;

TEST_CASE("With exceptions throw_exception throws what it is given") {
    CHECK_THROWS_AS(throw_exception(std::out_of_range("far away")), std::out_of_range);
    CHECK_THROWS_WITH(throw_exception(std::out_of_range("far away")), "far away");
}

TEST_CASE("attempt hands over what it is asked to catch, and lets other exceptions pass") {
    std::string heard;
    auto const listen = [&heard](std::out_of_range const& error) { heard = error.what(); };
    attempt<std::out_of_range>([] {}, listen);
    CHECK(heard.empty());
    attempt<std::out_of_range>([] { throw std::out_of_range("far away"); }, listen);
    CHECK(heard == "far away");
    CHECK_THROWS_AS(attempt<std::out_of_range>([] { throw std::length_error("too long"); }, listen), std::length_error);
}
