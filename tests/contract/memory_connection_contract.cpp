#include "tests/contract/byte_connection_contract.hpp"
#include "tests/contract/memory_fixture.hpp"

using namespace hubbub_contract;

namespace {

using Direct = MemoryFixture<hubbub::MemoryConnection, hubbub::MemoryMode::direct>;
using Deferred = MemoryFixture<hubbub::MemoryConnection, hubbub::MemoryMode::deferred>;
using Records = MemoryFixture<hubbub::MemoryConnection, hubbub::MemoryMode::records>;

}  // namespace

TEMPLATE_TEST_CASE("MemoryConnection writes as a ByteConnection must", "[memory]", Direct, Deferred, Records) {
    writing_keeps_the_contract<TestType>();
}

TEMPLATE_TEST_CASE("MemoryConnection reads as a ByteConnection must", "[memory]", Direct, Deferred, Records) {
    reading_keeps_the_contract<TestType>();
}

TEMPLATE_TEST_CASE("MemoryConnection ends as a ByteConnection must", "[memory]", Direct, Deferred, Records) {
    ending_keeps_the_contract<TestType>();
}

TEMPLATE_TEST_CASE("MemoryConnection moves as a ByteConnection must", "[memory]", Direct, Deferred, Records) {
    moving_keeps_the_contract<TestType>();
}
