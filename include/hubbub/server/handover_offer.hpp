#pragma once

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <hubbub/core/exceptions.hpp>
#include <hubbub/core/shard_loop.hpp>
#include <hubbub/core/unique_function.hpp>
#include <hubbub/server/handover_socket.hpp>
#include <hubbub/server/takeover.hpp>
#include <hubbub/transport/socket/tcp_socket.hpp>
#include <hubbub/transport/tcp/tcp_acceptor.hpp>
#include <hubbub/transport/tcp/tcp_driver.hpp>

namespace hubbub::inline v0 {

/// Offers the listening sockets of this process to the one that replaces it, which asks with a Takeover: one of the same user, and one
/// at a time. Until that says that it is ready nothing changes here.
///
/// Threading: all of it on the driver's loop, or where that does not run.
/// Lifetime: driver and loop outlive it; it may end in `on_taken`. The path is removed with it, unless somebody is about to take it over.
/// Errors: std::invalid_argument for more sockets than can be handed over.
/// Example:
///     hubbub::HandoverOffer offer{
///         hub.driver(0), std::move(takeover), {{acceptor.descriptor(), where, acceptor.is_shared()}}, [&] {
///             acceptor.leave([&] { hub.drain({}, [&] { context.stop(); }); });
///         }};
class HandoverOffer {
   public:
    /// `sockets` stay the caller's, and open. `on_taken` runs once, outside of a turn: leave them to the other process.
    HandoverOffer(TcpDriver& driver, Takeover takeover, std::vector<HandoverSocket> sockets, UniqueFunction<void()> on_taken);
    HandoverOffer(HandoverOffer const&) = delete;
    HandoverOffer& operator=(HandoverOffer const&) = delete;
    ~HandoverOffer() {
        if (guest_) listener_.leave([] {});  // it has the path's socket too
    }

    /// Somebody has the sockets, and is not ready yet.
    bool has_guest() const noexcept { return static_cast<bool>(guest_); }

   private:
    void on_asked(TcpSocket guest);
    bool guest_has_gone() const noexcept {
        char said = 0;
        ssize_t const got = ::recv(guest_.descriptor(), &said, 1, MSG_PEEK | MSG_DONTWAIT);
        return got == 0 || (got < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
    }
    void on_heard();

    ShardLoop& loop_;
    TcpAcceptor listener_;
    std::string greeting_;
    std::vector<int> descriptors_;
    UniqueFunction<void()> on_taken_;
    TcpSocket guest_;
    pid_t process_ = 0;  // the guest's
    std::unique_ptr<Watch> heard_;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

inline HandoverOffer::HandoverOffer(TcpDriver& driver, Takeover takeover, std::vector<HandoverSocket> sockets,
                                    UniqueFunction<void()> on_taken)
    : loop_(driver.loop()), listener_(std::move(*takeover.listener_)), on_taken_(std::move(on_taken)) {
    sockets.push_back({listener_.descriptor(), takeover.path(), false});
    if (sockets.size() > detail::most_handed_over)
        detail::throw_exception(std::invalid_argument("HandoverOffer: at most " + std::to_string(detail::most_handed_over - 1) +
                                                      " sockets can be handed over"));
    greeting_.append(detail::handover_greeting).push_back('\0');
    for (HandoverSocket const& each : sockets) {
        descriptors_.push_back(each.descriptor);
        greeting_.append(each.is_shared ? "shared" : "own").push_back('\0');
        greeting_.append(each.endpoint.to_string()).push_back('\0');
    }
    greeting_.push_back('\0');
    // Who has been accepted when this has gone is closed, and asks again: then whoever has taken over answers.
    listener_.serve(driver, [this, alive = std::weak_ptr<bool>(alive_)](TcpSocket guest) {
        if (!alive.expired()) on_asked(std::move(guest));
    });
}

inline void HandoverOffer::on_asked(TcpSocket guest) {
    pid_t process = 0;
    if (!on_taken_ || !detail::is_of_same_user(guest.descriptor(), process)) return;
    if (guest_ && guest_has_gone()) {  // that is not heard yet: who starts anew at once is not refused for it
        heard_.reset();
        guest_.close();
    }
    if (guest_) {
        std::string busy(detail::handover_busy);
        busy.append(1, '\0').append(std::to_string(process_)).append(2, '\0');
        (void)detail::send_handover(guest.descriptor(), busy, {});
        return;
    }
    if (!detail::send_handover(guest.descriptor(), greeting_, descriptors_)) return;
    guest_ = std::move(guest);
    process_ = process;
    heard_ = loop_.watch(guest_.descriptor(), [this] { on_heard(); });
}

inline void HandoverOffer::on_heard() {
    char said = 0;
    ssize_t const got = ::recv(guest_.descriptor(), &said, 1, 0);
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) return;
    heard_.reset();
    TcpSocket const guest = std::move(guest_);
    if (got <= 0 || said != detail::ready_to_serve) return;  // it has ended before it was ready
    listener_.leave([] {});
    (void)::send(guest.descriptor(), &detail::yours, 1, MSG_NOSIGNAL | MSG_DONTWAIT);
    auto on_taken = std::move(on_taken_);
    on_taken();
}

}  // namespace hubbub::inline v0
