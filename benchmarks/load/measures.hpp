#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cinttypes>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <memory>
#include <string>

#include <dirent.h>
#include <unistd.h>

#include "generator_options.hpp"

namespace generator {

inline std::uint64_t now_ns(clockid_t clock = CLOCK_MONOTONIC) {
    timespec time;
    clock_gettime(clock, &time);
    return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000u + static_cast<std::uint64_t>(time.tv_nsec);
}

/// Nanoseconds of CPU that all threads of a process have used, also those that have ended.
class ProcessCpu {
   public:
    explicit ProcessCpu(long pid) : pid_(pid) {}

    std::uint64_t used() const {
        if (pid_ == 0) return 0;
        std::string const directory = "/proc/" + std::to_string(pid_) + "/task";
        std::unique_ptr<DIR, int (*)(DIR*)> tasks(opendir(directory.c_str()), closedir);
        if (!tasks) refuse("there is no process " + std::to_string(pid_));
        std::uint64_t sum = 0;
        while (auto const* entry = readdir(tasks.get())) {
            if (entry->d_name[0] == '.') continue;
            std::string const file = directory + "/" + entry->d_name + "/schedstat";
            std::unique_ptr<FILE, int (*)(FILE*)> stat(std::fopen(file.c_str(), "r"), std::fclose);
            std::uint64_t nanoseconds = 0;
            if (stat && std::fscanf(stat.get(), "%" SCNu64, &nanoseconds) == 1) sum += nanoseconds;
        }
        return sum;
    }

    std::uint64_t resident_bytes() const {
        if (pid_ == 0) return 0;
        std::string const file = "/proc/" + std::to_string(pid_) + "/statm";
        std::unique_ptr<FILE, int (*)(FILE*)> statm(std::fopen(file.c_str(), "r"), std::fclose);
        std::uint64_t pages = 0;
        if (!statm || std::fscanf(statm.get(), "%*u %" SCNu64, &pages) != 1) return 0;
        return pages * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
    }

   private:
    long pid_;
};

/// Counts per duration with 3 % resolution, up to 2^40 ns.
class Histogram {
   public:
    void add(std::uint64_t nanoseconds) {
        ++buckets_[index(nanoseconds)];
        ++count_;
        most_ = std::max(most_, nanoseconds);
    }
    void clear() { *this = Histogram{}; }
    double microseconds(double quantile) const {
        auto const wanted = static_cast<std::uint64_t>(quantile * static_cast<double>(count_));
        std::uint64_t seen = 0;
        for (std::size_t i = 0; i < buckets_.size(); ++i)
            if ((seen += buckets_[i]) > wanted) return std::min(upper_end(i), static_cast<double>(most_)) / 1000.0;
        return static_cast<double>(most_) / 1000.0;
    }
    double most_microseconds() const { return static_cast<double>(most_) / 1000.0; }

   private:
    static std::size_t index(std::uint64_t value) {
        if (value < 32) return value;
        auto const shift = std::min<unsigned>(static_cast<unsigned>(std::bit_width(value)) - 6, 35);
        return std::min<std::size_t>((shift + 1) * 32 + (value >> shift) - 32, 1183);
    }
    static double upper_end(std::size_t i) {
        if (i < 64) return static_cast<double>(i + 1);
        return static_cast<double>((i % 32 + 33) << (i / 32 - 1));
    }

    std::array<std::uint64_t, 1184> buckets_{};
    std::uint64_t count_ = 0;
    std::uint64_t most_ = 0;
};

}  // namespace generator
