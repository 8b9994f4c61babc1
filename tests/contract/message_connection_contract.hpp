// What every MessageConnection must do beyond what it shares with byte connections, a section for each bullet of
// transport/connection.hpp. The fixture is that of byte_connection_contract.hpp, but that what its peer says is messages:
//
//     struct Peer {
//         void say(std::string_view text);
//         void pong(std::string_view payload);
//         void close(hubbub::CloseCode code, std::string_view reason);
//         std::string read();   // what is there now, in frames
//         bool has_ended() const;
//         void reset();
//     };
//     static constexpr bool holds_all = true;   // only of a model that refuses nothing, and learns of a loss when it is told
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <hubbub/transport/connection.hpp>
#include <hubbub/ws/frame_header.hpp>

#include "tests/contract/byte_connection_contract.hpp"
#include "tests/support/catch.hpp"

namespace hubbub_contract {

struct RecordingMessageOwner final : Recording<hubbub::MessageConnectionOwner> {
    using Recording::Recording;

    void on_message(hubbub::MessageView message) noexcept override {
        heard((message.is_text() ? "text " : "binary ") + std::string(message.view()));
    }
    void on_pong(std::span<std::byte const> payload) noexcept override {
        heard("pong " + std::string(reinterpret_cast<char const*>(payload.data()), payload.size()));
    }
    void on_peer_violation(hubbub::CloseCode, std::string_view) noexcept override {}
    void on_peer_close(hubbub::CloseCode code, std::string_view reason) noexcept override {
        heard("close " + std::to_string(static_cast<int>(code)) + " " + std::string(reason));
    }

    std::vector<std::string> events;
    std::function<void()> at_event;

