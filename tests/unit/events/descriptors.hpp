#pragma once

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstddef>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/catch.hpp"

/// What sinks write to.
namespace descriptors {

/// A pipe whose ends are blocking, as those of a shell are, and which takes two pages.
struct Pipe {
    int ends[2] = {-1, -1};

    Pipe() {
        REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
        REQUIRE(::fcntl(ends[1], F_SETPIPE_SZ, 8192) >= 8192);
    }
    Pipe(Pipe const&) = delete;
    Pipe& operator=(Pipe const&) = delete;
    ~Pipe() {
        close_reader();
        ::close(ends[1]);
    }
    int writer() const { return ends[1]; }
    void close_reader() {
        if (ends[0] >= 0) ::close(ends[0]);
        ends[0] = -1;
    }
    /// All that is in it.
    std::string read() const {
        std::string result(1u << 20, '\0');
        ::fcntl(ends[0], F_SETFL, O_NONBLOCK);  // this end only
        ssize_t const size = ::read(ends[0], result.data(), result.size());
        result.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
        return result;
    }
};

/// A file without a name.
struct File {
    std::FILE* file = std::tmpfile();

    File() { REQUIRE(file); }
    File(File const&) = delete;
    File& operator=(File const&) = delete;
    ~File() { std::fclose(file); }
    int descriptor() const { return ::fileno(file); }
    std::string text() const {
        std::string result(1u << 20, '\0');
        ssize_t const size = ::pread(descriptor(), result.data(), result.size(), 0);
        result.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
        return result;
    }
};

/// Each ends with its line feed.
inline std::vector<std::string> lines_of(std::string_view text) {
    std::vector<std::string> result;
    while (!text.empty()) {
        std::size_t const end = text.find('\n');
        REQUIRE(end != std::string_view::npos);
        result.emplace_back(text.substr(0, end));
        text.remove_prefix(end + 1);
    }
    return result;
}

}  // namespace descriptors
