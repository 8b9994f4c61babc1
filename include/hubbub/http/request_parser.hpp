#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <utility>

#include <hubbub/core/assert.hpp>
#include <hubbub/http/ascii.hpp>
#include <hubbub/http/authority.hpp>
#include <hubbub/http/request.hpp>
#include <hubbub/http/status.hpp>

namespace hubbub::inline v0::http {

/// How large a request may be, in bytes and lines.
struct ParserLimits {
    std::size_t total = 8 * 1024;   ///< request line, headers and the empty line; beyond it 431. At most 65535.
    std::size_t target = 4 * 1024;  ///< beyond it 414
    std::size_t headers = 100;      ///< beyond it 431
};

/// Reads one request from bytes that come in pieces, and refuses what a hub has no use for.
///
/// Strict where leniency has been used for attacks (RFC 9112 11): lines end with CR LF, names are tokens up to the colon,
/// folded lines, control characters, a second or malformed Host, a body of any kind are refused. Methods are GET and HEAD,
/// the version is 1.1. The answer does not depend on how the bytes were split.
///
/// Cost: each byte is looked at once, at most `total` of them are kept; two allocations for a request in one piece.
/// Example:
///     http::RequestParser parser;
///     auto const progress = parser.feed(bytes);
///     if (progress.state == http::RequestParser::State::complete) serve(std::move(parser).take());
///     auto const beyond = bytes.subspan(progress.consumed);
class RequestParser {
   public:
    /// What `feed` achieved.
    struct Progress {
        enum class State : std::uint8_t { need_more, complete, refused };
        State state = State::need_more;
        std::size_t consumed = 0;  ///< how many of these bytes were the request's; the rest is the caller's
    };
    using State = Progress::State;

    explicit RequestParser(ParserLimits const& limits = {}) noexcept : limits_(limits) {
        limits_.total = std::min<std::size_t>(limits_.total, 65535);  // ranges in Request have 16 bits
    }

    /// Takes the next bytes. After `complete` or `refused` there is nothing to feed any more.
    Progress feed(std::span<std::byte const> bytes);

    /// The request, once after `complete`.
    Request take() && {
        HUBBUB_ASSERT(state_ == State::complete);
        return std::move(request_);
    }
    /// Why it was refused, after `refused`.
    Refusal const& refusal() const noexcept { return refusal_; }
    State state() const noexcept { return state_; }
    /// Bytes of an unfinished request have come.
    bool started() const noexcept { return !request_.bytes_.empty(); }
    /// Bytes of memory that it holds beyond its own size.
    std::size_t memory() const noexcept { return request_.memory(); }

   private:
    using Range = Request::Range;
    using Line = Request::Line;

    State scan();
    State line_limits();
    State request_line(std::string_view line);
    State read_target(std::string_view line, std::size_t begin, std::string_view target);
    State header_line(std::string_view line);
    State known_header(std::string_view name, Range value);
    State finish();

    State refuse(Status status, std::string_view reason) noexcept {
        refusal_ = {status, reason, request_.is_head()};
        return State::refused;
    }
    State bad(std::string_view reason) noexcept { return refuse(Status::bad_request, reason); }
    bool first_of(unsigned bit) noexcept { return (std::exchange(seen_, seen_ | bit) & bit) == 0; }

    /// The longest request line whose target is within its limit: "HEAD ", the target, " HTTP/1.1".
    std::size_t longest_first_line() const noexcept { return limits_.target + 14; }

