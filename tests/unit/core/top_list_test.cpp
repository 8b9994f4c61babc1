#include <hubbub/core/top_list.hpp>

#include <functional>
#include <vector>

#include "tests/support/catch.hpp"

using namespace hubbub;

TEST_CASE("A top list keeps the first so many, whatever the order in which they come") {
    std::vector<std::vector<int>> const orders{{1, 2, 3, 4, 5, 6}, {6, 5, 4, 3, 2, 1}, {3, 6, 1, 5, 2, 4}};
    for (auto const& order : orders) {
        TopList<int> top(3);
        TopList<int, std::less<>> last(2);
        for (int const each : order) {
            top.show(each);
            last.show(each);
        }
        CHECK(std::move(top).take() == std::vector<int>{6, 5, 4});
        CHECK(std::move(last).take() == std::vector<int>{1, 2});
    }
}

TEST_CASE("A top list of none keeps nothing, and one that is not full all") {
    TopList<int, std::less<>> none(0), all(5);
    for (int const each : {3, 1, 2}) {
        none.show(each);
        all.show(each);
    }
    CHECK(std::move(none).take().empty());
    CHECK(std::move(all).take() == std::vector<int>{1, 2, 3});
}
