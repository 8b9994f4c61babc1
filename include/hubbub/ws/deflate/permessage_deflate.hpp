#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include <hubbub/core/ledger.hpp>
#include <hubbub/policy/compression.hpp>
#include <hubbub/ws/deflate/deflate_options.hpp>
#include <hubbub/ws/deflate/deflater.hpp>
#include <hubbub/ws/deflate/inflater.hpp>
#include <hubbub/ws/deflate/negotiation.hpp>

namespace hubbub::inline v0 {

/// permessage-deflate (RFC 7692), with zlib: for text that goes over slow or dear networks.
///
///     struct Compressed : hubbub::DefaultPolicy { using Compression = hubbub::PermessageDeflate; };
///
/// A publication is compressed once for each variant (a window of the server that sessions have agreed on) and shard, and what that
/// yields is shared. So what we send never refers to earlier messages, whatever was agreed.
///
/// Threading: one shard.
/// Cost: a context for each variant in use, one inflater, and for each session that may refer to its earlier messages its window; all
/// of it made when first needed, and given back when idle.
class PermessageDeflate final : public ws::Compressor {
   public:
    using Options = ws::DeflateOptions;

    /// What each session carries.
    class Session {
       public:
        ws::CompressionTerms const& terms() const noexcept { return terms_; }

       private:
        friend class PermessageDeflate;
        ws::CompressionTerms terms_;
        std::unique_ptr<ws::InflateWindow> window_;
    };

    explicit PermessageDeflate(Options const& options) : options_(options) {}

    static ws::ExtensionAnswer negotiate(Options const& options, std::span<std::string_view const> lines) {
        return ws::negotiate_deflate(options, lines);
    }
    void open(Session& session, ws::CompressionTerms const& terms) noexcept { session.terms_ = terms; }
    static bool agreed(Session const& session) noexcept { return session.terms_.agreed; }
    static std::uint8_t variant(Session const& session) noexcept {
        constexpr unsigned smallest_window = 8;
        if (!session.terms_.agreed) return plain;
        return static_cast<std::uint8_t>(session.terms_.server_window_bits - smallest_window + 1);
    }

    std::optional<std::span<std::byte const>> compress(std::uint8_t variant, MessageView message) override {
        if (message.size() < options_.threshold) return std::nullopt;
        Context& context = contexts_[variant - 1u];
        if (!context.deflater) context.deflater = std::make_unique<ws::Deflater>(options_, variant + 7, ledger_, deflated_);
        context.idle = 0;
        ++counts_.compressed;
        return context.deflater->deflate(message.payload());
    }

    ws::Inflated inflate(Session& session, MessageView message, bool compressed, std::size_t most) {
        if (!compressed) {  // frames may be a little larger than messages: see `most_on_wire`
            if (message.size() > most) return {{}, CloseCode::message_too_big, "the message is too big"};
            return {message.payload(), CloseCode::normal, {}};
        }
        ++counts_.inflated;
        inflater_idle_ = 0;
        if (session.terms_.client_takeover && !session.window_)
            session.window_ = std::make_unique<ws::InflateWindow>(ledger_, session.terms_.client_window_bits);
        return inflater_.inflate(message.payload(), session.window_.get(), most);
    }

    CompressionCounts counts() const noexcept {
        CompressionCounts counts = counts_;
        counts.bytes = ledger_.used();
        return counts;
    }
    /// Gives back what was not used for ten calls.
    void trim() noexcept {
        constexpr unsigned patience = 10;
        bool any = false;
        for (Context& context : contexts_) {
            if (context.deflater && ++context.idle >= patience) context.deflater.reset();
            any = any || context.deflater;
        }
        if (!any) deflated_.free();
        if (++inflater_idle_ >= patience) inflater_.trim();
    }
    void trim_all() noexcept {
        for (Context& context : contexts_) context.deflater.reset();
        deflated_.free();
        inflater_.trim();
    }
    static std::size_t memory(Session const& session) noexcept { return session.window_ ? session.window_->memory() : 0; }
    static void forget(Session& session) noexcept { session.window_.reset(); }

   private:
    struct Context {
        std::unique_ptr<ws::Deflater> deflater;
        unsigned idle = 0;  ///< calls of `trim` since it was used
    };

    Options options_;
    Ledger ledger_;
    ws::Scratch deflated_{ledger_};
    std::array<Context, 8> contexts_;  ///< by variant: windows of 8 to 15 bits
    ws::Inflater inflater_{ledger_};
    unsigned inflater_idle_ = 0;
    CompressionCounts counts_;
};
static_assert(Compression<PermessageDeflate>);

}  // namespace hubbub::inline v0
