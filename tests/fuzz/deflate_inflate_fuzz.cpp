// Any bytes, to an inflater: never more than the limit, the same each time and as zlib itself says, whatever came before; and what our
// deflater makes of the bytes comes back.
#include <zlib.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <span>
#include <string>

#include <hubbub/ws/deflate/deflater.hpp>
#include <hubbub/ws/deflate/inflater.hpp>

#include "tests/support/raw_deflate.hpp"

namespace {

using namespace hubbub::ws;

void require(bool condition) {
    if (!condition) std::abort();
}

std::string said(Inflated const& inflated) {
    return inflated.failed() ? "failed " + std::string(inflated.reason) : hubbub_test::text_of(inflated.payload);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    if (size < 2) return 0;
    std::size_t const most = std::size_t{1} << data[0] % 20;
    unsigned const bits = 8 + data[1] % 8u;
    auto const bytes = std::as_bytes(std::span(data + 2, size - 2));
    hubbub::Ledger ledger;
    {
        Inflater inflater(ledger);
        std::string const alone = said(inflater.inflate(bytes, nullptr, most));
        require(alone.size() <= most || alone.starts_with("failed "));
        require(ledger.used() <= 64 * 1024 + 2 * most);
        require(said(inflater.inflate(bytes, nullptr, most)) == alone);
        // zlib in one stream stops at a final block, and does not see where a message ends: what it refuses, we refuse.
        hubbub_test::RawInflate raw;
        if (auto const plain = raw(hubbub_test::text_of(bytes)); plain && !alone.starts_with("failed "))
            require(alone.starts_with(*plain));

        InflateWindow window(ledger, bits);
        for (int i = 0; i < 3; ++i) {
            Inflated const inflated = inflater.inflate(bytes, &window, most);
            if (inflated.failed()) break;
            require(inflated.payload.size() <= most);
            require(window.bytes().size() <= std::size_t{1} << bits);
            auto const kept = std::min(window.bytes().size(), inflated.payload.size());
            require(std::equal(window.bytes().end() - static_cast<std::ptrdiff_t>(kept), window.bytes().end(),
                               inflated.payload.end() - static_cast<std::ptrdiff_t>(kept)));
        }

        Scratch scratch(ledger);
        DeflateOptions options;
        options.level = 1 + data[0] % 9;
        options.memory_level = 1 + data[1] % 9;
        Deflater deflater(options, static_cast<int>(bits), ledger, scratch);
        std::string doubled = hubbub_test::text_of(bytes);
        doubled += doubled;
        if (auto const deflated = deflater.deflate(hubbub_test::bytes_of(doubled))) {
            require(deflated->size() < doubled.size());
            require(hubbub_test::RawInflate(static_cast<int>(bits), 1)(hubbub_test::text_of(*deflated)) == doubled);
            require(said(inflater.inflate(*deflated, nullptr, doubled.size())) == doubled);
        }
    }
    require(ledger.used() == 0);
    return 0;
}
