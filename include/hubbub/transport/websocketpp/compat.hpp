#pragma once

// Makes websocketpp 0.8.2 compile as C++20 with g++ 11 to 13. Include it before the headers of websocketpp; the headers of this
// folder that need it do so themselves. With another compiler, an older standard or g++ 14 it does nothing.
//
// What these versions of g++ refuse: constructors and destructors whose name repeats the template's parameters, as in
// `~server<config>() {}` (C++20, [diff.cpp17.class]; g++ 14 only warns, and not in system headers). 0.8.2 has them in three headers:
// - endpoint.hpp and roles/server_endpoint.hpp have one destructor each. There the name of the class, on the line of its destructor,
//   is a macro for `name() {} explicit operator Swallowed`, so that `<config>() {}` ends a conversion that nobody asks for.
// - logger/basic.hpp has nothing else, so that log::basic is written anew below, with the same members in the same order.
// (logger/syslog.hpp has them too, and stays refused.) All macros are undefined at the end.
//
// A program that is mixed of objects with C++17 and with C++20 links and runs, as types have the same layout and functions do the
// same. Formally two definitions that are not the same words break the one-definition rule.

#if defined(ASIO_STANDALONE) && defined(__has_include)
#if __has_include(<asio/io_context.hpp>) && !__has_include(<asio/io_service.hpp>)
#error "hubbub: websocketpp's server needs an Asio that still has io_service (before 1.33): this one has lost it"
#endif
#endif

#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ >= 11 && __GNUC__ <= 13 && __cplusplus > 201703L

#if defined(WEBSOCKETPP_ENDPOINT_HPP) || defined(WEBSOCKETPP_SERVER_ENDPOINT_HPP) || defined(WEBSOCKETPP_LOGGER_BASIC_HPP)
#error "hubbub: include <hubbub/transport/websocketpp/compat.hpp> before websocketpp's headers"
#else

#include <ctime>
#include <iomanip>
#include <iostream>
#include <ostream>
#include <string>

#include <websocketpp/common/cpp11.hpp>
#include <websocketpp/common/system_error.hpp>
#include <websocketpp/common/time.hpp>
#include <websocketpp/connection.hpp>
#include <websocketpp/logger/levels.hpp>
#include <websocketpp/version.hpp>

static_assert(websocketpp::major_version == 0 && websocketpp::minor_version == 8 && websocketpp::patch_version == 2,
              "hubbub: compat.hpp is for websocketpp 0.8.2; another version may need nothing of it, or something else");

namespace hubbub::inline v0::detail {

/// What nobody converts an endpoint to.
template <class...>
struct Swallowed {};

}  // namespace hubbub::inline v0::detail

#define WEBSOCKETPP_LOGGER_BASIC_HPP

namespace websocketpp::log {

/// The logger of config::core: lines with a time and a channel, to a stream.
template <typename concurrency, typename names>
class basic {
   public:
    basic(channel_type_hint::value hint = channel_type_hint::access) : basic(level{0xffffffff}, hint) {}
    basic(std::ostream* out) : basic(level{0xffffffff}, out) {}
    basic(level channels, channel_type_hint::value hint = channel_type_hint::access)
        : basic(channels, hint == channel_type_hint::error ? &std::cerr : &std::cout) {}
    basic(level channels, std::ostream* out) : possible_(channels), wanted_(0), out_(out) {}
    basic(basic const& other) : possible_(other.possible_), wanted_(other.wanted_), out_(other.out_) {}
    basic& operator=(basic const&) = delete;

    void set_ostream(std::ostream* out = &std::cout) { out_ = out; }
    void set_channels(level channels) {
        if (channels == names::none) return clear_channels(names::all);
        scoped_lock_type const lock(m_lock);
        wanted_ |= channels & possible_;
    }
    void clear_channels(level channels) {
        scoped_lock_type const lock(m_lock);
        wanted_ &= ~channels;
    }

