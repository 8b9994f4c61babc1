#pragma once

#include <concepts>
#include <span>

#include <hubbub/transport/connection.hpp>
#include <hubbub/ws/message_decoder.hpp>

namespace hubbub::inline v0 {

namespace detail {
/// One sentence for a connection that is wrong, instead of all that the compiler knows about why.
template <class T>
consteval bool check_connection() {
    if constexpr (!requires {
                      typename T::Driver;
                      typename T::Socket;
                  }) {
        static_assert(
            requires {
                typename T::Driver;
                typename T::Socket;
            }, "hubbub: a connection needs the types Driver and Socket: see transport/connection.hpp");
    } else {
        static_assert(
            Driver<typename T::Driver>,
            "hubbub: Connection::Driver needs Options, a constructor from (ShardLoop&, Options const&), and commit()");
        static_assert(std::movable<typename T::Socket>, "hubbub: Connection::Socket must be movable");
        static_assert(std::move_constructible<T> && std::constructible_from<T, typename T::Driver&, typename T::Socket>,
                      "hubbub: a connection must be movable, and made from (Driver&, Socket)");
        static_assert(
            requires(T& connection, std::span<ws::Slice const> slices) {
                { connection.write(slices) } -> std::same_as<WriteResult>;
            }, "hubbub: a connection needs WriteResult write(std::span<ws::Slice const>)");
        static_assert(
            BasicConnection<T>,
            "hubbub: a connection needs pause_reading(), resume_reading(), shutdown(), close(), reset(), Socket detach() "
            "and PeerAddress peer() const");
        static_assert(ByteConnection<T> || MessageConnection<T>,
                      "hubbub: a connection needs start(ByteConnectionOwner&), or start(MessageConnectionOwner&) with "
                      "send_ping(payload) and send_close(code, reason)");
        static_assert(!ByteConnection<T> || ws::MessageDecoder<DecoderOf<T>>,
                      "hubbub: Connection::Decoder must be a ws::MessageDecoder: see ws/message_decoder.hpp");
    }
    return true;
}
}  // namespace detail

/// A connection that a hub can have. What is wrong with one is an error with a sentence, and not the answer no.
template <class T>
concept HubConnection = detail::check_connection<T>();

}  // namespace hubbub::inline v0
