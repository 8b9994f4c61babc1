#pragma once

#include <concepts>
#include <cstdint>
#include <optional>

#include <hubbub/ws/frame.hpp>

namespace hubbub::inline v0 {

/// How the hub itself speaks to clients.
///
/// Exemplar:
///     struct CodecExemplar {
///         std::optional<hubbub::Frame> gap_notice(std::uint64_t missed) const;
///     };
///
/// Required behaviour: `gap_notice` is what a session is sent, once it keeps up again, after `missed` messages were dropped for
/// its slowness; nothing, if clients are not told. Called on the session's loop.
///
/// Models: SilentCodec.
template <class T>
concept Codec = std::copy_constructible<T> && requires(T const& codec, std::uint64_t missed) {
    { codec.gap_notice(missed) } -> std::same_as<std::optional<Frame>>;
};

/// Sends what the application sends and nothing else.
struct SilentCodec {
    std::optional<Frame> gap_notice(std::uint64_t) const { return std::nullopt; }
};
static_assert(Codec<SilentCodec>);

}  // namespace hubbub::inline v0
