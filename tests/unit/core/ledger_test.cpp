#include <hubbub/core/ledger.hpp>

#include "tests/support/catch.hpp"

TEST_CASE("A ledger knows what is in use, and the most since it was last asked") {
    hubbub::Ledger ledger;
    ledger.charge(100);
    ledger.charge(50);
    ledger.release(120);
    CHECK(ledger.used() == 30);
    CHECK(ledger.take_peak() == 150);
    SECTION("the next peak begins at what is in use") {
        CHECK(ledger.take_peak() == 30);
        ledger.release(30);
        CHECK(ledger.take_peak() == 30);
        CHECK(ledger.take_peak() == 0);
    }
    SECTION("a lower hill is a peak of its own") {
        ledger.charge(20);
        ledger.release(20);
        CHECK(ledger.take_peak() == 50);
    }
}
