#include <hubbub/events/line_writer.hpp>

#include <pthread.h>
#include <sys/resource.h>

#include <csignal>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/unit/events/descriptors.hpp"

using namespace hubbub;
using namespace descriptors;

TEST_CASE("Lines go to a file one behind the other") {
    File file;
    LineWriter writer(file.descriptor());
    CHECK(writer.write("one\n"));
    CHECK(writer.write("two\n"));
    CHECK(file.text() == "one\ntwo\n");
}

TEST_CASE("A pipe that is full takes no line and does not hold the writer up, whatever the other end is set to") {
    Pipe pipe;
    bool const blocks = GENERATE(true, false);
    if (!blocks) ::fcntl(pipe.writer(), F_SETFL, O_NONBLOCK);
    LineWriter writer(pipe.writer());
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
    LineWriter writer(pipe.writer());
    auto const before = std::signal(SIGPIPE, SIG_DFL);
    pipe.close_reader();
    CHECK_FALSE(writer.write("unheard\n"));
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
