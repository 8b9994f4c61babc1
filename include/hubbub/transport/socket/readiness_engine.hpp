#pragma once

#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include <hubbub/transport/socket/socket_engine.hpp>

namespace hubbub::inline v0::detail {

/// What the engines share that are told when a socket is ready and then call recv and send themselves.
///
/// Cost: one buffer of 64 KiB for all connections of the loop; none per connection.
class ReadinessEngine : public SocketEngine {
   public:
    using SocketEngine::SocketEngine;

    void enter(SocketState& state, TcpSocket socket) final {
        bool const is_read_soon = is_accepting_ && socket.has_bytes();
        SocketEngine::enter(state, std::move(socket));
        if (!is_read_soon) return;
        state.fresh = true;
        fresh_.push_back(state.slot);
    }
    void begin_accept() final { is_accepting_ = true; }
    void end_accept() final;
    void start(SocketState& state, ByteConnectionOwner& owner) final {
        if (state.descriptor < 0) return;
        state.owner = &owner;
        if (state.unread) bring_unread_later(state);
        arm(state);
    }
    WriteResult write(SocketState& state, std::span<ws::Slice const> slices) final;
    void pause(SocketState& state) final { state.paused = true; }  // an event that comes nevertheless ends the interest
    void resume(SocketState& state) final {
        state.paused = false;
        if (state.descriptor < 0) return;
        if (state.unread) bring_unread_later(state);
        arm(state);
    }
    void shutdown(SocketState& state) final {
        if (state.descriptor >= 0) (void)::shutdown(state.descriptor, SHUT_WR);
    }
    void close(SocketState& state) final {
        if (state.descriptor >= 0) ::close(leave(state, Leaving::to_close));
    }
    void reset(SocketState& state) final {
        if (state.descriptor < 0) return;
        int const descriptor = leave(state, Leaving::to_close);
        linger const abort{.l_onoff = 1, .l_linger = 0};
        (void)::setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &abort, sizeof abort);
        ::close(descriptor);
    }
    TcpSocket detach(SocketState& state) final {
        if (state.descriptor < 0) return {};
        PeerAddress const address = peer(state);
        auto unread = take_unread(state);
        TcpSocket socket{leave(state, Leaving::to_live), address};
        socket.set_unread(std::move(unread));
        return socket;
    }
    void commit() final {}
    bool writes_at_once() const noexcept final { return true; }

   protected:
    enum class Leaving : std::uint8_t { to_close, to_live };

    /// The kernel is to report nothing of this descriptor any more.
    virtual void unwatch(SocketState& state, Leaving leaving) noexcept = 0;

    /// Reads once and tells the owner. The state may be gone afterwards: look into its slot again.
    void receive(SocketState& state);

    void lose(SocketState& state) {
        auto const slot = state.slot;
        state.lost = true;
        state.owner->on_lost();
        // Most owners have closed it by now, and a descriptor that is closed needs no call to leave the engine.
        if (SocketState* const left = slots().find(slot); left && left->lost) unwatch(*left, Leaving::to_live);
    }

    /// The system has no room for another watched descriptor (fs.epoll.max_user_watches): to the owner the connection is
    /// lost, but not inside its own call.
    void lose_later(SocketState const& state) {
        loop().post([this, engine = handle(), slot = state.slot, descriptor = state.descriptor] {
            if (engine.expired()) return;
            SocketState* const found = slots().find(slot);
            if (found && found->descriptor == descriptor && found->owner && !found->lost) lose(*found);
        });
    }

   private:
    static constexpr std::size_t buffer_size = 64 * 1024;
    static constexpr std::size_t max_vectors = 64;

    int leave(SocketState& state, Leaving leaving) noexcept {
        unwatch(state, leaving);
        (void)take_unread(state);
        slots().put_back(state.slot);
        state.owner = nullptr;
        state.fresh = false;
        return std::exchange(state.descriptor, -1);
    }
    static constexpr int send_flags =
#ifdef MSG_NOSIGNAL
        MSG_NOSIGNAL;
#else
        0;  // SO_NOSIGPIPE is set instead
#endif
    static ssize_t send_some(int descriptor, std::span<ws::Slice const> slices, std::size_t& offered) noexcept;
    WriteResult write_many(SocketState& state, std::span<ws::Slice const> slices);
    bool fell_short(SocketState& state, ssize_t sent, WriteResult& result);

