#pragma once

#include <cstdint>
#include <string_view>

namespace hubbub::inline v0::http {

/// The answers that a hub and its plain routes give (RFC 9110 15, RFC 6585).
enum class Status : std::uint16_t {
    switching_protocols = 101,
    ok = 200,
    no_content = 204,
    moved_permanently = 301,
    found = 302,
    not_modified = 304,
    bad_request = 400,
    unauthorized = 401,
    forbidden = 403,
    not_found = 404,
    method_not_allowed = 405,
    request_timeout = 408,
    conflict = 409,
    content_too_large = 413,
    uri_too_long = 414,
    upgrade_required = 426,
    too_many_requests = 429,
    request_header_fields_too_large = 431,
    internal_server_error = 500,
    bad_gateway = 502,
    service_unavailable = 503,
    gateway_timeout = 504,
    http_version_not_supported = 505,
};

/// What stands behind the number in the status line.
constexpr std::string_view reason_phrase(Status status) noexcept {
    switch (status) {
        case Status::switching_protocols: return "Switching Protocols";
        case Status::ok: return "OK";
        case Status::no_content: return "No Content";
        case Status::moved_permanently: return "Moved Permanently";
        case Status::found: return "Found";
        case Status::not_modified: return "Not Modified";
        case Status::bad_request: return "Bad Request";
        case Status::unauthorized: return "Unauthorized";
        case Status::forbidden: return "Forbidden";
        case Status::not_found: return "Not Found";
        case Status::method_not_allowed: return "Method Not Allowed";
        case Status::request_timeout: return "Request Timeout";
        case Status::conflict: return "Conflict";
        case Status::content_too_large: return "Content Too Large";
        case Status::uri_too_long: return "URI Too Long";
        case Status::upgrade_required: return "Upgrade Required";
        case Status::too_many_requests: return "Too Many Requests";
        case Status::request_header_fields_too_large: return "Request Header Fields Too Large";
        case Status::internal_server_error: return "Internal Server Error";
        case Status::bad_gateway: return "Bad Gateway";
        case Status::service_unavailable: return "Service Unavailable";
        case Status::gateway_timeout: return "Gateway Timeout";
        case Status::http_version_not_supported: return "HTTP Version Not Supported";
    }
    return "Unknown";
}

/// An answer of this status has no body (RFC 9110 6.4.1).
constexpr bool has_no_body(Status status) noexcept {
    return static_cast<unsigned>(status) < 200 || status == Status::no_content || status == Status::not_modified;
}

/// Why a request is not served, before any handler saw it.
///
/// Lifetime: `reason` is one fixed sentence; nothing of the request is in it. Both texts are borrowed until it is a Response.
struct Refusal {
    Status status = Status::bad_request;
    std::string_view reason;
    bool to_head = false;          ///< the request was a HEAD: the answer has no body
    std::string_view challenge{};  ///< the `WWW-Authenticate` of a 401 or 403; empty for none
};

}  // namespace hubbub::inline v0::http
