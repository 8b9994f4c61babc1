#pragma once

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <csignal>
#include <cstddef>
#include <ctime>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>

#include <hubbub/core/assert.hpp>
#include <hubbub/core/exceptions.hpp>

namespace hubbub::inline v0 {

/// Writes lines to a descriptor whole or not at all, and never waits: a line for which there is no room is not written. Loops and
/// programs that have one pipe or file in common do not mix their lines.
///
/// Whether writing waits is said of an open file, which other processes may have too, and not of a descriptor. So a pipe or a terminal
/// is opened once more, through /proc. Where that is not allowed it is asked before each line whether there is room, and only another
/// program that fills it just then makes it wait. A regular file takes a line in the time that its disk needs.
///
/// Threading: any. Lifetime: the descriptor is borrowed.
/// Errors: std::invalid_argument from the constructor; what fails later is only not written. No SIGPIPE.
/// Cost: a lock and one write(2); for pipes and terminals also four short calls that keep SIGPIPE away.
class LineWriter {
   public:
    /// Bytes of the longest line: what a pipe takes as a whole.
    static constexpr std::size_t longest = PIPE_BUF;

    explicit LineWriter(int descriptor) : descriptor_(descriptor), kind_(kind_of(descriptor)) {
        rest_.reserve(longest);
        if (kind_ != Kind::stream) return;
        std::string const again = "/proc/self/fd/" + std::to_string(descriptor);
        own_ = ::open(again.c_str(), O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    }
    LineWriter(LineWriter const&) = delete;
    LineWriter& operator=(LineWriter const&) = delete;
    ~LineWriter() {
        if (own_ >= 0) ::close(own_);
    }

    /// False: it was not written. The line ends with its line feed.
    bool write(std::string_view line) noexcept {
        HUBBUB_ASSERT(line.size() <= longest && line.ends_with('\n'));
        std::lock_guard const lock(mutex_);
        if (!rest_.empty()) {  // of a line that was begun
            rest_.erase(0, put(rest_));
            if (!rest_.empty()) return false;
        }
        std::size_t const taken = put(line);
        if (taken != 0) rest_.assign(line.substr(taken));
        return taken != 0;
    }

   private:
    enum class Kind : char { file, socket, stream };

    static Kind kind_of(int descriptor) {
        struct stat status{};
        int const mode = ::fcntl(descriptor, F_GETFL);
        if (mode < 0 || (mode & O_ACCMODE) == O_RDONLY || ::fstat(descriptor, &status) != 0)
            detail::throw_exception(std::invalid_argument("LineWriter: the descriptor must be open for writing"));
        if (S_ISSOCK(status.st_mode)) return Kind::socket;
        return S_ISFIFO(status.st_mode) || S_ISCHR(status.st_mode) ? Kind::stream : Kind::file;
    }
    /// How much of it was taken.
    std::size_t put(std::string_view bytes) const noexcept {
        while (true) {
            ssize_t const taken = try_to_put(bytes);
            if (taken >= 0) return static_cast<std::size_t>(taken);
            if (errno != EINTR) return 0;
        }
    }
    ssize_t try_to_put(std::string_view bytes) const noexcept {
        if (kind_ == Kind::file) return ::write(descriptor_, bytes.data(), bytes.size());
        if (kind_ == Kind::socket) return ::send(descriptor_, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
        if (own_ < 0) {
            pollfd room{descriptor_, POLLOUT, 0};
            if (::poll(&room, 1, 0) != 1 || room.revents != POLLOUT) return 0;
        }
        WithoutSigpipe const guard;
        return ::write(own_ < 0 ? descriptor_ : own_, bytes.data(), bytes.size());
    }

    /// A pipe without a reader raises SIGPIPE in the thread that writes, and write(2) has no flag against it.
    class WithoutSigpipe {
       public:
        WithoutSigpipe() noexcept {
            sigemptyset(&pipe_);
            sigaddset(&pipe_, SIGPIPE);
            sigset_t pending;
            sigpending(&pending);
            was_pending_ = sigismember(&pending, SIGPIPE) == 1;
            pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
        }
        WithoutSigpipe(WithoutSigpipe const&) = delete;
        WithoutSigpipe& operator=(WithoutSigpipe const&) = delete;
        ~WithoutSigpipe() {
            int const error = errno;
            timespec const at_once{};
            if (error == EPIPE && !was_pending_) (void)sigtimedwait(&pipe_, nullptr, &at_once);
            pthread_sigmask(SIG_SETMASK, &before_, nullptr);
            errno = error;
        }

       private:
        sigset_t pipe_, before_;
        bool was_pending_;
    };

    int descriptor_;
    Kind kind_;
    int own_ = -1;  ///< the same pipe or terminal, opened so that it does not wait
    std::mutex mutex_;
    std::string rest_;  ///< of a line of which a part was taken; nothing else is written before it
};

}  // namespace hubbub::inline v0
