#pragma once

// What the servers of other libraries share: the command line of the load interface. They are C++17, as these libraries are, and see
// nothing of hubbub.
#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <string_view>
#include <system_error>

namespace peer {

struct Arguments {
    std::uint16_t port = 0;
    bool is_echo = false;
};

/// A wrong command line ends the program with a sentence and exit code 2.
inline Arguments parse(int argc, char** argv) {
    Arguments result;
    bool is_wrong = argc % 2 == 0;
    for (int i = 1; i + 1 < argc; i += 2) {
        std::string_view const name = argv[i], value = argv[i + 1];
        if (name == "--port") {
            auto const [end, error] = std::from_chars(value.data(), value.data() + value.size(), result.port);
            is_wrong = is_wrong || error != std::errc{} || end != value.data() + value.size();
        } else if (name == "--mode" && (value == "echo" || value == "broadcast")) {
            result.is_echo = value == "echo";
        } else {
            is_wrong = true;
        }
    }
    if (!is_wrong) return result;
    std::cerr << "usage: " << argv[0] << " [--port N] [--mode echo|broadcast]\n";
    std::exit(2);
}

}  // namespace peer
