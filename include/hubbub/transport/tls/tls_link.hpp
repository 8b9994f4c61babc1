#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <hubbub/core/assert.hpp>
#include <hubbub/core/completes.hpp>
#include <hubbub/transport/socket/record_layer.hpp>
#include <hubbub/transport/socket/socket_engine.hpp>
#include <hubbub/transport/tls/slice_reader.hpp>
#include <hubbub/transport/tls/tls_bench.hpp>
#include <hubbub/transport/tls/tls_core.hpp>
#include <hubbub/transport/tls/tls_peer.hpp>

namespace hubbub::inline v0::detail {

/// One TLS connection: between its owner's SocketState above and one of its own in the engine below, whose owner it is.
///
/// What is offered leaves as whole records in one write below. Of what the socket then refuses the connection keeps a copy, and the
/// plaintext in it is held: a record that is sealed must be sent. What TLS itself has to say waits for the owner's next write or the
/// commit.
///
/// Threading: the loop's; detached, it may go to another. Cost: OpenSSL's own memory, from the client's first byte on, and this.
///
/// Why it is long: what is read, written, held, paused and moved hang together, as in an engine.
class TlsLink final : public RecordLayer, private ByteConnectionOwner {
   public:
    TlsLink(MakeEngine maker, std::shared_ptr<TlsCore> core) noexcept : RecordLayer(maker), core_(std::move(core)) {}
    ~TlsLink() override = default;

    // ---- where it is
    void enter(TlsBench& bench, SocketState& outer, TcpSocket socket);
    void moved(SocketState& outer) noexcept { outer_ = &outer; }
    TcpSocket detach() {
        HUBBUB_ASSERT(flight_.empty() && held_ == 0);  // a quiet moment
        TcpSocket socket = bench_->below.detach(inner_);
        leave();
        return socket;
    }
    std::uint8_t listed = 0;  // where the bench has it

    // ---- what its owner wants; see SocketEngine
    void start();
    WriteResult write(std::span<ws::Slice const> slices);
    void update_reading();
    void resume() {
        update_reading();
        if (has_unread() || is_cut_off_) bench_->look_later(*this);
    }
    void shutdown();
    void close();
    void reset() {
        bench_->below.reset(inner_);
        leave();
    }
    /// Bytes of memory that are free when it goes.
    std::size_t weight() const noexcept { return weight_; }
    std::shared_ptr<http::ClientCertificate const> certificate() const { return tls_peer(ssl_.get()); }

    // ---- what the bench calls
    void flush();
    void look();

   private:
    enum class Found : std::uint8_t { more, dry, end, failure };
    enum class Sent : std::uint8_t { all, partly, failed };
    static constexpr std::size_t most_sealed = 4 * TlsBench::record;  // in one write: what a slow client then makes us keep
    static constexpr std::size_t usual_memory = 16 * 1024;            // of OpenSSL for a connection, as measured
    static constexpr std::uint32_t most_of_key = 1u << 23;            // records: well below the limit of RFC 8446 5.5

    void on_bytes(std::span<std::byte> borrowed) noexcept override;
    void on_writable() noexcept override;
    void on_written(std::uint32_t taken) noexcept override;
    void on_lost() noexcept override;

    bool may_read() const noexcept {
        return outer_->owner && !outer_->lost && !outer_->ended && (!outer_->paused || !is_established_);
    }
    bool has_unread() const noexcept { return has_more_ || !kept_.empty(); }
    bool can_write() const noexcept { return is_established_ && !is_blocked_ && flight_.empty(); }

    bool begin();
    void read(std::span<std::byte const> records);
    Found decrypt(std::size_t& size);
    void note_established();
    void on_failure();
    /// What is left of `rest_`, to be sent with what follows.
    void take_rest() {
        bench_->wires.out.append(std::span<std::byte const>(rest_).subspan(std::exchange(written_, 0)));
        rest_ = {};
    }
    void on_peer_end();
    void lose();

