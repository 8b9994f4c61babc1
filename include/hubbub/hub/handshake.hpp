#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <hubbub/http/request_parser.hpp>
#include <hubbub/http/response.hpp>
#include <hubbub/hub/hub_options.hpp>
#include <hubbub/hub/origin.hpp>
#include <hubbub/hub/outbound_queue.hpp>
#include <hubbub/transport/connection.hpp>
#include <hubbub/ws/handshake.hpp>

namespace hubbub::inline v0 {

/// What a handshake ends in, when it ends well.
struct Upgrade {
    http::Request request;
    std::string response;            ///< the 101
    std::vector<std::byte> beyond;   ///< bytes that followed the request: frames already
};

/// A connection before it is a session: reads the request, checks it, and answers everything but the 101.
///
/// Threading: the loop that accepted. Lifetime: its shard's list, until `is_over`.
template <ByteConnection Conn>
class Handshake final : private ByteConnectionOwner {
   public:
    Handshake(Conn&& connection, ws::BlockPool& pool, HubOptions const& options, TimePoint now)
        : connection_(std::move(connection)), pool_(&pool), options_(&options), parser_(options.request), begun_at_(now) {}
    ~Handshake() { answer_.clear(*pool_); }

    void start() { connection_.start(*this); }

    /// The request is a WebSocket handshake that passed every check.
    bool is_ready() const noexcept { return upgrade_.has_value() && !over_; }
    /// Nothing more will come of it.
    bool is_over() const noexcept { return over_; }
    Upgrade take_upgrade() { return std::move(*upgrade_); }
    Conn& connection() noexcept { return connection_; }

    void flush() {
        if (over_ || answer_.empty() || answer_.held()) return;
        WriteResult const result = connection_.write(answer_.pending());
        if (result.failed) return on_lost();
        if (result.taken || !result.held) answer_.taken(*pool_, result.taken);
        if (result.held) answer_.hold(result.held);
        else after_write();
    }
    void check_time(TimePoint now) {
        if (!upgrade_ && now - begun_at_ >= options_->handshake_limit) {
            over_ = true;
            connection_.reset();
        }
    }

   private:
    void on_bytes(std::span<std::byte> bytes) noexcept override {
        if (over_) return;
        if (bytes.empty()) return on_lost();
        if (answered_) return;  // what follows a refused request is read and thrown away, so that the answer arrives
        if (upgrade_) {
            upgrade_->beyond.insert(upgrade_->beyond.end(), bytes.begin(), bytes.end());
            return;
        }
        auto const progress = parser_.feed(bytes);
        using State = http::Progress::State;
        if (progress.state == State::need_more) return;
        if (progress.state == State::refused) return answer(http::Response(parser_.refusal()), parser_.refusal().to_head);
        decide(std::move(parser_).take(), bytes.subspan(progress.consumed));
    }
    void on_writable() noexcept override { flush(); }
    void on_written(std::uint32_t taken) noexcept override {
        answer_.taken(*pool_, taken);
        after_write();
    }
    void on_lost() noexcept override {
        over_ = true;
        connection_.close();
    }

    void decide(http::Request request, std::span<std::byte const> beyond) {
        auto const outcome = ws::check_upgrade(request);
        switch (outcome.kind) {
            case ws::UpgradeOutcome::Kind::refused: return answer(http::Response(outcome.refusal), outcome.refusal.to_head);
            case ws::UpgradeOutcome::Kind::not_websocket: return serve(request);
            case ws::UpgradeOutcome::Kind::accepted: break;
        }
        if (options_->origin == OriginCheck::same_host && !is_same_host(request))
            return answer(http::Response(http::Refusal{http::Status::forbidden, "this origin may not connect", false}), false);
        std::string response = ws::upgrade_response(outcome.accept);
        upgrade_.emplace(Upgrade{std::move(request), std::move(response), {beyond.begin(), beyond.end()}});
    }
    void serve(http::Request const& request) {
        http::Response page(http::Refusal{http::Status::not_found, "there is no such page", false});
        try {
            if (options_->routes) page = options_->routes->answer(request);
        } catch (...) {
            page = http::Response(http::Refusal{http::Status::internal_server_error, "internal error", false});
        }
        answer(page, request.is_head());
    }
    void answer(http::Response const& response, bool to_head) {
        std::string const bytes = response.to_bytes(to_head);
        ws::Block* const block = pool_->make(bytes.size());
        std::memcpy(block->bytes, bytes.data(), bytes.size());
        block->size = static_cast<std::uint32_t>(bytes.size());
        answer_.push_opaque(block, block->size);
        pool_->release(block);
        answered_ = true;
        flush();
    }
    void after_write() {
        if (!over_ && answered_ && answer_.empty()) connection_.shutdown();  // the peer ends it, or the deadline does
    }

    Conn connection_;
    ws::BlockPool* pool_;
    HubOptions const* options_;
    http::RequestParser parser_;
    TimePoint begun_at_;
    std::optional<Upgrade> upgrade_;
    OutboundQueue answer_;
    bool answered_ = false;
    bool over_ = false;
};

}  // namespace hubbub::inline v0
