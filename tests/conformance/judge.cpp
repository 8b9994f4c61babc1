#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "tests/conformance/run.hpp"

namespace conformance {
namespace {

std::string describe(ExpectedFrame const& frame) {
    return "opcode " + std::to_string(frame.opcode) + " '" + shorten(frame.payload) + "'";
}

std::vector<ExpectedFrame const*> only(std::vector<ExpectedFrame> const& frames, bool pongs) {
    std::vector<ExpectedFrame const*> found;
    for (ExpectedFrame const& each : frames) {
        if ((each.opcode == 10) == pongs && each.opcode != 8) found.push_back(&each);
    }
    return found;
}
bool same(ExpectedFrame const& a, ExpectedFrame const& b) { return a.opcode == b.opcode && a.payload == b.payload; }

/// Messages come in order, none is added; all of them, except behind what broke the protocol.
std::string judge_messages(FrameCase const& wanted, std::vector<ExpectedFrame> const& came) {
    auto const expected = only(wanted.frames, false), seen = only(came, false);
    bool const all = wanted.codes.empty() || wanted.by_client;
    for (std::size_t i = 0; i < seen.size(); ++i) {
        if (i == expected.size()) return "too much: " + describe(*seen[i]);
        if (!same(*seen[i], *expected[i])) return "expected " + describe(*expected[i]) + ", came " + describe(*seen[i]);
    }
    if (all && seen.size() < expected.size()) return "missing: " + describe(*expected[seen.size()]);
    return {};
}

/// RFC 6455 5.5.2, 5.5.3: pongs answer pings in order. That the newest is answered, the run has waited for.
std::string judge_pongs(FrameCase const& wanted, std::vector<ExpectedFrame> const& came) {
    auto const expected = only(wanted.frames, true), seen = only(came, true);
    std::size_t at = 0;
    for (ExpectedFrame const* each : seen) {
        while (at < expected.size() && !same(*expected[at], *each)) ++at;
        if (at == expected.size()) return "a pong that answers nothing: " + describe(*each);
        ++at;
    }
    return {};
}

}  // namespace

std::string judge(FrameCase const& wanted, std::vector<ExpectedFrame> const& came, bool ended) {
    if (auto problem = judge_messages(wanted, came); !problem.empty()) return problem;
    if (auto problem = judge_pongs(wanted, came); !problem.empty()) return problem;
    auto const close = std::find_if(came.begin(), came.end(), [](ExpectedFrame const& each) { return each.opcode == 8; });
    if (wanted.codes.empty()) {
        if (close != came.end()) return "closed: " + describe(*close);
        return ended ? "the connection ended" : "";
    }
    if (close == came.end()) return "the connection ended without a Close";
    if (close + 1 != came.end()) return "a frame behind the Close: " + describe(*(close + 1));
    if (!ended) return "the connection did not end behind the Close";
    std::string const& payload = close->payload;
    if (payload.size() == 1) return "a Close of one byte";
    unsigned const code =
        payload.empty()
            ? 0
            : static_cast<unsigned>(static_cast<unsigned char>(payload[0]) << 8 | static_cast<unsigned char>(payload[1]));
    if (std::find(wanted.codes.begin(), wanted.codes.end(), code) == wanted.codes.end()) {
        return "closed with " + std::to_string(code) + " '" +
               shorten(std::string_view(payload).substr(std::min<std::size_t>(2, payload.size()))) + "', not with " +
               std::to_string(wanted.codes[0]);
    }
    return {};
}

std::string judge(HandshakeCase const& wanted, std::string_view answer, bool ended) {
    std::size_t const end = answer.find("\r\n\r\n");
    if (!answer.starts_with("HTTP/1.1 ") || answer.size() < 13 || end == std::string_view::npos)
        return "no answer: " + shorten(answer);
    std::string const head(answer.substr(0, end + 2));
    unsigned const status = static_cast<unsigned>(std::stoul(head.substr(9, 3)));
    if (std::find(wanted.statuses.begin(), wanted.statuses.end(), status) == wanted.statuses.end()) {
        return "answered with " + head.substr(9, head.find("\r\n") - 9) + ", not with " + std::to_string(wanted.statuses[0]);
    }
    for (std::string const& line : wanted.headers) {
        // One that is allowed to be 400 or 426 may have the Connection of either.
        if (wanted.statuses.size() > 1 && line == "Connection: close") continue;
        if (head.find("\r\n" + line + "\r\n") == std::string::npos) return "no line '" + line + "' in " + head;
    }
    if (!wanted.absent.empty() && head.find("\r\n" + wanted.absent + ":") != std::string::npos)
        return "there is a " + wanted.absent + " in " + head;
    if (status == 101) return {};
    if (!ended) return "the connection did not end";
    std::size_t const length = head.find("Content-Length: ");
    if (length == std::string::npos) return "no Content-Length";
    std::size_t const body = answer.size() - end - 4;
    if (!wanted.body_allowed) return body == 0 ? "" : "the answer to a HEAD has a body";
    return std::stoul(head.substr(length + 16)) == body ? "" : "the body is not as long as it says";
}

}  // namespace conformance
