#include <hubbub/transport/tls/slice_reader.hpp>

#include <array>
#include <cstddef>
#include <string>
#include <vector>

#include "tests/support/catch.hpp"

using hubbub::detail::SliceReader;
using hubbub::ws::Block;
using hubbub::ws::Slice;

namespace {

/// The pieces that come of slices of these lengths, with records of 100 bytes and at most `most` a piece.
std::vector<std::string> pieces(std::vector<std::uint32_t> const& lengths, std::size_t most, std::string& all) {
    all.clear();
    for (std::uint32_t const length : lengths)
        for (std::uint32_t i = 0; i < length; ++i) all += static_cast<char>('a' + all.size() % 26);
    Block block{};
    block.bytes = reinterpret_cast<std::byte*>(all.data());
    std::vector<Slice> slices;
    std::uint32_t offset = 0;
    for (std::uint32_t const length : lengths) {
        slices.push_back({&block, offset, length});
        offset += length;
    }
    std::array<std::byte, 100> buffer;
    std::vector<std::string> result;
    for (SliceReader reader(slices, buffer); !reader.is_done();) {
        auto const piece = reader.take(most);
        result.emplace_back(reinterpret_cast<char const*>(piece.data()), piece.size());
    }
    return result;
}

std::vector<std::size_t> sizes(std::vector<std::uint32_t> const& lengths, std::size_t most) {
    std::string all, joined;
    std::vector<std::size_t> result;
    for (std::string const& each : pieces(lengths, most, all)) {
        result.push_back(each.size());
        joined += each;
    }
    CHECK(joined == all);
    return result;
}

using Sizes = std::vector<std::size_t>;

}  // namespace

TEST_CASE("Small slices come together, large ones as they are") {
    CHECK(sizes({5}, 400) == Sizes{5});
    CHECK(sizes({5, 6, 7}, 400) == Sizes{18});
    CHECK(sizes({90, 20, 5}, 400) == Sizes{100, 15});
    CHECK(sizes({250}, 400) == Sizes{250});
    CHECK(sizes({250, 10}, 400) == Sizes{200, 60});
    CHECK(sizes({1000}, 400) == Sizes{400, 400, 200});
    CHECK(sizes({0, 5, 0, 0, 6, 0}, 400) == Sizes{11});
    CHECK(sizes({0, 0}, 400).empty());
    CHECK(sizes({30, 30}, 40) == Sizes{40, 20});
}
