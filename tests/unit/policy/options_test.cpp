#include <hubbub/policy/options_of.hpp>

#include <string>

#include "tests/unit/hub/memory_world.hpp"

using namespace memory_world;

namespace {

/// A policy that is made from something else than it is.
class Guard {
   public:
    struct Options {
        std::string password = "none";
        void check() const {
            if (password.empty()) throw std::invalid_argument("Guard::password must not be empty");
        }
    };
    explicit Guard(Options const& options) : path_("/" + options.password) {}

    void authenticate(http::Request const& request, PeerAddress const&, Verdict<Authenticated> verdict) {
        if (request.path() != path_) return verdict.answer(Authenticated::refused(http::Status::unauthorized, "no"));
        verdict.answer(Authenticated::as({.user = "phone", .labels = {}, .expires_at = {}}));
    }

   private:
    std::string path_;
};

struct Impatient {
    std::chrono::milliseconds for_phones{2'000};
    HeartbeatTimes times_for(Identity const& who) const noexcept {
        if (who.user == "phone") return {for_phones, for_phones * 2};
        return {std::chrono::milliseconds(54'000), std::chrono::milliseconds(60'000)};
    }
};

struct OnlyFrom {
    std::string page;
    bool passes(http::Request const& request) const {
        if (request.path() == "/throw") throw 1;
        return page.empty() || request.header("Origin") == page;
    }
};

struct NamedFew {
    std::uint32_t most = 64;
    std::uint32_t most_in_all() const noexcept { return 0; }
    std::uint32_t most_of_address(PeerAddress const&) const noexcept { return 0; }
    std::uint32_t most_of_user(Identity const& who) const noexcept { return who.user == "phone" ? most : 0; }
};

struct Configured : DefaultPolicy {
    using Auth = Guard;
    using Heartbeat = Impatient;
    using Origin = OnlyFrom;
    using Limits = NamedFew;
};

std::string request_for(std::string path, std::string header = {}) {
    std::string text(request);
    text.replace(text.find("/chat"), 5, path);
    return text.insert(text.size() - 2, header);
}
std::string status(MemoryWire const& wire) { return wire.received.substr(9, 3); }

}  // namespace

TEST_CASE("A policy is made from its Options, or copied, on each shard") {
    for (std::size_t const shards : {1u, 3u}) {
        HubOptions<Configured> options{.auth = {.password = "chat"}, .origin = {"https://a.test"}, .limits = {.most = 2}};
        World<Told<Configured>, Configured> world(Told<Configured>{}, shards, options);
        auto const from_a = [](std::string path) { return request_for(path, "Origin: https://a.test\r\n"); };
        CHECK(status(*world.connect(from_a("/chat"))) == "101");
        CHECK(status(*world.connect(from_a("/other"))) == "401");
        CHECK(status(*world.connect(request_for("/chat", "Origin: https://b.test\r\n"))) == "403");
        CHECK(status(*world.connect(from_a("/throw"))) == "403");
        CHECK(status(*world.connect(from_a("/chat"))) == "101");
        CHECK(status(*world.connect(from_a("/chat"))) == "429");
    }
}

TEST_CASE("Options that are wrong are refused when the hub is made, with the policy's own sentence") {
    HubOptions<Configured> options;
    options.auth.password.clear();
    CHECK_THROWS_WITH((World<Told<Configured>, Configured>(Told<Configured>{}, 1, options)),
                      "Guard::password must not be empty");
}

TEST_CASE("A heartbeat may differ from user to user") {
    HubOptions<Configured> options{.auth = {.password = "chat"}, .heartbeat = {.for_phones = std::chrono::milliseconds(2'000)}};
    World<Told<Configured>, Configured> world(Told<Configured>{}, 1, options);
    auto const wire = world.connect();
    world.pass(std::chrono::milliseconds(2'500));
    CHECK(messages(*wire) == Messages{"ping"});
    world.pass(std::chrono::milliseconds(3'000));
    CHECK(world.hub.snapshot(0).sessions == 0);
}

TEST_CASE("What sessions have of their own for it costs nothing where all have the same") {
    CHECK(is_uniform_heartbeat<DefaultPolicy>);
    CHECK_FALSE(is_uniform_heartbeat<Configured>);
    CHECK(sizeof(Session<MemoryConnection, DefaultPolicy>) < sizeof(Session<MemoryConnection, Configured>));
}
