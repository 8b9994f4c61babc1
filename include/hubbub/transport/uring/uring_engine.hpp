#pragma once

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <unordered_map>
#include <utility>
#include <vector>

#include <hubbub/core/exceptions.hpp>
#include <hubbub/transport/socket/socket_engine.hpp>
#include <hubbub/transport/uring/io_ring.hpp>
#include <hubbub/transport/uring/uring_listener.hpp>
#include <hubbub/transport/uring/uring_queue.hpp>
#include <hubbub/transport/uring/uring_trial.hpp>

namespace hubbub::inline v0::detail {

/// One io_uring per loop, whose descriptor the loop watches. Connections are accepted and bytes received by entries that go on
/// (multishot), into buffers that all connections share; all writes of a turn leave with one system call.
///
/// A send does not wait (MSG_DONTWAIT), so it is over when the submission returns, and only one that was short or failed has a
/// completion (MSG_WAITALL makes a short one a failure). So between turns the kernel reads nothing of ours, and no connection
/// waits for it before it may die.
///
/// What the kernel may have in flight is what was armed: a receive, a poll, an accept. Each carries the slot and its generation,
/// and who closes cancels them and forgets: completions that come later mean nobody. Receives and polls are prepared at the
/// commit, so that who leaves in the turn in which he came, for another shard for example, has nothing to cancel.
///
/// Needs a loop that runs on one thread. A loop that is handed to another one gets a new ring there. When a ring goes, the kernel
/// interrupts the thread that used it once, as a signal would: calls that wait may say EINTR.
///
/// Why it is long: all of it is about one thing, what a connection has in flight; ring, queue, listener and trial stand beside it.
///
/// Cost: a system call per round of events, and one per turn in which something is written; see RingOptions for memory;
/// 4 bytes a connection.
class UringEngine final : public SocketEngine {
   public:
    /// Null where it does not run; `why_not` is a sentence without its end.
    static std::unique_ptr<UringEngine> make(ShardLoop& loop, RingOptions const& options, std::string& why_not);
    ~UringEngine() override;

    std::string_view name() const noexcept override { return "uring"; }

    void start(SocketState& state, ByteConnectionOwner& owner) override;
    WriteResult write(SocketState& state, std::span<ws::Slice const> slices) override;
    // What comes nevertheless is kept, and then the receive is cancelled: pausing costs nothing where nothing comes in between.
    void pause(SocketState& state) override { state.paused = true; }
    void resume(SocketState& state) override;
    void shutdown(SocketState& state) override;
    void close(SocketState& state) override;
    void reset(SocketState& state) override;
    TcpSocket detach(SocketState& state) override;
    void commit() override;
    bool writes_at_once() const noexcept override { return false; }
    std::unique_ptr<ListenWatch> listen(int descriptor, ListenOwner& owner) override;

   private:
    class Listener;
    using Kind = UringTag::Kind;
    using Completion = UringQueue::Completion;

    // What belongs to a slot.
    struct Extra {
        static constexpr std::uint32_t generations = 1u << 29;
        std::uint32_t generation : 29 = 0;
        std::uint32_t is_broken : 1 = 0;    // its socket has failed while nobody owned it
        std::uint32_t is_heard : 1 = 0;     // it has brought something: from then on its receive goes on by itself
        std::uint32_t is_stopping : 1 = 0;  // its receive is cancelled, because nobody wants what it brings
    };

    struct Holder {
        std::uint32_t slot, generation;
    };

    static constexpr int max_batches = 8;  // then the loop's other work has its turn

    UringEngine(ShardLoop& loop, RingOptions const& options, std::unique_ptr<IoRing> ring)
        : SocketEngine(loop), options_(options), queue_(std::move(ring)) {
        watch_ring();
    }

    void watch_ring() {
        watch_ = loop().watch(queue_.ring().descriptor(), [this] { on_ready(); });
    }
    void adapt_to_thread() {
        if (!queue_.ring().is_mine()) [[unlikely]]
            change_thread();
    }
    void change_thread();

