// The limit that the load server is compared with: a hand-written epoll server that gathers each round's messages into
// one send per connection and does nothing else. No topics, no queue bounds, no checks beyond what keeps it alive.
//   hubbub_limit_server --port N --mode echo|broadcast [--bind ADDRESS]
// A round is one epoll_wait: everything that it reports is read, then everything is written.
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "limit_protocol.hpp"

namespace {

using limit::Bytes;
using limit::fail;
using limit::Rest;

// Indexed by descriptor.
struct Connection {
    Rest unread;              // an incomplete frame or request
    Rest unwritten;           // what the socket did not take
    std::uint32_t place = 0;  // in `open`
    bool upgraded = false;
    bool in_use = false;
};

class LimitServer {
   public:
    explicit LimitServer(limit::Arguments const& arguments) : broadcast_(arguments.is_broadcast()) {
        connections_.resize(limit::raise_descriptors());
        open_.reserve(connections_.size());
        epoll_ = epoll_create1(EPOLL_CLOEXEC);
        listener_ = limit::listen_on(arguments, SOCK_NONBLOCK);
        watch(EPOLL_CTL_ADD, listener_, EPOLLIN);
    }

    [[noreturn]] void run() {
        std::array<epoll_event, 1024> events;
        for (;;) {
            int const count = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), -1);
            for (int i = 0; i < count; ++i) {
                auto const& event = events[static_cast<std::size_t>(i)];
                int const fd = event.data.fd;
                if (fd == listener_) {
                    accept_all();
                } else if (connections_[static_cast<std::size_t>(fd)].in_use) {
                    if (event.events & EPOLLOUT) flush(fd);
                    if (event.events & ~std::uint32_t{EPOLLOUT}) read(fd);
                }
            }
            if (round_.size != 0) {
                // Backwards, because a failed send takes its connection out of the list.
                for (std::size_t i = open_.size(); i-- > 0;) write(open_[i], round_.storage.data(), round_.size);
                round_.size = 0;
            }
        }
    }

   private:
    void watch(int operation, int fd, std::uint32_t what) const {
        epoll_event event{};
        event.events = what;
        event.data.fd = fd;
        if (epoll_ctl(epoll_, operation, fd, &event) != 0) fail("epoll_ctl");
    }

    void accept_all() {
        for (;;) {
            int const fd = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
            if (fd < 0) {
                if (errno == EMFILE || errno == ENFILE) {  // else it is reported again and again
                    watch(EPOLL_CTL_MOD, listener_, 0);
                    listener_paused_ = true;
                } else if (errno == ECONNABORTED || errno == EINTR) {
                    continue;
                }
                return;
            }
            auto& connection = connections_[static_cast<std::size_t>(fd)];
            connection.in_use = true;
            connection.upgraded = false;
            watch(EPOLL_CTL_ADD, fd, EPOLLIN);
        }
    }

    void close_connection(int fd) {
        auto& connection = connections_[static_cast<std::size_t>(fd)];
        if (connection.upgraded) {
            int const last = open_.back();
            open_[connection.place] = last;
            connections_[static_cast<std::size_t>(last)].place = connection.place;
            open_.pop_back();
        }
        connection.unread.clear();
        connection.unwritten.clear();
        connection.in_use = connection.upgraded = false;
        close(fd);
        if (listener_paused_) {
            watch(EPOLL_CTL_MOD, listener_, EPOLLIN);
            listener_paused_ = false;
        }
    }

    void read(int fd) {
        auto& connection = connections_[static_cast<std::size_t>(fd)];
        std::size_t size = connection.unread.size;
        if (input_.size() < size * 2 + 65536) input_.resize(size * 2 + 65536);
        ssize_t const got = recv(fd, input_.data() + size, input_.size() - size, 0);
        if (got <= 0) {
            if (got == 0 || (errno != EAGAIN && errno != EINTR)) close_connection(fd);
            return;
        }
        if (size != 0) std::memcpy(input_.data(), connection.unread.bytes, size);
        size += static_cast<std::size_t>(got);
        std::size_t used = 0;
        if (!connection.upgraded) {
            used = upgrade(fd, {input_.data(), size});
            if (!connection.in_use) return;
        }
        if (connection.upgraded) {
            used += decode(fd, input_.data() + used, size - used);
            if (!connection.in_use) return;
        }
        if (used == size && connection.unread.size == 0) return;
        connection.unread.clear();
        if (used != size) connection.unread.append(input_.data() + used, size - used);
    }

    // Length of the request, or 0 where it is not whole yet.
    std::size_t upgrade(int fd, std::string_view request) {
        std::size_t const used = upgrade_.take(request);
        if (upgrade_.is_refused) close_connection(fd);
        if (used == 0) return 0;
        auto& connection = connections_[static_cast<std::size_t>(fd)];
        connection.upgraded = true;
        connection.place = static_cast<std::uint32_t>(open_.size());
        open_.push_back(fd);
        write(fd, upgrade_.answer().data(), upgrade_.answer().size());
        return used;
    }

    // Decodes the whole frames and returns their length; echoes go out in one send.
    std::size_t decode(int fd, char const* bytes, std::size_t size) {
        auto const decoded = limit::decode(bytes, size, broadcast_ ? round_ : echo_, control_);
        if (!broadcast_ && echo_.size != 0) {
            write(fd, echo_.storage.data(), echo_.size);
            echo_.size = 0;
        }
        auto const& connection = connections_[static_cast<std::size_t>(fd)];
        if (control_.size != 0) [[unlikely]] {
            if (connection.in_use) write(fd, control_.storage.data(), control_.size);
            control_.size = 0;
        }
        if ((decoded.is_closing || decoded.is_broken) && connection.in_use) close_connection(fd);
        return decoded.used;
    }

    void write(int fd, char const* bytes, std::size_t size) {
        auto& connection = connections_[static_cast<std::size_t>(fd)];
        if (connection.unwritten.size != 0) [[unlikely]] {
            connection.unwritten.append(bytes, size);
            return;
        }
        ssize_t const sent = send(fd, bytes, size, MSG_NOSIGNAL);
        if (sent == static_cast<ssize_t>(size)) [[likely]]
            return;
        if (sent < 0 && errno != EAGAIN) {
            close_connection(fd);
            return;
        }
        std::size_t const taken = sent < 0 ? 0 : static_cast<std::size_t>(sent);
        connection.unwritten.append(bytes + taken, size - taken);
        watch(EPOLL_CTL_MOD, fd, EPOLLIN | EPOLLOUT);
    }

    void flush(int fd) {
        auto& rest = connections_[static_cast<std::size_t>(fd)].unwritten;
        ssize_t const sent = send(fd, rest.bytes, rest.size, MSG_NOSIGNAL);
        if (sent < 0) return;  // an error is reported as readable too
        rest.drop_front(static_cast<std::size_t>(sent));
        if (rest.size == 0) watch(EPOLL_CTL_MOD, fd, EPOLLIN);
    }

    bool broadcast_;
    bool listener_paused_ = false;
    int epoll_ = -1;
    int listener_ = -1;
    std::vector<Connection> connections_;
    std::vector<int> open_;
    std::vector<char> input_ = std::vector<char>(65536 * 2);
    Bytes round_, echo_, control_;
    limit::Upgrade upgrade_;
};

}  // namespace

int main(int argc, char** argv) { return limit::serve<LimitServer>("hubbub_limit_server", argc, argv); }
