#pragma once

#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <hubbub/http/proxy_header.hpp>
#include <hubbub/http/request_parser.hpp>
#include <hubbub/http/response.hpp>
#include <hubbub/http/trusted_proxies.hpp>
#include <hubbub/hub/connection_refusal.hpp>
#include <hubbub/hub/outbound_queue.hpp>
#include <hubbub/hub/upgrade.hpp>
#include <hubbub/policy/authentication.hpp>
#include <hubbub/transport/connection.hpp>
#include <hubbub/ws/compression_terms.hpp>
#include <hubbub/ws/handshake.hpp>

namespace hubbub::inline v0 {

/// What a request is held to; borrowed from the hub's options.
struct HandshakeRules {
    http::ParserLimits const& request;
    std::vector<std::string> const& protocols;
    http::ProxyTrust const& proxies;
};

/// What a handshake asks of who received it.
struct HandshakeHost {
    virtual bool origin_passes(http::Request const& request) noexcept = 0;
    /// A proxy has said where the connection comes from: may it?
    virtual std::optional<TurnedAway> settle(PeerAddress const& peer, LimitTable::Lease& lease) = 0;
    /// The request is a WebSocket handshake that may go on: decide who it is, now or later, with `Handshake::answer`.
    virtual void on_request(void* handshake, http::Request const& request) = 0;
    /// What is answered to the extensions that the client offers.
    virtual ws::ExtensionAnswer on_extensions(std::span<std::string_view const> lines) = 0;
    /// It is a plain request: answer it, now or later, with `Handshake::answer_page`.
    virtual void on_page(void* handshake, http::Request const& request) = 0;
    virtual void on_refused(ConnectionRefusal why) noexcept = 0;
    /// It is ready or over; both, if the client goes in the turn in which it became ready.
    virtual void on_done(void* handshake) noexcept = 0;

   protected:
    ~HandshakeHost() = default;
};

/// A connection before it is a session: reads the request, checks it, and answers everything but the 101.
///
/// Threading: the loop that accepted. Lifetime: its shard's list, until it `is_over` or its upgrade is taken.
template <ByteConnection Conn>
class Handshake final : private ByteConnectionOwner {
   public:
    Handshake(std::uint64_t serial, Conn&& connection, ws::BlockPool& pool, HandshakeRules const& rules, LimitTable& table,
              HandshakeHost& host)
        : connection_(std::move(connection)),
          pool_(&pool),
          rules_(&rules),
          table_(&table),
          host_(&host),
          parser_(rules.request),
          peer_(connection_.peer()),
          serial_(serial),
          is_of_proxy_(rules.proxies.trusts(peer_)) {
        if (is_of_proxy_ && rules.proxies.wants_proxy_header()) proxy_header_ = std::make_unique<http::ProxyHeader>();
    }
    ~Handshake() { answer_.clear(*pool_); }

    void start(LimitTable::Lease lease) {
        lease_ = std::move(lease);
        connection_.start(*this);
    }
    std::uint64_t serial() const noexcept { return serial_; }
    std::size_t place = 0;   ///< where its owner keeps it
    bool is_listed = false;  ///< its owner knows that it is done
    /// Where it comes from, as far as is known: a proxy that is trusted may say it later.
    PeerAddress const& peer() const noexcept { return peer_; }
    Conn& connection() noexcept { return connection_; }

    bool is_ready() const noexcept { return state_ == State::ready; }
    bool is_over() const noexcept { return state_ == State::over; }
    /// Bytes of memory that it takes.
    std::size_t kept() const noexcept {
        return sizeof *this + parser_.memory() + (proxy_header_ ? sizeof *proxy_header_ : 0) +
               (upgrade_ ? upgrade_->request.memory() + upgrade_->beyond.capacity() : 0);
    }
    /// The answer is out; only the peer's end is awaited.
    bool is_answered() const noexcept { return state_ == State::answering && answer_.empty(); }
    Upgrade take_upgrade() {
        if (has_enough()) connection_.resume_reading();
        upgrade_->lease = std::move(lease_);
        return std::move(*upgrade_);
    }

