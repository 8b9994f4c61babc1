#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/support/child_process.hpp"

extern char** environ;

namespace hubbub_test {

/// A nats-server of the test's own, on a free port of this machine, with a folder of its own.
class NatsServer {
   public:
    static bool is_installed() { return !program().empty(); }

    explicit NatsServer(std::vector<std::string> arguments = {"-js"}) : arguments_(std::move(arguments)), port_(free_port()) {
        char text[] = "/tmp/hubbub-nats-XXXXXX";
        folder_ = ::mkdtemp(text);
        std::ofstream(folder_ + "/conf") << "max_payload: 4MB\n";
        start();
    }
    ~NatsServer() {
        stop(SIGKILL);
        std::error_code ignored;
        std::filesystem::remove_all(folder_, ignored);
    }
    NatsServer(NatsServer const&) = delete;
    NatsServer& operator=(NatsServer const&) = delete;

    std::uint16_t port() const { return port_; }
    std::string url() const { return "nats://127.0.0.1:" + std::to_string(port_); }

    /// Comes back when it takes connections.
    void start() {
        std::vector<std::string> words{program(), "-a", "127.0.0.1", "-p", std::to_string(port_)};
        for (char const* const option : {"-sd", "-l", "-c"}) {
            words.emplace_back(option);
            words.push_back(folder_ + (option[1] == 's' ? "" : option[1] == 'l' ? "/log" : "/conf"));
        }
        words.insert(words.end(), arguments_.begin(), arguments_.end());
        std::vector<char*> pointers;
        for (std::string& each : words) pointers.push_back(each.data());
        pointers.push_back(nullptr);
        if (::posix_spawn(&process_, words[0].c_str(), nullptr, nullptr, pointers.data(), environ) != 0) process_ = 0;
        auto const limit = std::chrono::steady_clock::now() + std::chrono::seconds(20);
        while (!answers() && std::chrono::steady_clock::now() < limit)
            std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    void stop(int with = SIGTERM) {
        if (process_ == 0) return;
        ::kill(process_, with);
        ::kill(process_, SIGCONT);
        int status = 0;
        while (::waitpid(process_, &status, 0) < 0 && errno == EINTR) {}
        process_ = 0;
    }
    /// It takes bytes and does nothing, until it is thawed.
    void freeze() const {
        ::kill(process_, SIGSTOP);
        siginfo_t what{};
        (void)::waitid(P_PID, static_cast<id_t>(process_), &what, WSTOPPED);
    }
    void thaw() const { ::kill(process_, SIGCONT); }
    /// What it has kept is gone.
    void lose_storage() const {
        std::error_code ignored;
        std::filesystem::remove_all(folder_ + "/jetstream", ignored);
    }

   private:
    static std::string program() {
        for (char const* const each : {"/usr/sbin/nats-server", "/usr/bin/nats-server", "/usr/local/bin/nats-server"})
            if (::access(each, X_OK) == 0) return each;
        return {};
    }
    static sockaddr_in local(std::uint16_t port) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        address.sin_port = htons(port);
        return address;
    }
    bool answers() const {
        int const probe = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_in const address = local(port_);
        char byte = 0;
        // It says what it is to each that connects, when it is ready.
        bool const is_there = ::connect(probe, reinterpret_cast<sockaddr const*>(&address), sizeof address) == 0 &&
                              ::recv(probe, &byte, 1, 0) == 1;
        ::close(probe);
        return is_there;
    }

    std::vector<std::string> arguments_;
    std::uint16_t port_;
    std::string folder_;
    pid_t process_ = 0;
};

}  // namespace hubbub_test
