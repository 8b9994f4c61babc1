#include <hubbub/testing/server_stream.hpp>

#include "tests/support/catch.hpp"

using namespace hubbub;
using testing::ServerStream;

namespace {

std::string const head = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n";

std::string problem_of(std::string const& frames) {
    ServerStream stream;
    stream.read(head + frames);
    return stream.problem().substr(0, stream.problem().find(','));
}

}  // namespace

TEST_CASE("A server's stream is read however it is split") {
    std::string const all = head + "\x81\x02hi" + std::string("\x82\x00", 2) + "\x89\x01p" + std::string("\x8A\x00", 2) +
                            std::string("\x81\x7E\x00\x80", 4) + std::string(128, 'x') +
                            "\x88\x05\x03\xE8"
                            "bye";
    for (std::size_t first = 0; first <= all.size(); ++first) {
        ServerStream stream;
        stream.read(std::string_view(all).substr(0, first));
        stream.read(all);
        CHECK(stream.problem().empty());
        CHECK(stream.status() == 101);
        REQUIRE(stream.messages().size() == 3);
        CHECK(stream.messages()[0] == testing::Received{ws::Opcode::text, "hi"});
        CHECK(stream.messages()[1] == testing::Received{ws::Opcode::binary, ""});
        CHECK(stream.messages()[2].payload == std::string(128, 'x'));
        CHECK(stream.pings() == std::vector<std::string>{"p"});
        CHECK(stream.pongs() == std::vector<std::string>{""});
        REQUIRE(stream.close());
        CHECK(stream.close()->code == CloseCode::normal);
        CHECK(stream.close()->reason == "bye");
        CHECK(stream.unread() == 0);
    }
}

TEST_CASE("What a hub may not send is a problem, in words") {
    CHECK(problem_of("\x81\x02hi").empty());
    CHECK(problem_of(std::string("\x01\x00", 2)) == "a fragment");
    CHECK(problem_of(std::string("\xC1\x00", 2)) == "RSV1 is set");
    CHECK(problem_of("\x81\x82") == "a server's frame is masked");
    CHECK(problem_of(std::string("\x81\x7E\x00\x05", 4)) == "a length is not written in the shortest way");
    CHECK(problem_of(std::string("\x81\x7F\x00\x00\x00\x00\x00\x00\xFF\xFF", 10)) ==
          "a length is not written in the shortest way");
    CHECK(problem_of(std::string("\x83\x00", 2)) == "an opcode that a hub does not send");
    CHECK(problem_of(std::string("\x89\x7E\x00\x80", 4)) == "a control frame is too long");
    CHECK(problem_of("\x81\x01\xFF") == "text is not UTF-8");
    CHECK(problem_of("\x88\x01x") == "the payload of a Close");
    CHECK(problem_of(std::string("\x88\x00\x81\x00", 4)) == "something comes after the Close");
    ServerStream stream;
    stream.read("SSH-2.0\r\n\r\n");
    CHECK(stream.problem().starts_with("the answer is no HTTP/1.1"));
}

TEST_CASE("A refusal has a status and no frames") {
    ServerStream stream;
    stream.read("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno");
    CHECK(stream.status() == 403);
    CHECK(stream.messages().empty());
}
