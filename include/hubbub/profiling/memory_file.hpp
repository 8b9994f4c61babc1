#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <string>

namespace hubbub::inline v0::detail {

/// A file without a place on a disk, for what wants to write to a path: no directory has to be chosen, and nothing is left behind.
class MemoryFile {
   public:
    MemoryFile() noexcept : descriptor_(::memfd_create("hubbub_profile", MFD_CLOEXEC)) {}
    ~MemoryFile() {
        if (is_open()) ::close(descriptor_);
    }
    MemoryFile(MemoryFile const&) = delete;
    MemoryFile& operator=(MemoryFile const&) = delete;

    bool is_open() const noexcept { return descriptor_ >= 0; }
    /// Opens it anew, in this process.
    std::string path() const { return "/proc/self/fd/" + std::to_string(descriptor_); }

    std::string read() const {
        std::string bytes;
        std::array<char, 65536> part;
        for (::ssize_t got; (got = ::pread(descriptor_, part.data(), part.size(), static_cast<::off_t>(bytes.size()))) > 0;)
            bytes.append(part.data(), static_cast<std::size_t>(got));
        return bytes;
    }

   private:
    int descriptor_;
};

}  // namespace hubbub::inline v0::detail