    std::size_t seal(SliceReader& reader);
    Sent send(std::span<std::byte const> records);
    void say_goodbye();
    void keep_output();
    void keep_rest(std::span<std::byte const> records);
    void after_all();
    void leave() noexcept;
    /// Tells the bench what it keeps now.
    void weigh() noexcept {
        std::size_t const weight = (ssl_ ? usual_memory : 0) + kept_.capacity() + rest_.capacity();
        bench_->footprint += weight - weight_;
        weight_ = weight;
    }

    std::shared_ptr<TlsCore> core_;
    std::shared_ptr<TlsSetup const> setup_;  // what it began with
    TlsWire wire_;
    SslHandle ssl_;              // null before the client's first byte
    TlsBench* bench_ = nullptr;  // null while it is detached
    SocketState* outer_ = nullptr;
    SocketState inner_;
    std::vector<std::byte> kept_;        // records that could not be read yet
    std::vector<std::byte> rest_;        // records that could not be written yet,
    std::uint32_t written_ = 0;          // but for so many bytes of them
    std::uint32_t held_ = 0;             // bytes of the owner that are in `rest_` or in flight
    std::span<std::byte const> flight_;  // what the engine below holds until the commit
    std::string_view reason_;            // why it failed, if it was not OpenSSL
    bool* gone_ = nullptr;               // set when this leaves while `read` or `after_all` is on the stack
    std::size_t weight_ = 0;             // what the bench has been told
    std::uint32_t records_ = 0;          // sealed with the current key
    bool is_started_ = false;
    bool is_established_ = false;
    bool is_reading_ = true;     // the engine below reads
    bool is_blocked_ = false;    // the engine below has refused something
    bool is_in_rest_ = false;    // ... and what is in flight is in `rest_`
    bool is_shut_ = false;       // our close_notify is made
    bool has_said_all_ = false;  // ... and out
    bool has_more_ = false;      // OpenSSL may have plaintext or an end that nobody was told
    bool is_cut_off_ = false;    // the stream below has ended
    bool is_broken_ = false;     // it was lost while nobody owned it
};

// ---- where it is

inline void TlsLink::enter(TlsBench& bench, SocketState& outer, TcpSocket socket) {
    bench_ = &bench;
    outer_ = &outer;
    inner_ = {};
    is_started_ = false;
    is_reading_ = true;
    bench.below.enter(inner_, std::move(socket));
    wire_.wires = &bench.wires;
    if (!rest_.empty()) bench.list_unsent(*this);
    weigh();
}

inline void TlsLink::start() {
    if (!std::exchange(is_started_, true)) bench_->below.start(inner_, *this);
    update_reading();
    if (has_unread() || is_cut_off_ || is_broken_ || outer_->refused) bench_->look_later(*this);
}

/// What is not read yet stays with it.
inline void TlsLink::leave() noexcept {
    if (gone_) {
        *std::exchange(gone_, nullptr) = true;
        auto const left = std::exchange(bench_->wires.in, {});
        kept_ = std::vector<std::byte>(left.begin(), left.end());
        has_more_ = true;
    }
    if (listed != 0) bench_->forget(*this);
    bench_->footprint -= std::exchange(weight_, 0);
    bench_ = nullptr;
}

/// What was put off, in a turn of its own.
inline void TlsLink::look() {
    if (!outer_->owner || outer_->lost) return;
    if (is_broken_) return lose();
    if (outer_->refused && can_write()) bench_->below.want_writable(inner_);
    if (has_unread() || is_cut_off_) read({});
}

// ---- reading

inline void TlsLink::update_reading() {
    bool const wants = may_read();
    if (!is_started_ || wants == is_reading_) return;
    is_reading_ = wants;
    wants ? bench_->below.resume(inner_) : bench_->below.pause(inner_);
}

inline void TlsLink::on_bytes(std::span<std::byte> borrowed) noexcept {
    if (outer_->lost || outer_->ended) return;
    if (borrowed.empty()) is_cut_off_ = true;
    read(borrowed);
}

inline void TlsLink::read(std::span<std::byte const> records) {
    auto kept = std::exchange(kept_, {});
    if (!kept.empty()) {
        kept.insert(kept.end(), records.begin(), records.end());
        records = kept;
    }
    bool gone = false;
    gone_ = &gone;
    TlsWires& wires = bench_->wires;
    wires.in = records;
    Found found = has_more_ ? Found::more : Found::dry;
    while (may_read()) {
        std::size_t size = 0;
        found = decrypt(size);
        keep_output();
        if (!is_established_ && ssl_ && SSL_is_init_finished(ssl_.get())) note_established();
        if (size > 0) {
            outer_->owner->on_bytes({bench_->plain.get(), size});
            if (gone) return;
        }
        if (found != Found::more) break;
    }
    gone_ = nullptr;
    auto const left = std::exchange(wires.in, {});
    if (found == Found::failure) return on_failure();
    kept_.assign(left.begin(), left.end());
    weigh();
    has_more_ = found == Found::more || found == Found::end;
    if (found == Found::end && may_read()) return on_peer_end();
    update_reading();
    if (!is_cut_off_ || !may_read()) return;
    // RFC 8446 6.1: without close_notify it is no end, the stream was cut.
    if (!is_established_) TlsCore::count(core_->counters.abandoned);
    lose();
}

/// As much plaintext as there is and has room.
inline TlsLink::Found TlsLink::decrypt(std::size_t& size) {
    if (!ssl_) {
        if (bench_->wires.in.empty()) return Found::dry;
        if (!begin()) return Found::failure;
    }
    bench_->wires.out.begin();
    ERR_clear_error();  // SSL_get_error looks at what anybody has left there
    while (size < TlsBench::most_read) {
        std::size_t got = 0;
        if (SSL_read_ex(ssl_.get(), bench_->plain.get() + size, TlsBench::most_read - size, &got) != 1) {
            int const error = SSL_get_error(ssl_.get(), 0);
            if (error == SSL_ERROR_WANT_READ) return Found::dry;
            return error == SSL_ERROR_ZERO_RETURN ? Found::end : Found::failure;
        }
        size += got;
    }
    return Found::more;
}

/// With the client's first byte, so that who says nothing costs little.
inline bool TlsLink::begin() {
    constexpr std::byte handshake_record{22};  // RFC 8446 5.1
    if (bench_->wires.in.front() != handshake_record) {
        reason_ = "it did not begin like TLS";
        TlsCore::count(core_->counters.not_tls);
        return false;
    }
    setup_ = core_->setup();
    SslHandle ssl = setup_->make_connection();
    BioHandle bio = wire_.make_bio();
    if (!ssl || !bio) {
        reason_ = "there is no memory for it";
        return false;
    }
    BIO* const both = bio.release();
    SSL_set_bio(ssl.get(), both, both);
    SSL_set_accept_state(ssl.get());
    ssl_ = std::move(ssl);
    return true;
}

inline void TlsLink::note_established() {
    is_established_ = true;
    TlsCore::count(core_->counters.handshakes);
    if (SSL_session_reused(ssl_.get()) == 1) TlsCore::count(core_->counters.resumed);
    if (wire_.sealer.is_active()) TlsCore::count(core_->counters.keys_taken);
    if (outer_->refused) bench_->below.want_writable(inner_);
}

inline void TlsLink::on_failure() {
    if (!is_established_) {
        TlsCore::count(core_->counters.failed);
        auto const setup = setup_ ? setup_ : core_->setup();
        if (setup->on_failure()) {
            std::string const reason = reason_.empty() ? take_openssl_reason() : std::string(reason_);
            (void)completes([&] { setup->on_failure()(bench_->below.peer(inner_), reason); });
        }
    }
    ERR_clear_error();
    if (!rest_.empty() && !is_blocked_ && flight_.empty()) {  // it has an alert in it
        bench_->wires.out.begin();
        take_rest();
        (void)send(bench_->wires.out.piece());
    }
    lose();
}

inline void TlsLink::on_peer_end() {
    has_more_ = false;
    outer_->ended = true;
    update_reading();
    outer_->owner->on_bytes({});
}

inline void TlsLink::on_lost() noexcept {
    if (outer_->lost) return;
    if (!is_established_) TlsCore::count(core_->counters.abandoned);
    lose();
}

inline void TlsLink::lose() {
    if (!outer_->owner) {
        is_broken_ = true;
        return;
    }
    outer_->lost = true;
    outer_->owner->on_lost();
}

// ---- writing

inline WriteResult TlsLink::write(std::span<ws::Slice const> slices) {
    if (is_shut_) outer_->lost = true;
    if (outer_->lost) return {.failed = true};
    TlsBench& bench = *bench_;
    SliceReader reader(slices, {bench.gathered.get(), TlsBench::record});
    if (reader.is_done()) return {};
    if (!can_write()) {
        outer_->refused = true;
        return {};
    }
    if (bench.wires.out.is_full() && !std::exchange(bench.is_committing, true)) {
        bench.below.commit();
        bench.wires.out.clear();
        bench.is_committing = false;
    }
    WriteResult result;
    while (!reader.is_done() && result.held == 0) {
        bench.wires.out.begin();
        if (!rest_.empty()) {
            take_rest();
            weigh();
        }
        std::size_t const sealed = seal(reader);
        Sent const sent = sealed > 0 ? send(bench.wires.out.piece()) : Sent::failed;
        if (sent == Sent::failed) {
            outer_->lost = true;
            return {.failed = true};
        }
        (sent == Sent::all ? result.taken : result.held) += static_cast<std::uint32_t>(sealed);
    }
    held_ = result.held;
    if (!reader.is_done()) outer_->refused = true;
    return result;
}

/// Into `wires.out`. 0: OpenSSL has failed.
inline std::size_t TlsLink::seal(SliceReader& reader) {
    if (records_ > most_of_key && SSL_version(ssl_.get()) == TLS1_3_VERSION) {
        records_ = 0;
        if (SSL_key_update(ssl_.get(), SSL_KEY_UPDATE_NOT_REQUESTED) == 1) (void)SSL_do_handshake(ssl_.get());
    }
    std::size_t sealed = 0;
    while (wire_.sealer.is_active() && sealed < most_sealed && !reader.is_done()) {
        std::size_t const written = wire_.seal(TlsWire::application_data, [&](std::span<std::byte> room) {
            return reader.copy(room.first(std::min(room.size(), most_sealed - sealed)));
        });
        if (written == 0) return 0;
        ++records_;
        sealed += written;
    }
    while (sealed < most_sealed && !reader.is_done()) {
        auto const bytes = reader.take(most_sealed - sealed);
        std::size_t written = 0;
        if (SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &written) != 1) {
            ERR_clear_error();
            return 0;
        }
        records_ += static_cast<std::uint32_t>(1 + bytes.size() / TlsBench::record);
        sealed += written;
    }
    return sealed;
}

