#include <algorithm>
#include <string>

#include <hubbub/ws/deflate/inflater.hpp>

#include "tests/support/catch.hpp"
#include "tests/support/raw_deflate.hpp"

using namespace hubbub::ws;
using namespace hubbub_test;
using hubbub::CloseCode;
using namespace std::string_literals;

namespace {
constexpr std::size_t plenty = 1 << 20;
struct Bed {
    hubbub::Ledger ledger;
    Inflater inflater{ledger};

    std::string text(std::string_view payload, InflateWindow* window = nullptr, std::size_t most = plenty) {
        auto const inflated = inflater.inflate(bytes_of(payload), window, most);
        if (inflated.failed()) return "failed " + std::to_string(static_cast<unsigned>(inflated.error));
        return text_of(inflated.payload);
    }
};
}  // namespace

TEST_CASE("The examples of RFC 7692 are inflated") {
    Bed bed;
    CHECK(bed.text("\xf2\x48\xcd\xc9\xc9\x07\x00"s) == "Hello");                          // 7.2.3.1
    CHECK(bed.text("\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00"s) == "Hello");          // 7.2.3.3
    CHECK(bed.text("\xf3\x48\xcd\xc9\xc9\x07\x00\x00"s) == "Hello");                      // 7.2.3.4
    CHECK(bed.text("\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00"s) == "Hello");  // 7.2.3.5
    CHECK(bed.text("\x00"s).empty());                                                     // 7.2.3.6
    InflateWindow window(bed.ledger, 15);                                                 // 7.2.3.2
    CHECK(bed.text("\xf2\x48\xcd\xc9\xc9\x07\x00"s, &window) == "Hello");
    CHECK(bed.text("\xf2\x00\x11\x00\x00"s, &window) == "Hello");
}

TEST_CASE("Messages of every size come back, with and without what was said before") {
    Bed bed;
    for (int const level : {0, 1, 9})
        for (int const bits : {9, 12, 15}) {
            RawDeflate with(bits, level), without(bits, level);
            InflateWindow window(bed.ledger, static_cast<unsigned>(bits));
            for (std::size_t const size :
                 {1u, 2u, 100u, 4095u, 4096u, 4097u, 32'767u, 32'768u, 32'769u, 100'000u, 1u, 50u, 0u, 3000u}) {
                CAPTURE(level, bits, size);
                std::string const text = prose(size, static_cast<unsigned>(size % 7));
                CHECK(bed.text(with(text), &window) == text);
                without.forget();
                CHECK(bed.text(without(text)) == text);
            }
        }
}

TEST_CASE("A message that refers to what was not agreed to be kept cannot be inflated") {
    Bed bed;
    RawDeflate deflate;
    std::string const text = noise(5000);
    CHECK(bed.text(deflate(text)) == text);
    std::string const back = deflate(text);
    REQUIRE(back.size() < 100);
    CHECK(bed.text(back) == "failed 1007");
    InflateWindow small(bed.ledger, 10);
    deflate.forget();
    CHECK(bed.text(deflate(text), &small) == text);
    CHECK(bed.text(deflate(text), &small) == "failed 1007");
}

TEST_CASE("A message may have final blocks in it, and goes on behind them") {
    Bed bed;
    InflateWindow window(bed.ledger, 15);
    RawDeflate first, second;
    std::string const one = prose(20'000), two = prose(40'000, 5);
    std::string const ended = first(one, Z_FINISH);
    CHECK(bed.text(ended) == one);
    CHECK(bed.text(ended.substr(0, ended.size() - 1)) == one);  // without the empty block that should follow
    CHECK(bed.text(ended.substr(0, ended.size() - 1) + second(two)) == one + two);
    // What comes behind may refer to what was before, in this message and in the one before.
    RawDeflate with;
    CHECK(bed.text(with(one), &window) == one);
    std::string const refers = with("Hello" + one.substr(0, 300));
    CHECK(bed.text("\x03\x00"s + refers, &window) == "Hello" + one.substr(0, 300));
}