    Request request_;
    ParserLimits limits_;
    Refusal refusal_;
    std::size_t line_ = 0;     ///< where the line begins that is not whole
    std::size_t scanned_ = 0;  ///< up to here there is no line feed in it
    unsigned seen_ = 0;        ///< which singular headers have come
    State state_ = State::need_more;
    bool in_headers_ = false;
    bool absolute_ = false;
};

using Progress = RequestParser::Progress;

inline RequestParser::Progress RequestParser::feed(std::span<std::byte const> bytes) {
    HUBBUB_ASSERT(state_ == State::need_more);
    auto& kept = request_.bytes_;
    std::size_t const before = kept.size();
    std::size_t const taken = std::min(bytes.size(), limits_.total - before);
    if (kept.capacity() - before < taken) kept.reserve(std::max(before + taken, std::min(2 * before, limits_.total)));
    kept.append(reinterpret_cast<char const*>(bytes.data()), taken);
    state_ = scan();
    if (state_ == State::complete) {
        std::size_t const end = line_;
        kept.resize(end);
        return {state_, end - before};
    }
    if (state_ == State::need_more && kept.size() == limits_.total) {
        state_ =
            refuse(in_headers_ ? Status::request_header_fields_too_large : Status::uri_too_long, "the request is too long");
    }
    return {state_, taken};
}

/// Reads every line that is whole.
inline RequestParser::State RequestParser::scan() {
    std::string_view const all = request_.bytes_;
    while (true) {
        auto const* const found =
            scanned_ == all.size() ? nullptr
                                   : static_cast<char const*>(std::memchr(all.data() + scanned_, '\n', all.size() - scanned_));
        std::size_t const end = found ? static_cast<std::size_t>(found - all.data()) : all.size();
        scanned_ = end;
        // The same answer whether the line is whole or not.
        if (!in_headers_ && line_ == 0 && end > 0 && !is_token_char(all[0])) return bad("a request begins with its method");
        if (!in_headers_ && end > longest_first_line() + 1) return refuse(Status::uri_too_long, "the target is too long");
        if (!found) return State::need_more;
        if (end == line_ || all[end - 1] != '\r') return bad("lines end with CR LF");
        std::string_view const line = all.substr(line_, end - 1 - line_);
        if (in_headers_ && line.empty()) {
            line_ = end + 1;
            return finish();
        }
        State const state = in_headers_ ? header_line(line) : request_line(line);
        if (state == State::refused) return state;
        in_headers_ = true;
        line_ = scanned_ = end + 1;
    }
}

/// `GET /path?query HTTP/1.1` (RFC 9112 3).
inline RequestParser::State RequestParser::request_line(std::string_view line) {
    std::size_t const first = line.find(' ');
    std::size_t const last = line.rfind(' ');
    if (first == std::string_view::npos || first == last) return bad("a request line has three parts");
    std::string_view const method = line.substr(0, first);
    std::string_view const target = line.substr(first + 1, last - first - 1);
    std::string_view const version = line.substr(last + 1);
    if (!is_token(method)) return bad("the method is no token");
    if (version.size() != 8 || !version.starts_with("HTTP/") || !is_digit(version[5]) || version[6] != '.' ||
        !is_digit(version[7])) {
        return bad("the version is malformed");
    }
    if (version != "HTTP/1.1") return refuse(Status::http_version_not_supported, "only HTTP/1.1 is spoken here");
    if (method != "GET" && method != "HEAD") return refuse(Status::method_not_allowed, "only GET and HEAD are served");
    request_.method_size_ = static_cast<std::uint16_t>(method.size());
    request_.lines_.reserve(16);
    return read_target(line, first + 1, target);
}

/// Origin form or absolute form (RFC 9112 3.2.1, 3.2.2).
inline RequestParser::State RequestParser::read_target(std::string_view line, std::size_t begin, std::string_view target) {
    auto const range = [](std::size_t from, std::size_t to) {
        return Range{static_cast<std::uint16_t>(from), static_cast<std::uint16_t>(to - from)};
    };
    std::size_t const end = begin + target.size();
    if (target.size() > limits_.target) return refuse(Status::uri_too_long, "the target is too long");
    for (char const c : target) {
        auto const byte = static_cast<unsigned char>(c);
        if (byte <= 0x20 || byte >= 0x7F || c == '#') return bad("that character may not be in a target");
    }
    request_.target_ = range(begin, end);
    std::size_t path = begin;
    if (!target.empty() && target.front() != '/') {
        std::size_t const scheme = target.find("://");
        if (scheme == std::string_view::npos) return bad("a target begins with a slash or a scheme");
        std::string_view const name = target.substr(0, scheme);
        bool known = false;
        for (std::string_view const each : {"http", "https", "ws", "wss"}) known = known || equals_ignoring_case(name, each);
        if (!known) return bad("that scheme is not served");
        std::size_t const host = begin + scheme + 3;
        path = std::min(line.find_first_of("/?", host), end);
        Authority authority;
        if (!parse_authority(line.substr(host, path - host), authority)) return bad("the target's host is malformed");
        request_.host_ = range(host, path);
        absolute_ = true;
    } else if (target.empty()) {
        return bad("the target is empty");
    }
    std::size_t const question = std::min(line.find('?', path), end);
    request_.path_ = range(path, question);
    if (question != end) request_.query_ = range(question + 1, end);
    return State::need_more;
}

/// `Name: value` (RFC 9112 5).
inline RequestParser::State RequestParser::header_line(std::string_view line) {
    if (request_.lines_.size() == limits_.headers) {
        return refuse(Status::request_header_fields_too_large, "there are too many headers");
    }
    if (line.front() == ' ' || line.front() == '\t') return bad("folded header lines are refused");
    std::size_t colon = 0;
    while (colon < line.size() && is_token_char(line[colon])) ++colon;
    if (colon == 0 || colon == line.size() || line[colon] != ':')
        return bad("a header's name is a token and a colon follows it");
    std::string_view const name = line.substr(0, colon);
    std::string_view const value = trim(line.substr(colon + 1));
    if (!is_field_value(value)) return bad("that character may not be in a header");
    auto const range = [this](std::string_view part) {
        return Range{static_cast<std::uint16_t>(part.data() - request_.bytes_.data()), static_cast<std::uint16_t>(part.size())};
    };
    request_.lines_.push_back({range(name), range(value)});
    return known_header(name, range(value));
}

/// Headers that may stand there only once, and those that announce a body.
inline RequestParser::State RequestParser::known_header(std::string_view name, Range value) {
    enum : unsigned { host = 1, origin = 2, authorization = 4, content_length = 8, key = 16, version = 32 };
    auto const is = [name](std::string_view known) { return equals_ignoring_case(name, known); };
    std::string_view const text = request_.view(value.begin, value.size);
    switch (name.size()) {
        case 4:
            if (!is("Host")) break;
            if (!first_of(host)) return bad("there is more than one Host");
            if (Authority authority; !parse_authority(text, authority)) return bad("Host is malformed");
            if (!absolute_) request_.host_ = value;
            break;
        case 6:
            if (is("Origin") && !first_of(origin)) return bad("there is more than one Origin");
            break;
        case 13:
            if (is("Authorization") && !first_of(authorization)) return bad("there is more than one Authorization");
            break;
        case 14:
            if (!is("Content-Length")) break;
            if (!first_of(content_length)) return bad("there is more than one Content-Length");
            if (text.empty() || text.find_first_not_of("0123456789") != std::string_view::npos) {
                return bad("Content-Length is no number");
            }
            if (text.find_first_not_of('0') != std::string_view::npos) {
                return refuse(Status::content_too_large, "a request here has no body");
            }
            break;
        case 17:
            if (is("Transfer-Encoding")) return bad("a request here has no body, so no Transfer-Encoding");
            if (is("Sec-WebSocket-Key") && !first_of(key)) return bad("there is more than one Sec-WebSocket-Key");
            break;
        case 21:
            if (is("Sec-WebSocket-Version") && !first_of(version)) return bad("there is more than one Sec-WebSocket-Version");
            break;
        default: break;
    }
    return State::need_more;
}

/// The empty line has come.
inline RequestParser::State RequestParser::finish() {
    if (seen_ & 1u) return State::complete;
    return bad("there is no Host");  // RFC 9112 3.2
}

}  // namespace hubbub::inline v0::http
