#include <hubbub/core/unique_function.hpp>

#include <array>
#include <memory>
#include <string>
#include <utility>

#include "tests/support/catch.hpp"

using hubbub::UniqueFunction;

namespace {

/// Counts how many of it live; as large as is asked for, and with a move that may throw if that is asked for.
template <std::size_t padding, bool nothrow = true>
struct Counted {
    explicit Counted(int& counter) : alive(&counter) { ++*alive; }
    Counted(Counted const& other) : alive(other.alive), calls(other.calls) { ++*alive; }
    Counted(Counted&& other) noexcept(nothrow) : alive(other.alive), calls(other.calls) { ++*alive; }
    ~Counted() { --*alive; }
    int operator()(int x) { return x + ++calls; }

    int* alive;
    int calls = 0;
    std::array<char, padding> rest{};
};

}  // namespace

TEMPLATE_TEST_CASE("A callable of any size is called with its state, and destroyed exactly once", "", Counted<1>, Counted<32>,
                   Counted<33>, Counted<500>, (Counted<1, false>)) {
    int alive = 0;
    {
        UniqueFunction<int(int)> function{TestType(alive)};
        CHECK(alive == 1);
        CHECK(function(10) == 11);
        CHECK(function(10) == 12);
        UniqueFunction<int(int)> moved = std::move(function);
        CHECK(alive == 1);
        CHECK_FALSE(function);
        CHECK(moved(10) == 13);
        function = std::move(moved);
        CHECK(function(10) == 14);
        CHECK(alive == 1);
    }
    CHECK(alive == 0);
}

TEST_CASE("An assignment destroys what was there before, and a function assigned to itself stays") {
    int first = 0, second = 0;
    UniqueFunction<int(int)> function{Counted<1>(first)};
    function = UniqueFunction<int(int)>{Counted<100>(second)};
    CHECK(first == 0);
    CHECK(second == 1);
    auto& same = function;
    function = std::move(same);
    REQUIRE(function);
    CHECK(function(1) == 2);
    function = nullptr;
    CHECK(second == 0);
    CHECK_FALSE(function);
}

TEST_CASE("A function may own what cannot be copied") {
    UniqueFunction<std::string()> function = [text = std::make_unique<std::string>("owned")] { return *text; };
    auto moved = std::move(function);
    CHECK(moved() == "owned");
}

TEST_CASE("Arguments pass through: references stay references, what is moved in is moved on") {
    UniqueFunction<void(int&)> increment = [](int& x) { ++x; };
    int x = 1;
    increment(x);
    CHECK(x == 2);
    UniqueFunction<std::unique_ptr<int>(std::unique_ptr<int>)> pass = [](std::unique_ptr<int> p) { return p; };
    auto p = std::make_unique<int>(7);
    int const* const address = p.get();
    CHECK(pass(std::move(p)).get() == address);
}

TEST_CASE("A function without a callable is false") {
    UniqueFunction<void()> function;
    CHECK_FALSE(function);
    UniqueFunction<void()> const null = nullptr;
    CHECK_FALSE(null);
    function = [] {};
    CHECK(function);
}
