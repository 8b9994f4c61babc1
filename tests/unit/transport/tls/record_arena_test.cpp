#include <hubbub/transport/tls/record_arena.hpp>

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/catch.hpp"

using hubbub::detail::RecordArena;

namespace {
std::string text(std::span<std::byte const> bytes) { return {reinterpret_cast<char const*>(bytes.data()), bytes.size()}; }
}  // namespace

TEST_CASE("Pieces of an arena are whole, and stay where they are until it is cleared") {
    RecordArena arena;
    for (int round = 0; round < 3; ++round) {
        std::vector<std::span<std::byte const>> pieces;
        std::vector<std::string> expected;
        for (std::size_t i = 0; i < 60; ++i) {
            arena.begin();
            std::string whole;
            for (std::size_t part = 0; part < 4; ++part) {
                std::string const more(i * 1500 + part, static_cast<char>('a' + (i + part) % 26));
                arena.append(std::as_bytes(std::span(more)));
                whole += more;
            }
            CHECK(text(arena.piece()) == whole);
            pieces.push_back(arena.piece());
            expected.push_back(whole);
        }
        for (std::size_t i = 0; i < pieces.size(); ++i) CHECK(text(pieces[i]) == expected[i]);
        CHECK(arena.is_full());
        arena.clear();
        CHECK_FALSE(arena.is_full());
    }
}

TEST_CASE("A piece that is dropped makes room for the next, and one that is larger than all is whole too") {
    RecordArena arena;
    arena.begin();
    CHECK(arena.piece().empty());
    arena.append(std::as_bytes(std::span(std::string_view("first"))));
    std::byte const* const place = arena.piece().data();
    arena.drop_piece();
    arena.begin();
    arena.append(std::as_bytes(std::span(std::string_view("second"))));
    CHECK(arena.piece().data() == place);
    std::string const huge(3'000'000, 'x');
    arena.append(std::as_bytes(std::span(huge)));
    CHECK(text(arena.piece()) == "second" + huge);
    arena.clear();
    arena.begin();
    CHECK(arena.piece().empty());
}
