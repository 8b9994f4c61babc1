#pragma once

#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <hubbub/transport/socket/endpoint.hpp>
#include <hubbub/transport/socket/tcp_socket.hpp>

namespace hubbub::inline v0 {

/// A listening socket on its way from a process to the one that replaces it.
struct HandoverSocket {
    int descriptor = -1;
    Endpoint endpoint;       ///< as it was asked for: where the system chose the port it is still 0
    bool is_shared = false;  ///< a service manager has it too; else it ends with the last process
};

namespace detail {

// What the two processes say, over a Unix stream socket, from the connect on:
//   old: greeting, then (own|shared, endpoint) for each socket, then an empty word; the descriptors come with the first byte
//   new: ready_to_serve, when all that may fail is done
//   old: yours; it accepts no more from here on
// Whoever closes before that leaves the old one as it was. Each word ends with a zero byte, which is in no path.
inline constexpr std::string_view handover_greeting = "hubbub handover 1";
inline constexpr std::string_view handover_busy = "busy";
inline constexpr char ready_to_serve = 'r', yours = 'y';
inline constexpr std::size_t most_handed_over = 128;  // the kernel takes 253 at a time

/// Whether the process at the other end runs as the same user.
inline bool is_of_same_user(int connection, pid_t& process) noexcept {
#ifdef SO_PEERCRED
    ucred peer{};
    socklen_t length = sizeof peer;
    if (::getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0) return false;
    process = peer.pid;
    return peer.uid == ::geteuid();
#else
    uid_t user = 0;
    gid_t group = 0;
    process = 0;
    return ::getpeereid(connection, &user, &group) == 0 && user == ::geteuid();
#endif
}

/// False: not all of it fitted, or the other one has gone.
inline bool send_handover(int connection, std::string_view text, std::span<int const> descriptors) noexcept {
    alignas(cmsghdr) std::array<std::byte, CMSG_SPACE(most_handed_over * sizeof(int))> control{};
    iovec part{const_cast<char*>(text.data()), text.size()};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    if (!descriptors.empty()) {
        message.msg_control = control.data();
        message.msg_controllen = CMSG_SPACE(descriptors.size_bytes());
        cmsghdr* const header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(descriptors.size_bytes());
        std::memcpy(CMSG_DATA(header), descriptors.data(), descriptors.size_bytes());
    }
    return ::sendmsg(connection, &message, MSG_NOSIGNAL | MSG_DONTWAIT) == static_cast<ssize_t>(text.size());
}

/// What was sent with one call of the above, as it comes in.
struct HandoverMessage {
    /// Bytes that were added, 0 at the end, or below 0 with errno.
    ssize_t receive(int connection);
    /// The words, without their ends, once the last has come.
    std::optional<std::vector<std::string>> words() const;

    std::string text;
    std::vector<TcpSocket> descriptors;  // they listen, but are closed in the same way
};

inline ssize_t HandoverMessage::receive(int connection) {
    alignas(cmsghdr) std::array<std::byte, CMSG_SPACE(most_handed_over * sizeof(int))> control{};
    std::array<char, 4096> piece;
    iovec part{piece.data(), piece.size()};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
#ifdef MSG_CMSG_CLOEXEC
    ssize_t const got = ::recvmsg(connection, &message, MSG_CMSG_CLOEXEC);
#else
    ssize_t const got = ::recvmsg(connection, &message, 0);
#endif
    if (got <= 0) return got;
    for (cmsghdr* header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
        for (std::size_t at = 0; at + sizeof(int) <= header->cmsg_len - CMSG_LEN(0); at += sizeof(int)) {
            int descriptor = -1;
            std::memcpy(&descriptor, CMSG_DATA(header) + at, sizeof descriptor);
            descriptors.emplace_back(descriptor, PeerAddress{});
        }
    }
    text.append(piece.data(), static_cast<std::size_t>(got));
    return got;
}

inline std::optional<std::vector<std::string>> HandoverMessage::words() const {
    constexpr std::string_view end("\0\0", 2);
    if (!text.ends_with(end)) return std::nullopt;
    std::vector<std::string> words;
    for (std::size_t at = 0; at + 1 < text.size(); at = text.find('\0', at) + 1) words.emplace_back(text.c_str() + at);
    return words;
}

}  // namespace detail
}  // namespace hubbub::inline v0
