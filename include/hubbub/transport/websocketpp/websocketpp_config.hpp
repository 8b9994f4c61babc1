#pragma once

#include <cstddef>
#include <cstdint>

#include <websocketpp/common/cpp11.hpp>

#include <websocketpp/concurrency/none.hpp>
#include <websocketpp/connection_base.hpp>
#include <websocketpp/endpoint_base.hpp>
#include <websocketpp/extensions/permessage_deflate/disabled.hpp>
#include <websocketpp/http/request.hpp>
#include <websocketpp/http/response.hpp>
#include <websocketpp/logger/levels.hpp>
#include <websocketpp/logger/stub.hpp>
#include <websocketpp/message_buffer/alloc.hpp>
#include <websocketpp/message_buffer/message.hpp>
#include <websocketpp/random/none.hpp>
#include <websocketpp/transport/iostream/endpoint.hpp>

namespace hubbub::inline v0 {

/// What websocketpp is made of where it runs inside a hub: no lock and no log, since a connection has one thread; no extension,
/// since its permessage-deflate inflates without a bound; no timer, since time is the hub's.
struct WebsocketppConfig {
    using type = WebsocketppConfig;
    using concurrency_type = websocketpp::concurrency::none;
    using request_type = websocketpp::http::parser::request;
    using response_type = websocketpp::http::parser::response;
    using message_type = websocketpp::message_buffer::message<websocketpp::message_buffer::alloc::con_msg_manager>;
    using con_msg_manager_type = websocketpp::message_buffer::alloc::con_msg_manager<message_type>;
    using endpoint_msg_manager_type = websocketpp::message_buffer::alloc::endpoint_msg_manager<con_msg_manager_type>;
    using elog_type = websocketpp::log::stub;
    using alog_type = websocketpp::log::stub;
    using rng_type = websocketpp::random::none::int_generator<std::uint32_t>;

    struct transport_config {
        using concurrency_type = type::concurrency_type;
        using elog_type = type::elog_type;
        using alog_type = type::alog_type;
        using request_type = type::request_type;
        using response_type = type::response_type;
        static constexpr bool enable_multithreading = false;
    };
    using transport_type = websocketpp::transport::iostream::endpoint<transport_config>;
    using endpoint_base = websocketpp::endpoint_base;
    using connection_base = websocketpp::connection_base;

    static constexpr bool enable_multithreading = false;
    static constexpr long timeout_open_handshake = 0;
    static constexpr long timeout_close_handshake = 0;
    static constexpr long timeout_pong = 0;
    static constexpr int client_version = 13;
    static constexpr websocketpp::log::level elog_level = websocketpp::log::elevel::none;
    static constexpr websocketpp::log::level alog_level = websocketpp::log::alevel::none;
    /// A member of each connection. Longer messages come in pieces of this size.
    static constexpr std::size_t connection_read_buffer_size = 1024;
    static constexpr bool drop_on_protocol_error = false;
    static constexpr bool silent_close = false;
    static constexpr std::size_t max_message_size = 64 * 1024;
    static constexpr std::size_t max_http_body_size = 0;
    static constexpr bool enable_extensions = false;

    struct permessage_deflate_config {
        using request_type = type::request_type;
        static constexpr bool allow_disabling_context_takeover = true;
        static constexpr std::uint8_t minimum_outgoing_window_bits = 8;
    };
    using permessage_deflate_type = websocketpp::extensions::permessage_deflate::disabled<permessage_deflate_config>;
};

}  // namespace hubbub::inline v0
