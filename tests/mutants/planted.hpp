// The bug that the patches of this folder ask for: all are in one program, and each run of it has one of them, or none.
#pragma once
#include <cstdlib>
#include <string_view>

inline bool planted(std::string_view name) noexcept {
    static std::string_view const chosen = [] {
        char const* const variable = std::getenv("HUBBUB_MUTANT");
        return std::string_view(variable ? variable : "");
    }();
    return name == chosen;
}
