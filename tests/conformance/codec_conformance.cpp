#include <set>
#include <string>

#include "tests/conformance/codec_echo.hpp"
#include "tests/conformance/run.hpp"
#include "tests/support/catch.hpp"

using namespace conformance;

static_assert(Transport<CodecEcho<>>);

TEST_CASE("The protocol alone conforms to RFC 6455") {
    auto const split = GENERATE(Split::whole, Split::bytes, Split::coalesced);
    CAPTURE(static_cast<int>(split));
    CodecEcho<> server;
    Report const report = run_all(server, split);
    for (std::string const& failure : report.failures) FAIL_CHECK(failure);
    CHECK(report.cases > 300);
}

TEST_CASE("Every conformance case has a section and a name of its own") {
    std::set<std::string> names;
    std::size_t cases = 0;
    auto const check = [&](auto const& each) {
        ++cases;
        CHECK_FALSE(each.section.empty());
        CAPTURE(each.name);
        CHECK(names.insert(each.section + each.name).second);
    };
    visit_frame_cases(check);
    visit_handshake_cases(check);
    CHECK(cases > 300);
}

TEST_CASE("The judge finds what is wrong") {
    FrameCase open{"", "", "", {}, {{1, "a"}, {10, "p"}}, {}, false};
    CHECK(judge(open, {{1, "a"}, {10, "p"}}, false).empty());
    CHECK(judge(open, {{10, "p"}, {1, "a"}}, false).empty());
    CHECK_FALSE(judge(open, {{10, "p"}}, false).empty());
    CHECK_FALSE(judge(open, {{2, "a"}, {10, "p"}}, false).empty());
    CHECK_FALSE(judge(open, {{1, "a"}, {1, "a"}, {10, "p"}}, false).empty());
    CHECK_FALSE(judge(open, {{1, "a"}, {10, "q"}}, false).empty());
    CHECK_FALSE(judge(open, {{1, "a"}, {10, "p"}}, true).empty());
    CHECK_FALSE(judge(open, {{1, "a"}, {8, ""}}, true).empty());

    FrameCase bad{"", "", "", {}, {{1, "a"}}, {1002}, false};
    CHECK(judge(bad, {{1, "a"}, {8, "\x03\xEA"}}, true).empty());
    CHECK(judge(bad, {{8, "\x03\xEA"}}, true).empty());
    CHECK_FALSE(judge(bad, {{8, "\x03\xE8"}}, true).empty());
    CHECK_FALSE(judge(bad, {{8, "\x03\xEA"}, {1, "a"}}, true).empty());
    CHECK_FALSE(judge(bad, {{8, "\x03\xEA"}}, false).empty());
    CHECK_FALSE(judge(bad, {{8, "x"}}, true).empty());
    CHECK_FALSE(judge(bad, {{1, "a"}}, true).empty());
    bad.by_client = true;
    CHECK_FALSE(judge(bad, {{8, "\x03\xEA"}}, true).empty());

    HandshakeCase page{"", "", "", {404}, {"Connection: close"}, true};
    std::string const head = "HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\nConnection: close\r\n\r\n";
    CHECK(judge(page, head + "hi", true).empty());
    CHECK_FALSE(judge(page, head + "hi", false).empty());
    CHECK_FALSE(judge(page, head + "h", true).empty());
    CHECK_FALSE(judge(page, "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", true).empty());
    CHECK_FALSE(judge(page, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", true).empty());
    page.body_allowed = false;
    CHECK(judge(page, head, true).empty());
    CHECK_FALSE(judge(page, head + "hi", true).empty());
}
