#include <hubbub/ws/deflate/deflater.hpp>

#include "tests/support/catch.hpp"
#include "tests/support/raw_deflate.hpp"

using namespace hubbub::ws;
using namespace hubbub_test;

TEST_CASE("What is deflated stands alone and is right for the window that was agreed on") {
    hubbub::Ledger ledger;
    Scratch scratch(ledger);
    for (int bits = 8; bits <= 15; ++bits)
        for (int level : {1, 6, 9}) {
            DeflateOptions options;
            options.level = level;
            Deflater deflater(options, bits, ledger, scratch);
            RawInflate strict(bits, 1);  // looks back in a window of that size, and nowhere else
            for (std::size_t const size : {1u, 20u, 255u, 256u, 257u, 600u, 5000u, 70'000u}) {
                CAPTURE(bits, level, size);
                // Repeats itself at every distance, beyond the window too.
                std::string const text =
                    prose(size / 2, static_cast<unsigned>(size)) + prose(size - size / 2, static_cast<unsigned>(size));
                auto const deflated = deflater.deflate(bytes_of(text));
                if (size < 20 && !deflated) continue;
                if (!deflated) {
                    CHECK(size < 300);
                    continue;
                }
                CHECK(deflated->size() < text.size());
                strict.forget();
                CHECK(strict(text_of(*deflated)) == text);
            }
        }
}

TEST_CASE("An inflater with a smaller window than was agreed on would be seen") {
    hubbub::Ledger ledger;
    Scratch scratch(ledger);
    Deflater deflater({}, 12, ledger, scratch);
    std::string const far = noise(3000, 7), text = far + far;
    auto const deflated = deflater.deflate(bytes_of(text));
    REQUIRE(deflated);
    CHECK(RawInflate(12, 1)(text_of(*deflated)) == text);
    CHECK_FALSE(RawInflate(9, 1)(text_of(*deflated)));
}

TEST_CASE("What would not become shorter is not deflated") {
    hubbub::Ledger ledger;
    Scratch scratch(ledger);
    Deflater deflater({}, 15, ledger, scratch);
    CHECK_FALSE(deflater.deflate({}));
    CHECK_FALSE(deflater.deflate(bytes_of("a")));
    for (std::size_t const size : {3u, 100u, 1000u, 65'536u, 100'000u}) CHECK_FALSE(deflater.deflate(bytes_of(noise(size))));
    std::string const text = prose(1000);
    auto const again = deflater.deflate(bytes_of(text));  // one that was given up leaves nothing behind
    REQUIRE(again);
    CHECK(RawInflate()(text_of(*again)) == text);
}

TEST_CASE("A deflater's memory is charged, and what its comment says") {
    hubbub::Ledger ledger;
    {
        Scratch scratch(ledger);
        DeflateOptions options;
        for (int bits : {9, 12, 15})
            for (int memory : {1, 6, 9}) {
                options.memory_level = memory;
                Deflater deflater(options, bits, ledger, scratch);
                std::size_t const said = (std::size_t{4} << bits) + (std::size_t{512} << memory);
                CAPTURE(bits, memory, ledger.used(), said);
                CHECK(ledger.used() >= said);
                CHECK(ledger.used() <= said + 8 * 1024);
            }
        CHECK(ledger.used() == 0);
    }
}
