#pragma once

#include <concepts>
#include <optional>
#include <string_view>

#include <hubbub/core/position.hpp>
#include <hubbub/ws/message_view.hpp>

namespace hubbub::inline v0 {

/// Gives the publications of a topic their order, here or in a broker. It exists so that several processes can be one hub.
///
/// Exemplar:
///     struct BackplaneExemplar {
///         std::optional<hubbub::Position> sequence(std::string_view topic, hubbub::Position last, hubbub::MessageView);
///         void interest(std::string_view topic, bool wanted);
///     };
///
/// Required behaviour:
/// - Called on the loop of the topic's owner shard; each shard has an instance of its own.
/// - `sequence` answers with the position at once, and the publication is delivered; or with nothing, and the publication comes
///   back later, with the position that the broker gave it, through the hub's own publishing of sequenced messages.
/// - `interest` says whether somebody of this process is subscribed.
///
/// Models: LocalBackplane.
template <class T>
concept Backplane =
    std::copy_constructible<T> && requires(T& backplane, std::string_view topic, Position last, MessageView message) {
        { backplane.sequence(topic, last, message) } -> std::same_as<std::optional<Position>>;
        backplane.interest(topic, true);
    };

}  // namespace hubbub::inline v0
