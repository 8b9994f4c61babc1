// hubbub: connections whose bytes another library decodes do not compress: Policy::Compression must be NoCompression for them
#include <hubbub/hub/hub.hpp>
#include <hubbub/transport/memory/memory_connection.hpp>

struct Policy : hubbub::DefaultPolicy {
    struct Compression : hubbub::ws::Compressor {
        struct Options {};
        struct Session {};
        explicit Compression(Options const&) {}
        static hubbub::ws::ExtensionAnswer negotiate(Options const&, std::span<std::string_view const>) { return {}; }
        void open(Session&, hubbub::ws::CompressionTerms const&) {}
        static bool agreed(Session const&) noexcept { return false; }
        static std::uint8_t variant(Session const&) noexcept { return plain; }
        std::optional<std::span<std::byte const>> compress(std::uint8_t, hubbub::MessageView) override { return std::nullopt; }
        hubbub::ws::Inflated inflate(Session&, hubbub::MessageView message, bool, std::size_t) {
            return {message.payload(), hubbub::CloseCode::normal, {}};
        }
        static std::size_t memory(Session const&) noexcept { return 0; }
        void forget(Session&) noexcept {}
        hubbub::CompressionCounts counts() const noexcept { return {}; }
        void trim() noexcept {}
        void trim_all() noexcept {}
    };
};
/// Somebody else's: it knows nothing of RSV1.
struct Parser {
    template <class Sink>
    void feed(std::span<std::byte> bytes, hubbub::ws::DecoderLimits const& limits, Sink&& sink) {
        decoder.feed(bytes, limits, sink);
    }
    template <class Sink>
    void resume(hubbub::ws::DecoderLimits const& limits, Sink&& sink) {
        decoder.resume(limits, sink);
    }
    bool keep(std::span<std::byte const> bytes) noexcept { return decoder.keep(bytes); }
    bool incomplete() const noexcept { return decoder.incomplete(); }
    bool stopped() const noexcept { return decoder.stopped(); }
    bool ended() const noexcept { return decoder.ended(); }
    std::size_t buffered() const noexcept { return decoder.buffered(); }
    hubbub::ws::Decoder decoder;
};
struct Line : hubbub::MemoryConnection {
    using Decoder = Parser;
    using hubbub::MemoryConnection::MemoryConnection;
};

void make(hubbub::ShardLoop& loop) { hubbub::Hub<Line, Policy> hub{loop, hubbub::NoopHandler{}}; }
