#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <exception>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/conformance/cases.hpp"

namespace conformance {

/// A way to an echo server that runs somewhere: in this process, or behind a socket of 127.0.0.1.
///
/// Exemplar:
///     struct TransportExemplar {
///         void connect(ServerOptions const& options);  // a new connection, the last one is given up
///         void send(std::string_view bytes);           // all of it; what a server that has closed does not take is no error
///         std::optional<std::string> receive();        // waits for some bytes; nothing: the server ended the connection
///     };
/// Required behaviour: `send` returns also if the server does not read on before its answers are taken, so a transport over
/// sockets takes them meanwhile. `receive` is bounded in time and throws when that is over. Plain requests are 404.
template <class T>
concept Transport = requires(T& transport, ServerOptions const& options, std::string_view bytes) {
    transport.connect(options);
    transport.send(bytes);
    { transport.receive() } -> std::same_as<std::optional<std::string>>;
};

/// How the bytes of a client are cut.
enum class Split { whole, bytes, coalesced };

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HUBBUB_TEST_SANITIZED
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define HUBBUB_TEST_SANITIZED
#endif
#endif
#ifdef HUBBUB_TEST_SANITIZED
inline constexpr std::size_t most_alone = 256;  // ten times as slow, and there is no other code behind the next thousands
#else
inline constexpr std::size_t most_alone = 2048;
#endif

/// Sends: in one piece, or byte by byte. Where there are many, only the bytes at both ends are alone.
template <Transport T>
void send_split(T& transport, std::string_view bytes, Split split) {
    if (split != Split::bytes) return transport.send(bytes);
    std::size_t const middle = bytes.size() > 2 * most_alone ? bytes.size() - 2 * most_alone : 0;
    std::size_t const piece = std::max<std::size_t>(1, middle / 509);
    for (std::size_t at = 0; at < bytes.size();) {
        bool const inside = middle != 0 && at >= most_alone && at + piece <= most_alone + middle;
        auto const next = bytes.substr(at, inside ? piece : 1);
        transport.send(next);
        at += next.size();
    }
}

/// Reads what the server sends, frame by frame, and judges it without the library's help.
class ServerFrames {
   public:
    using Inflate = std::function<std::optional<std::string>(std::string_view)>;
    explicit ServerFrames(Inflate inflate = {}) : inflate_(std::move(inflate)) {}

    void append(std::string_view bytes) { bytes_.append(bytes); }

    /// The next frame that is whole. A frame that no server may send is a problem.
    std::optional<ExpectedFrame> next() {
        auto const at = [this](std::size_t i) {
            return static_cast<std::size_t>(static_cast<unsigned char>(bytes_[begin_ + i]));
        };
        std::size_t const there = bytes_.size() - begin_;
        if (there < 2 || !problem_.empty()) return std::nullopt;
        std::size_t const low = at(1) & 0x7F;
        std::size_t const extended = low == 127 ? 8 : low == 126 ? 2 : 0;
        if (there < 2 + extended) return std::nullopt;
        std::size_t size = extended ? 0 : low;
        for (std::size_t i = 0; i < extended; ++i) size = size << 8 | at(2 + i);
        unsigned const opcode = static_cast<unsigned>(at(0) & 0x0F);
        bool const compressed = (at(0) & 0x40) != 0;
        if (at(0) & 0x30) problem_ = "reserved bits in a frame of the server";
        if (compressed && (!inflate_ || (opcode & 8))) problem_ = "RSV1 in a frame of the server";
        if (at(1) & 0x80) problem_ = "a masked frame of the server";
        if ((extended == 2 && size < 126) || (extended == 8 && size < 65536)) problem_ = "a length that is not the shortest";
        if ((opcode & 8) && (!(at(0) & 0x80) || size > 125)) problem_ = "a bad control frame of the server";
        if (opcode > 10 || (opcode > 2 && opcode < 8)) problem_ = "a reserved opcode of the server";
        // This suite asks for whole messages; a server that fragments its echoes would have to be put together here.
        if (!(at(0) & 0x80) || opcode == 0) problem_ = "a fragmented echo";
        if (!problem_.empty() || there < 2 + extended + size) return std::nullopt;
        ExpectedFrame frame{opcode, bytes_.substr(begin_ + 2 + extended, size)};
        begin_ += 2 + extended + size;
        if (compressed) {
            auto inflated = inflate_(frame.payload);
            if (!inflated) return problem_ = "a message of the server cannot be inflated", std::nullopt;
            if (inflated->size() <= frame.payload.size()) problem_ = "a message of the server became no shorter by compression";
            frame.payload = *std::move(inflated);
        }
        return frame;
    }
    std::string const& problem() const noexcept { return problem_; }
    bool rest() const noexcept { return begin_ != bytes_.size(); }

