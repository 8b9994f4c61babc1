#include <hubbub/profiling/memory_file.hpp>

#include <cstddef>
#include <fstream>
#include <string>

#include "tests/support/catch.hpp"

TEST_CASE("What is written to the path of a file in memory is read from it, whatever its size") {
    for (std::size_t const size : {std::size_t{0}, std::size_t{1}, std::size_t{65536}, std::size_t{200'001}}) {
        CAPTURE(size);
        hubbub::detail::MemoryFile const file;
        REQUIRE(file.is_open());
        std::string bytes(size, 'a');
        if (size) bytes.front() = 'b', bytes.back() = '\0';
        std::ofstream(file.path(), std::ios::binary) << bytes;
        CHECK(file.read() == bytes);
        CHECK(file.read() == bytes);
    }
}
