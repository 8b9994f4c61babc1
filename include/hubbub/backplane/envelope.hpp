#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <hubbub/ws/message_view.hpp>

namespace hubbub::inline v0 {

/// What nodes say to each other about a publication, in front of its payload: 44 bytes, numbers with the least byte first.
///
///     byte 0: version, 1: opcode, 2: kind, 3: 1 if it is sent again; 4 to 11: node, then serial, token, key, expiry
struct Envelope {
    enum class Kind : std::uint8_t {
        publication,
        presence,  ///< for the other nodes' lists of who is there
    };
    static constexpr std::uint8_t version = 1;
    static constexpr std::size_t size = 4 + 5 * 8;
    static constexpr std::size_t again_at = 3;  ///< the byte that says that it is sent again

    ws::Opcode opcode = ws::Opcode::text;
    Kind kind = Kind::publication;
    bool again = false;
    std::uint64_t node = 0;    ///< who sends it
    std::uint64_t serial = 0;  ///< counts up for what that node sends to one broker
    std::uint64_t token = 0;   ///< by which the sender knows it; 0: he need not
    std::uint64_t key = 0;
    std::int64_t expires_at = 0;  ///< milliseconds since 1970; 0: never

    std::string write(std::string_view payload) const {
        std::string out;
        out.reserve(size + payload.size());
        out += static_cast<char>(version);
        out += static_cast<char>(opcode);
        out += static_cast<char>(kind);
        out += static_cast<char>(again);
        for (std::uint64_t const number : {node, serial, token, key, static_cast<std::uint64_t>(expires_at)})
            for (int shift = 0; shift < 64; shift += 8) out += static_cast<char>(number >> shift & 0xFF);
        return out.append(payload);
    }
    /// Nothing: that is no body of ours. The payload is what is behind `size` bytes.
    static std::optional<Envelope> read(std::string_view body) noexcept {
        auto const byte = [body](std::size_t at) { return static_cast<std::uint8_t>(body[at]); };
        if (body.size() < size || byte(0) != version || byte(2) > 1 || byte(3) > 1) return std::nullopt;
        if (byte(1) != static_cast<std::uint8_t>(ws::Opcode::text) && byte(1) != static_cast<std::uint8_t>(ws::Opcode::binary))
            return std::nullopt;
        auto const number = [&byte](std::size_t index) {
            std::uint64_t result = 0;
            for (std::size_t i = 8; i-- > 0;) result = result << 8 | byte(4 + index * 8 + i);
            return result;
        };
        return Envelope{static_cast<ws::Opcode>(byte(1)),
                        static_cast<Kind>(byte(2)),
                        byte(3) == 1,
                        number(0),
                        number(1),
                        number(2),
                        number(3),
                        static_cast<std::int64_t>(number(4))};
    }
};

}  // namespace hubbub::inline v0
