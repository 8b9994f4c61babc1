#pragma once

#include <array>
#include <cstddef>
#include <cstring>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <hubbub/http/request_parser.hpp>
#include <hubbub/http/response.hpp>
#include <hubbub/ws/close_payload.hpp>
#include <hubbub/ws/decoder.hpp>
#include <hubbub/ws/frame_header.hpp>
#include <hubbub/ws/handshake.hpp>
#include <hubbub/ws/message_decoder.hpp>

#include "tests/conformance/cases.hpp"

namespace conformance {

/// The protocol alone, without sessions and sockets: parser, handshake and decoder joined to an echo server.
template <hubbub::ws::MessageDecoder Decoder = hubbub::ws::Decoder>
class CodecEcho {
   public:
    void connect(ServerOptions const& options) { *this = CodecEcho{options}; }

    CodecEcho() = default;

    void send(std::string_view bytes) {
        if (ended_) return;
        // A buffer of exactly that size, so that a sanitizer sees every step beyond it.
        std::vector<std::byte> copy(bytes.size());
        if (!bytes.empty()) std::memcpy(copy.data(), bytes.data(), bytes.size());
        std::span<std::byte> rest(copy);
        if (!open_) {
            auto const progress = parser_.feed(rest);
            if (progress.state == hubbub::http::Progress::State::need_more) return;
            if (progress.state == hubbub::http::Progress::State::refused) return refuse(parser_.refusal());
            shake_hands(std::move(parser_).take());
            rest = rest.subspan(progress.consumed);
        }
        if (!ended_) decoder_.feed(rest, limits_, *this);
    }
    std::optional<std::string> receive() {
        if (!out_.empty()) return std::exchange(out_, {});
        if (ended_) return std::nullopt;
        throw std::runtime_error("the server waits, and so does the client");
    }

    // What the decoder tells.
    bool on_message(hubbub::MessageView message) { return reply(message.opcode(), message.payload()); }
    bool on_ping(std::span<std::byte const> payload) { return reply(hubbub::ws::Opcode::pong, payload); }
    bool on_pong(std::span<std::byte const>) { return true; }
    bool on_fragment(std::size_t) { return true; }
    void on_close(hubbub::CloseCode code, std::string_view) { close(code, {}); }
    void on_error(hubbub::CloseCode code, std::string_view reason) { close(code, reason); }

   private:
    explicit CodecEcho(ServerOptions const& options) : limits_{.message = options.message, .fragments = options.fragments} {}

    void shake_hands(hubbub::http::Request const& request) {
        using Kind = hubbub::ws::UpgradeOutcome::Kind;
        auto const outcome = hubbub::ws::check_upgrade(request);
        if (outcome.kind == Kind::refused) return refuse(outcome.refusal);
        if (outcome.kind == Kind::not_websocket)
            return refuse({hubbub::http::Status::not_found, "there is no such page", request.is_head()});
        out_ = hubbub::ws::upgrade_response(outcome.accept);
        open_ = true;
    }
    void refuse(hubbub::http::Refusal const& refusal) {
        out_ = hubbub::http::Response(refusal).to_bytes(refusal.to_head);
        ended_ = true;
    }
    void close(hubbub::CloseCode code, std::string_view reason) {
        std::array<std::byte, hubbub::ws::max_control_payload> payload;
        std::size_t const size = hubbub::ws::encode_close_payload(payload, code, reason);
        reply(hubbub::ws::Opcode::close, std::span(payload).first(size));
        ended_ = true;
    }
    bool reply(hubbub::ws::Opcode opcode, std::span<std::byte const> payload) {
        std::array<std::byte, hubbub::ws::max_server_header> header;
        std::size_t const size = hubbub::ws::encode_server_header(header.data(), opcode, payload.size());
        out_.append(reinterpret_cast<char const*>(header.data()), size);
        if (!payload.empty()) out_.append(reinterpret_cast<char const*>(payload.data()), payload.size());
        return true;
    }

    hubbub::ws::DecoderLimits limits_;
    hubbub::http::RequestParser parser_;
    Decoder decoder_;
    std::string out_;
    bool open_ = false;
    bool ended_ = false;
};

}  // namespace conformance