    /// Where no turn is under way whose end commits.
    void commit_soon() {
        if (!loop().in_turn()) come_back();
    }
    /// Has another turn in which what is in the ring is looked at, and a commit.
    void come_back();

    // ---- what comes

    void on_ready();
    bool has_work() { return !queue_.inbox().empty() || queue_.ring().has_deferred(); }
    void look() {
        if (queue_.inbox().empty()) queue_.submit();
    }
    void dispatch_inbox();
    void dispatch(Completion const& completion);
    void on_receive(Completion const& completion);
    void on_bytes(SocketState& state, std::span<std::byte> bytes);
    void on_receive_end(SocketState& state, int result);
    void on_poll(Completion const& completion);
    void on_accept(Completion const& completion);
    void finish_accepting(std::uint32_t number, UringListener& listener);

    // ---- connections

    Extra& extra(SocketState const& state) {
        while (extras_.size() <= state.slot) extras_.emplace_back();
        return extras_[state.slot];
    }
    /// Who had this slot when the tag was made, if he still has it.
    SocketState* find(std::uint32_t slot, std::uint32_t generation) {
        return extras_[slot].generation == generation ? slots().find(slot) : nullptr;
    }
    UringTag tag(Kind kind, SocketState const& state) { return {kind, state.slot, extra(state).generation}; }

    void arm(SocketState& state) override {
        arming_.push_back({state.slot, extra(state).generation});
        commit_soon();
    }
    void prepare_arming();
    void prepare_receive(SocketState& state);
    void prepare_poll(SocketState& state, Kind kind, unsigned events);
    void settle();
    void lose(SocketState& state);
    int leave(SocketState& state);
    void take_what_came(SocketState& state);

    RingOptions options_;
    UringQueue queue_;
    std::unique_ptr<Watch> watch_;
    std::deque<Extra> extras_;    // by slot
    std::vector<Holder> arming_;  // until the commit
    std::vector<Completion> dispatching_;
    std::size_t dispatched_ = 0;  // so many of them
    std::unordered_map<std::uint32_t, UringListener*> listening_;
    std::uint32_t next_listener_ = 0;
    bool is_in_ready_ = false;
    bool comes_back_ = false;
};

class UringEngine::Listener final : public ListenWatch {
   public:
    Listener(UringEngine& engine, int descriptor, ListenOwner& owner)
        : engine_(engine),
          number_(engine.next_listener_++ % UringTag::most_numbers),
          listener_(engine.queue_, number_, descriptor, owner) {
        engine_.listening_.emplace(number_, &listener_);
        engine_.commit_soon();
    }
    ~Listener() override {
        engine_.listening_.erase(number_);
        if (!engine_.queue_.ring().is_mine()) return;  // it goes with the ring
        listener_.cancel();
        engine_.commit_soon();
    }
    void pause_for(Duration pause) override {
        listener_.pause_for(pause);
        engine_.commit_soon();
    }
    void finish() override { engine_.finish_accepting(number_, listener_); }

