#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include <hubbub/policy/options_of.hpp>
#include <hubbub/ws/compression_terms.hpp>
#include <hubbub/ws/compressor.hpp>
#include <hubbub/ws/inflated.hpp>
#include <hubbub/ws/message_view.hpp>

namespace hubbub::inline v0 {

/// What compression has done on a shard so far, and the memory that it has now.
struct CompressionCounts {
    std::uint64_t compressed = 0;  ///< messages, each once for a variant, however many sessions it went to
    std::uint64_t inflated = 0;    ///< messages
    std::size_t bytes = 0;         ///< of memory, for contexts, windows and room to work in

    CompressionCounts& operator+=(CompressionCounts const& other) noexcept {
        compressed += other.compressed;
        inflated += other.inflated;
        bytes += other.bytes;
        return *this;
    }
};

/// Whether messages are compressed on the wire, and how. It exists so that who does not compress has neither the code nor its
/// dependency.
///
/// Exemplar:
///     struct CompressionExemplar : ws::Compressor {
///         struct Options;
///         struct Session {};  // what each session carries of it
///         explicit CompressionExemplar(Options const&);
///         static ws::ExtensionAnswer negotiate(Options const&, std::span<std::string_view const> lines);
///         void open(Session&, ws::CompressionTerms const&);
///         static bool agreed(Session const&) noexcept;
///         static std::uint8_t variant(Session const&) noexcept;
///         ws::Inflated inflate(Session&, MessageView, bool compressed, std::size_t most);
///         static std::size_t memory(Session const&) noexcept;
///         void forget(Session&) noexcept;
///         CompressionCounts counts() const noexcept;
///         void trim() noexcept;
///         void trim_all() noexcept;
///     };
///
/// Required behaviour: each shard has one, made from the options; a session is of one shard only.
/// - `negotiate` answers the `Sec-WebSocket-Extensions` lines of a request.
/// - `variant` is 0 where a session is sent plain frames only; else sessions with the same one can be sent what `compress` makes for
///   it, in any order, and not all of it.
/// - `inflate` is given each message of a session that has agreed, compressed or not, and yields what it says: at most `most` bytes.
/// - `memory` is what a session keeps, in bytes; `forget` gives it back, of one from which nothing more is inflated.
/// - `trim` is called once a second; `trim_all` where memory is short: what can be made again is given back.
///
/// Models: NoCompression, PermessageDeflate.
template <class T>
concept Compression =
    requires { T::is_none; } ||
    (std::constructible_from<T, OptionsOf<T> const&> && std::derived_from<T, ws::Compressor> &&
     std::default_initializable<typename T::Session> &&
     requires(T& compression, T const& constant, typename T::Session& session, OptionsOf<T> const& options,
              ws::CompressionTerms const& terms, std::span<std::string_view const> lines, MessageView message) {
         { T::negotiate(options, lines) } -> std::same_as<ws::ExtensionAnswer>;
         compression.open(session, terms);
         { T::agreed(session) } -> std::same_as<bool>;
         { T::variant(session) } -> std::same_as<std::uint8_t>;
         { compression.inflate(session, message, true, std::size_t{}) } -> std::same_as<ws::Inflated>;
         { T::memory(session) } -> std::same_as<std::size_t>;
         compression.forget(session);
         { constant.counts() } -> std::same_as<CompressionCounts>;
         compression.trim();
         compression.trim_all();
     });

/// Every message goes out as it is; what clients offer is ignored.
struct NoCompression {
    static constexpr bool is_none = true;
    struct Session {};
};
static_assert(Compression<NoCompression>);

/// Sessions of this policy may be compressed.
template <class Policy>
inline constexpr bool compresses = !requires { Policy::Compression::is_none; };

}  // namespace hubbub::inline v0
