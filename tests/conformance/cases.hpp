#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// What RFC 6455 asks of a server, as data: what a client sends, and what an echo server has to answer.
namespace conformance {

/// Limits of the server that a case needs.
struct ServerOptions {
    std::size_t message = 64 * 1024;  ///< bytes of a whole message
    std::uint32_t fragments = 128;    ///< data frames of one message
    bool takeover = true;             ///< a client's messages may refer to earlier ones, if the server can compress at all
};

/// One frame that the server has to send.
struct ExpectedFrame {
    unsigned opcode = 0;
    std::string payload;
};

/// What a client sends after its handshake, against a server that answers each message with the same message.
///
/// Data frames have to come as they are listed. Pongs may be coalesced (RFC 6455 5.5.3): those that come are in order, and
/// the newest ping is answered. Where the client broke the protocol, what was not answered before need not be.
struct FrameCase {
    std::string name;
    std::string section;  ///< of RFC 6455
    std::string bytes;    ///< frames, masked
    ServerOptions server;
    std::vector<ExpectedFrame> frames;  ///< messages, and pongs
    std::vector<unsigned> codes;        ///< the server's Close has one of these, 0 for none; empty: the connection stays open
    bool by_client = false;             ///< the client sent a Close; the server answers it
    std::string extensions{};           ///< that the client offers
    /// What a compressed payload of the server says, where the client can inflate. Keeps a context.
    std::function<std::optional<std::string>(std::string_view)> inflate{};
};

/// A request, and what the server has to answer. Only 101 leaves the connection open.
struct HandshakeCase {
    std::string name;
    std::string section;  ///< of RFC 6455, or "RFC 9112 …"
    std::string request;
    std::vector<unsigned> statuses;
    std::vector<std::string> headers;  ///< lines that the answer has, whole
    bool body_allowed = true;          ///< false: it answers a HEAD
    std::string absent{};              ///< a header that the answer may not have
};

/// Each case is made, visited and thrown away, as some are large.
void visit_frame_cases(std::function<void(FrameCase const&)> const& visit);
void visit_handshake_cases(std::function<void(HandshakeCase const&)> const& visit);

/// The same of RFC 7692, for a server that compresses whatever becomes shorter by it.
void visit_deflate_frame_cases(std::function<void(FrameCase const&)> const& visit);
void visit_deflate_handshake_cases(std::function<void(HandshakeCase const&)> const& visit);

/// The handshake of a client that does nothing wrong; the key is that of RFC 6455 1.3. `more`: header lines, each with its CR LF.
std::string good_request(std::string_view more = {});

}  // namespace conformance