   private:
    UringEngine& engine_;
    std::uint32_t number_;
    UringListener listener_;
};

inline std::unique_ptr<UringEngine> UringEngine::make(ShardLoop& loop, RingOptions const& options, std::string& why_not) {
    why_not = uring_fault();
    if (!why_not.empty()) return nullptr;
    IoRing::Failure failure;
    auto ring = IoRing::make(options, failure);
    if (!ring) {
        why_not = std::string(failure.what) + ": " + std::generic_category().message(failure.error);
        return nullptr;
    }
    return std::unique_ptr<UringEngine>(new UringEngine(loop, options, std::move(ring)));
}

inline UringEngine::~UringEngine() {
    drop_listeners();
    watch_.reset();
    if (queue_.ring().is_mine() && queue_.has_entries()) queue_.submit();
    queue_.abandon();
    for (Completion const& completion : queue_.inbox())
        if (completion.tag.kind == Kind::accept) on_accept(completion);  // nobody listens any more
}

inline std::unique_ptr<ListenWatch> UringEngine::listen(int descriptor, ListenOwner& owner) {
    return std::make_unique<Listener>(*this, descriptor, owner);
}

// ---- connections

inline void UringEngine::start(SocketState& state, ByteConnectionOwner& owner) {
    if (state.descriptor < 0) return;
    state.owner = &owner;
    if (state.unread) bring_unread_later(state);
    if (!extra(state).is_broken) return arm(state);
    loop().post([this, engine = handle(), slot = state.slot, generation = extra(state).generation] {
        if (engine.expired()) return;
        if (SocketState* const found = find(slot, generation); found && !found->lost) lose(*found);
    });
}

inline void UringEngine::lose(SocketState& state) {
    if (!state.owner) {  // it was moved, and says so to whom it is given
        extra(state).is_broken = true;
        return;
    }
    state.lost = true;
    state.owner->on_lost();
}

inline WriteResult UringEngine::write(SocketState& state, std::span<ws::Slice const> slices) {
    if (state.descriptor < 0 || state.lost) return {.failed = true};
    if (slices.empty()) return {};
    adapt_to_thread();
    if (slices.size() > IovecArena::most_slices) {
        slices = slices.first(IovecArena::most_slices);
        state.refused = true;
        arm(state);
    }
    std::uint32_t size = 0;
    for (ws::Slice const& slice : slices) size += slice.length;
    if (size == 0) return {};
    queue_.prepare_send(state.descriptor, state.slot, extra(state).generation, slices, size);
    state.sending = true;
    commit_soon();
    return {.held = size};
}

inline void UringEngine::resume(SocketState& state) {
    state.paused = false;
    if (state.descriptor < 0) return;
    if (state.unread) bring_unread_later(state);
    arm(state);
}

inline void UringEngine::shutdown(SocketState& state) {
    if (state.descriptor < 0) return;
    if (state.sending) queue_.submit();
    (void)::shutdown(state.descriptor, SHUT_WR);
}

inline void UringEngine::close(SocketState& state) {
    if (state.descriptor < 0) return;
    bool const has_ring = queue_.ring().is_mine();
    int const descriptor = leave(state);
    if (has_ring) {
        queue_.prepare_close(descriptor);
        return commit_soon();
    }
    // The loop has ended, or has not begun: a ring for this thread only to close would be too much. What the old one still has in
    // flight keeps the socket, so that closing alone would tell the peer nothing.
    (void)::shutdown(descriptor, SHUT_RDWR);
    ::close(descriptor);
}

inline void UringEngine::reset(SocketState& state) {
    if (state.descriptor < 0) return;
    linger const abort{.l_onoff = 1, .l_linger = 0};
    (void)::setsockopt(state.descriptor, SOL_SOCKET, SO_LINGER, &abort, sizeof abort);
    close(state);
}

inline TcpSocket UringEngine::detach(SocketState& state) {
    if (state.descriptor < 0) return {};
    adapt_to_thread();
    if (state.read_armed) take_what_came(state);
    PeerAddress const address = peer(state);
    auto unread = take_unread(state);
    TcpSocket socket{leave(state), address};
    socket.set_unread(std::move(unread));
    return socket;
}

/// Ends the receive, and keeps what it has brought and nobody has heard.
inline void UringEngine::take_what_came(SocketState& state) {
    UringTag const receive = tag(Kind::receive, state);
    queue_.prepare_cancel(receive);
    auto const is_it = [&](Completion const& each) {
        return each.tag.kind == Kind::receive && each.tag.packed() == receive.packed();
    };
    auto const is_over = [&](Completion const& each) { return is_it(each) && !each.goes_on(); };
    auto const ahead = [&] { return dispatching_.begin() + static_cast<std::ptrdiff_t>(dispatched_); };
    // The end comes with the submission, or with the next: what is cancelled is deferred work like all else.
    bool over = std::any_of(ahead(), dispatching_.end(), is_over);
    do {
        queue_.submit();
        over = over || std::any_of(queue_.inbox().begin(), queue_.inbox().end(), is_over);
    } while (!over);
    state.read_armed = false;
    auto const keep = [&](Completion& each) {
        if (!is_it(each)) return;
        if (each.has_buffer()) {
            if (each.result > 0) {
                auto const bytes = queue_.ring().buffer(each.buffer(), static_cast<std::size_t>(each.result));
                keep_unread(state, {bytes.begin(), bytes.end()});
            }
            queue_.ring().give_back(each.buffer());
        }
        each = {};
    };
    std::for_each(ahead(), dispatching_.end(), keep);
    std::for_each(queue_.inbox().begin(), queue_.inbox().end(), keep);
}

/// The descriptor, which has nothing in flight any more once what is prepared is submitted.
inline int UringEngine::leave(SocketState& state) {
    bool const has_ring = queue_.ring().is_mine();
    if (has_ring && state.sending) queue_.submit();  // no entry may name what the owner has after this call
    if (has_ring && (state.read_armed || state.write_armed || state.watched))
        queue_.prepare({}, IOSQE_CQE_SKIP_SUCCESS,
                       [&](auto* entry) { io_uring_prep_cancel_fd(entry, state.descriptor, IORING_ASYNC_CANCEL_ALL); });
    (void)take_unread(state);
    Extra& left = extra(state);
    left = {.generation = (left.generation + 1) & (Extra::generations - 1)};
    slots().put_back(state.slot);
    state.owner = nullptr;
    state.read_armed = state.write_armed = state.watched = state.sending = false;
    return std::exchange(state.descriptor, -1);
}

// ---- the commit

inline void UringEngine::come_back() {
    if (std::exchange(comes_back_, true)) return;
    loop().post([this, engine = handle()] {
        if (engine.expired()) return;
        comes_back_ = false;
        adapt_to_thread();
        look();
        dispatch_inbox();
        // The hook commits at the end of this turn. Sooner would bring more, which the rest of this turn took for its own.
        if (!engine.expired() && !loop().has_hook()) commit();
    });
}

inline void UringEngine::commit() {
    adapt_to_thread();
    for (;;) {
        prepare_arming();
        if (!queue_.has_entries()) break;
        queue_.submit();
        settle();
    }
    if (!is_in_ready_ && has_work()) come_back();
}

inline void UringEngine::settle() {
    auto const& sends = queue_.take_sends();
    for (std::size_t i = 0; i < sends.size(); ++i) {
        if (i + 4 < sends.size()) {
            if (SocketState* const ahead = slots().find(sends[i + 4].slot)) __builtin_prefetch(ahead->owner);
        }
        UringQueue::Send const& send = sends[i];
        SocketState* const state = find(send.slot, send.generation);
        if (!state) continue;
        state->sending = false;
        if (state->lost) continue;
        std::uint32_t written = send.size;
        if (send.result != UringQueue::all) {
            if (send.result < 0 && send.result != -EAGAIN && send.result != -EINTR) {
                lose(*state);
                continue;
            }
            written = static_cast<std::uint32_t>(std::max(send.result, 0));
        }
        if (written != send.size) state->refused = true;
        if (state->refused) arming_.push_back({send.slot, send.generation});
        state->owner->on_written(written);
    }
}

inline void UringEngine::prepare_arming() {
    for (auto const& [number, listener] : listening_)
        while (listener->needs_entries()) listener->prepare_entries();
    for (std::size_t i = 0; i < arming_.size(); ++i) {
        SocketState* const state = find(arming_[i].slot, arming_[i].generation);
        if (!state || !state->owner || state->lost) continue;
        if (state->wants_read() && !state->read_armed) prepare_receive(*state);
        if (state->wants_write() && !state->sending && !state->write_armed) prepare_poll(*state, Kind::writable, POLLOUT);
        // Errors are reported without being asked for. While a receive is armed it brings them.
        if (state->paused && !state->read_armed && !state->watched) prepare_poll(*state, Kind::broken, 0);
    }
    arming_.clear();
}

inline void UringEngine::prepare_receive(SocketState& state) {
    state.read_armed = true;
    // The first one does not go on: who is sent to another shard after his request has nothing in flight then.
    bool const goes_on = extra(state).is_heard;
    queue_.prepare(tag(Kind::receive, state), IOSQE_BUFFER_SELECT, [&](auto* entry) {
        if (goes_on)
            io_uring_prep_recv_multishot(entry, state.descriptor, nullptr, 0, 0);
        else
            io_uring_prep_recv(entry, state.descriptor, nullptr, options_.buffer_size, 0);
        entry->buf_group = IoRing::buffer_group;
    });
}

inline void UringEngine::prepare_poll(SocketState& state, Kind kind, unsigned events) {
    if (kind == Kind::writable)
        state.write_armed = true;
    else
        state.watched = true;
    queue_.prepare(tag(kind, state), 0, [&](auto* entry) { io_uring_prep_poll_add(entry, state.descriptor, events); });
}

// ---- what comes

inline void UringEngine::on_ready() {
    auto const engine = handle();
    is_in_ready_ = true;
    queue_.ring().stop_listening();
    adapt_to_thread();
    look();
    for (int batch = 0; batch < max_batches && !queue_.inbox().empty(); ++batch) {
        loop().turn([&] {
            if (!engine.expired()) dispatch_inbox();  // else a posted function of this turn has destroyed it
        });
        if (engine.expired()) return;
        commit();  // what no hook did
        if (queue_.ring().has_deferred()) look();
    }
    is_in_ready_ = false;
    if (queue_.ring().listen_again() || !queue_.inbox().empty()) come_back();
}

inline void UringEngine::dispatch_inbox() {
    dispatching_.swap(queue_.inbox());
    for (dispatched_ = 0; dispatched_ < dispatching_.size();) {
        Completion const completion = dispatching_[dispatched_++];
        dispatch(completion);
    }
    dispatching_.clear();
    dispatched_ = 0;
    queue_.ring().publish_buffers();
}

inline void UringEngine::dispatch(Completion const& completion) {
    switch (completion.tag.kind) {
        case Kind::receive: return on_receive(completion);
        case Kind::writable:
        case Kind::broken: return on_poll(completion);
        case Kind::accept:
        case Kind::acceptable:
        case Kind::pause: return on_accept(completion);
        case Kind::send:
        case Kind::nobody: return;
    }
}

inline void UringEngine::on_receive(Completion const& completion) {
    auto const [kind, slot, generation] = completion.tag;
    SocketState* state = find(slot, generation);
    if (state && !completion.goes_on()) {
        state->read_armed = false;
        extra(*state).is_stopping = false;
    }
    if (completion.has_buffer()) {
        if (state && completion.result > 0) {
            on_bytes(*state, queue_.ring().buffer(completion.buffer(), static_cast<std::size_t>(completion.result)));
            state = find(slot, generation);
        }
        queue_.ring().give_back(completion.buffer());
    }
    if (state && !completion.goes_on()) on_receive_end(*state, completion.result);
}

inline void UringEngine::on_bytes(SocketState& state, std::span<std::byte> bytes) {
    extra(state).is_heard = true;
    if (state.wants_read()) return state.owner->on_bytes(bytes);
    if (state.lost) return;
    keep_unread(state, {bytes.begin(), bytes.end()});
    if (!state.paused || !state.read_armed || extra(state).is_stopping) return;
    extra(state).is_stopping = true;
    queue_.prepare_cancel(tag(Kind::receive, state));
}

inline void UringEngine::on_receive_end(SocketState& state, int result) {
    if (result > 0 || result == -ENOBUFS || result == -ECANCELED || result == -EINTR || result == -EAGAIN) return arm(state);
    if (result < 0) {
        if (!state.lost) lose(state);
        return;
    }
    if (!state.wants_read()) return arm(state);  // it is found again later
    state.ended = true;
    state.owner->on_bytes({});
}

inline void UringEngine::on_poll(Completion const& completion) {
    SocketState* const state = find(completion.tag.number, completion.tag.generation);
    if (!state || completion.result == -ECANCELED) return;
    if (completion.tag.kind == Kind::writable) {
        state->write_armed = false;
        if (!state->wants_write()) return;
        state->refused = false;
        return state->owner->on_writable();
    }
    state->watched = false;
    // A mere hang-up is no error: both sides have ended, and what has come is still to be read.
    if (completion.result > 0 && (completion.result & POLLERR) != 0 && !state->lost) lose(*state);
}

inline void UringEngine::on_accept(Completion const& completion) {
    auto const found = listening_.find(completion.tag.number);
    if (found != listening_.end()) return found->second->on_completion(completion);
    if (completion.tag.kind == Kind::accept && completion.result >= 0) ::close(completion.result);  // who listened has gone
}

/// The kernel may have accepted clients of whom nobody has heard yet.
inline void UringEngine::finish_accepting(std::uint32_t number, UringListener& listener) {
    adapt_to_thread();
    std::vector<Completion> came;
    auto const take = [&](Completion& each) {
        if ((each.tag.kind != Kind::accept && each.tag.kind != Kind::acceptable) || each.tag.number != number) return;
        came.push_back(std::exchange(each, {}));
    };
    if (listener.is_armed()) listener.cancel_accept();
    // The end comes with the submission, or with the next: what is cancelled is deferred work like all else.
    for (;;) {
        if (listener.is_armed()) queue_.submit();
        std::for_each(dispatching_.begin() + static_cast<std::ptrdiff_t>(dispatched_), dispatching_.end(), take);
        std::for_each(queue_.inbox().begin(), queue_.inbox().end(), take);
        for (Completion const& each : came) listener.on_completion(each);
        came.clear();
        if (!listener.is_armed()) return;
    }
}

// ---- another thread

/// Its entries go with the old ring, but nothing that it has brought: data that no completion tells of is still in the socket.
inline void UringEngine::change_thread() {
    IoRing::Failure failure;
    std::unique_ptr<IoRing> ring;
    bool const is_first = !queue_.ring().is_enabled();
    if (!is_first) ring = IoRing::make(options_, failure);
    if (is_first || ring) {
        failure.error = (is_first ? queue_.ring() : *ring).enable();
        if (failure.error) failure.what = "IORING_REGISTER_ENABLE_RINGS";
    }
    if (failure.what) throw_exception(std::system_error(failure.error, std::generic_category(), failure.what));
    if (is_first) return;
    watch_.reset();
    auto const old = queue_.exchange(std::move(ring));
    for (Completion const& each : queue_.inbox()) {
        SocketState* const state = each.tag.kind == Kind::receive ? find(each.tag.number, each.tag.generation) : nullptr;
        if (!state || !each.has_buffer() || each.result <= 0) continue;
        auto const bytes = old->buffer(each.buffer(), static_cast<std::size_t>(each.result));
        keep_unread(*state, {bytes.begin(), bytes.end()});
    }
    std::erase_if(queue_.inbox(), [](Completion const& each) { return each.tag.kind != Kind::accept; });
    slots().each([this](SocketState& state) {
        state.read_armed = state.write_armed = state.watched = false;
        arming_.push_back({state.slot, extra(state).generation});
        if (state.unread) bring_unread_later(state);
    });
    for (auto const& [number, listener] : listening_) listener->forget_entries();
    watch_ring();
    come_back();
}

}  // namespace hubbub::inline v0::detail
