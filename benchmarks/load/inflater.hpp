#pragma once

#include <cstddef>
#include <span>

#ifdef GENERATOR_HAS_ZLIB
#include <zlib.h>
#endif

namespace generator {

/// Inflates messages that stand alone (RFC 7692 7.2.2), straight over zlib.
class Inflater {
   public:
#ifdef GENERATOR_HAS_ZLIB
    static constexpr bool is_there = true;

    Inflater() { inflateInit2(&stream_, -15); }
    Inflater(Inflater const&) = delete;
    Inflater& operator=(Inflater const&) = delete;
    ~Inflater() { inflateEnd(&stream_); }

    /// False: it does not say exactly as many bytes as `out` has.
    bool inflate(std::span<unsigned char const> payload, std::span<unsigned char> out) {
        static constexpr unsigned char tail[] = {0, 0, 0xFF, 0xFF};
        inflateReset(&stream_);
        stream_.next_out = out.data();
        stream_.avail_out = static_cast<uInt>(out.size());
        for (auto const piece : {payload, std::span<unsigned char const>(tail)}) {
            stream_.next_in = const_cast<unsigned char*>(piece.data());
            stream_.avail_in = static_cast<uInt>(piece.size());
            int const result = ::inflate(&stream_, Z_SYNC_FLUSH);
            if (result != Z_OK && result != Z_BUF_ERROR) return false;
        }
        return stream_.avail_in == 0 && stream_.avail_out == 0;
    }

   private:
    z_stream stream_{};
#else
    static constexpr bool is_there = false;

    bool inflate(std::span<unsigned char const>, std::span<unsigned char>) { return false; }
#endif
};

}  // namespace generator
