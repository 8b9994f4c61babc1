// A whole hub over connections in memory.
#include "tests/conformance/memory_echo.hpp"
#include "tests/support/catch.hpp"

TEST_CASE("A hub over memory conforms to RFC 6455") {
    using namespace conformance;
    auto const mode = GENERATE(hubbub::MemoryMode::direct, hubbub::MemoryMode::deferred);
    auto const split = GENERATE(Split::whole, Split::bytes, Split::coalesced);
    CAPTURE(static_cast<int>(mode), static_cast<int>(split));
    MemoryEcho<hubbub::MemoryConnection> server(mode);
    Report const report = run_all(server, split, largest_case);
    for (std::string const& failure : report.failures) FAIL_CHECK(failure);
    CHECK(report.cases > 300);
}
