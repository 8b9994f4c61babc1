// A program that a test starts, and ends.
#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace hubbub_test {

/// Where a program is, as the shell finds it; empty if it is not installed.
inline std::string find_program(std::string const& name) {
    std::string path = std::getenv("PATH") ? std::getenv("PATH") : "";
    path += ":/usr/sbin:/usr/local/sbin";
    for (std::size_t begin = 0; begin <= path.size();) {
        std::size_t const end = std::min(path.find(':', begin), path.size());
        std::string const found = path.substr(begin, end - begin) + '/' + name;
        if (::access(found.c_str(), X_OK) == 0) return found;
        begin = end + 1;
    }
    return {};
}

/// A port of 127.0.0.1 that nobody has at the moment, for a server that may be ended and begun again there.
///
/// It is not one of those that the system gives to whoever connects somewhere: else a client of some other test could be found on it, or
/// one that connects to it again and again, while the server is away, could meet itself (TCP's simultaneous open).
inline std::uint16_t free_port() {
    unsigned first_of_clients = 32'768;
    std::ifstream("/proc/sys/net/ipv4/ip_local_port_range") >> first_of_clients;
    constexpr unsigned first = 10'000;
    if (first_of_clients < first + 1'000) throw std::runtime_error("the system gives all ports to clients");
    std::random_device random;
    for (int tries = 0; tries < 1'000; ++tries) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        address.sin_port = htons(static_cast<std::uint16_t>(first + random() % (first_of_clients - first)));
        int const socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        bool const is_free = ::bind(socket, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
        ::close(socket);
        if (is_free) return ntohs(address.sin_port);
    }
    throw std::runtime_error("no free port");
}

/// A folder of its own, that goes with it.
class ScratchFolder {
   public:
    ScratchFolder() {
        std::string name = (std::filesystem::temp_directory_path() / "hubbub_test_XXXXXX").string();
        if (!::mkdtemp(name.data())) throw std::runtime_error("no folder for a test");
        path_ = name;
    }
    ~ScratchFolder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    ScratchFolder(ScratchFolder const&) = delete;
    ScratchFolder& operator=(ScratchFolder const&) = delete;
    std::string operator/(std::string const& name) const { return (path_ / name).string(); }
    std::string text() const { return path_.string(); }
    /// A file in it; returns where.
    std::string write(std::string const& name, std::string const& text) const {
        std::ofstream(path_ / name) << text;
        return *this / name;
    }

   private:
    std::filesystem::path path_;
};

/// Lifetime: ends the program, which also ends with this one.
class ChildProcess {
   public:
    /// Its output goes to the file `log`.
    ChildProcess(std::vector<std::string> words, std::string const& log) {
        std::vector<char*> arguments;
        for (std::string& word : words) arguments.push_back(word.data());
        arguments.push_back(nullptr);
        pid_t const parent = ::getpid();
        id_ = ::fork();
        if (id_ < 0) throw std::runtime_error("fork failed");
        if (id_ > 0) return;
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (::getppid() != parent) ::_exit(1);
        int const file = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
        ::dup2(file, 1);
        ::dup2(file, 2);
        ::execv(arguments[0], arguments.data());
        ::_exit(127);
    }
    ~ChildProcess() { end(); }
    ChildProcess(ChildProcess&& other) noexcept : id_(std::exchange(other.id_, -1)) {}
    ChildProcess& operator=(ChildProcess&&) = delete;

    void send(int signal) const { ::kill(id_, signal); }
    void end() {
        if (id_ <= 0) return;
        ::kill(id_, SIGKILL);
        ::waitpid(id_, nullptr, 0);
        id_ = -1;
    }

   private:
    pid_t id_ = -1;
};

}  // namespace hubbub_test
