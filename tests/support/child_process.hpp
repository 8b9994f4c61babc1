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

/// A port of 127.0.0.1 that nobody has at the moment.
inline std::uint16_t free_port() {
    int const socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    bool const found = ::bind(socket, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
                       ::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size) == 0;
    ::close(socket);
    if (!found) throw std::runtime_error("no free port");
    return ntohs(address.sin_port);
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
