#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <hubbub/core/assert.hpp>
#include <hubbub/http/ascii.hpp>
#include <hubbub/http/request.hpp>
#include <hubbub/http/status.hpp>

namespace hubbub::inline v0::http {

/// A whole answer to a plain request; the connection closes behind it.
///
/// `Content-Length` and `Connection: close` are written for it, `Allow` with 405, `Upgrade` and `Sec-WebSocket-Version` with
/// 426 (RFC 9110 15.5.6, 15.5.22, RFC 6455 4.2.2).
/// Example:
///     http::Response page(http::Status::ok, html, "text/html; charset=utf-8");
class Response {
   public:
    explicit Response(Status status = Status::ok, std::string body = {},
                      std::string_view content_type = "text/plain; charset=utf-8")
        : body_(std::move(body)), status_(status) {
        bool const accepted = set_header("Content-Type", content_type);
        HUBBUB_ASSERT(accepted);
        static_cast<void>(accepted);
    }
    /// The answer to a request that is not served: one short sentence.
    explicit Response(Refusal const& refusal) : Response(refusal.status, line(refusal.reason)) {
        if (!refusal.challenge.empty()) static_cast<void>(set_header("WWW-Authenticate", refusal.challenge));
    }

    /// What a verdict that nobody answers comes to.
    static Response unanswered() { return Response(Refusal{Status::internal_server_error, "internal error", false}); }

    /// Adds or replaces a header. False, and nothing changed: the name is no token, the value has a control character (CR,
    /// LF and NUL among them), or the header is one of those that frame the answer.
    [[nodiscard]] bool set_header(std::string_view name, std::string_view value);

    /// When to come again, with 429 and 503.
    void retry_after(std::chrono::seconds seconds) {
        static_cast<void>(set_header("Retry-After", std::to_string(seconds.count())));
    }

    Status status() const noexcept { return status_; }
    std::string const& body() const noexcept { return body_; }
    /// Empty if there is no such header.
    std::string_view header(std::string_view name) const noexcept;

    /// As it goes to the socket. The answer to a HEAD has the headers of the answer to a GET, and no body.
    std::string to_bytes(bool to_head = false) const;

   private:
    static std::string line(std::string_view text) {
        std::string result;
        result.reserve(text.size() + 1);
        return result.append(text).append(1, '\n');
    }

    std::vector<std::pair<std::string, std::string>> headers_;
    std::string body_;
    Status status_;
};

inline bool Response::set_header(std::string_view name, std::string_view value) {
    for (std::string_view const framing : {"Content-Length", "Connection", "Transfer-Encoding"}) {
        if (equals_ignoring_case(name, framing)) return false;
    }
    if (!is_token(name) || !is_field_value(value)) return false;
    for (auto& [known, old] : headers_) {
        if (equals_ignoring_case(known, name)) return old.assign(value), true;
    }
    headers_.emplace_back(name, value);
    return true;
}

inline std::string_view Response::header(std::string_view name) const noexcept {
    for (auto const& [known, value] : headers_) {
        if (equals_ignoring_case(known, name)) return value;
    }
    return {};
}

inline std::string Response::to_bytes(bool to_head) const {
    bool const bodiless = has_no_body(status_);
    std::string out;
    out.reserve(192 + body_.size());
    out.append("HTTP/1.1 ").append(std::to_string(static_cast<unsigned>(status_))).append(" ");
    out.append(reason_phrase(status_)).append("\r\n");
    for (auto const& [name, value] : headers_) {
        if (bodiless && name == "Content-Type") continue;
        out.append(name).append(": ").append(value).append("\r\n");
    }
    if (status_ == Status::method_not_allowed && header("Allow").empty()) out.append("Allow: GET, HEAD\r\n");
    if (status_ == Status::upgrade_required) {
        if (header("Upgrade").empty()) out.append("Upgrade: websocket\r\n");
        if (header("Sec-WebSocket-Version").empty()) out.append("Sec-WebSocket-Version: 13\r\n");
    }
    if (!bodiless) out.append("Content-Length: ").append(std::to_string(body_.size())).append("\r\n");
    // RFC 9110 7.8: who sends Upgrade names it in Connection too.
    out.append(status_ == Status::upgrade_required ? "Connection: close, Upgrade\r\n\r\n" : "Connection: close\r\n\r\n");
    if (!bodiless && !to_head) out.append(body_);
    return out;
}

}  // namespace hubbub::inline v0::http