    /// Who it is, or why not; how many connections he may have; and the loop's time, from which it is counted how long that holds.
    void answer(Authenticated const& who, std::uint32_t most_of_user, TimePoint now);
    void answer_page(http::Response const& page) {
        if (state_ == State::paging) write(page, is_head_);
    }
    /// A page that is not there yet.
    bool waits_for_page() const noexcept { return state_ == State::paging; }
    void refuse(http::Refusal const& refusal, ConnectionRefusal why);
    void refuse(TurnedAway const& why) { refuse({why.status, why.reason, false}, why.why); }
    /// Bytes of the request that somebody else has read already.
    void feed(std::span<std::byte> bytes) { on_bytes(bytes); }
    void flush();
    /// The deadline has come.
    void expire() {
        if (state_ == State::over || state_ == State::ready) return;
        if (state_ == State::paging)  // who asked is not to blame, and has until the next tick to read this
            return answer_page(
                http::Response(http::Refusal{http::Status::service_unavailable, "the page takes too long", false}));
        if (state_ != State::answering) host_->on_refused(ConnectionRefusal::too_slow);
        connection_.reset();
        become(State::over);
    }

   private:
    enum class State : std::uint8_t { reading, deciding, ready, paging, answering, over };

    void on_bytes(std::span<std::byte> bytes) noexcept override;
    void on_writable() noexcept override { flush(); }
    void on_written(std::uint32_t taken) noexcept override {
        answer_.taken(*pool_, taken);
        after_write();
    }
    void on_lost() noexcept override {
        if (state_ == State::over) return;
        connection_.close();
        become(State::over);
    }
    void become(State done) {
        state_ = done;
        host_->on_done(this);
    }
    bool has_enough() const noexcept { return upgrade_ && upgrade_->beyond.size() >= 64 * 1024; }
    bool read_proxy_header(std::span<std::byte>& bytes);
    bool settle();
    void decide(http::Request request, std::span<std::byte const> beyond);
    void write(http::Response const& response, bool to_head);
    void after_write() {
        if (state_ == State::answering && answer_.empty()) connection_.shutdown();  // the peer ends it, or the deadline does
    }