   private:
    void heard(std::string what) {
        note();
        events.push_back(std::move(what));
        if (at_event) at_event();
    }
};
using Events = std::vector<std::string>;

/// An unmasked frame, as the hub writes it.
inline std::string server_frame(hubbub::ws::Opcode opcode, std::string_view payload) {
    std::string frame(hubbub::ws::max_server_header, '\0');
    frame.resize(hubbub::ws::encode_server_header(reinterpret_cast<std::byte*>(frame.data()), opcode, payload.size()));
    return frame.append(payload);
}
inline std::string text_frame(std::string_view payload) { return server_frame(hubbub::ws::Opcode::text, payload); }

template <class Fixture>
void hearing_messages_keeps_the_contract() {
    Fixture fixture;
    Party<Fixture, RecordingMessageOwner> party(fixture);
    RecordingMessageOwner& owner = party.owner;

    SECTION("messages, pongs and the Close arrive whole and in order") {
        party.peer.say("one");
        party.peer.pong("p");
        party.peer.say(std::string(3000, 'x'));
        party.peer.close(hubbub::CloseCode::going_away, "bye");
        CHECK(fixture.pump_until([&] { return owner.events.size() >= 4; }));
        CHECK(fixture.settles());
        CHECK(owner.events == Events{"text one", "pong p", "text " + std::string(3000, 'x'), "close 1001 bye"});
        CHECK(owner.callbacks == 4);
    }
    SECTION("while reading is paused no message comes, and they come afterwards") {
        party.in_turn([&] {
            party.connection->pause_reading();
            party.connection->pause_reading();
        });
        party.peer.say("waiting");
        CHECK(fixture.settles());
        CHECK(owner.callbacks == 0);
        std::string frame = text_frame("writing goes on");
        CHECK(party.write_once(frame).out == frame.size());
        CHECK(party.peer_gets(frame));
        party.in_turn([&] {
            party.connection->resume_reading();
            party.connection->resume_reading();
        });
        CHECK(fixture.pump_until([&] { return owner.events == Events{"text waiting"}; }));
    }
    SECTION("a handler may pause between two messages") {
        owner.at_event = [&] { party.connection->pause_reading(); };
        party.peer.say("one");
        party.peer.say("two");
        CHECK(fixture.settles());
        CHECK(owner.events == Events{"text one"});
        party.in_turn([&] { party.connection->resume_reading(); });
        CHECK(fixture.pump_until([&] { return owner.events == Events{"text one", "text two"}; }));
    }
    SECTION("a peer that is gone is told once, and nothing comes after it") {
        party.peer.reset();
        REQUIRE(fixture.pump_until([&] { return owner.losses > 0; }));
        CHECK(fixture.settles());
        CHECK(owner.callbacks == 1);
    }
    SECTION("what comes between a move and start goes to the new owner") {
        RecordingMessageOwner next(fixture.loop());
        using Connection = typename Fixture::Connection;
        party.in_turn([&] { party.connection = std::make_unique<Connection>(std::move(*party.connection)); });
        party.peer.say("for the next");
        CHECK(fixture.settles());
        CHECK(owner.callbacks == 0);
        party.in_turn([&] { party.connection->start(next); });
        CHECK(fixture.pump_until([&] { return next.events == Events{"text for the next"}; }));
        CHECK(owner.callbacks == 0);
    }
    CHECK(owner.callbacks_outside_of_turns == 0);
}

template <class Fixture>
void writing_frames_keeps_the_contract() {
    Fixture fixture;
    Party<Fixture, RecordingMessageOwner> party(fixture);
    RecordingMessageOwner& owner = party.owner;
    std::string const ping = server_frame(hubbub::ws::Opcode::ping, "are you there");
    std::string const close = server_frame(hubbub::ws::Opcode::close, std::string("\x03\xe9") + "bye");
    auto const send_ping = [&] {
        std::string_view const payload = "are you there";
        party.connection->send_ping(std::as_bytes(std::span(payload)));
    };

    SECTION("what fits is out, and nobody is told to go on") {
        std::string frames = text_frame("one") + text_frame(pattern(300));
        CHECK(party.write_once(frames).out == frames.size());
        CHECK(party.peer_gets(frames));
        CHECK(fixture.settles());
        CHECK(owner.callbacks - owner.settlements == 0);
    }
    if constexpr (!requires { Fixture::holds_all; })
        SECTION("a short write is followed by exactly one on_writable, when there is room") {
            std::string frames;
            while (frames.size() < 200'000) frames += text_frame(pattern(1000));
            auto const outcome = party.write_once(frames);
            REQUIRE(outcome.out < frames.size());
            CHECK(fixture.settles());
            CHECK(owner.writables == 0);
            CHECK(party.peer_gets(std::string_view(frames).substr(0, outcome.out)));
            CHECK(fixture.pump_until([&] { return owner.writables > 0; }));
            CHECK(fixture.settles());
            CHECK(owner.writables == 1);
        }
    SECTION("a ping and a Close come behind what was written") {
        std::string frame = text_frame("before");
        party.in_turn([&] {
            auto const result = party.offer(frame);
            CHECK(result.taken + result.held == frame.size());
            send_ping();
            party.connection->send_close(hubbub::CloseCode::going_away, "bye");
        });
        CHECK(party.peer_gets(frame + ping + close));
    }
    SECTION("a Close without a code has no payload") {
        party.in_turn([&] { party.connection->send_close(hubbub::CloseCode::no_status, {}); });
        CHECK(party.peer_gets(server_frame(hubbub::ws::Opcode::close, {})));
    }
    if constexpr (!requires { Fixture::holds_all; }) SECTION("a ping never gets into the middle of a frame") {
            std::string frame = text_frame(pattern(100'000));
            auto const outcome = party.write_once(frame);
            REQUIRE(outcome.out < frame.size());
            party.in_turn(send_ping);
            std::string got, rest = frame.substr(outcome.out);
            bool may_write = false;
            owner.at_writable = [&] { may_write = true; };
            owner.at_written = [&](std::uint32_t taken) { rest.erase(0, taken); };
            CHECK(fixture.pump_until([&] {
                if (std::exchange(may_write, false) && !rest.empty())
                    party.in_turn([&] { rest.erase(0, party.offer(rest).taken); });
                got += party.peer.read();
                return got.size() >= frame.size() + ping.size();
            }));
            CHECK(got == frame + ping);
        }
    if constexpr (!requires { Fixture::holds_all; }) SECTION("nothing comes after a write that failed") {
            party.peer.reset();
            std::string frame = text_frame("lost");
            hubbub::WriteResult result;
            party.in_turn([&] { result = party.offer(frame); });
            CHECK((result.failed || owner.losses == 1));
            int const before = owner.callbacks;
            CHECK(fixture.settles());
            CHECK(owner.callbacks == (result.failed ? before : 1));
        }
    CHECK(owner.callbacks_inside_of_writes == 0);
    CHECK(owner.callbacks_outside_of_turns == 0);
}

template <class Fixture>
void ending_messages_keeps_the_contract() {
    Fixture fixture;
    Party<Fixture, RecordingMessageOwner> party(fixture);
    RecordingMessageOwner& owner = party.owner;
    auto const close = [&] {
        party.connection->close();
        party.connection->close();
    };

    SECTION("close is silent, and what was taken still reaches the peer") {
        std::string frame = text_frame("last words");
        CHECK(party.write_once(frame).out == frame.size());
        int const before = owner.callbacks;
        party.in_turn(close);
        party.peer.say("too late");
        CHECK(party.peer_gets(frame));
        CHECK(party.peer_sees_the_end());
        CHECK(fixture.settles());
        CHECK(owner.callbacks == before);
    }
    SECTION("close inside on_message: nothing comes after it") {
        owner.at_event = close;
        party.peer.say("one");
        party.peer.say("two");
        REQUIRE(fixture.pump_until([&] { return owner.callbacks > 0; }));
        CHECK(fixture.settles());
        CHECK(owner.events == Events{"text one"});
    }
    SECTION("destruction inside on_peer_close closes") {
        owner.at_event = [&] { party.connection.reset(); };
        party.peer.close(hubbub::CloseCode::normal, "");
        REQUIRE(fixture.pump_until([&] { return owner.callbacks > 0; }));
        CHECK(party.peer_sees_the_end());
    }
    SECTION("a detached socket goes on with another connection, and no message is lost") {
        auto const address = party.connection->peer();
        party.peer.say("unheard");
        typename Fixture::Connection::Socket socket;
        bool detached = false;
        fixture.loop().post([&] {
            if (owner.events.empty()) socket = party.connection->detach();
            detached = true;
        });
        REQUIRE(fixture.pump_until([&] { return detached; }));
        REQUIRE(owner.events.empty());
        CHECK(socket.peer() == address);
        RecordingMessageOwner next(fixture.loop());
        typename Fixture::Connection other(fixture.driver(), std::move(socket));
        party.in_turn([&] { other.start(next); });
        CHECK(fixture.pump_until([&] { return next.events == Events{"text unheard"}; }));
        CHECK(owner.callbacks == 0);
        party.in_turn([&] { other.close(); });
    }
    CHECK(owner.callbacks_outside_of_turns == 0);
}

}  // namespace hubbub_contract
