#include <hubbub/hub/talkers.hpp>

#include <chrono>
#include <map>

#include "tests/support/catch.hpp"

using namespace hubbub;
using namespace std::chrono_literals;

namespace {
TimePoint const talk_start{1h};
Rate const ten_a_second{.per_second = 10, .burst = 10};
}  // namespace

TEST_CASE("A session that was told its number has it until it is told another") {
    Talkers talkers;
    std::map<std::uint32_t, std::uint32_t> number_of;
    auto const move = [&](std::uint32_t session, std::uint32_t number) { number_of[session] = number; };
    for (std::uint32_t session = 100; session < 110; ++session) number_of[session] = talkers.make(session);
    talkers.remove(number_of[103], move);
    number_of.erase(103);
    talkers.remove(number_of[109], move);
    number_of.erase(109);
    CHECK(talkers.size() == 8);
    for (auto const& [session, number] : number_of) CHECK(talkers[number].session == session);
}

TEST_CASE("Who has been quiet until his buckets were full is forgotten, the others are not") {
    Talkers talkers;
    std::map<std::uint32_t, std::uint32_t> number_of;
    auto const move = [&](std::uint32_t session, std::uint32_t number) { number_of[session] = number; };
    for (std::uint32_t session = 0; session < 6; ++session) {
        number_of[session] = talkers.make(session);
        talkers[number_of[session]].messages.take(ten_a_second, session % 2 ? 1 : 10, talk_start);
    }
    for (int i = 1; i < Talkers::sweeps_to_keep; ++i) talkers.sweep(talk_start + 500ms, move);
    CHECK(talkers.size() == 6);  // what they have in advance is kept for a while
    talkers.sweep(talk_start + 500ms, move);
    CHECK(talkers.size() == 3);
    for (auto const& [session, number] : number_of) {
        CHECK((number == Talkers::none) == (session % 2 == 1));
        if (number) CHECK(talkers[number].session == session);
    }
    for (int i = 0; i < Talkers::sweeps_to_keep; ++i) talkers.sweep(talk_start + 1s, move);
    CHECK(talkers.size() == 0);
}

TEST_CASE("What is taken in advance grows with use, and nothing is used that was not taken") {
    Credit credit;
    std::uint64_t taken = 0, most = 0;
    auto const take = [&](std::uint64_t more) {
        taken += more;
        most = std::max(most, more);
        return Duration::zero();
    };
    credit.use(1, 16, take);
    CHECK(taken == 1);  // who says one thing pays for one
    for (std::uint64_t used = 2; used <= 1000; ++used) {
        credit.use(1, 16, take);
        CHECK(taken >= used);
        CHECK(taken < used + 16);
    }
    CHECK(most == 16);
    credit.use(500, 16, take);
    CHECK(taken >= 1500);
}
