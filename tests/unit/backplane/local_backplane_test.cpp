#include <hubbub/backplane/local_backplane.hpp>

#include "tests/support/catch.hpp"

using hubbub::LocalBackplane;
using hubbub::MessageView;
using hubbub::Position;

TEST_CASE("The local backplane counts on within the epoch, from 1, and answers at once") {
    LocalBackplane backplane;
    auto const first = backplane.sequence("room", Position{7, 0}, MessageView::text("a"));
    REQUIRE(first);
    CHECK(*first == Position{7, 1});
    CHECK(backplane.sequence("room", *first, MessageView::text("a")) == Position{7, 2});
}

TEST_CASE("The local backplane keeps nothing of a topic: positions are the topic's") {
    LocalBackplane backplane;
    backplane.interest("room", true);
    CHECK(backplane.sequence("room", Position{1, 41}, MessageView::text("a")) == Position{1, 42});
    CHECK(backplane.sequence("other", Position{1, 0}, MessageView::text("a")) == Position{1, 1});
    backplane.interest("room", false);
    CHECK(backplane.sequence("room", Position{1, 0}, MessageView::text("a")) == Position{1, 1});
}