/// The piece that was just made. What the engine below does not take is kept; what is not in its hands until the commit is dropped.
inline TlsLink::Sent TlsLink::send(std::span<std::byte const> records) {
    ws::Block block{};
    block.bytes = const_cast<std::byte*>(records.data());  // it is only read
    ws::Slice const slice{&block, 0, static_cast<std::uint32_t>(records.size())};
    WriteResult const result = bench_->below.write(inner_, {&slice, 1});
    if (result.failed) return Sent::failed;
    flight_ = records.subspan(result.taken, result.held);
    if (std::size_t const done = result.taken + result.held; done < records.size()) {
        is_blocked_ = true;
        keep_rest(records.subspan(done));
    }
    if (flight_.empty()) bench_->wires.out.drop_piece();
    return result.taken == records.size() ? Sent::all : Sent::partly;
}

/// What OpenSSL has written of its own accord.
inline void TlsLink::keep_output() {
    auto const records = bench_->wires.out.piece();
    if (!records.empty() && !has_said_all_) {
        keep_rest(records);
        bench_->list_unsent(*this);
    }
    bench_->wires.out.drop_piece();
}

inline void TlsLink::keep_rest(std::span<std::byte const> records) {
    if (is_in_rest_ && rest_.capacity() - rest_.size() < records.size()) {  // it is still read
        std::vector<std::byte> larger;
        larger.reserve(rest_.size() + records.size());
        larger.insert(larger.end(), rest_.begin(), rest_.end());
        bench_->retired.push_back(std::exchange(rest_, std::move(larger)));
    }
    rest_.insert(rest_.end(), records.begin(), records.end());
    weigh();
}

