#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace generator {

/// What a message looks like on the wire. Payload: publisher (4 bytes), number (4), time (8), then a pattern of both.
class MessageFormat {
   public:
    static constexpr std::uint32_t synchronise = 0xFFFFFFFF;  // publisher of messages that are not counted

    /// `compressible`: the pattern is of few words, else of bytes that do not repeat.
    explicit MessageFormat(std::size_t payload, bool compressible = false) : payload_(payload), compressible_(compressible) {
        header_ = payload < 126 ? 2 : payload < 65536 ? 4 : 10;
        expected_[0] = 0x82;  // final, binary
        std::size_t const length_bytes = header_ == 2 ? 0 : header_ - 2;
        expected_[1] = static_cast<unsigned char>(header_ == 2 ? payload : header_ == 4 ? 126 : 127);
        for (std::size_t i = 0; i < length_bytes; ++i)
            expected_[2 + i] = static_cast<unsigned char>(std::uint64_t{payload} >> 8 * (length_bytes - 1 - i));
        std::memcpy(&expected_start_, expected_, 2);
    }

    // The header that every message of ours has where it is not compressed.
    unsigned char const* header() const { return expected_; }
    std::size_t header_size() const { return header_; }
    std::size_t server_size() const { return header_ + payload_; }
    std::size_t client_size() const { return server_size() + 4; }
    std::size_t payload() const { return payload_; }

    // True if a message of ours begins there; at least server_size() bytes must be readable.
    bool begins_at(unsigned char const* bytes) const {
        std::uint16_t start;
        std::memcpy(&start, bytes, 2);
        return start == expected_start_ && (header_ == 2 || std::memcmp(bytes, expected_, header_) == 0);
    }

    // `out` has client_size() bytes and 8 more.
    void write_client_frame(unsigned char* out, std::uint32_t publisher, std::uint32_t number, std::uint64_t time) const {
        std::memcpy(out, expected_, header_);
        out[1] |= 0x80;
        std::uint32_t constexpr key = 0x5BD1E995;
        std::memcpy(out + header_, &key, 4);
        unsigned char* payload = out + header_ + 4;
        std::uint64_t constexpr key8 = std::uint64_t{key} << 32 | key;
        std::uint64_t const first = (std::uint64_t{number} << 32 | publisher) ^ key8;
        time ^= key8;
        std::memcpy(payload, &first, 8);
        std::memcpy(payload + 8, &time, 8);
        for (std::size_t i = 16; i < payload_; i += 8) {
            std::uint64_t const word = pattern(publisher, number, i) ^ key8;
            std::memcpy(payload + i, &word, std::min<std::size_t>(8, payload_ - i));
        }
    }

    struct Parsed {
        std::uint32_t publisher, number;
        std::uint64_t time;
    };
    Parsed parse(unsigned char const* frame) const {
        Parsed result;
        std::memcpy(&result.publisher, frame + header_, 4);
        std::memcpy(&result.number, frame + header_ + 4, 4);
        std::memcpy(&result.time, frame + header_ + 8, 8);
        return result;
    }
    bool content_is_right(unsigned char const* frame, Parsed const& parsed) const {
        unsigned char const* payload = frame + header_;
        for (std::size_t i = 16; i < payload_; i += 8) {
            std::uint64_t const word = pattern(parsed.publisher, parsed.number, i);
            if (std::memcmp(payload + i, &word, std::min<std::size_t>(8, payload_ - i)) != 0) return false;
        }
        return true;
    }

   private:
    std::uint64_t pattern(std::uint32_t publisher, std::uint32_t number, std::size_t at) const {
        std::uint64_t const any = (std::uint64_t{publisher} << 32 | number) * 0x9E3779B97F4A7C15u + at * 0xD1B54A32D192ED03u;
        return compressible_ ? (any >> 60) * 0x9FB21C651E98DF25u : any;
    }

    std::size_t payload_, header_;
    bool compressible_;
    std::uint16_t expected_start_;
    unsigned char expected_[10]{};
};

}  // namespace generator
