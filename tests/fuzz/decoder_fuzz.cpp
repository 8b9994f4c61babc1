// Any bytes, to a decoder: what it tells may not depend on how they were split, nor on where its sink said stop.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <random>
#include <span>
#include <vector>

#include <hubbub/ws/decoder.hpp>

#include "tests/unit/ws/recording_sink.hpp"

namespace {

using hubbub::ws::BasicDecoder;
using hubbub::ws::DecoderLimits;
using hubbub::ws::Role;

void require(bool condition) {
    if (!condition) std::abort();
}

/// A buffer of exactly that size, so that a step beyond it is seen.
std::vector<std::byte> copy_of(std::span<std::uint8_t const> bytes) {
    std::vector<std::byte> copy(bytes.size());
    if (!bytes.empty()) std::memcpy(copy.data(), bytes.data(), bytes.size());
    return copy;
}

template <Role R>
void compare(std::span<std::uint8_t const> bytes, DecoderLimits const& limits, std::uint32_t seed) {
    RecordingSink whole;
    BasicDecoder<R> in_one_piece;
    auto all = copy_of(bytes);
    in_one_piece.feed(all, limits, whole);
    require(in_one_piece.buffered() <= 2 * bytes.size() + 512);

    std::minstd_rand random(seed);
    RecordingSink parts;
    BasicDecoder<R> decoder;
    std::size_t came = 0;
    while (came < bytes.size()) {
        std::size_t const piece = std::min<std::size_t>(1 + random() % (random() % 2 ? 4 : 200), bytes.size() - came);
        parts.stop_after = random() % 4 ? ~std::size_t{0} : parts.events.size() + 1;
        auto some = copy_of(bytes.subspan(came, piece));
        decoder.feed(some, limits, parts);
        came += piece;
        while (decoder.stopped() && random() % 2) {
            parts.stop_after = parts.events.size() + 1 + random() % 3;
            decoder.resume(limits, parts);
        }
        require(decoder.buffered() <= 4 * came + 512);
    }
    parts.stop_after = ~std::size_t{0};
    decoder.resume(limits, parts);
    require(!decoder.stopped());
    require(parts.events == whole.events);
    require(decoder.ended() == in_one_piece.ended());
    require(decoder.incomplete() == in_one_piece.incomplete());
    require(decoder.incomplete() == (decoder.buffered() != 0));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    if (size < 3) return 0;
    DecoderLimits const limits{.message = std::size_t{1} << (data[0] % 20), .fragments = data[1] % 8u + 1};
    std::span<std::uint8_t const> const bytes(data + 3, size - 3);
    compare<Role::server>(bytes, limits, data[2] + 1u);
    compare<Role::client>(bytes, limits, data[2] + 1u);
    return 0;
}