    std::vector<std::uint32_t> fresh_;  // slots
    bool is_accepting_ = false;
    std::unique_ptr<std::byte[]> buffer_ = std::make_unique_for_overwrite<std::byte[]>(buffer_size);
};

/// What is answered and closed here was never watched, and what stays is watched when there is nothing to report.
inline void ReadinessEngine::end_accept() {
    is_accepting_ = false;
    std::weak_ptr<SocketEngine*> const alive = handle();
    for (std::size_t i = 0; i < fresh_.size(); ++i) {
        SocketState* state = slots().find(fresh_[i]);
        if (!state || !state->fresh) continue;
        state->fresh = false;
        if (state->wants_read()) {
            receive(*state);
            if (alive.expired()) return;
            if (!(state = slots().find(fresh_[i]))) continue;
        }
        arm(*state);
    }
    fresh_.clear();
}

inline WriteResult ReadinessEngine::write(SocketState& state, std::span<ws::Slice const> slices) {
    if (state.descriptor < 0 || state.lost) [[unlikely]]
        return {.failed = true};
    if (slices.size() != 1) [[unlikely]]
        return write_many(state, slices);
    ws::Slice const& all = slices.front();
    ssize_t const sent = ::send(state.descriptor, all.data(), all.length, send_flags);
    if (sent == static_cast<ssize_t>(all.length)) [[likely]]
        return {.taken = all.length};
    WriteResult result;
    return fell_short(state, sent, result) ? result : write_many(state, slices);
}

[[gnu::noinline]] inline WriteResult ReadinessEngine::write_many(SocketState& state, std::span<ws::Slice const> slices) {
    WriteResult result;
    while (!slices.empty()) {
        auto const part = slices.first(std::min(slices.size(), max_vectors));
        std::size_t offered = 0;
        ssize_t const sent = send_some(state.descriptor, part, offered);
        if (sent == static_cast<ssize_t>(offered)) {
            result.taken += static_cast<std::uint32_t>(sent);
            slices = slices.subspan(part.size());
        } else if (fell_short(state, sent, result)) {
            break;
        }
    }
    return result;
}

/// A send did not take all. False: it was interrupted, and is to be tried again.
[[gnu::noinline]] inline bool ReadinessEngine::fell_short(SocketState& state, ssize_t sent, WriteResult& result) {
    if (sent < 0 && errno == EINTR) return false;
    if (sent < 0 && errno != EAGAIN && errno != EWOULDBLOCK) {
        state.lost = true;
        unwatch(state, Leaving::to_live);
        result = {.failed = true};
        return true;
    }
    result.taken += static_cast<std::uint32_t>(std::max<ssize_t>(sent, 0));
    state.refused = true;
    arm(state);
    return true;
}

inline ssize_t ReadinessEngine::send_some(int descriptor, std::span<ws::Slice const> slices, std::size_t& offered) noexcept {
    std::array<iovec, max_vectors> vectors;
    for (std::size_t i = 0; i < slices.size(); ++i) {
        vectors[i] = {slices[i].data(), slices[i].length};
        offered += slices[i].length;
    }
    msghdr message{};
    message.msg_iov = vectors.data();
    message.msg_iovlen = slices.size();
    return ::sendmsg(descriptor, &message, send_flags);
}

inline void ReadinessEngine::receive(SocketState& state) {
    ssize_t received;
    do received = ::recv(state.descriptor, buffer_.get(), buffer_size, 0);
    while (received < 0 && errno == EINTR);
    if (received > 0) [[likely]]
        return state.owner->on_bytes({buffer_.get(), static_cast<std::size_t>(received)});
    if (received < 0) {
        if (errno != EAGAIN && errno != EWOULDBLOCK) lose(state);
        return;
    }
    state.ended = true;
    state.owner->on_bytes({});
}

}  // namespace hubbub::inline v0::detail
