#pragma once

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace hubbub::inline v0::detail {

/// What the kernel keeps of what was not sent yet. A client that does not read would have the kernel keep 4 MB for it, which no budget
/// counts, before its queue sees the first message (docs/operations/tuning.md). Who reads loses nothing: what is on its way is not
/// counted, and this is what a gigabit takes a millisecond for, in which a loop comes round.
inline constexpr int usual_unsent = 128 * 1024;

/// Bounds, in bytes, of a socket or of those that a listening one accepts; 0 leaves either to the system. False, with errno, if the
/// send buffer cannot be had; what knows no TCP has no bound of what was not sent.
inline bool set_send_limits(int descriptor, int send_buffer, int unsent) noexcept {
    if (unsent > 0) (void)::setsockopt(descriptor, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent, sizeof unsent);
    return send_buffer <= 0 || ::setsockopt(descriptor, SOL_SOCKET, SO_SNDBUF, &send_buffer, sizeof send_buffer) == 0;
}

}  // namespace hubbub::inline v0::detail
