#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

#include <hubbub/core/assert.hpp>
#include <hubbub/json/envelope.hpp>

namespace hubbub::inline v0::json {

/// How a router reads and answers.
struct RouterOptions {
    /// Levels of arrays and objects in a message, its own object included. What is read and written again goes through recursion,
    /// so this bounds the stack too.
    std::size_t deepest = 32;
    /// The time in its errors.
    std::chrono::system_clock::time_point (*now)() = [] { return std::chrono::system_clock::now(); };
};

/// The handler of one type of messages. T is void for one that needs no data.
template <class T, class F>
struct Route {
    std::string_view type;
    F handler;
};

/// Gives each message to the handler of its `type`, with its `data` read into the type that the handler wants. What cannot be
/// handled is answered with one message of type `error`, which names what is wrong.
///
/// Use it as `json::Router`, which reads with nlohmann_json.
/// Threading: it never changes, so any number of threads may share one.
/// Errors: none for what a client sends. What a handler throws passes, and the hub closes the session with 1011.
/// Cost: one parse for each message; routes are compared one after the other.
/// Example:
///     auto const router = hubbub::json::Router{}.on<ChatMessage>("chat", [](auto& session, ChatMessage const& chat) { … });
///     void on_message(auto& session, hubbub::MessageView message) { router(session, message); }
template <Library L, class... Routes>
class BasicRouter {
   public:
    constexpr BasicRouter()
        requires(sizeof...(Routes) == 0)
    = default;
    constexpr explicit BasicRouter(RouterOptions options)
        requires(sizeof...(Routes) == 0)
        : options_(options) {}

    /// This router and one more route: messages of `type` are read into a T and given to `handler(session, T const&)`, or
    /// `handler(session, T const&, extra...)` with what the router was called with; where T is left out, to `handler(session)`
    /// or `handler(session, extra...)`. Of two routes for one type the second would never be called: that is a broken
    /// precondition.
    /// Lifetime: the router keeps `type` as a view; give it a literal.
    template <class T = void, class F>
    [[nodiscard]] constexpr auto on(std::string_view type, F handler) && {
        if constexpr (!std::is_void_v<T>) {
            static_assert(
                is_readable<L, T>,
                "hubbub: json::Router::on<T> needs a T that can be read: NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(T, members...)");
        }
        HUBBUB_ASSERT(!has(type));
        return std::apply(
            [&](auto&... routes) {
                return BasicRouter<L, Routes..., Route<T, F>>(
                    options_, std::tuple<Routes..., Route<T, F>>(std::move(routes)..., Route<T, F>{type, std::move(handler)}));
            },
            routes_);
    }
    template <class T = void, class F>
    [[nodiscard]] constexpr auto on(std::string_view type, F handler) const& {
        return BasicRouter(*this).template on<T>(type, std::move(handler));
    }

    /// A handler has this name.
    constexpr bool has(std::string_view type) const {
        return std::apply([&](auto const&... routes) { return ((routes.type == type) || ...); }, routes_);
    }

    /// Handles a message, or answers `session.send(std::string_view)` with an error. The session may be any type that has that.
    /// What happened is returned for who counts it, or closes the session of a client that errs too often.
    template <class Session, class... Extra>
    Outcome operator()(Session& session, MessageView message, Extra&&... extra) const {
        Envelope<L> envelope;
        std::optional<Problem> problem = envelope.open(message, options_.deepest);
        auto const now = options_.now;
        if (!problem) {
            // A handler may destroy the hub, and this router with it: behind it only what is on the stack is touched.
            bool const is_known = std::apply(
                [&](auto const&... routes) {
                    return ((routes.type == envelope.type && (problem = call(routes, envelope, session, extra...), true)) ||
                            ...);
                },
                routes_);
            if (!is_known) problem = unknown_type(envelope.type);
        }
        if (!problem) return Outcome::handled;
        session.send(std::string_view(write_error<L>(*problem, {.from = {}, .time = now()})));
        return problem->code;
    }

   private:
    template <Library, class...>
    friend class BasicRouter;

    constexpr BasicRouter(RouterOptions options, std::tuple<Routes...>&& routes)
        : options_(options), routes_(std::move(routes)) {}

    static Problem unknown_type(std::string_view type) {
        return {Outcome::unknown_type, "there is no message of type \"" + excerpt(type) + '"', "type"};
    }

    template <class T, class F, class Session, class... Extra>
    static std::optional<Problem> call(Route<T, F> const& route, Envelope<L>& envelope, Session& session, Extra&... extra) {
        if constexpr (std::is_void_v<T>) {
            invoke(route.handler, std::forward_as_tuple(session), extra...);
        } else {
            if (!envelope.data) return missing_member("data");
            auto reading = L::template read<T>(*envelope.data, "data");
            if (auto* problem = std::get_if<1>(&reading)) return std::move(*problem);
            invoke(route.handler, std::forward_as_tuple(session, std::move(*std::get_if<0>(&reading))), extra...);
        }
        return std::nullopt;
    }

    /// With the extra arguments if the handler takes them, else without.
    template <class F, class... Own, class... Extra>
    static void invoke(F const& handler, std::tuple<Own...>&& own, Extra&... extra) {
        constexpr bool takes_extra = std::is_invocable_v<F const&, Own..., Extra&...>;
        static_assert(
            takes_extra || std::is_invocable_v<F const&, Own...>,
            "hubbub: a handler of json::Router takes (session, T const&) or (session, T const&, extra...), and without "
            "a T (session) or (session, extra...); it must be callable as const");
        std::apply(
            [&](Own&&... each) {
                if constexpr (takes_extra)
                    handler(std::forward<Own>(each)..., extra...);
                else
                    handler(std::forward<Own>(each)...);
            },
            std::move(own));
    }

    RouterOptions options_;
    std::tuple<Routes...> routes_;
};

}  // namespace hubbub::inline v0::json
