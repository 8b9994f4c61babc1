#pragma once

#include <zlib.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <utility>

#include <hubbub/core/ledger.hpp>
#include <hubbub/ws/deflate/inflate_window.hpp>
#include <hubbub/ws/deflate/scratch.hpp>
#include <hubbub/ws/deflate/zlib_memory.hpp>
#include <hubbub/ws/inflated.hpp>

namespace hubbub::inline v0::ws {

/// Inflates whole messages (RFC 7692 7.2.2). One serves many peers: what is particular to a peer is its window.
///
/// Threading: one thread. Lifetime: the ledger outlives it; what it yields is valid until its next call.
/// Errors: data that is no DEFLATE, or ends inside of a block, is 1007: the frames are right, but what they carry is not of the
/// kind that was agreed. More than the limit is 1009, and never kept.
/// Cost: about 40 KiB from the first message on, and room for the largest message since `trim`.
class Inflater {
   public:
    explicit Inflater(Ledger& ledger) noexcept : out_(ledger), ledger_(&ledger) {}
    Inflater(Inflater const&) = delete;
    Inflater& operator=(Inflater const&) = delete;
    ~Inflater() { end(); }

    /// The payload of all frames of a message, as the peer sent it. `window`: what it may refer to, or null; the message is added
    /// to it. `most`: bytes that it may have once it is inflated.
    Inflated inflate(std::span<std::byte const> payload, InflateWindow* window, std::size_t most);

    /// Gives all memory back; it is taken again when it is needed.
    void trim() noexcept {
        end();
        out_.free();
    }

   private:
    enum class Step : std::uint8_t { fine, corrupt, too_big, no_memory };
    static constexpr std::size_t first_room = 4096;
    static constexpr std::size_t farthest = 32 * 1024;  ///< that DEFLATE can refer back
    /// Going on behind a final block costs a copy of the window, so that a message may not consist of those.
    static constexpr unsigned most_final_blocks = 16;

    bool begin(InflateWindow* window) noexcept;
    bool remind(std::span<std::byte const> before) noexcept {
        return before.empty() || ::inflateSetDictionary(&stream_, bytes_of(before), static_cast<uInt>(before.size())) == Z_OK;
    }
    static Bytef const* bytes_of(std::span<std::byte const> bytes) noexcept {
        return reinterpret_cast<Bytef const*>(bytes.data());
    }
    Step run(std::span<std::byte const> input, InflateWindow* window, std::size_t most);
    Step run_tail(std::size_t most);
    Step room(std::size_t most) noexcept;
    Step go_on_behind_final_block(InflateWindow* window);
    void end() noexcept {
        if (std::exchange(is_set_up_, false)) ::inflateEnd(&stream_);
    }
    static Inflated failed(Step why) noexcept {
        switch (why) {
            case Step::too_big: return {{}, CloseCode::message_too_big, "the message is too big"};
            case Step::no_memory: return {{}, CloseCode::internal_error, "out of memory"};
            default: return {{}, CloseCode::invalid_payload, "the message cannot be inflated"};
        }
    }

