#include <hubbub/events/line_writer.hpp>

#include <fcntl.h>
#include <pthread.h>
#include <sys/resource.h>
#include <termios.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/unit/events/descriptors.hpp"

using namespace hubbub;
using namespace descriptors;

namespace line_writer {

/// While it lives nothing can be opened, as if there were no /proc.
class NoDescriptors {
   public:
    NoDescriptors() {
        REQUIRE(getrlimit(RLIMIT_NOFILE, &old_) == 0);
        rlimit const none{0, old_.rlim_max};
        REQUIRE(setrlimit(RLIMIT_NOFILE, &none) == 0);
    }
    NoDescriptors(NoDescriptors const&) = delete;
    NoDescriptors& operator=(NoDescriptors const&) = delete;
    ~NoDescriptors() { setrlimit(RLIMIT_NOFILE, &old_); }

   private:
    rlimit old_{};
};

}  // namespace line_writer

using line_writer::NoDescriptors;

TEST_CASE("Lines go to a file one behind the other") {
    File file;
    LineWriter writer(file.descriptor());
    CHECK(writer.write("one\n"));
    CHECK(writer.write("two\n"));
    CHECK(file.text() == "one\ntwo\n");
}

TEST_CASE("A pipe that is full takes no line and does not hold the writer up, whatever the other end is set to") {
    Pipe pipe;
    bool const blocks = GENERATE(true, false), may_open = GENERATE(true, false);
    CAPTURE(blocks, may_open);
    if (!blocks) ::fcntl(pipe.writer(), F_SETFL, O_NONBLOCK);
    std::optional<NoDescriptors> none;
    if (!may_open) none.emplace();
    LineWriter writer(pipe.writer());
    none.reset();
    std::string const line = std::string(999, 'x') + '\n';
    std::size_t written = 0;
    while (writer.write(line)) ++written;
    CHECK(written >= 1);
    CHECK_FALSE(writer.write(line));
    CHECK(lines_of(pipe.read()) == std::vector<std::string>(written, std::string(999, 'x')));
    CHECK(writer.write("room again\n"));
    CHECK(pipe.read() == "room again\n");
    CHECK((::fcntl(pipe.writer(), F_GETFL) & O_NONBLOCK) == (blocks ? 0 : O_NONBLOCK));
}