    Conn connection_;
    ws::BlockPool* pool_;
    HandshakeRules const* rules_;
    LimitTable* table_;
    HandshakeHost* host_;
    http::RequestParser parser_;
    std::unique_ptr<http::ProxyHeader> proxy_header_;  ///< while it is read
    PeerAddress peer_;
    std::uint64_t serial_;
    bool is_of_proxy_;  ///< who will say where it comes from; so far it is counted for no address
    bool is_head_ = false;
    std::optional<Upgrade> upgrade_;
    LimitTable::Lease lease_;
    OutboundQueue answer_;
    State state_ = State::reading;
};

template <ByteConnection Conn>
void Handshake<Conn>::on_bytes(std::span<std::byte> bytes) noexcept {
    if (bytes.empty()) return on_lost();
    switch (state_) {
        case State::paging:
        case State::answering: return;  // what follows is read and thrown away, so that the answer arrives
        case State::over: return;
        case State::deciding:
        case State::ready:
            // RFC 6455 4.1: a client waits for the answer. Of one that does not, the rest waits in its socket.
            upgrade_->beyond.insert(upgrade_->beyond.end(), bytes.begin(), bytes.end());
            if (has_enough()) connection_.pause_reading();
            return;
        case State::reading: break;
    }
    if (proxy_header_ && !read_proxy_header(bytes)) return;
    auto const progress = parser_.feed(bytes);
    using Progress = http::RequestParser::Progress::State;
    if (progress.state == Progress::need_more) return;
    if (progress.state == Progress::refused) return refuse(parser_.refusal(), ConnectionRefusal::malformed);
    decide(std::move(parser_).take(), bytes.subspan(progress.consumed));
}

/// True: it is whole, and `bytes` are what follows.
template <ByteConnection Conn>
bool Handshake<Conn>::read_proxy_header(std::span<std::byte>& bytes) {
    using Progress = http::ProxyHeader::Progress;
    auto const [state, consumed] = proxy_header_->feed(bytes);
    if (state == Progress::need_more) return false;
    if (state == Progress::malformed) {  // no client to answer: the proxy is set up in another way
        host_->on_refused(ConnectionRefusal::malformed);
        connection_.reset();
        become(State::over);
        return false;
    }
    if (auto const said = proxy_header_->peer()) {
        peer_ = *said;
        is_of_proxy_ = rules_->proxies.trusts(peer_);  // then it is a proxy again, and the request says more
    }
    proxy_header_.reset();
    bytes = bytes.subspan(consumed);
    return (is_of_proxy_ || settle()) && !bytes.empty();
}

/// It is known now where it comes from. False: from there nobody may come any more.
template <ByteConnection Conn>
bool Handshake<Conn>::settle() {
    is_of_proxy_ = false;
    auto const turned_away = host_->settle(peer_, lease_);
    if (turned_away) refuse(*turned_away);
    return !turned_away;
}

template <ByteConnection Conn>
void Handshake<Conn>::decide(http::Request request, std::span<std::byte const> beyond) {
    if (is_of_proxy_) {
        peer_ = rules_->proxies.origin_of(request, peer_);
        if (!settle()) return;
    }
    if constexpr (requires { connection_.certificate(); }) request.set_certificate(connection_.certificate());
    auto const outcome = ws::check_upgrade(request);
    using Kind = ws::UpgradeOutcome::Kind;
    if (outcome.kind == Kind::refused) return refuse(outcome.refusal, ConnectionRefusal::malformed);
    if (outcome.kind == Kind::not_websocket) {
        is_head_ = request.is_head();
        state_ = State::paging;
        return host_->on_page(this, request);
    }
    if (!host_->origin_passes(request))
        return refuse({http::Status::forbidden, "this origin may not connect", false}, ConnectionRefusal::origin);
    std::string protocol;
    for (std::string const& ours : rules_->protocols) {
        if (std::find(outcome.protocols.begin(), outcome.protocols.end(), ours) == outcome.protocols.end()) continue;
        protocol = ours;
        break;
    }
    ws::ExtensionAnswer extensions;
    if (!outcome.extensions.empty()) extensions = host_->on_extensions(outcome.extensions);
    if (extensions.kind == ws::ExtensionAnswer::Kind::malformed)  // RFC 6455 9.1
        return refuse({http::Status::bad_request, "Sec-WebSocket-Extensions is malformed", false},
                      ConnectionRefusal::malformed);
    http::Header const extension{"Sec-WebSocket-Extensions", extensions.response};
    bool const extended = extensions.kind == ws::ExtensionAnswer::Kind::agreed;
    std::string response = ws::upgrade_response(outcome.accept, protocol, std::span(&extension, extended ? 1 : 0));
    upgrade_.emplace(Upgrade{std::move(request),
                             {},
                             std::move(protocol),
                             std::move(response),
                             {beyond.begin(), beyond.end()},
                             extensions.terms,
                             {},
                             {},
                             {}});
    if (peer_ != connection_.peer()) upgrade_->peer = peer_;
    state_ = State::deciding;
    host_->on_request(this, upgrade_->request);
}

template <ByteConnection Conn>
void Handshake<Conn>::answer(Authenticated const& who, std::uint32_t most_of_user, TimePoint now) {
    if (state_ != State::deciding) return;
    if (who.status != http::Status::switching_protocols)
        return refuse({who.status, who.reason, upgrade_->request.is_head(), who.challenge}, ConnectionRefusal::authentication);
    if (table_->take(who.identity.user, most_of_user, upgrade_->user_lease) != LimitTable::Refused::none)
        return refuse({http::Status::too_many_requests, "this user has too many connections", false}, ConnectionRefusal::limit);
    upgrade_->identity = who.identity_at(now);
    if (!who.secret_parameter.empty()) upgrade_->request.hide_parameter(who.secret_parameter);
    become(State::ready);
}

template <ByteConnection Conn>
void Handshake<Conn>::refuse(http::Refusal const& refusal, ConnectionRefusal why) {
    host_->on_refused(why);
    http::Response response(refusal);
    if (refusal.status == http::Status::service_unavailable || refusal.status == http::Status::too_many_requests)
        response.retry_after(std::chrono::seconds(5));
    write(response, refusal.to_head);
}

template <ByteConnection Conn>
void Handshake<Conn>::write(http::Response const& response, bool to_head) {
    std::string const bytes = response.to_bytes(to_head);
    ws::Block* const block = pool_->make(bytes.size());
    std::memcpy(block->bytes, bytes.data(), bytes.size());
    block->size = static_cast<std::uint32_t>(bytes.size());
    answer_.push_opaque(block, block->size);
    pool_->release(block);
    state_ = State::answering;
    if (has_enough()) connection_.resume_reading();
    flush();
}

template <ByteConnection Conn>
void Handshake<Conn>::flush() {
    if (state_ != State::answering || answer_.empty() || answer_.held()) return;
    WriteResult const result = connection_.write(answer_.pending());
    if (result.failed) return on_lost();
    if (result.taken || !result.held) answer_.taken(*pool_, result.taken);
    if (result.held)
        answer_.hold(result.held);
    else
        after_write();
}

}  // namespace hubbub::inline v0
