#pragma once

#include <stdexcept>
#include <string>

/// The sentence with which options are refused; empty, if they pass.
template <class Options>
std::string refusal(Options const& options) {
    try {
        options.check();
    } catch (std::invalid_argument const& error) {
        return error.what();
    }
    return {};
}
