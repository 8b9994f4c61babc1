#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <hubbub/http/ascii.hpp>
#include <hubbub/http/client_certificate.hpp>

namespace hubbub::inline v0::http {

/// One header line. The value has no spaces around it.
struct Header {
    std::string_view name;
    std::string_view value;
};

/// A request without a body that RequestParser accepted: GET or HEAD, HTTP/1.1, one well-formed Host.
///
/// Lifetime: owns its bytes; every view that it gives is valid as long as they live. Moving it moves them along.
/// Cost: two allocations.
class Request {
   public:
    class Iterator;
    struct Headers;

    std::string_view method() const noexcept { return view(0, method_size_); }
    bool is_head() const noexcept { return method_size_ == 4; }
    /// As it came: `/path?query`, or with scheme and authority in front (RFC 9112 3.2).
    std::string_view target() const noexcept { return view(target_.begin, target_.size); }
    /// Begins with a slash; not percent-decoded.
    std::string_view path() const noexcept { return path_.size == 0 ? std::string_view("/") : view(path_.begin, path_.size); }
    /// Behind the question mark; empty if there is none.
    std::string_view query() const noexcept { return view(query_.begin, query_.size); }
    std::string_view version() const noexcept { return "HTTP/1.1"; }
    /// `host[:port]` that the client means: of an absolute target, else of Host (RFC 9112 3.3).
    std::string_view host() const noexcept { return view(host_.begin, host_.size); }

    /// The value of the first header of that name.
    std::optional<std::string_view> header(std::string_view name) const noexcept;
    /// How many lines have that name.
    std::size_t count(std::string_view name) const noexcept;
    /// All header lines, in their order: `for (http::Header const header : request.headers())`.
    Headers headers() const noexcept;
    /// The list in the headers of that name has this element, whole; case is ignored.
    bool has_token(std::string_view name, std::string_view token) const noexcept;
    /// The value of the first cookie of that name, as it came (RFC 6265 4.2).
    std::optional<std::string_view> cookie(std::string_view name) const noexcept;
    /// Bytes of memory that it holds beyond its own size.
    std::size_t memory() const noexcept { return bytes_.capacity() + lines_.capacity() * sizeof(Line); }
    /// Overwrites the value of each query parameter of that name with asterisks: a secret that nobody is to see any more.
    void hide_parameter(std::string_view name) noexcept;

    /// What the client has shown of itself with TLS; null if it was not asked, or has none. The connection knows it.
    ClientCertificate const* certificate() const noexcept { return certificate_.get(); }
    void set_certificate(std::shared_ptr<ClientCertificate const> shown) noexcept { certificate_ = std::move(shown); }

   private:
    friend class RequestParser;

    struct Range {
        std::uint16_t begin = 0;
        std::uint16_t size = 0;
    };
    struct Line {
        Range name;
        Range value;
    };

    std::string_view view(std::size_t begin, std::size_t size) const noexcept { return {bytes_.data() + begin, size}; }
    Header at(Line const& line) const noexcept {
        return {view(line.name.begin, line.name.size), view(line.value.begin, line.value.size)};
    }

    std::string bytes_;
    std::vector<Line> lines_;
    std::shared_ptr<ClientCertificate const> certificate_;
    Range target_;
    Range path_;
    Range query_;
    Range host_;
    std::uint16_t method_size_ = 0;
};

class Request::Iterator {
   public:
    using iterator_category = std::input_iterator_tag;
    using value_type = Header;
    using difference_type = std::ptrdiff_t;
    using pointer = void;
    using reference = Header;

    Iterator() noexcept = default;
    Iterator(Request const& request, Line const* line) noexcept : request_(&request), line_(line) {}
    Header operator*() const noexcept { return request_->at(*line_); }
    Iterator& operator++() noexcept {
        ++line_;
        return *this;
    }
    Iterator operator++(int) noexcept {
        Iterator const before = *this;
        ++line_;
        return before;
    }
    bool operator==(Iterator const& other) const noexcept { return line_ == other.line_; }

   private:
    Request const* request_ = nullptr;
    Line const* line_ = nullptr;
};

struct Request::Headers {
    Iterator first;
    Iterator last;
    std::size_t count;

    Iterator begin() const noexcept { return first; }
    Iterator end() const noexcept { return last; }
    std::size_t size() const noexcept { return count; }
};

inline Request::Headers Request::headers() const noexcept {
    return {Iterator(*this, lines_.data()), Iterator(*this, lines_.data() + lines_.size()), lines_.size()};
}

inline std::optional<std::string_view> Request::header(std::string_view name) const noexcept {
    for (Line const& line : lines_) {
        if (line.name.size == name.size() && equals_ignoring_case(at(line).name, name)) return at(line).value;
    }
    return std::nullopt;
}

inline std::size_t Request::count(std::string_view name) const noexcept {
    std::size_t found = 0;
    for (Line const& line : lines_) found += equals_ignoring_case(at(line).name, name) ? 1 : 0;
    return found;
}

inline bool Request::has_token(std::string_view name, std::string_view token) const noexcept {
    for (Header const header : headers()) {
        if (!equals_ignoring_case(header.name, name)) continue;
        if (!visit_list(header.value, [token](std::string_view element) { return !equals_ignoring_case(element, token); })) {
            return true;
        }
    }
    return false;
}

inline std::optional<std::string_view> Request::cookie(std::string_view name) const noexcept {
    for (Header const header : headers()) {
        if (!equals_ignoring_case(header.name, "Cookie")) continue;
        std::string_view rest = header.value;
        while (!rest.empty()) {
            std::size_t const semicolon = rest.find(';');
            std::string_view const pair = trim(rest.substr(0, semicolon));
            std::size_t const equals = pair.find('=');
            if (equals != std::string_view::npos && trim(pair.substr(0, equals)) == name) return trim(pair.substr(equals + 1));
            if (semicolon == std::string_view::npos) break;
            rest.remove_prefix(semicolon + 1);
        }
    }
    return std::nullopt;
}

/// Calls `visit(name, value)` for each `name=value` of a query, as they came, until it answers false.
template <class Visit>
constexpr void visit_parameters(std::string_view query, Visit&& visit) {
    while (!query.empty()) {
        std::size_t const ampersand = query.find('&');
        std::string_view const pair = query.substr(0, ampersand);
        std::size_t const equals = pair.find('=');
        if (equals != std::string_view::npos && !visit(pair.substr(0, equals), pair.substr(equals + 1))) return;
        if (ampersand == std::string_view::npos) return;
        query.remove_prefix(ampersand + 1);
    }
}

inline void Request::hide_parameter(std::string_view name) noexcept {
    visit_parameters(query(), [&](std::string_view each, std::string_view value) {
        if (each == name) std::fill_n(bytes_.begin() + (value.data() - bytes_.data()), value.size(), '*');
        return true;
    });
}

}  // namespace hubbub::inline v0::http
