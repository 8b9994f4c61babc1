#pragma once

#include <concepts>
#include <cstddef>
#include <span>
#include <string_view>

#include <hubbub/ws/close_code.hpp>
#include <hubbub/ws/inbound_header.hpp>
#include <hubbub/ws/message_view.hpp>

namespace hubbub::inline v0::ws {

namespace detail {
struct AnySink {
    bool on_message(MessageView message);
    bool on_ping(std::span<std::byte const> payload);
    bool on_pong(std::span<std::byte const> payload);
    bool on_fragment(std::size_t payload);
    void on_close(CloseCode code, std::string_view reason);
    void on_error(CloseCode code, std::string_view reason);
};
}  // namespace detail

/// Turns the bytes of a client into messages and control frames. It exists so that another library's parser can take the place of
/// ours below the same session.
///
/// Exemplar:
///     struct DecoderExemplar {
///         void feed(std::span<std::byte>, ws::DecoderLimits const&, Sink&&);
///         void resume(ws::DecoderLimits const&, Sink&&);
///         bool keep(std::span<std::byte const>) noexcept;
///         bool incomplete() const noexcept;
///         bool stopped() const noexcept;
///         bool ended() const noexcept;
///         std::size_t buffered() const noexcept;
///     };
///
/// Required behaviour: that of `ws::BasicDecoder`, whose comments say it for each member and for the sink: the answer does not depend
/// on how the bytes were split, limits hold before anything is kept, and after a sink has said stop nothing is decoded before
/// `resume`.
/// Models: ws::Decoder, WebsocketppDecoder.
template <class T>
concept MessageDecoder = std::movable<T> && std::default_initializable<T> &&
                         requires(T& decoder, T const& constant, std::span<std::byte> bytes, std::span<std::byte const> kept,
                                  DecoderLimits const& limits, detail::AnySink sink) {
                             decoder.feed(bytes, limits, sink);
                             decoder.resume(limits, sink);
                             { decoder.keep(kept) } -> std::same_as<bool>;
                             { constant.incomplete() } -> std::same_as<bool>;
                             { constant.stopped() } -> std::same_as<bool>;
                             { constant.ended() } -> std::same_as<bool>;
                             { constant.buffered() } -> std::same_as<std::size_t>;
                         };

}  // namespace hubbub::inline v0::ws
