#include <hubbub/transport/memory/memory_message_connection.hpp>

#include "tests/contract/memory_fixture.hpp"
#include "tests/contract/message_connection_contract.hpp"

using namespace hubbub_contract;

namespace {

struct MessagePeer : MemoryPeer {
    using MemoryPeer::MemoryPeer;
    using Kind = hubbub::MemoryWire::Event::Kind;

    void say(std::string_view text) {
        wire->events.push_back({Kind::message, hubbub::ws::Opcode::text, {}, std::string(text)});
    }
    void pong(std::string_view payload) {
        wire->events.push_back({Kind::pong, hubbub::ws::Opcode::pong, {}, std::string(payload)});
    }
    void close(hubbub::CloseCode code, std::string_view reason) {
        wire->events.push_back({Kind::close, hubbub::ws::Opcode::close, code, std::string(reason)});
    }
};

using Messages = MemoryFixture<hubbub::MemoryMessageConnection, MessagePeer>;

}  // namespace

TEST_CASE("MemoryMessageConnection brings messages as a MessageConnection must") {
    hearing_messages_keeps_the_contract<Messages>();
}

TEST_CASE("MemoryMessageConnection writes as a MessageConnection must") { writing_frames_keeps_the_contract<Messages>(); }

TEST_CASE("MemoryMessageConnection ends as a MessageConnection must") { ending_messages_keeps_the_contract<Messages>(); }