/// The rest, if there is a chance.
inline void TlsLink::flush() {
    if (outer_->lost || is_broken_ || is_blocked_ || !flight_.empty()) return;
    if (rest_.empty()) return after_all();
    auto const records = std::span<std::byte const>(rest_).subspan(written_);
    ws::Block block{};
    block.bytes = const_cast<std::byte*>(records.data());
    ws::Slice const slice{&block, 0, static_cast<std::uint32_t>(records.size())};
    WriteResult const result = bench_->below.write(inner_, {&slice, 1});
    if (result.failed) return lose();
    written_ += result.taken;
    flight_ = records.subspan(result.taken, result.held);
    is_in_rest_ = !flight_.empty();
    if (result.taken + result.held < records.size()) is_blocked_ = true;
    if (written_ == rest_.size()) after_all();
}

inline void TlsLink::on_written(std::uint32_t taken) noexcept {
    auto const flight = std::exchange(flight_, {});
    if (taken < flight.size()) is_blocked_ = true;  // the engine below will say when there is room
    if (std::exchange(is_in_rest_, false)) {
        written_ += taken;
    } else {
        auto const left = flight.subspan(taken);
        rest_.insert(rest_.begin(), left.begin(), left.end());
        weigh();
    }
    if (outer_->lost) return;
    if (written_ == rest_.size()) return after_all();
    if (!is_blocked_) bench_->list_unsent(*this);
}

