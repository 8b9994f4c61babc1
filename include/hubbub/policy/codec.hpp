#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <string_view>

#include <hubbub/core/position.hpp>
#include <hubbub/policy/presence.hpp>
#include <hubbub/ws/frame.hpp>

namespace hubbub::inline v0 {

/// What is known of a publication once it has its place.
struct PublicationInfo {
    std::string_view topic;  ///< borrowed
    Position position;
    bool remembered;  ///< the topic has a history, so that a client can come back with this position
};

/// How the hub itself speaks to clients.
///
/// Exemplar:
///     struct CodecExemplar {
///         std::optional<hubbub::Frame> gap_notice(std::uint64_t missed) const;
///         hubbub::Frame publication(hubbub::PublicationInfo const&, hubbub::MessageView) const;     // may be left out
///         std::optional<hubbub::Frame> presence(hubbub::PresenceChange const&) const;                   // may be left out
///     };
///
/// Required behaviour:
/// - `gap_notice` is what a session is sent, once it keeps up again, after `missed` messages were dropped for its slowness; nothing,
///   if clients are not told. Called on the session's loop.
/// - `publication` is what subscribers of a topic are sent instead of what was published: once for each publication, on the loop of
///   the topic's owner; who gets it from the history is sent the same. Not called for what is for all, a user or a label. What comes out
///   too long for a session's queue is published to nobody, with the event `publication_too_big`. Without it they are sent what was
///   published.
/// - `presence` is what subscribers are sent when others have come or gone; nothing, if they are not told. On the loop of the topic's
///   owner. It has no place in the topic's order, and is not remembered.
///
/// Models: SilentCodec.
template <class T>
concept Codec = std::copy_constructible<T> && requires(T const& codec, std::uint64_t missed) {
    { codec.gap_notice(missed) } -> std::same_as<std::optional<Frame>>;
};

template <class T>
concept PublicationCodec = requires(T const& codec, PublicationInfo const& info, MessageView message) {
    { codec.publication(info, message) } -> std::same_as<Frame>;
};

template <class T>
concept PresenceCodec = requires(T const& codec, PresenceChange const& change) {
    { codec.presence(change) } -> std::same_as<std::optional<Frame>>;
};

/// Sends what the application sends and nothing else.
struct SilentCodec {
    std::optional<Frame> gap_notice(std::uint64_t) const { return std::nullopt; }
};
static_assert(Codec<SilentCodec>);

}  // namespace hubbub::inline v0
