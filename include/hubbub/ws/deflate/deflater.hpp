#pragma once

#include <zlib.h>

#include <cstddef>
#include <limits>
#include <optional>
#include <span>

#include <hubbub/core/ledger.hpp>
#include <hubbub/ws/deflate/deflate_options.hpp>
#include <hubbub/ws/deflate/scratch.hpp>
#include <hubbub/ws/deflate/zlib_memory.hpp>

namespace hubbub::inline v0::ws {

/// Compresses messages one by one, so that each stands alone: no message refers to an earlier one.
///
/// Threading: one thread. Lifetime: the ledger and the scratch outlive it.
/// Cost: (4 << window bits) + (512 << memory level) bytes and a few KiB of zlib's.
class Deflater {
   public:
    Deflater(DeflateOptions const& options, int window_bits, Ledger& ledger, Scratch& out) noexcept : out_(&out) {
        ZlibMemory::use(stream_, ledger);
        // zlib has no raw window of 256 bytes: it would take one of 512. With Z_RLE it refers back by one byte only, which is right
        // for the smallest window, whatever is linked as zlib.
        bool const smallest = window_bits == 8;
        is_set_up_ = ::deflateInit2(&stream_, options.level, Z_DEFLATED, smallest ? -9 : -window_bits, options.memory_level,
                                    smallest ? Z_RLE : Z_DEFAULT_STRATEGY) == Z_OK;
    }
    Deflater(Deflater const&) = delete;
    Deflater& operator=(Deflater const&) = delete;
    ~Deflater() {
        if (is_set_up_) ::deflateEnd(&stream_);
    }

    /// The payload of the frame, in the scratch; nothing if it would not be shorter, or if there is no memory.
    std::optional<std::span<std::byte const>> deflate(std::span<std::byte const> message) noexcept {
        constexpr std::size_t tail = 4;  // 00 00 FF FF, which is not sent (RFC 7692 7.2.1)
        if (!is_set_up_ || message.empty() || message.size() > std::numeric_limits<uInt>::max() - 2 * tail) return std::nullopt;
        std::size_t const room = message.size() + tail;
        if (!out_->reserve(room, 0) || ::deflateReset(&stream_) != Z_OK) return std::nullopt;
        stream_.next_in = const_cast<Bytef*>(reinterpret_cast<Bytef const*>(message.data()));
        stream_.avail_in = static_cast<uInt>(message.size());
        stream_.next_out = reinterpret_cast<Bytef*>(out_->data());
        stream_.avail_out = static_cast<uInt>(room);
        // Where no room is left it is not known to be whole, and not shorter either.
        if (::deflate(&stream_, Z_SYNC_FLUSH) != Z_OK || stream_.avail_out == 0) return std::nullopt;
        return std::span<std::byte const>(out_->data(), room - stream_.avail_out - tail);
    }

   private:
    z_stream stream_{};
    Scratch* out_;
    bool is_set_up_;
};

}  // namespace hubbub::inline v0::ws