    z_stream stream_{};
    Scratch out_;
    Ledger* ledger_;
    std::size_t size_ = 0;  ///< of what is inflated so far
    unsigned final_blocks_ = 0;
    bool is_behind_final_ = false;  ///< nothing has come behind a final block
    bool is_set_up_ = false;
};

inline Inflated Inflater::inflate(std::span<std::byte const> payload, InflateWindow* window, std::size_t most) {
    // RFC 7692 7.2.3.6: an empty message is the byte 0. Some send nothing at all. Neither needs an inflater.
    if (payload.empty() || (payload.size() == 1 && payload[0] == std::byte{0})) return {};
    most = std::min(most, std::numeric_limits<std::size_t>::max() - 1);
    size_ = 0;
    final_blocks_ = 0;
    is_behind_final_ = false;
    if (!begin(window)) return failed(Step::no_memory);
    if (Step const step = run(payload, window, most); step != Step::fine) return failed(step);
    // RFC 7692 7.2.3.4 wants a byte 0 behind a final block; without it the message is as whole.
    if (!is_behind_final_)
        if (Step const step = run_tail(most); step != Step::fine) return failed(step);
    std::span<std::byte const> const inflated(out_.data(), size_);
    if (window && !window->remember(inflated)) return failed(Step::no_memory);
    return {inflated, CloseCode::normal, {}};
}

inline bool Inflater::begin(InflateWindow* window) noexcept {
    if (is_set_up_) {
        if (::inflateReset(&stream_) != Z_OK) return false;
    } else {
        stream_ = {};
        ZlibMemory::use(stream_, *ledger_);
        if (::inflateInit2(&stream_, -15) != Z_OK) return false;
        is_set_up_ = true;
    }
    return !window || remind(window->bytes());
}

/// Room for at least a byte; one more than what is allowed shows that there is more.
inline Inflater::Step Inflater::room(std::size_t most) noexcept {
    if (size_ < out_.capacity()) return Step::fine;
    if (size_ > most) return Step::too_big;
    std::size_t const wanted = std::min(std::max(first_room, size_ * 2), most + 1);
    return out_.reserve(wanted, size_) ? Step::fine : Step::no_memory;
}

inline Inflater::Step Inflater::run(std::span<std::byte const> input, InflateWindow* window, std::size_t most) {
    constexpr std::size_t at_once = std::size_t{1} << 30;  // zlib counts with 32 bits
    while (!input.empty()) {
        auto const piece = input.first(std::min(input.size(), at_once));
        input = input.subspan(piece.size());
        stream_.next_in = const_cast<Bytef*>(bytes_of(piece));
        stream_.avail_in = static_cast<uInt>(piece.size());
        for (bool more = true; more;) {
            if (Step const step = room(most); step != Step::fine) return step;
            auto const room_now = static_cast<uInt>(std::min(out_.capacity() - size_, at_once));
            stream_.next_out = reinterpret_cast<Bytef*>(out_.data()) + size_;
            stream_.avail_out = room_now;
            if (stream_.avail_in != 0) is_behind_final_ = false;
            int const result = ::inflate(&stream_, Z_SYNC_FLUSH);
            size_ += room_now - stream_.avail_out;
            if (size_ > most) return Step::too_big;
            switch (result) {
                case Z_STREAM_END:
                    if (Step const step = go_on_behind_final_block(window); step != Step::fine) return step;
                    more = stream_.avail_in != 0;
                    break;
                case Z_OK: more = stream_.avail_in != 0 || stream_.avail_out == 0; break;
                case Z_BUF_ERROR:  // no progress: it needs more of one or the other
                    if (stream_.avail_in != 0 && stream_.avail_out != 0) return Step::corrupt;
                    more = stream_.avail_out == 0;
                    break;
                case Z_MEM_ERROR: return Step::no_memory;
                default: return Step::corrupt;
            }
        }
    }
    return Step::fine;
}

/// RFC 7692 7.2.2: what the sender has taken off its end. It has to be the length of an empty block whose first byte was sent: a
/// message that ends elsewhere is not whole, even if its last code could be read on into these bytes.
inline Inflater::Step Inflater::run_tail(std::size_t most) {
    static constexpr std::byte tail[] = {std::byte{0}, std::byte{0}, std::byte{0xFF}, std::byte{0xFF}};
    // What zlib says in data_type: bits that are left over, where a block has ended, and where one's data begins.
    constexpr int bits_left = 63, at_end = 128, at_data = 256;
    if (Step const step = room(most); step != Step::fine) return step;
    stream_.next_out = reinterpret_cast<Bytef*>(out_.data()) + size_;
    stream_.avail_out = 1;
    stream_.next_in = const_cast<Bytef*>(bytes_of(tail));
    stream_.avail_in = sizeof tail;
    int const header = ::inflate(&stream_, Z_TREES);
    bool const is_header = header == Z_OK && stream_.avail_in == 0 && (stream_.data_type & (at_data | bits_left)) == at_data;
    if (!is_header || stream_.avail_out == 0) return header == Z_MEM_ERROR ? Step::no_memory : Step::corrupt;
    ::inflate(&stream_, Z_BLOCK);  // only of a block without data this is the end
    return (stream_.data_type & at_end) != 0 ? Step::fine : Step::corrupt;
}

/// RFC 7692 7.2.3.4: the message may go on, and what follows may refer to what was before.
inline Inflater::Step Inflater::go_on_behind_final_block(InflateWindow* window) {
    is_behind_final_ = true;
    if (++final_blocks_ > most_final_blocks) return Step::corrupt;
    if (::inflateReset(&stream_) != Z_OK) return Step::corrupt;
    std::span<std::byte const> const so_far(out_.data(), size_);
    if (so_far.size() < farthest && window && !remind(window->bytes())) return Step::no_memory;
    return remind(so_far.last(std::min(so_far.size(), farthest))) ? Step::fine : Step::no_memory;
}

}  // namespace hubbub::inline v0::ws
