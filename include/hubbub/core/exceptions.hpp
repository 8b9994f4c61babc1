#pragma once

#include <utility>

// Here, because everything includes this: as C++17, which g++ 12 takes for granted, the rest is pages of errors that name no reason.
#if __cplusplus < 202002L
#error "hubbub: C++20 is needed: compile with -std=c++20, as the CMake targets do by themselves"
#endif

#if !defined(__cpp_exceptions)
#include <cstdio>
#include <exception>
#endif

namespace hubbub::inline v0::detail {

/// Throws. It exists so that the library builds without exceptions too: there it writes what is wrong to the standard error stream
/// and calls `std::terminate`, which a host may have replaced with `std::set_terminate`.
template <class Exception>
[[noreturn]] void throw_exception(Exception const& exception) {
#if defined(__cpp_exceptions)
    throw exception;
#else
    (void)std::fprintf(stderr, "hubbub: %s\n", exception.what());
    std::terminate();
#endif
}

/// Calls `function`; if it throws an `Exception`, `otherwise(exception)`. Other exceptions pass. In a build without exceptions nothing
/// is caught.
template <class Exception, class F, class G>
void attempt(F&& function, [[maybe_unused]] G&& otherwise) {
#if defined(__cpp_exceptions)
    try {
        std::forward<F>(function)();
    } catch (Exception const& exception) {
        std::forward<G>(otherwise)(exception);
    }
#else
    std::forward<F>(function)();
#endif
}

}  // namespace hubbub::inline v0::detail
