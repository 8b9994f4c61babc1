#pragma once

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>

#include <hubbub/core/network.hpp>
#include <hubbub/core/peer_address.hpp>

namespace hubbub::inline v0::http {

/// Reads the header that a proxy sends before anything else of a connection: the PROXY protocol, version 1 (a line of text) and 2
/// (binary), however it was split. It has to be there, and its end is found without reading a byte beyond it.
///
/// Errors: `malformed` for what is no such header, longer than the protocol allows (1), or than `longest` (2).
/// Cost: as many bytes as the header has, at most `longest`, while it is incomplete.
class ProxyHeader {
   public:
    enum class Progress : std::uint8_t { need_more, done, malformed };
    static constexpr std::size_t longest = 2048;  ///< bytes of a header of version 2, with what is told beside addresses

    struct Result {
        Progress state;
        std::size_t consumed;  ///< of what was fed now
    };
    Result feed(std::span<std::byte const> bytes);

    /// Where the proxy's client comes from; nothing if the proxy speaks for itself (LOCAL, UNKNOWN).
    std::optional<PeerAddress> const& peer() const noexcept { return peer_; }

   private:
    static constexpr std::string_view signature{"\r\n\r\n\0\r\nQUIT\n", 12};
    static constexpr std::size_t longest_line = 107;  // with its CRLF

    std::string_view text() const noexcept { return {kept_.data(), size_}; }
    std::uint8_t at(std::size_t i) const noexcept { return static_cast<std::uint8_t>(kept_[i]); }
    /// What a binary header says of its length behind the first 16 bytes.
    std::size_t announced() const noexcept { return std::size_t{at(14)} << 8 | at(15); }
    Progress look();
    Progress read_line(std::string_view line);
    Progress read_binary();
    /// How many bytes may still belong to the header, as far as is known.
    std::size_t wanted() const noexcept;

    std::array<char, longest> kept_;
    std::size_t size_ = 0;
    std::optional<PeerAddress> peer_;
};

inline std::size_t ProxyHeader::wanted() const noexcept {
    if (size_ < 16 || text().substr(0, signature.size()) != signature)
        return 1;  // of a line the end is seen only when it is there
    return std::max<std::size_t>(16 + announced(), size_ + 1) - size_;
}

inline ProxyHeader::Result ProxyHeader::feed(std::span<std::byte const> bytes) {
    std::size_t consumed = 0;
    while (consumed < bytes.size()) {
        std::size_t const count = std::min({wanted(), bytes.size() - consumed, longest - size_});
        if (count == 0) return {Progress::malformed, consumed};
        std::memcpy(kept_.data() + size_, bytes.data() + consumed, count);
        size_ += count;
        consumed += count;
        if (Progress const progress = look(); progress != Progress::need_more) return {progress, consumed};
    }
    return {Progress::need_more, consumed};
}

inline ProxyHeader::Progress ProxyHeader::look() {
    std::size_t const known = std::min(size_, signature.size());
    if (text().substr(0, known) == signature.substr(0, known)) return size_ < 16 ? Progress::need_more : read_binary();
    static constexpr std::string_view word = "PROXY ";
    std::size_t const begun = std::min(size_, word.size());
    if (text().substr(0, begun) != word.substr(0, begun)) return Progress::malformed;
    if (size_ >= 2 && text().ends_with("\r\n")) return read_line(text().substr(0, size_ - 2));
    return size_ < longest_line ? Progress::need_more : Progress::malformed;
}

/// "PROXY TCP4 192.0.2.1 192.0.2.2 56324 443"
inline ProxyHeader::Progress ProxyHeader::read_line(std::string_view line) {
    if (line == "PROXY UNKNOWN" || line.starts_with("PROXY UNKNOWN ")) return Progress::done;  // what follows means nothing
    std::array<std::string_view, 6> words;
    std::size_t count = 0;
    for (bool more = true; more; ++count) {
        if (count == words.size()) return Progress::malformed;
        std::size_t const space = line.find(' ');
        words[count] = line.substr(0, space);
        more = space != std::string_view::npos;
        if (more) line.remove_prefix(space + 1);
    }
    if (count != words.size() || (words[1] != "TCP4" && words[1] != "TCP6")) return Progress::malformed;
    auto const from = parse_address(words[2]), to = parse_address(words[3]);
    bool const is_v6 = words[1] == "TCP6";
    if (!from || !to || (words[2].find(':') != std::string_view::npos) != is_v6) return Progress::malformed;
    std::array<std::uint16_t, 2> ports{};
    for (std::size_t i = 0; i < 2; ++i) {
        std::string_view const digits = words[4 + i];
        auto const [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), ports[i]);
        if (digits.empty() || error != std::errc{} || end != digits.data() + digits.size()) return Progress::malformed;
    }
    peer_ = *from;
    peer_->port = ports[0];
    return Progress::done;
}

inline ProxyHeader::Progress ProxyHeader::read_binary() {
    std::size_t const length = announced();
    int const version = at(12) >> 4, command = at(12) & 15, family = at(13) >> 4;
    if (version != 2 || command > 1 || 16 + length > longest) return Progress::malformed;
    if (size_ < 16 + length) return Progress::need_more;
    if (command == 0) return Progress::done;  // LOCAL: a health check of the proxy itself
    if (family != 1 && family != 2) return Progress::done;
    std::size_t const bytes = family == 1 ? 4 : 16;
    if (length < 2 * bytes + 4) return Progress::malformed;
    PeerAddress from;
    from.family = family == 1 ? PeerAddress::Family::ipv4 : PeerAddress::Family::ipv6;
    for (std::size_t i = 0; i < bytes; ++i) from.bytes[i] = at(16 + i);
    from.port = static_cast<std::uint16_t>(at(16 + 2 * bytes) << 8 | at(17 + 2 * bytes));
    peer_ = from.unmapped();
    return Progress::done;
}

}  // namespace hubbub::inline v0::http
