#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <hubbub/hub/hub.hpp>

#include "tests/unit/hub/memory_world.hpp"

namespace late_pages {

using namespace memory_world;
using Answer = Verdict<http::Response>;

/// Pages that are answered when the test says so.
struct Bed {
    Bed() {
        HubOptions<> options;
        options.routes = std::make_shared<http::Routes>();
        options.routes->add("/late", [this](http::Request const&, PeerAddress const&, Answer verdict) {
            verdicts.push_back(std::move(verdict));
        });
        options.handshake_limit = std::chrono::seconds(2);
        options.page_limit = std::chrono::seconds(10);
        world.emplace(Told<>(), 1, options);
    }
    std::shared_ptr<MemoryWire> ask(std::string_view method = "GET") {
        return world->connect(std::string(method) + " /late HTTP/1.1\r\nHost: a\r\n\r\n");
    }
    void answer(std::string text) {
        verdicts.front().answer(http::Response(http::Status::ok, std::move(text)));
        verdicts.erase(verdicts.begin());
        world->run();
    }

    std::vector<Answer> verdicts;
    std::optional<World<Told<>>> world;
};

std::string status(MemoryWire const& wire) { return wire.received.substr(9, 3); }

}  // namespace late_pages

using namespace late_pages;

TEST_CASE("A page may be answered later than a handshake may last") {
    Bed bed;
    auto wire = bed.ask();
    bed.world->pass(std::chrono::seconds(5));
    CHECK(wire->received.empty());
    bed.answer("here");
    CHECK(status(*wire) == "200");
    CHECK(wire->received.ends_with("\r\n\r\nhere"));
}

TEST_CASE("A late answer to a HEAD has no body") {
    Bed bed;
    auto wire = bed.ask("HEAD");
    bed.answer("here");
    CHECK(wire->received.find("Content-Length: 4") != std::string::npos);
    CHECK(wire->received.ends_with("\r\n\r\n"));
}

TEST_CASE("A page that takes longer than its limit is 503, and its answer is nobody's then") {
    Bed bed;
    auto wire = bed.ask();
    bed.world->pass(std::chrono::seconds(11));
    CHECK(status(*wire) == "503");
    std::string const received = wire->received;
    bed.answer("too late");
    CHECK(wire->received == received);
    CHECK(bed.world->hub.snapshot(0).refused[static_cast<std::size_t>(ConnectionRefusal::too_slow)] == 0);
}

TEST_CASE("What is sent while a page is awaited is thrown away, and who goes meanwhile is forgotten") {
    Bed bed;
    auto chatty = bed.ask();
    chatty->to_server.append(std::string(100'000, 'x'));
    bed.world->run();
    auto gone = bed.ask();
    gone->lost = true;
    bed.world->run();
    bed.answer("here");
    CHECK(status(*chatty) == "200");
    bed.answer("nobody");
    CHECK(gone->received.empty());
    bed.world->pass(std::chrono::seconds(3));
    CHECK(bed.world->hub.snapshot(0).handshakes == 0);
}

TEST_CASE("A verdict that nobody answers is 500, and one that is answered behind the hub's end is nobody's") {
    Bed bed;
    auto wire = bed.ask();
    bed.verdicts.clear();
    bed.world->run();
    CHECK(status(*wire) == "500");
    auto other = bed.ask();
    Answer late = std::move(bed.verdicts.front());
    bed.world.reset();
    late.answer(http::Response(http::Status::ok, "late"));
    CHECK(other->received.empty());
}
