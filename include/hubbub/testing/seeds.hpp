#pragma once

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

namespace hubbub::inline v0::testing {

/// Which seeds a test runs: `HUBBUB_SEEDS` says how many, from 1 on; `HUBBUB_SEED` names the only one, to replay it.
///
/// Threading: reads the environment.
/// Example: `for (auto seed : Seeds(300)) { INFO(Seeds::replay(seed, "name of the test")); run(seed); }`
class Seeds {
   public:
    /// `usual`: how many there are where the environment says nothing.
    explicit Seeds(std::uint64_t usual) {
        if (char const* const one = std::getenv("HUBBUB_SEED")) {
            first_ = std::strtoull(one, nullptr, 10);
            end_ = first_ + 1;
            return;
        }
        char const* const many = std::getenv("HUBBUB_SEEDS");
        end_ = first_ + (many ? std::strtoull(many, nullptr, 10) : usual);
    }

    class Iterator {
       public:
        explicit Iterator(std::uint64_t seed) : seed_(seed) {}
        std::uint64_t operator*() const noexcept { return seed_; }
        Iterator& operator++() noexcept {
            ++seed_;
            return *this;
        }
        bool operator==(Iterator const&) const = default;

       private:
        std::uint64_t seed_;
    };
    Iterator begin() const noexcept { return Iterator(first_); }
    Iterator end() const noexcept { return Iterator(end_); }

    /// The command that runs that seed again. `test` is a name as Catch takes it.
    static std::string replay(std::uint64_t seed, std::string_view test) {
        std::string command = "replay with: HUBBUB_SEED=" + std::to_string(seed) + " ";
#if defined(__GLIBC__)
        command += program_invocation_name;
#else
        command += "the test program";
#endif
        command += " \"";
        for (char const c : test) {  // Catch splits a name at commas
            if (c == ',') command += '\\';
            command += c;
        }
        return command + '"';
    }

   private:
    std::uint64_t first_ = 1, end_ = 1;
};

}  // namespace hubbub::inline v0::testing
