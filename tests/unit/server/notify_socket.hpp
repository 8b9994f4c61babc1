// The end of sd_notify(3) that a service manager has.
#pragma once

#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <string>

#include <hubbub/transport/socket/endpoint.hpp>

#include "tests/support/catch.hpp"

namespace hubbub_test {

class NotifySocket {
   public:
    NotifySocket() : NotifySocket("@hubbub-notify-" + std::to_string(::getpid())) {}
    explicit NotifySocket(std::string name) : name_(std::move(name)) {
        sockaddr_storage storage;
        socklen_t const length = hubbub::Endpoint("unix:" + name_).to_sockaddr(storage);
        descriptor_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        REQUIRE(::bind(descriptor_, reinterpret_cast<sockaddr*>(&storage), length) == 0);
        timeval const patience{10, 0};
        (void)::setsockopt(descriptor_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    }
    NotifySocket(NotifySocket const&) = delete;
    NotifySocket& operator=(NotifySocket const&) = delete;
    ~NotifySocket() { ::close(descriptor_); }

    std::string const& name() const { return name_; }
    /// What was told next; empty after ten seconds.
    std::string hear() { return hear_with(0); }
    /// The same, without waiting.
    std::string hear_now() { return hear_with(MSG_DONTWAIT); }

   private:
    std::string hear_with(int flags) {
        std::array<char, 4096> text;
        ssize_t const got = ::recv(descriptor_, text.data(), text.size(), flags);
        return got < 0 ? "" : std::string(text.data(), static_cast<std::size_t>(got));
    }

    std::string name_;
    int descriptor_ = -1;
};

}  // namespace hubbub_test