TEST_CASE("A terminal that is stopped or full takes no line, and goes on when it is read") {
    int const master = ::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
    REQUIRE(master >= 0);
    REQUIRE(::grantpt(master) == 0);
    REQUIRE(::unlockpt(master) == 0);
    int const terminal = ::open(::ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
    REQUIRE(terminal >= 0);
    auto const read = [master] {
        std::string all(1u << 20, '\0');
        std::size_t size = 0;
        for (ssize_t got; (got = ::read(master, all.data() + size, all.size() - size)) > 0;)
            size += static_cast<std::size_t>(got);
        all.resize(size);
        std::erase(all, '\r');  // that a terminal adds
        return all;
    };
    LineWriter writer(terminal);
    REQUIRE(::tcflow(terminal, TCOOFF) == 0);
    CHECK_FALSE(writer.write("stopped\n"));
    REQUIRE(::tcflow(terminal, TCOON) == 0);
    std::string const line = std::string(999, 'x') + '\n';
    std::size_t written = 0;
    while (writer.write(line)) ++written;
    CHECK(written >= 1);
    std::string all = read();
    CHECK(writer.write("room again\n"));  // behind the end of a line of which a part was taken
    all += read();
    auto lines = lines_of(all);
    CHECK(lines.back() == "room again");
    lines.pop_back();
    CHECK(lines == std::vector<std::string>(written, std::string(999, 'x')));
    ::close(terminal);
    ::close(master);
}

TEST_CASE("The longest line is taken by a pipe as a whole") {
    Pipe pipe;
    LineWriter writer(pipe.writer());
    std::string const longest = std::string(LineWriter::longest - 1, 'y') + '\n';
    std::string expected;
    while (writer.write(longest)) expected += longest;
    CHECK(expected.size() >= longest.size());
    CHECK(pipe.read() == expected);
}

TEST_CASE("A pipe that nobody reads from ends neither the writer nor the program") {
    Pipe pipe;
    auto const before = std::signal(SIGPIPE, SIG_DFL);
    LineWriter writer(pipe.writer());
    pipe.close_reader();
    CHECK_FALSE(writer.write("unheard\n"));
    CHECK_FALSE(LineWriter(pipe.writer()).write("unheard\n"));
    std::signal(SIGPIPE, before);
}

TEST_CASE("A signal that was pending before stays so, and the mask of signals is what it was") {
    Pipe pipe;
    LineWriter writer(pipe.writer());
    sigset_t pipe_only, original, now;
    sigemptyset(&pipe_only);
    sigaddset(&pipe_only, SIGPIPE);
    REQUIRE(pthread_sigmask(SIG_BLOCK, &pipe_only, &original) == 0);
    pthread_kill(pthread_self(), SIGPIPE);
    CHECK(writer.write("heard\n"));
    REQUIRE(sigpending(&now) == 0);
    CHECK(sigismember(&now, SIGPIPE) == 1);
    timespec const at_once{};
    CHECK(sigtimedwait(&pipe_only, nullptr, &at_once) == SIGPIPE);
    pthread_sigmask(SIG_SETMASK, &original, nullptr);
    CHECK(writer.write("heard\n"));
    pthread_sigmask(SIG_SETMASK, nullptr, &now);
    CHECK(sigismember(&now, SIGPIPE) == sigismember(&original, SIGPIPE));
}

TEST_CASE("A line of which a part was taken is finished before another begins") {
    File file;
    LineWriter writer(file.descriptor());
    // A file that may not grow takes a part, as a full disk does.
    auto const before = std::signal(SIGXFSZ, SIG_IGN);
    rlimit old{};
    REQUIRE(getrlimit(RLIMIT_FSIZE, &old) == 0);
    rlimit const ten_bytes{10, old.rlim_max};
    REQUIRE(setrlimit(RLIMIT_FSIZE, &ten_bytes) == 0);
    bool const first = writer.write("first line\n"), second = writer.write("second line\n");
    REQUIRE(setrlimit(RLIMIT_FSIZE, &old) == 0);
    std::signal(SIGXFSZ, before);
    CHECK(first);  // it has a place, though its end is still to come
    CHECK_FALSE(second);
    CHECK(file.text() == "first line");
    CHECK(writer.write("third line\n"));
    CHECK(file.text() == "first line\nthird line\n");
}

TEST_CASE("A socket that is full or has no other end takes no line") {
    int ends[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
    LineWriter writer(ends[0]);
    std::string const line = std::string(999, 'x') + '\n';
    std::size_t written = 0;
    while (writer.write(line)) ++written;
    CHECK(written > 10);
    auto const before = std::signal(SIGPIPE, SIG_DFL);
    ::close(ends[1]);
    CHECK_FALSE(writer.write(line));
    std::signal(SIGPIPE, before);
    ::close(ends[0]);
}

TEST_CASE("Lines of several threads are not mixed") {
    File file;
    LineWriter writer(file.descriptor());
    std::vector<std::thread> threads;
    for (char name = 'a'; name < 'e'; ++name)
        threads.emplace_back([&writer, name] {
            for (int i = 0; i < 200; ++i) (void)writer.write(std::string(300, name) + '\n');
        });
    for (auto& thread : threads) thread.join();
    auto const lines = lines_of(file.text());
    CHECK(lines.size() == 800);
    for (auto const& line : lines) CHECK(line == std::string(300, line.front()));
}

TEST_CASE("A descriptor that is not open, or only to be read, is refused") {
    Pipe pipe;
    CHECK_THROWS_AS(LineWriter(-1), std::invalid_argument);
    CHECK_THROWS_AS(LineWriter(pipe.ends[0]), std::invalid_argument);
    CHECK_NOTHROW(LineWriter(pipe.writer()));
}
