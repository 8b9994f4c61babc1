#pragma once

#include <cstddef>
#include <span>
#include <utility>
#include <variant>

#include <hubbub/ws/inbound_header.hpp>
#include <hubbub/ws/message_decoder.hpp>

namespace hubbub::inline v0 {

/// The decoder of a OneOf whose connections are decoded differently: that of the connection that it `match`es.
template <ws::MessageDecoder A, ws::MessageDecoder B>
class OneOfDecoder {
   public:
    /// Before the first byte.
    template <class Connection>
    void match(Connection const& connection) {
        if (connection.is_second()) decoder_.template emplace<1>();
    }

    template <class Sink>
    void feed(std::span<std::byte> bytes, ws::DecoderLimits const& limits, Sink&& sink) {
        visit([&](auto& decoder) { decoder.feed(bytes, limits, sink); });
    }
    template <class Sink>
    void resume(ws::DecoderLimits const& limits, Sink&& sink) {
        visit([&](auto& decoder) { decoder.resume(limits, sink); });
    }
    bool keep(std::span<std::byte const> bytes) noexcept {
        return visit([bytes](auto& decoder) { return decoder.keep(bytes); });
    }
    bool incomplete() const noexcept {
        return std::visit([](auto const& decoder) { return decoder.incomplete(); }, decoder_);
    }
    bool stopped() const noexcept {
        return std::visit([](auto const& decoder) { return decoder.stopped(); }, decoder_);
    }
    bool ended() const noexcept {
        return std::visit([](auto const& decoder) { return decoder.ended(); }, decoder_);
    }
    std::size_t buffered() const noexcept {
        return std::visit([](auto const& decoder) { return decoder.buffered(); }, decoder_);
    }

   private:
    template <class F>
    decltype(auto) visit(F&& function) {
        return std::visit(std::forward<F>(function), decoder_);
    }

    std::variant<A, B> decoder_;
};

}  // namespace hubbub::inline v0
