#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <hubbub/ws/deflate/permessage_deflate.hpp>

#include "tests/simulation/hub_run.hpp"
#include "tests/support/raw_deflate.hpp"

namespace hub_simulation {

using DeflatePolicy = PolicyWith<PermessageDeflate>;

/// The same where some clients have agreed on permessage-deflate, each with parameters of its own: what they inflate is held against
/// the same truth, and each message that is sent stands alone or the client's inflater notices.
class DeflatedRun : public HubRun<MemoryConnection, DeflatePolicy> {
   public:
    using Run = HubRun<MemoryConnection, DeflatePolicy>;

    explicit DeflatedRun(std::uint64_t seed) : DeflatedRun(seed, options_of(seed)) {}

    std::size_t compressed_messages() const {
        std::size_t all = 0;
        for (auto const& peer : peers()) all += peer->client.stream().compressed();
        return all;
    }

   private:
    struct Side {
        std::optional<hubbub_test::RawDeflate> deflate;
        std::optional<hubbub_test::RawInflate> inflate;
        ws::CompressionTerms terms;
        bool forgets = false;
    };

    static HubOptions<DeflatePolicy> options_of(std::uint64_t seed) {
        HubOptions<DeflatePolicy> options;
        auto& compression = options.compression;
        compression.threshold = 1 + seed % 5 * 10;
        compression.server_takeover = seed % 2;
        compression.client_takeover = seed % 3 != 0;
        compression.server_window_bits = 12 + static_cast<int>(seed % 4);
        compression.client_window_bits = 9 + static_cast<int>(seed % 7);
        compression.level = 1 + static_cast<int>(seed % 9);
        return options;
    }
    DeflatedRun(std::uint64_t seed, HubOptions<DeflatePolicy> options) : Run(seed, options), options_(options.compression) {}

    void equip(std::size_t number, testing::ClientOptions& client) override {
        if (one_in(3)) return;
        ws::DeflateParameters offer;
        offer.server_no_context_takeover = one_in(3);
        offer.client_no_context_takeover = one_in(3);
        offer.client_may_be_limited = !one_in(3);
        if (one_in(2)) offer.server_max_window_bits = static_cast<std::uint8_t>(8 + pick(8));
        std::string const line = offer.to_string();
        std::string_view const view = line;
        client.headers = "Sec-WebSocket-Extensions: " + line + "\r\n";
        auto side = std::make_shared<Side>();
        side->terms = ws::negotiate_deflate(options_, std::span(&view, 1)).terms;
        int const own = std::max<int>(9, side->terms.client_window_bits);
        side->deflate.emplace(own);
        side->inflate.emplace(side->terms.server_window_bits, 1 + pick(2) * 4096);
        side->forgets = one_in(2);
        client.inflate = [side](std::string_view payload) {
            if (side->forgets) side->inflate->forget();
            return (*side->inflate)(payload);
        };
        sides_.resize(std::max(sides_.size(), number + 1));
        sides_[number] = std::move(side);
    }
    void say(Peer& who, std::string const& text) override {
        auto const number = static_cast<std::size_t>(who.number);
        if (number >= sides_.size() || !sides_[number] || one_in(4)) return Run::say(who, text);
        Side& side = *sides_[number];
        if (!side.terms.client_takeover) side.deflate->forget();
        std::string const payload = (*side.deflate)(text);
        std::size_t const cut = pick(payload.size() + 1);
        bool const whole = one_in(2);
        ws::ClientFrame first = ws::ClientFrame::text(whole ? payload : std::string_view(payload).substr(0, cut));
        first.rsv = 4;
        first.fin = whole;
        who.client.send_bytes(ws::encode_frame(first));
        if (!whole)
            who.client.send_bytes(
                ws::encode_frame(ws::ClientFrame::make(ws::Opcode::continuation, std::string_view(payload).substr(cut))));
    }

    ws::DeflateOptions options_;
    std::vector<std::shared_ptr<Side>> sides_;
};

}  // namespace hub_simulation
