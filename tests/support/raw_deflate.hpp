#pragma once

#include <zlib.h>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace hubbub_test {

inline std::span<std::byte const> bytes_of(std::string_view text) { return std::as_bytes(std::span(text.data(), text.size())); }
inline std::string text_of(std::span<std::byte const> bytes) {
    return {reinterpret_cast<char const*>(bytes.data()), bytes.size()};
}

/// DEFLATE as another implementation of RFC 7692 does it: straight over zlib, nothing of the library's. It keeps its context from
/// message to message, unless it is told to forget.
class RawDeflate {
   public:
    explicit RawDeflate(int window_bits = 15, int level = 6, int strategy = Z_DEFAULT_STRATEGY) {
        if (::deflateInit2(&stream_, level, Z_DEFLATED, -window_bits, 8, strategy) != Z_OK)
            throw std::runtime_error("deflateInit2");
    }
    RawDeflate(RawDeflate const&) = delete;
    RawDeflate& operator=(RawDeflate const&) = delete;
    ~RawDeflate() { ::deflateEnd(&stream_); }

    void forget() { ::deflateReset(&stream_); }
    /// With Z_FINISH it ends in a final block, and has to forget before the next.
    std::string operator()(std::string_view text, int flush = Z_SYNC_FLUSH) {
        std::string out(::deflateBound(&stream_, static_cast<uLong>(text.size())) + 16, '\0');
        stream_.next_in = const_cast<Bytef*>(reinterpret_cast<Bytef const*>(text.data()));
        stream_.avail_in = static_cast<uInt>(text.size());
        stream_.next_out = reinterpret_cast<Bytef*>(out.data());
        stream_.avail_out = static_cast<uInt>(out.size());
        ::deflate(&stream_, flush);
        out.erase(out.size() - stream_.avail_out);
        if (out.empty()) return std::string(1, '\0');          // nothing to flush: RFC 7692 7.2.3.6
        if (flush == Z_SYNC_FLUSH) out.erase(out.size() - 4);  // RFC 7692 7.2.1
        if (flush == Z_FINISH) out += '\0';                    // RFC 7692 7.2.3.4
        return out;
    }

   private:
    z_stream stream_{};
};

/// The other direction. `piece`: bytes of output at once; with 1 zlib looks back in its window only, so that a reference beyond the
/// window that was agreed on is seen.
class RawInflate {
   public:
    explicit RawInflate(int window_bits = 15, std::size_t piece = 4096) : piece_(piece) {
        if (::inflateInit2(&stream_, -window_bits) != Z_OK) throw std::runtime_error("inflateInit2");
    }
    RawInflate(RawInflate const&) = delete;
    RawInflate& operator=(RawInflate const&) = delete;
    ~RawInflate() { ::inflateEnd(&stream_); }

    void forget() { ::inflateReset(&stream_); }
    std::optional<std::string> operator()(std::string_view payload) {
        std::string const in = std::string(payload) + std::string("\0\0\xFF\xFF", 4);
        std::string out, piece(piece_, '\0');
        stream_.next_in = const_cast<Bytef*>(reinterpret_cast<Bytef const*>(in.data()));
        stream_.avail_in = static_cast<uInt>(in.size());
        for (;;) {
            stream_.next_out = reinterpret_cast<Bytef*>(piece.data());
            stream_.avail_out = static_cast<uInt>(piece.size());
            int const result = ::inflate(&stream_, Z_SYNC_FLUSH);
            if (result != Z_OK && result != Z_BUF_ERROR) return std::nullopt;
            out.append(piece, 0, piece.size() - stream_.avail_out);
            if (stream_.avail_out != 0) return out;
        }
    }

   private:
    z_stream stream_{};
    std::size_t piece_;
};

/// Text that compresses as text does, always the same for a seed.
inline std::string prose(std::size_t size, unsigned seed = 1) {
    static constexpr std::string_view words[] = {"the ",     "message ", "of ",   "a ",      "topic ",
                                                 "goes ",    "to ",      "each ", "member ", "\"price\":",
                                                 "1234.5, ", "and ",     "back ", "again, ", "\xC3\xA4\xC3\xB6 ",
                                                 "once. "};
    std::string out;
    while (out.size() < size) {
        seed = seed * 1'103'515'245u + 12'345u;
        out += words[seed >> 16 & 15];
    }
    out.resize(size);
    for (std::size_t at = out.size(); at != 0 && (static_cast<unsigned char>(out[at - 1]) & 0x80) != 0; --at) out[at - 1] = '.';
    return out;
}
/// Bytes that do not compress.
inline std::string noise(std::size_t size, unsigned seed = 1) {
    std::string out(size, '\0');
    for (char& c : out) {
        seed = seed * 1'664'525u + 1'013'904'223u;
        c = static_cast<char>(seed >> 24);
    }
    return out;
}

}  // namespace hubbub_test
