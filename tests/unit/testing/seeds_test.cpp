#include <hubbub/testing/seeds.hpp>

#include <cstdlib>
#include <optional>
#include <vector>

#include "tests/support/catch.hpp"

using namespace hubbub::testing;

namespace {

/// Sets a variable for one test.
class Environment {
   public:
    Environment(char const* name, char const* value) : name_(name) {
        if (char const* const before = std::getenv(name)) before_ = before;
        value ? ::setenv(name, value, 1) : ::unsetenv(name);
    }
    ~Environment() { before_ ? ::setenv(name_, before_->c_str(), 1) : ::unsetenv(name_); }

   private:
    char const* name_;
    std::optional<std::string> before_;
};

std::vector<std::uint64_t> all() {
    std::vector<std::uint64_t> result;
    for (auto const seed : Seeds(3)) result.push_back(seed);
    return result;
}

}  // namespace

TEST_CASE("The environment says how many seeds there are, or names one") {
    Environment one("HUBBUB_SEED", nullptr), many("HUBBUB_SEEDS", nullptr);
    CHECK(all() == std::vector<std::uint64_t>{1, 2, 3});
    Environment two("HUBBUB_SEEDS", "2");
    CHECK(all() == std::vector<std::uint64_t>{1, 2});
    Environment named("HUBBUB_SEED", "42");
    CHECK(all() == std::vector<std::uint64_t>{42});
}

TEST_CASE("A seed is replayed by a command that can be pasted") {
    auto const command = Seeds::replay(17, "This, and that");
    CHECK(command.starts_with("replay with: HUBBUB_SEED=17 "));
    CHECK(command.ends_with(" \"This\\, and that\""));
}
