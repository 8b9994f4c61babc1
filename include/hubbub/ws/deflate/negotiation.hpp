#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <hubbub/ws/compression_terms.hpp>
#include <hubbub/ws/deflate/deflate_options.hpp>
#include <hubbub/ws/deflate/extension_list.hpp>

namespace hubbub::inline v0::ws {

/// The parameters of one permessage-deflate, as an offer or as an answer (RFC 7692 7.1).
struct DeflateParameters {
    bool server_no_context_takeover = false;
    bool client_no_context_takeover = false;
    std::optional<std::uint8_t> server_max_window_bits;
    std::optional<std::uint8_t> client_max_window_bits;
    bool client_may_be_limited = false;  ///< client_max_window_bits was there, with or without a value

    /// False: this name or value may not stand there, or stood there before.
    bool add(ExtensionList const& list);
    std::string to_string() const;

    bool operator==(DeflateParameters const&) const = default;

   private:
    static bool add_flag(bool& flag, bool has_value) noexcept { return !has_value && !std::exchange(flag, true); }
    /// RFC 7692 7.1.2: a decimal integer from 8 to 15 without leading zeros.
    static std::optional<std::uint8_t> window_bits(std::string_view value) noexcept {
        if (value == "8" || value == "9") return static_cast<std::uint8_t>(value[0] - '0');
        if (value.size() == 2 && value[0] == '1' && value[1] >= '0' && value[1] <= '5')
            return static_cast<std::uint8_t>(10 + value[1] - '0');
        return std::nullopt;
    }
};

inline bool DeflateParameters::add(ExtensionList const& list) {
    std::string_view const name = list.parameter();
    if (name == "server_no_context_takeover") return add_flag(server_no_context_takeover, list.has_value());
    if (name == "client_no_context_takeover") return add_flag(client_no_context_takeover, list.has_value());
    auto const bits = window_bits(list.value());
    if (name == "server_max_window_bits") {
        if (server_max_window_bits || !bits) return false;
        server_max_window_bits = bits;
        return true;
    }
    if (name == "client_max_window_bits") {
        if (std::exchange(client_may_be_limited, true) || (list.has_value() && !bits)) return false;
        client_max_window_bits = bits;
        return true;
    }
    return false;
}

inline std::string DeflateParameters::to_string() const {
    std::string out = "permessage-deflate";
    if (server_no_context_takeover) out += "; server_no_context_takeover";
    if (client_no_context_takeover) out += "; client_no_context_takeover";
    if (server_max_window_bits) out.append("; server_max_window_bits=").append(std::to_string(*server_max_window_bits));
    if (client_may_be_limited) {
        out += "; client_max_window_bits";
        if (client_max_window_bits) out.append("=").append(std::to_string(*client_max_window_bits));
    }
    return out;
}

/// Answers one offer that is valid.
inline ExtensionAnswer accept_deflate(DeflateOptions const& options, DeflateParameters const& offer) {
    auto const limit = [](int ours, std::optional<std::uint8_t> theirs) {
        return std::min(static_cast<std::uint8_t>(ours), theirs.value_or(15));
    };
    DeflateParameters answer;
    CompressionTerms terms{.agreed = true};
    terms.server_window_bits = limit(options.server_window_bits, offer.server_max_window_bits);
    // RFC 7692 7.1.2.1: an offered limit is accepted by repeating it or a lower one; a server may add one of its own.
    if (offer.server_max_window_bits || terms.server_window_bits < 15) answer.server_max_window_bits = terms.server_window_bits;
    terms.server_takeover = options.server_takeover && !offer.server_no_context_takeover;
    answer.server_no_context_takeover = !terms.server_takeover;
    terms.client_takeover = options.client_takeover && !offer.client_no_context_takeover;
    terms.client_window_bits = limit(options.client_window_bits, offer.client_max_window_bits);
    // RFC 7692 7.1.2.2: only a client that says so can be limited. One that can't must not refer back, so that the memory of a
    // session is what the options say.
    if (!offer.client_may_be_limited) {
        terms.client_takeover = terms.client_takeover && options.client_window_bits == 15;
        terms.client_window_bits = 15;
    } else if (terms.client_window_bits < 15) {
        answer.client_may_be_limited = true;
        answer.client_max_window_bits = terms.client_window_bits;
    }
    answer.client_no_context_takeover = !terms.client_takeover;
    return {ExtensionAnswer::Kind::agreed, terms, answer.to_string()};
}

/// Looks through what a client offers, and takes the first permessage-deflate that is valid (RFC 7692 5.1, 7.1). One with an
/// unknown or doubled parameter, or a value that it may not have, is declined; other extensions are.
///
/// Errors: `malformed` where the header is not what RFC 6455 9.1 allows; the handshake has to fail.
inline ExtensionAnswer negotiate_deflate(DeflateOptions const& options, std::span<std::string_view const> lines) {
    ExtensionAnswer answer;
    for (std::string_view const line : lines) {
        ExtensionList list(line);
        while (list.next_extension()) {
            if (list.extension() != "permessage-deflate" || answer.kind == ExtensionAnswer::Kind::agreed) continue;
            DeflateParameters offer;
            bool valid = true;
            while (list.next_parameter()) valid = valid && offer.add(list);
            if (valid && !list.is_malformed()) answer = accept_deflate(options, offer);
        }
        if (list.is_malformed()) return {ExtensionAnswer::Kind::malformed, {}, {}};
    }
    return answer;
}

/// What a client that offered `offer` has agreed to by this answer (RFC 7692 7.1); nothing: it has to fail the connection.
inline std::optional<CompressionTerms> check_deflate_answer(DeflateParameters const& offer, std::string_view value) {
    ExtensionList list(value);
    DeflateParameters answer;
    if (!list.next_extension() || list.extension() != "permessage-deflate") return std::nullopt;
    while (list.next_parameter())
        if (!answer.add(list)) return std::nullopt;
    if (list.next_extension() || list.is_malformed()) return std::nullopt;
    if (offer.server_no_context_takeover && !answer.server_no_context_takeover) return std::nullopt;
    if (offer.server_max_window_bits &&
        (!answer.server_max_window_bits || *answer.server_max_window_bits > *offer.server_max_window_bits))
        return std::nullopt;
    if (answer.client_may_be_limited && (!offer.client_may_be_limited || !answer.client_max_window_bits)) return std::nullopt;
    std::uint8_t const client_bits =
        std::min(answer.client_max_window_bits.value_or(15), offer.client_max_window_bits.value_or(15));
    return CompressionTerms{true, !answer.server_no_context_takeover,
                            !answer.client_no_context_takeover && !offer.client_no_context_takeover,
                            answer.server_max_window_bits.value_or(15), client_bits};
}

}  // namespace hubbub::inline v0::ws
