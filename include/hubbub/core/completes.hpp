#pragma once

#include <utility>

namespace hubbub::inline v0 {

/// Calls code of the application. False if it threw: what was thrown ends here, so that it never takes a loop down. In a build
/// without exceptions nothing is caught.
template <class F>
[[gnu::always_inline]] inline bool completes(F&& function) noexcept {
#if defined(__cpp_exceptions)
    try {
        std::forward<F>(function)();
        return true;
    } catch (...) {
        return false;
    }
#else
    std::forward<F>(function)();
    return true;
#endif
}

}  // namespace hubbub::inline v0
