#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace hubbub_test {

/// Stands between nats.c and a nats-server, to lose connections, or to make them bring nothing any more while they look alive.
class NatsProxy {
   public:
    explicit NatsProxy(std::uint16_t server) : server_(server), listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in address = local(0);
        socklen_t size = sizeof address;
        (void)::bind(listener_, reinterpret_cast<sockaddr*>(&address), size);
        (void)::listen(listener_, 64);
        (void)::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
        port_ = ntohs(address.sin_port);
        (void)::fcntl(listener_, F_SETFL, O_NONBLOCK);
        thread_ = std::thread([this] { run(); });
    }
    ~NatsProxy() {
        stopped_ = true;
        thread_.join();
        for (Pair& pair : pairs_) pair.close();
        ::close(listener_);
    }
    NatsProxy(NatsProxy const&) = delete;
    NatsProxy& operator=(NatsProxy const&) = delete;

    std::uint16_t port() const { return port_; }
    void cut() { order(cut_); }
    /// The connections that are there bring nothing but answers to PING.
    void deafen() { order(deafen_); }

   private:
    struct Pair {
        int client, server;
        bool deaf = false;
        std::string last{};  // of what the client has sent
        void close() const {
            ::close(client);
            ::close(server);
        }
    };

    static sockaddr_in local(std::uint16_t port) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        address.sin_port = htons(port);
        return address;
    }
    static void order(std::atomic<bool>& what) {
        what = true;
        while (what) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    static bool send_all(int to, std::string_view bytes) {
        while (!bytes.empty()) {
            auto const sent = ::send(to, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (sent <= 0) return false;
            bytes.remove_prefix(static_cast<std::size_t>(sent));
        }
        return true;
    }

    void run() {
        while (!stopped_) {
            if (cut_) {
                for (Pair& pair : pairs_) pair.close();
                pairs_.clear();
                cut_ = false;
            }
            if (deafen_) {
                for (Pair& pair : pairs_) pair.deaf = true;
                deafen_ = false;
            }
            std::vector<pollfd> waits{{.fd = listener_, .events = POLLIN, .revents = 0}};
            for (Pair const& pair : pairs_) {
                waits.push_back({.fd = pair.client, .events = POLLIN, .revents = 0});
                waits.push_back({.fd = pair.server, .events = POLLIN, .revents = 0});
            }
            if (::poll(waits.data(), waits.size(), 2) <= 0) continue;
            for (std::size_t i = pairs_.size(); i-- > 0;) {
                bool const lives = (waits[1 + 2 * i].revents == 0 || from_client(pairs_[i])) &&
                                   (waits[2 + 2 * i].revents == 0 || from_server(pairs_[i]));
                if (lives) continue;
                pairs_[i].close();
                pairs_.erase(pairs_.begin() + static_cast<std::ptrdiff_t>(i));
            }
            if (waits[0].revents != 0) accept();
        }
    }
    void accept() {
        int const client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
        if (client < 0) return;
        int const server = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_in const address = local(server_);
        Pair const pair{client, server};
        if (::connect(server, reinterpret_cast<sockaddr const*>(&address), sizeof address) == 0)
            pairs_.push_back(pair);
        else
            pair.close();
    }
    bool from_client(Pair& pair) {
        auto const size = ::recv(pair.client, buffer_.data(), buffer_.size(), 0);
        if (size <= 0) return false;
        std::string_view const bytes(buffer_.data(), static_cast<std::size_t>(size));
        if (pair.deaf) {
            pair.last.append(bytes);
            for (auto at = pair.last.find("PING\r\n"); at != std::string::npos; at = pair.last.find("PING\r\n")) {
                pair.last.erase(0, at + 6);
                if (!send_all(pair.client, "PONG\r\n")) return false;
            }
            if (pair.last.size() > 5) pair.last.erase(0, pair.last.size() - 5);
        }
        return send_all(pair.server, bytes);
    }
    bool from_server(Pair& pair) {
        auto const size = ::recv(pair.server, buffer_.data(), buffer_.size(), 0);
        if (size <= 0) return false;
        return pair.deaf || send_all(pair.client, {buffer_.data(), static_cast<std::size_t>(size)});
    }

    std::uint16_t const server_;
    int const listener_;
    std::uint16_t port_ = 0;
    std::vector<Pair> pairs_;
    std::array<char, 65536> buffer_{};
    std::atomic<bool> stopped_{false}, cut_{false}, deafen_{false};
    std::thread thread_;
};

}  // namespace hubbub_test
