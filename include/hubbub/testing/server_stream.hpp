#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <hubbub/http/ascii.hpp>
#include <hubbub/ws/close_payload.hpp>
#include <hubbub/ws/opcode.hpp>
#include <hubbub/ws/utf8.hpp>

namespace hubbub::inline v0::testing {

/// A message that a client got.
struct Received {
    ws::Opcode opcode = ws::Opcode::text;
    std::string payload;

    bool operator==(Received const&) const = default;
};

/// Reads what a server sent to one client: the head of its answer to the handshake, then frames. It is stricter than a browser:
/// everything that RFC 6455 does not let a server send is a `problem`.
///
/// Threading: one thread. Cost: each byte is looked at once, however often `read` is called.
class ServerStream {
   public:
    struct Close {
        CloseCode code = CloseCode::no_status;
        std::string reason;
    };

    /// The text or bytes that a compressed payload says; nothing if it says none (RFC 7692 7.2.2).
    using Inflate = std::function<std::optional<std::string>(std::string_view payload)>;
    /// For who has agreed on permessage-deflate: without it a frame with RSV1 is a problem.
    void inflate_with(Inflate inflate) { inflate_ = std::move(inflate); }

    /// `all` that the client has got so far; what was read before is skipped.
    void read(std::string_view all) {
        if (!status_ && !read_head(all)) return;
        if (status_ != 101) return;
        while (problem_.empty() && read_frame(all.substr(at_))) {}
        unread_ = all.size() - at_;
    }

    /// Of the answer to the handshake; 0 while it has not come.
    unsigned status() const noexcept { return status_; }
    /// The data messages.
    std::vector<Received> const& messages() const noexcept { return messages_; }
    std::optional<Close> const& close() const noexcept { return close_; }
    std::vector<std::string> const& pings() const noexcept { return pings_; }
    std::vector<std::string> const& pongs() const noexcept { return pongs_; }
    /// How many of them came compressed.
    std::size_t compressed() const noexcept { return compressed_; }
    /// Bytes of a frame that is not whole yet.
    std::size_t unread() const noexcept { return unread_; }
    /// What was wrong, in words; empty if nothing was.
    std::string const& problem() const noexcept { return problem_; }

   private:
    bool read_head(std::string_view all);
    bool read_frame(std::string_view rest);
    void take(unsigned opcode, std::string_view payload);
    bool take_compressed(unsigned opcode, std::string_view payload);
    bool wrong(char const* what) {
        problem_ = std::string(what) + ", in the frame at byte " + std::to_string(at_);
        return false;
    }

    std::size_t at_ = 0;
    std::size_t unread_ = 0;
    unsigned status_ = 0;
    Inflate inflate_;
    std::size_t compressed_ = 0;
    std::vector<Received> messages_;
    std::vector<std::string> pings_, pongs_;
    std::optional<Close> close_;
    std::string problem_;
};

inline bool ServerStream::read_head(std::string_view all) {
    std::size_t const end = all.find("\r\n\r\n");
    if (end == std::string_view::npos) return false;
    std::string_view const head = all.substr(0, end);
    if (!head.starts_with("HTTP/1.1 ") || head.size() < 12) {
        status_ = 1;
        return wrong("the answer is no HTTP/1.1");
    }
    for (char const c : head.substr(9, 3)) status_ = status_ * 10 + static_cast<unsigned>(http::is_digit(c) ? c - '0' : 0);
    at_ = end + 4;
    return true;
}

inline bool ServerStream::read_frame(std::string_view rest) {
    if (rest.empty()) return false;
    if (close_) return wrong("something comes after the Close");  // RFC 6455 5.5.1
    if (rest.size() < 2) return false;
    auto const byte = [rest](std::size_t i) { return static_cast<unsigned char>(rest[i]); };
    unsigned const opcode = byte(0) & 0x0Fu;
    if (!(byte(0) & 0x80u)) return wrong("a fragment");  // a hub sends whole messages
    bool const compressed = (byte(0) & 0x40u) != 0;
    if (byte(0) & 0x30u) return wrong("a reserved bit is set");
    if (compressed && (!inflate_ || opcode >= 8)) return wrong("RSV1 is set");  // RFC 7692 6
    if (byte(1) & 0x80u) return wrong("a server's frame is masked");            // RFC 6455 5.1
    std::uint64_t size = byte(1);
    std::size_t header = 2;
    if (size >= 126) {
        header += size == 126 ? 2 : 8;
        if (rest.size() < header) return false;
        std::uint64_t const least = size == 126 ? 126 : 65536;
        size = 0;
        for (std::size_t i = 2; i < header; ++i) size = size << 8 | byte(i);
        if (size < least) return wrong("a length is not written in the shortest way");  // RFC 6455 5.2
    }
    bool const known = opcode == 1 || opcode == 2 || (opcode >= 8 && opcode <= 10);
    if (!known) return wrong("an opcode that a hub does not send");
    if (opcode >= 8 && size > ws::max_control_payload) return wrong("a control frame is too long");  // RFC 6455 5.5
    if (rest.size() - header < size) return false;
    auto const payload = rest.substr(header, static_cast<std::size_t>(size));
    if (compressed && !take_compressed(opcode, payload)) return wrong("it cannot be inflated");
    if (!compressed) take(opcode, payload);
    if (!problem_.empty()) return false;
    at_ += header + static_cast<std::size_t>(size);
    return true;
}

inline bool ServerStream::take_compressed(unsigned opcode, std::string_view payload) {
    auto const inflated = inflate_(payload);
    if (!inflated) return false;
    ++compressed_;
    take(opcode, *inflated);
    return true;
}

inline void ServerStream::take(unsigned opcode, std::string_view payload) {
    auto const bytes = std::as_bytes(std::span(payload.data(), payload.size()));
    switch (static_cast<ws::Opcode>(opcode)) {
        case ws::Opcode::ping: pings_.emplace_back(payload); return;
        case ws::Opcode::pong: pongs_.emplace_back(payload); return;
        case ws::Opcode::close: {
            auto const parsed = ws::parse_close_payload(bytes);
            if (!parsed.valid) wrong("the payload of a Close");
            close_ = Close{parsed.code, std::string(parsed.reason)};
            return;
        }
        case ws::Opcode::text:
            if (!ws::is_valid_utf8(bytes)) wrong("text is not UTF-8");
            [[fallthrough]];
        default: messages_.push_back({static_cast<ws::Opcode>(opcode), std::string(payload)}); return;
    }
}

}  // namespace hubbub::inline v0::testing
