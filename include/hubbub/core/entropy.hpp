#pragma once

#include <cerrno>
#include <cstdint>
#include <system_error>

#include <hubbub/core/exceptions.hpp>

#if __has_include(<sys/random.h>)
#include <sys/random.h>
#include <unistd.h>
#else
#include <random>
#endif

namespace hubbub::inline v0::detail {

/// A number by chance that nobody can foresee, from the system. Not `std::random_device` where it can be helped: what <random>
/// includes is a twentieth of what a hub takes to compile.
///
/// Errors: std::system_error if the system has none.
inline std::uint64_t entropy() {
    std::uint64_t number = 0;
#if __has_include(<sys/random.h>)
    if (::getentropy(&number, sizeof number) != 0)
        throw_exception(std::system_error(errno, std::generic_category(), "getentropy"));
#else
    std::random_device device;
    number = std::uint64_t{device()} << 32 | device();
#endif
    return number;
}

}  // namespace hubbub::inline v0::detail
