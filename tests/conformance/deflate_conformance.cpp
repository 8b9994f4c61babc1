// Hubs that may compress, in memory and over sockets.
#include <set>
#include <string>

#include <hubbub/ws/deflate/permessage_deflate.hpp>

#include "tests/conformance/memory_echo.hpp"
#include "tests/support/catch.hpp"

using namespace conformance;

namespace {
struct Compressed : hubbub::DefaultPolicy {
    using Compression = hubbub::PermessageDeflate;
};
}  // namespace

TEST_CASE("A hub that may compress conforms to RFC 7692") {
    auto const mode = GENERATE(hubbub::MemoryMode::direct, hubbub::MemoryMode::deferred);
    auto const split = GENERATE(Split::whole, Split::bytes, Split::coalesced);
    CAPTURE(static_cast<int>(mode), static_cast<int>(split));
    MemoryEcho<hubbub::MemoryConnection, Compressed> server(mode);
    Report const report = run_cases(server, split, visit_deflate_frame_cases, visit_deflate_handshake_cases);
    for (std::string const& failure : report.failures) FAIL_CHECK(failure);
    CHECK(report.cases > 250);
}

TEST_CASE("A hub that may compress conforms to RFC 6455 where it does not") {
    MemoryEcho<hubbub::MemoryConnection, Compressed> server(hubbub::MemoryMode::direct);
    Report const report = run_all(server, GENERATE(Split::whole, Split::coalesced), 128 * 1024);
    for (std::string const& failure : report.failures) FAIL_CHECK(failure);
    CHECK(report.cases > 300);
}

TEST_CASE("Every case of RFC 7692 has a name of its own") {
    std::set<std::string> names;
    std::size_t cases = 0;
    auto const check = [&](auto const& each) {
        ++cases;
        CAPTURE(each.name);
        CHECK(names.insert(each.section + each.name).second);
    };
    visit_deflate_frame_cases(check);
    visit_deflate_handshake_cases(check);
    CHECK(cases > 250);
}
