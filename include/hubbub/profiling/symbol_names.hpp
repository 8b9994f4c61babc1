#pragma once

#include <cxxabi.h>
#include <dlfcn.h>

#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

namespace hubbub::inline v0::detail {

/// The function at an address, demangled; empty where none is known. Only what is exported is: all of a shared library's
/// interface, and of a program that was linked with -rdynamic.
inline std::string symbol_name(std::uintptr_t address) {
    ::Dl_info info{};
    // NOLINTNEXTLINE(performance-no-int-to-ptr): it came as text
    if (::dladdr(reinterpret_cast<void const*>(address), &info) == 0 || !info.dli_sname) return {};
    int status = 0;
    std::unique_ptr<char, decltype(&std::free)> const demangled(abi::__cxa_demangle(info.dli_sname, nullptr, nullptr, &status),
                                                                &std::free);
    return demangled ? demangled.get() : info.dli_sname;
}

/// What a tool is told that asks for "0x1234+0x5678": that there are symbols, and a line for each address that has a name. Nothing
/// if the addresses cannot be read.
inline std::optional<std::string> symbol_names(std::string_view addresses) {
    std::string text = "num_symbols: 1\n";
    while (!addresses.empty()) {
        std::size_t const plus = addresses.find('+');
        std::string_view const word = addresses.substr(0, plus);
        if (!word.starts_with("0x")) return std::nullopt;
        std::uintptr_t address = 0;
        auto const [end, error] = std::from_chars(word.data() + 2, word.data() + word.size(), address, 16);
        if (error != std::errc{} || end != word.data() + word.size()) return std::nullopt;
        if (std::string const name = symbol_name(address); !name.empty())
            text.append(word).append(1, ' ').append(name).append(1, '\n');
        if (plus == std::string_view::npos) break;
        addresses.remove_prefix(plus + 1);
        if (addresses.empty()) return std::nullopt;
    }
    return text;
}

}  // namespace hubbub::inline v0::detail