    void write(level channel, std::string const& text) { write(channel, text.c_str()); }
    void write(level channel, char const* text) {
        scoped_lock_type const lock(m_lock);
        if (!dynamic_test(channel)) return;
        std::tm const now = lib::localtime(std::time(nullptr));
        *out_ << '[' << std::put_time(&now, "%Y-%m-%d %H:%M:%S") << "] [" << names::channel_name(channel) << "] " << text
              << '\n'
              << std::flush;
    }

    constexpr bool static_test(level channel) const { return (channel & possible_) != 0; }
    bool dynamic_test(level channel) { return (channel & wanted_) != 0; }

   protected:
    typedef typename concurrency::scoped_lock_type scoped_lock_type;
    typedef typename concurrency::mutex_type mutex_type;
    mutex_type m_lock;

   private:
    level const possible_;
    level wanted_;
    std::ostream* out_;
};

}  // namespace websocketpp::log

// The second of its arguments; a line that is meant puts one more before the name.
#define HUBBUB_WEBSOCKETPP_SECOND(first, second, ...) second
#define HUBBUB_WEBSOCKETPP_CHOOSE(...) HUBBUB_WEBSOCKETPP_SECOND(__VA_ARGS__, )
#define HUBBUB_WEBSOCKETPP_PASTE(file, line) HUBBUB_WEBSOCKETPP_##file##_##line
#define HUBBUB_WEBSOCKETPP_LINE(file, line) HUBBUB_WEBSOCKETPP_PASTE(file, line)
#define HUBBUB_WEBSOCKETPP_SWALLOW explicit operator ::hubbub::detail::Swallowed

#define HUBBUB_WEBSOCKETPP_ENDPOINT_112 \
    , endpoint() {}                     \
    HUBBUB_WEBSOCKETPP_SWALLOW
#define endpoint HUBBUB_WEBSOCKETPP_CHOOSE(HUBBUB_WEBSOCKETPP_LINE(ENDPOINT, __LINE__), endpoint)
#define WEBSOCKETPP_ENDPOINT_IMPL_HPP  // not with the macro; it comes below
#include <websocketpp/endpoint.hpp>
#undef endpoint
#undef WEBSOCKETPP_ENDPOINT_IMPL_HPP
#include <websocketpp/impl/endpoint_impl.hpp>

// Its other constructors repeat the parameters too: they are left out, and the one for moving is put in beside the destructor.
#define HUBBUB_WEBSOCKETPP_SERVER_75                            \
    , server() {}                                               \
    server(server&& other) : endpoint_type(std::move(other)) {} \
    HUBBUB_WEBSOCKETPP_SWALLOW
#define server HUBBUB_WEBSOCKETPP_CHOOSE(HUBBUB_WEBSOCKETPP_LINE(SERVER, __LINE__), server)
#pragma push_macro("_WEBSOCKETPP_DEFAULT_DELETE_FUNCTIONS_")
#pragma push_macro("_WEBSOCKETPP_MOVE_SEMANTICS_")
#undef _WEBSOCKETPP_DEFAULT_DELETE_FUNCTIONS_
#undef _WEBSOCKETPP_MOVE_SEMANTICS_
#include <websocketpp/roles/server_endpoint.hpp>
#pragma pop_macro("_WEBSOCKETPP_MOVE_SEMANTICS_")
#pragma pop_macro("_WEBSOCKETPP_DEFAULT_DELETE_FUNCTIONS_")
#undef server

#undef HUBBUB_WEBSOCKETPP_SERVER_75
#undef HUBBUB_WEBSOCKETPP_ENDPOINT_112
#undef HUBBUB_WEBSOCKETPP_SWALLOW
#undef HUBBUB_WEBSOCKETPP_LINE
#undef HUBBUB_WEBSOCKETPP_PASTE
#undef HUBBUB_WEBSOCKETPP_CHOOSE
#undef HUBBUB_WEBSOCKETPP_SECOND

#endif
#endif
