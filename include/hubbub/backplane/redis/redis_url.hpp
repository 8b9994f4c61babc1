#pragma once

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace hubbub::inline v0::detail {

/// Where a Redis is, and as whom one speaks to it.
///
///     redis://[user[:password]@]host[:port][/db]         rediss:// the same with TLS
///     unix:///path[?db=n&user=…&password=…]
///     sentinel://[user[:password]@]host[:port],…/master[/db]       user and password are those of the Redis, not of the sentinels
///     redis-cluster://[user[:password]@]host[:port],…              ?tls=true with these two
///
/// One word before the '@' is a password, not a user, as `requirepass` wants it. "%xx" is a byte in user, password, path and master.
/// Errors: a sentence of `parse` that contains nothing of the URL but the name of a part.
struct RedisUrl {
    enum class Kind : std::uint8_t { tcp, local, sentinel, cluster };
    struct Place {
        std::string host;
        std::uint16_t port = 0;
        bool operator==(Place const&) const = default;
        std::string text() const {
            if (port == 0) return host;
            return (host.find(':') == std::string::npos ? host : '[' + host + ']') + ':' + std::to_string(port);
        }
    };

    Kind kind = Kind::tcp;
    bool tls = false;
    std::string user, password;
    std::vector<Place> places;  ///< of a local one: its path, and no port
    std::string master;         ///< the name that the sentinels know it by
    std::uint32_t database = 0;

    /// The sentence that says what is wrong, or nothing.
    std::string_view parse(std::string_view text);

   private:
    static bool decode(std::string_view from, std::string& to) {
        to.clear();
        for (std::size_t i = 0; i < from.size(); ++i) {
            if (from[i] != '%') {
                to += from[i];
                continue;
            }
            unsigned byte = 0;
            if (i + 3 > from.size()) return false;
            auto const [end, error] = std::from_chars(from.data() + i + 1, from.data() + i + 3, byte, 16);
            if (error != std::errc{} || end != from.data() + i + 3) return false;
            to += static_cast<char>(static_cast<unsigned char>(byte));
            i += 2;
        }
        return true;
    }
    template <class Number>
    static bool number(std::string_view from, Number& to) {
        auto const [end, error] = std::from_chars(from.data(), from.data() + from.size(), to);
        return error == std::errc{} && end == from.data() + from.size();
    }
    /// What is before `mark`, which `text` loses together with the mark; all of it if there is none.
    static std::string_view cut(std::string_view& text, char mark) {
        std::size_t const at = text.find(mark);
        std::string_view const head = text.substr(0, at);
        text = at == std::string_view::npos ? std::string_view{} : text.substr(at + 1);
        return head;
    }
    std::string_view parse_scheme(std::string_view scheme);
    std::string_view parse_query(std::string_view query);
    std::string_view parse_user(std::string_view text);
    std::string_view parse_places(std::string_view text);
};

inline std::string_view RedisUrl::parse_scheme(std::string_view scheme) {
    if (scheme == "redis") return {};
    if (scheme == "rediss")
        tls = true;
    else if (scheme == "unix")
        kind = Kind::local;
    else if (scheme == "sentinel")
        kind = Kind::sentinel;
    else if (scheme == "redis-cluster")
        kind = Kind::cluster;
    else
        return "begins with none of redis://, rediss://, unix://, sentinel:// and redis-cluster://";
    return {};
}

inline std::string_view RedisUrl::parse_query(std::string_view query) {
    while (!query.empty()) {
        std::string_view value = cut(query, '&');
        std::string_view const name = cut(value, '=');
        if (name == "db") {
            if (!number(value, database)) return "has a db that is not a number";
        } else if (name == "user") {
            if (!decode(value, user)) return "has a user with a bad %";
        } else if (name == "password") {
            if (!decode(value, password)) return "has a password with a bad %";
        } else if (name == "tls" && kind != Kind::local) {
            if (value != "true" && value != "false") return "has a tls that is neither true nor false";
            tls = value == "true";
        } else {
            return "has a parameter that is not known";
        }
    }
    return {};
}

inline std::string_view RedisUrl::parse_user(std::string_view text) {
    bool const has_both = text.find(':') != std::string_view::npos;
    std::string_view const first = cut(text, ':');
    if (has_both && !decode(first, user)) return "has a user with a bad %";
    if (!decode(has_both ? text : first, password)) return "has a password with a bad %";
    return {};
}

inline std::string_view RedisUrl::parse_places(std::string_view text) {
    if (text.ends_with(',')) return "has no host";
    do {
        std::string_view one = cut(text, ',');
        Place place{{}, static_cast<std::uint16_t>(kind == Kind::sentinel ? 26379 : 6379)};
        if (one.starts_with('[')) {
            one.remove_prefix(1);
            if (one.find(']') == std::string_view::npos) return "has a '[' without a ']'";
            place.host = cut(one, ']');
            if (!one.empty() && !one.starts_with(':')) return "has something behind a ']'";
        } else {
            place.host = one.substr(0, one.find(':'));
            one.remove_prefix(place.host.size());
        }
        if (!one.empty() && (!number(one.substr(1), place.port) || place.port == 0)) return "has a port that is none";
        if (place.host.empty()) return "has no host";
        places.push_back(std::move(place));
    } while (!text.empty());
    return {};
}

inline std::string_view RedisUrl::parse(std::string_view text) {
    *this = {};
    std::size_t const scheme_end = text.find("://");
    if (auto const wrong = parse_scheme(text.substr(0, scheme_end)); !wrong.empty() || scheme_end == std::string_view::npos)
        return wrong.empty() ? "has no \"://\"" : wrong;
    text.remove_prefix(scheme_end + 3);
    std::string_view main = cut(text, '?');
    if (auto const wrong = parse_query(text); !wrong.empty()) return wrong;
    if (kind == Kind::local) {
        std::string path;
        if (!decode(main, path)) return "has a path with a bad %";
        if (!path.starts_with('/')) return "has no path: unix:///path";
        if (path.size() > 107) return "has a path that is longer than that of a socket may be";
        places.push_back({std::move(path), 0});
        return {};
    }
    // A password may contain what comes behind it: the last '@' ends it.
    if (std::size_t const at = main.rfind('@'); at != std::string_view::npos) {
        if (auto const wrong = parse_user(main.substr(0, at)); !wrong.empty()) return wrong;
        main.remove_prefix(at + 1);
    }
    std::string_view const hosts = cut(main, '/');
    if (auto const wrong = parse_places(hosts); !wrong.empty()) return wrong;
    if (kind == Kind::tcp && places.size() > 1) return "has several hosts, which only sentinel:// and redis-cluster:// have";
    if (kind == Kind::sentinel) {
        if (!decode(cut(main, '/'), master)) return "has a master with a bad %";
        if (master.empty()) return "has no name of a master: sentinel://host/name";
    }
    if (main.empty()) return {};
    if (kind == Kind::cluster) return "has a database, of which a cluster has only one";
    return number(main, database) ? std::string_view{} : "has a database that is not a number";
}

}  // namespace hubbub::inline v0::detail