   private:
    Inflate inflate_;
    std::string bytes_;
    std::size_t begin_ = 0;
    std::string problem_;
};

inline std::string shorten(std::string_view text) {
    std::string out;
    for (char const c : text.substr(0, 40)) {
        if (c >= 0x20 && c < 0x7F)
            out += c;
        else
            out.append("\\x").append(1, "0123456789abcdef"[c >> 4 & 15]).append(1, "0123456789abcdef"[c & 15]);
    }
    return out + (text.size() > 40 ? "… (" + std::to_string(text.size()) + " bytes)" : "");
}

/// Compares what came with what had to come. Empty: it is right.
std::string judge(FrameCase const& wanted, std::vector<ExpectedFrame> const& came, bool ended);
std::string judge(HandshakeCase const& wanted, std::string_view answer, bool ended);

/// Runs one case. Empty: it passed; else what was wrong.
template <Transport T>
std::string run_case(T& transport, FrameCase const& wanted, Split split) {
    constexpr std::string_view probe = "is anybody there";
    // A ping of our own, masked with zeros: what stays open answers it.
    std::string const ping = std::string("\x89\x90\0\0\0\0", 6) + std::string(probe);
    bool const stays_open = wanted.codes.empty();
    transport.connect(wanted.server);
    std::string answer;
    std::string const request =
        good_request(wanted.extensions.empty() ? "" : "Sec-WebSocket-Extensions: " + wanted.extensions + "\r\n");
    if (split == Split::coalesced) {
        transport.send(request + wanted.bytes + (stays_open ? ping : ""));
    } else {
        send_split(transport, request, split);
    }
    std::size_t head = std::string::npos;
    while (head == std::string::npos) {
        auto const bytes = transport.receive();
        if (!bytes) return "the connection ended in the handshake, after: " + shorten(answer);
        answer += *bytes;
        head = answer.find("\r\n\r\n");
    }
    if (!answer.starts_with("HTTP/1.1 101 ")) return "no 101: " + shorten(answer);
    // The probe waits for the pong of the newest ping: RFC 6455 5.5.3 would allow to answer only the probe.
    auto const newest =
        std::find_if(wanted.frames.rbegin(), wanted.frames.rend(), [](auto const& each) { return each.opcode == 10; });
    bool const awaits_pong = stays_open && split != Split::coalesced && newest != wanted.frames.rend();
    bool probed = split == Split::coalesced || !stays_open;
    if (split != Split::coalesced) send_split(transport, wanted.bytes, split);
    if (!probed && !awaits_pong) {
        transport.send(ping);
        probed = true;
    }

    ServerFrames frames(wanted.inflate);
    frames.append(std::string_view(answer).substr(head + 4));
    std::vector<ExpectedFrame> came;
    bool ended = false;
    // A pong may overtake messages that wait (RFC 6455 5.5: control frames may be put between), so both are waited for.
    bool answered = false;
    auto missing =
        std::count_if(wanted.frames.begin(), wanted.frames.end(), [](auto const& each) { return each.opcode != 10; });
    while (true) {
        while (auto frame = frames.next()) {
            if (frame->opcode == 10 && frame->payload == probe) {
                answered = true;
                continue;
            }
            missing -= frame->opcode == 1 || frame->opcode == 2;
            if (!probed && frame->opcode == 10 && frame->payload == newest->payload) {
                transport.send(ping);
                probed = true;
            }
            came.push_back(std::move(*frame));
        }
        if (!frames.problem().empty()) return frames.problem();
        bool const all = answered && missing <= 0;
        if (all && frames.rest()) return "something came behind the last answer";
        if (all || ended) break;
        auto const bytes = transport.receive();
        if (bytes)
            frames.append(*bytes);
        else
            ended = true;
    }
    if (ended && frames.rest()) return "the connection ended inside a frame";
    return judge(wanted, came, ended);
}

template <Transport T>
std::string run_case(T& transport, HandshakeCase const& wanted, Split split) {
    transport.connect(ServerOptions{});
    send_split(transport, wanted.request, split);
    std::string answer;
    bool ended = false;
    // A 101 has no end: its head is all. Everything else ends with the connection.
    while (!(answer.starts_with("HTTP/1.1 101 ") && answer.find("\r\n\r\n") != std::string::npos)) {
        auto const bytes = transport.receive();
        if (!bytes) {
            ended = true;
            break;
        }
        answer += *bytes;
    }
    return judge(wanted, answer, ended);
}

/// What a run of all cases found.
struct Report {
    std::size_t cases = 0;
    std::vector<std::string> failures;
};

/// Runs every case that the two functions visit. `largest` leaves out those that send more bytes, for a transport that is too slow
/// for them.
template <Transport T, class VisitFrames, class VisitHandshakes>
Report run_cases(T& transport, Split split, VisitFrames visit_frames, VisitHandshakes visit_handshakes,
                 std::size_t largest = ~std::size_t{0}) {
    Report report;
    auto const run = [&](auto const& wanted) {
        ++report.cases;
        std::string problem;
        try {
            problem = run_case(transport, wanted, split);
        } catch (std::exception const& thrown) {
            problem = thrown.what();
        }
        if (!problem.empty()) report.failures.push_back(wanted.section + " " + shorten(wanted.name) + ": " + problem);
    };
    visit_frames([&](FrameCase const& wanted) {
        if (wanted.bytes.size() <= largest) run(wanted);
    });
    visit_handshakes([&](HandshakeCase const& wanted) { run(wanted); });
    return report;
}

/// Those of RFC 6455.
template <Transport T>
Report run_all(T& transport, Split split, std::size_t largest = ~std::size_t{0}) {
    return run_cases(transport, split, visit_frame_cases, visit_handshake_cases, largest);
}

}  // namespace conformance
