#include "tests/contract/byte_connection_contract.hpp"
#include "tests/contract/memory_fixture.hpp"

using namespace hubbub_contract;
using hubbub::MemoryMode;

using Fixture = MemoryFixture<hubbub::MemoryConnection>;

TEST_CASE("MemoryConnection writes as a ByteConnection must") {
    Fixture::mode = GENERATE(MemoryMode::direct, MemoryMode::deferred, MemoryMode::records);
    writing_keeps_the_contract<Fixture>();
}

TEST_CASE("MemoryConnection reads as a ByteConnection must") {
    Fixture::mode = GENERATE(MemoryMode::direct, MemoryMode::deferred, MemoryMode::records);
    reading_keeps_the_contract<Fixture>();
}

TEST_CASE("MemoryConnection ends as a ByteConnection must") {
    Fixture::mode = GENERATE(MemoryMode::direct, MemoryMode::deferred, MemoryMode::records);
    ending_keeps_the_contract<Fixture>();
}

TEST_CASE("MemoryConnection moves as a ByteConnection must") {
    Fixture::mode = GENERATE(MemoryMode::direct, MemoryMode::deferred, MemoryMode::records);
    moving_keeps_the_contract<Fixture>();
}