TEST_CASE("A message of nothing but final blocks is refused before it costs much") {
    Bed bed;
    std::string blocks;
    for (int i = 0; i < 10; ++i) blocks += "\x03\x00"s;
    CHECK(bed.text(blocks).empty());
    for (int i = 0; i < 10; ++i) blocks += "\x03\x00"s;
    CHECK(bed.text(blocks) == "failed 1007");
}

TEST_CASE("What is no DEFLATE or ends inside of a block is 1007") {
    Bed bed;
    RawDeflate deflate;
    std::string const whole = deflate(prose(3000));
    CHECK(bed.text("\xff\xff\xff\xff") == "failed 1007");
    CHECK(bed.text("\x07") == "failed 1007");                                           // a reserved kind of block
    CHECK(bed.text("\x00\x05\x00\xfa\xfe\x48\x65\x6c\x6c\x6f\x00"s) == "failed 1007");  // lengths that do not match
    CHECK(bed.text("\x00\x05\x00\xfa\xff\x48\x65"s) == "failed 1007");
    CHECK(bed.text("\xf2\x48\xcd\xc9\xc9\x07"s) == "failed 1007");                      // the empty block is missing
    CHECK(bed.text("\xf2\x48\xcd\xc9\xc9\x07\x00\x00\x00\xff\xff"s) == "failed 1007");  // its end was not taken off
    std::size_t fine = 0;
    for (unsigned seed = 0; seed < 30; ++seed) {
        deflate.forget();
        std::string const other = deflate(prose(3000, seed));
        for (std::size_t size = 1; size < other.size(); ++size) fine += !bed.text(other.substr(0, size)).starts_with("failed");
    }
    CHECK(fine == 0);
    CHECK(bed.text(whole) == prose(3000));  // and nothing is left of all that
}

TEST_CASE("The limit of a message holds to the byte, and a bomb costs no more than it") {
    Bed bed;
    RawDeflate deflate;
    for (std::size_t const size : {1u, 4095u, 4096u, 4097u, 8192u, 65'536u}) {
        deflate.forget();
        std::string const payload = deflate(std::string(size, 'x'));
        CAPTURE(size);
        CHECK(bed.text(payload, nullptr, size) == std::string(size, 'x'));
        if (size > 1) CHECK(bed.text(payload, nullptr, size - 1) == "failed 1009");
    }
    deflate.forget();
    std::string const bomb = deflate(std::string(50'000'000, '\0'));
    CHECK(bomb.size() < 60'000);
    bed.inflater.trim();
    CHECK(bed.ledger.used() == 0);
    bed.ledger.take_peak();
    CHECK(bed.text(bomb, nullptr, 64 * 1024) == "failed 1009");
    CHECK(bed.ledger.take_peak() < 3 * 64 * 1024);
    CHECK(bed.text(bomb, nullptr, ~std::size_t{0}).size() == 50'000'000);
}

TEST_CASE("An empty message needs no inflater") {
    Bed bed;
    CHECK(bed.text("").empty());
    CHECK(bed.text("\x00"s).empty());
    CHECK(bed.ledger.used() == 0);
    CHECK(bed.text("\x02\x00"s).empty());
    CHECK(bed.ledger.used() != 0);
    bed.inflater.trim();
    CHECK(bed.ledger.used() == 0);
}

TEST_CASE("A window keeps no more than was said and than was agreed on") {
    hubbub::Ledger ledger;
    {
        InflateWindow window(ledger, 10);
        CHECK(window.bytes().empty());
        CHECK(ledger.used() == 0);
        std::string said;
        for (std::size_t const size : {3u, 500u, 500u, 30u, 1024u, 1u, 5000u, 1023u, 1u, 700u}) {
            std::string const more = noise(size, static_cast<unsigned>(said.size()));
            CHECK(window.remember(bytes_of(more)));
            said += more;
            CHECK(text_of(window.bytes()) == said.substr(said.size() - std::min<std::size_t>(said.size(), 1024)));
            CHECK(ledger.used() <= 1024);
        }
    }
    CHECK(ledger.used() == 0);
}
