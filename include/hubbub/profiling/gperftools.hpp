#pragma once

#include <string>

#include <gperftools/malloc_extension.h>

namespace hubbub::inline v0::detail {

// Weak, and under names of our own that do not clash with gperftools' headers: a program that links libprofiler, tcmalloc, both or
// none is linked all the same, what is not there is null, and what comes with LD_PRELOAD is found.
int profiler_start(char const* file) __asm__("ProfilerStart") __attribute__((weak));
void profiler_stop() __asm__("ProfilerStop") __attribute__((weak));
MallocExtension* malloc_extension() __asm__("_ZN15MallocExtension8instanceEv") __attribute__((weak));  // it has no name in C

// Without UBSan's check of a virtual call, which would want type information that only tcmalloc has.
__attribute__((no_sanitize("vptr"))) inline void write_heap_sample(std::string* out) { malloc_extension()->GetHeapSample(out); }
__attribute__((no_sanitize("vptr"))) inline void write_growth_stacks(std::string* out) {
    malloc_extension()->GetHeapGrowthStacks(out);
}

/// What of gperftools there is; the rest is null.
struct Gperftools {
    int (*start)(char const* file) = nullptr;  ///< 0 if it did not
    void (*stop)() = nullptr;
    void (*sample_heap)(std::string* out) = nullptr;
    void (*growth_stacks)(std::string* out) = nullptr;

    static Gperftools linked() noexcept {
        Gperftools found;
        if (profiler_start && profiler_stop) {
            found.start = profiler_start;
            found.stop = profiler_stop;
        }
        if (malloc_extension) {
            found.sample_heap = write_heap_sample;
            found.growth_stacks = write_growth_stacks;
        }
        return found;
    }
};

}  // namespace hubbub::inline v0::detail
