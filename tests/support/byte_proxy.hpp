// Stands between a client and a server on 127.0.0.1 and does what a network may do.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <list>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace hubbub_test {

/// Threading: one of its own; the functions are for any other.
class ByteProxy {
   public:
    explicit ByteProxy(std::uint16_t target) : target_(target) {
        listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        sockaddr_in address = local(0);
        socklen_t size = sizeof address;
        if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(listener_, 64) != 0 ||
            ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0)
            throw std::runtime_error("a proxy for a test could not listen");
        port_ = ntohs(address.sin_port);
        thread_ = std::thread([this] { run(); });
    }
    ~ByteProxy() {
        ends_ = true;
        thread_.join();
        ::close(listener_);
    }
    ByteProxy(ByteProxy const&) = delete;
    ByteProxy& operator=(ByteProxy const&) = delete;

    std::uint16_t port() const { return port_; }

    /// All connections are lost; new ones are served.
    void cut() {
        hold();
        release();
    }
    /// All connections are lost; new ones wait until `release`. So several proxies are cut at one moment.
    void hold() {
        is_held_ = true;
        int const wanted = ++cuts_wanted_;
        while (cuts_done_ < wanted) std::this_thread::yield();
    }
    void release() { is_held_ = false; }
    /// Connections whose client has said `word` hear nothing any more, and look alive; new ones are served.
    void deafen(std::string_view word) {
        word_ = word;
        int const wanted = ++deafens_wanted_;
        while (deafens_done_ < wanted) std::this_thread::yield();
    }
    /// What the server says comes byte by byte.
    void split(bool wanted) { splits_ = wanted; }
    /// The server is on another port from now on.
    void aim(std::uint16_t target) { target_ = target; }
    int connections() const { return connections_; }

   private:
    struct Pair {
        int client, server;
        std::string said{};
        bool deaf = false;
    };

    static sockaddr_in local(std::uint16_t port) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        return address;
    }
    static bool write_all(int to, char const* bytes, std::size_t size) {
        while (size > 0) {
            ssize_t const written = ::send(to, bytes, size, MSG_NOSIGNAL);
            if (written <= 0) return false;
            bytes += written;
            size -= static_cast<std::size_t>(written);
        }
        return true;
    }
    void accept() {
        int const client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
        if (client < 0) return;
        int const server = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_in const address = local(target_);
        if (::connect(server, reinterpret_cast<sockaddr const*>(&address), sizeof address) != 0) {
            ::close(client);
            ::close(server);
            return;
        }
        int const one = 1;
        ::setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        ::setsockopt(server, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        pairs_.push_back({client, server});
        ++connections_;
    }
    bool forward(Pair& pair, bool from_client) {
        char bytes[65536];
        ssize_t const size = ::recv(from_client ? pair.client : pair.server, bytes, sizeof bytes, 0);
        if (size <= 0) return false;
        auto const count = static_cast<std::size_t>(size);
        if (from_client) {
            if (pair.said.size() < 65536) pair.said.append(bytes, count);
            return write_all(pair.server, bytes, count);
        }
        if (pair.deaf) return true;
        if (!splits_) return write_all(pair.client, bytes, count);
        for (std::size_t i = 0; i < count; ++i)
            if (!write_all(pair.client, bytes + i, 1)) return false;
        return true;
    }
    static void close(Pair const& pair) {
        ::close(pair.client);
        ::close(pair.server);
    }
    void run() {
        while (!ends_) {
            if (cuts_done_ < cuts_wanted_) {
                for (Pair const& pair : pairs_) close(pair);
                pairs_.clear();
                cuts_done_ = cuts_wanted_.load();
            }
            if (deafens_done_ < deafens_wanted_) {
                for (Pair& pair : pairs_) pair.deaf = pair.deaf || pair.said.find(word_) != std::string::npos;
                deafens_done_ = deafens_wanted_.load();
            }
            std::vector<pollfd> polled{{listener_, static_cast<short>(is_held_ ? 0 : POLLIN), 0}};
            for (Pair const& pair : pairs_) {
                polled.push_back({pair.client, POLLIN, 0});
                polled.push_back({pair.server, POLLIN, 0});
            }
            ::poll(polled.data(), polled.size(), 5);
            std::size_t i = 1;
            for (auto it = pairs_.begin(); it != pairs_.end(); i += 2) {
                bool const lives =
                    (polled[i].revents == 0 || forward(*it, true)) && (polled[i + 1].revents == 0 || forward(*it, false));
                if (lives) {
                    ++it;
                } else {
                    close(*it);
                    it = pairs_.erase(it);
                }
            }
            if (polled[0].revents != 0) accept();
        }
        for (Pair const& pair : pairs_) close(pair);
    }

    int listener_ = -1;
    std::uint16_t port_ = 0;
    std::atomic<std::uint16_t> target_;
    std::atomic<bool> ends_{false}, splits_{false}, is_held_{false};
    std::atomic<int> cuts_wanted_{0}, cuts_done_{0}, deafens_wanted_{0}, deafens_done_{0}, connections_{0};
    std::string word_;  // set before deafens_wanted_
    std::list<Pair> pairs_;
    std::thread thread_;
};

}  // namespace hubbub_test
