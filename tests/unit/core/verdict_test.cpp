#include <hubbub/core/verdict.hpp>

#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/support/catch.hpp"

using hubbub::Asked;
using hubbub::Verdict;

namespace {

struct Answer {
    std::string text;
    static Answer unanswered() { return {"none"}; }
};

struct Told {
    Verdict<Answer> verdict() {
        return Verdict<Answer>([this](Answer answer) { answers.push_back(std::move(answer.text)); });
    }
    std::vector<std::string> answers;
};
using Answers = std::vector<std::string>;

}  // namespace

TEST_CASE("Whoever asked is told the first answer, and no other") {
    Told told;
    {
        auto verdict = told.verdict();
        verdict.answer({"yes"});
        verdict.answer({"no"});
    }
    CHECK(told.answers == Answers{"yes"});
}

TEST_CASE("A verdict that is dropped answers that there is no answer") {
    Told told;
    { auto const verdict = told.verdict(); }
    CHECK(told.answers == Answers{"none"});
    {
        auto first = told.verdict();
        auto second = told.verdict();
        first = std::move(second);  // the first question is dropped
        CHECK(told.answers == Answers{"none", "none"});
        first.answer({"yes"});
    }
    CHECK(told.answers == Answers{"none", "none", "yes"});
}

TEST_CASE("A verdict that was moved away says nothing") {
    Told told;
    std::optional<Verdict<Answer>> kept;
    {
        auto verdict = told.verdict();
        kept.emplace(std::move(verdict));
        verdict.answer({"from the old one"});
    }
    CHECK(told.answers.empty());
    kept->answer({"later"});
    CHECK(told.answers == Answers{"later"});
}

TEST_CASE("An answer that comes at once is taken, and `later` hears nothing") {
    Answers later;
    Asked<Answer> asked([&](Answer answer) { later.push_back(answer.text); });
    asked.verdict().answer({"now"});
    auto const now = asked.take();
    REQUIRE(now);
    CHECK(now->text == "now");
    CHECK(later.empty());
}

TEST_CASE("An answer that comes after take goes to `later`, though the question itself has gone") {
    Answers later;
    std::optional<Verdict<Answer>> kept;
    {
        Asked<Answer> asked([&](Answer answer) { later.push_back(answer.text); });
        kept.emplace(asked.verdict());
        CHECK_FALSE(asked.take());
    }
    std::thread([&] { kept->answer({"from another thread"}); }).join();
    CHECK(later == Answers{"from another thread"});
}

TEST_CASE("An answer that races with take comes exactly once") {
    for (int i = 0; i < 500; ++i) {
        std::atomic<int> later{0};
        Asked<Answer> asked([&](Answer) { ++later; });
        std::thread other([verdict = asked.verdict()]() mutable { verdict.answer({"now or later"}); });
        int const now = asked.take() ? 1 : 0;
        other.join();
        REQUIRE(now + later == 1);
    }
}
