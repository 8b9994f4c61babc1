#pragma once

#include <string_view>

#include <hubbub/json/basic_router.hpp>
#include <hubbub/json/nlohmann.hpp>
#include <hubbub/ws/frame.hpp>

namespace hubbub::inline v0::json {

/// A router that reads with nlohmann_json. See BasicRouter.
using Router = BasicRouter<Nlohmann>;

/// A message to send or to publish: `{"type": …, "data": …, "from": …, "time": …}`.
///
/// Errors: none; what is not UTF-8 in a string is replaced with U+FFFD, and a number that JSON has not (infinity) with null.
/// Example: `session.publish(room, json::message("chat", chat, {.from = session.identity().user}));`
template <class T>
Frame message(std::string_view type, T const& data, MessageOptions const& options = {}) {
    static_assert(Nlohmann::is_writable<T>,
                  "hubbub: json::message needs data that can be written: NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(T, members...)");
    return Frame::text(write_message<Nlohmann>(type, data, options));
}

/// The same error that a router sends, for what a handler itself does not accept.
inline Frame error(Problem const& problem, MessageOptions const& options = {}) {
    return Frame::text(write_error<Nlohmann>(problem, options));
}

}  // namespace hubbub::inline v0::json
