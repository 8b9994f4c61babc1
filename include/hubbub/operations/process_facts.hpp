#pragma once

#include <dirent.h>
#include <sys/resource.h>

#include <cerrno>
#include <cstddef>
#include <memory>

namespace hubbub::inline v0 {

/// What the system says about this process.
struct ProcessFacts {
    std::size_t descriptors = 0;       ///< that are open; 0 where it is not known
    std::size_t descriptor_limit = 0;  ///< RLIMIT_NOFILE

    /// Cost: a read of /proc/self/fd, a microsecond for every ten descriptors or so: not on a loop that serves many.
    static ProcessFacts look() noexcept {
        ProcessFacts facts;
        rlimit limit{};
        if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) facts.descriptor_limit = static_cast<std::size_t>(limit.rlim_cur);
        std::unique_ptr<DIR, int (*)(DIR*)> const folder(::opendir("/proc/self/fd"), ::closedir);
        if (!folder) {
            // Who has none left cannot count them either.
            if (errno == EMFILE) facts.descriptors = facts.descriptor_limit;
            return facts;
        }
        while (dirent const* const entry = ::readdir(folder.get())) facts.descriptors += entry->d_name[0] != '.';
        facts.descriptors -= facts.descriptors > 0;  // the one that reads
        return facts;
    }
};

}  // namespace hubbub::inline v0