inline void TlsLink::on_writable() noexcept {
    is_blocked_ = false;
    if (outer_->lost) return;
    if (!rest_.empty()) return flush();
    if (!outer_->wants_write() || !can_write()) return;
    outer_->refused = false;
    outer_->owner->on_writable();
}

/// Nothing waits below any more.
inline void TlsLink::after_all() {
    rest_ = {};
    written_ = 0;
    weigh();
    bool gone = false;
    bool* const outside = std::exchange(gone_, &gone);
    if (std::uint32_t const held = std::exchange(held_, 0); held > 0) outer_->owner->on_written(held);
    if (gone) {
        if (outside) *outside = true;
        return;
    }
    gone_ = outside;
    if (outer_->lost) return;
    if (is_shut_ && rest_.empty() && !std::exchange(has_said_all_, true)) bench_->below.shutdown(inner_);
    if (outer_->refused && is_established_) bench_->below.want_writable(inner_);
}

// ---- ends

inline void TlsLink::shutdown() {
    if (outer_->lost || is_shut_) return;
    say_goodbye();
    keep_output();
    is_shut_ = true;
    bench_->list_unsent(*this);
}

/// Into `wires.out`.
inline void TlsLink::say_goodbye() {
    bench_->wires.out.begin();
    if (!is_established_) return;
    ERR_clear_error();
    (void)SSL_shutdown(ssl_.get());
}

/// With a close_notify, if it can leave at once.
inline void TlsLink::close() {
    bool const can_speak = !outer_->lost && !is_broken_ && !is_blocked_ && flight_.empty() && !has_said_all_;
    if (can_speak && bench_->loop().runs_here()) {
        bench_->wires.out.begin();
        take_rest();
        if (!is_shut_ && is_established_) {
            ERR_clear_error();
            (void)SSL_shutdown(ssl_.get());
        }
        if (auto const records = bench_->wires.out.piece(); !records.empty()) (void)send(records);
    }
    bench_->below.close(inner_);
    leave();
}

}  // namespace hubbub::inline v0::detail
