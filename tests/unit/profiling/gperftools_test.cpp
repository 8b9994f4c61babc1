#include <hubbub/profiling/gperftools.hpp>

#include "tests/support/catch.hpp"

TEST_CASE("A program that links nothing of gperftools is linked all the same, and finds nothing of it") {
    auto const tools = hubbub::detail::Gperftools::linked();
    CHECK_FALSE(tools.start);
    CHECK_FALSE(tools.stop);
    CHECK_FALSE(tools.sample_heap);
    CHECK_FALSE(tools.growth_stacks);
}
