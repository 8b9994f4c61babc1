// What every ByteConnection must do, a section for each bullet of transport/connection.hpp. A model brings a fixture:
//
//     struct Fixture {
//         using Connection = ...;
//         struct Peer {                             // the other end, raw
//             static constexpr std::size_t large;   // bytes
//             void write(std::string_view bytes);   // few enough to fit
//             std::string read();                   // what is there now, maybe nothing; does not wait
//             std::string read(std::size_t most);   // only of a model that holds until the peer reads
//             struct InexactRoom {};                // only where what is held may be settled while there is still room
//             bool has_ended() const;               // a read has met the end
//             bool was_reset() const;               // a read has met a reset
//             void end();                           // half-close
//             void reset();
//         };
//         struct Pair { Connection::Socket socket; Peer peer; };
//         Connection::Driver& driver();
//         hubbub::ShardLoop& loop();                // its hook commits the driver at the end of each turn
//         Pair connect();                           // with buffers that hold much less than `Peer::large`
//         bool pump_until(std::function<bool()> const& is_done);   // bounded
//         bool settles();                           // runs what is ready; false if there is no end to it
//     };
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <hubbub/transport/connection.hpp>

#include "tests/support/catch.hpp"

namespace hubbub_contract {

template <class Fixture>
inline constexpr bool has_exact_room = !requires { typename Fixture::Peer::InexactRoom; };

/// Bytes of which each four tell where they belong.
inline std::string pattern(std::size_t size) {
    std::string bytes(size, '\0');
    for (std::size_t i = 0; i + 4 <= size; i += 4) {
        auto const mark = static_cast<std::uint32_t>(i * 2654435761u);
        std::memcpy(bytes.data() + i, &mark, 4);
    }
    return bytes;
}

/// What the owners of both kinds of connection are told.
template <class Owner>
struct Recording : Owner {
    explicit Recording(hubbub::ShardLoop& loop) : loop_(&loop) {}

    void on_writable() noexcept override {
        note();
        ++writables;
        if (at_writable) at_writable();
    }
    void on_written(std::uint32_t taken) noexcept override {
        note();
        ++settlements;
        settled = taken;
        if (at_written) at_written(taken);
    }
    void on_lost() noexcept override {
        note();
        ++losses;
        if (at_lost) at_lost();
    }

    int callbacks = 0, writables = 0, settlements = 0, losses = 0;
    int callbacks_outside_of_turns = 0, callbacks_inside_of_writes = 0;
    std::uint32_t settled = 0;
    bool writing = false;
    std::function<void()> at_writable, at_lost;
    std::function<void(std::uint32_t)> at_written;

   protected:
    ~Recording() = default;
    void note() noexcept {
        ++callbacks;
        if (!loop_->in_turn()) ++callbacks_outside_of_turns;
        if (writing) ++callbacks_inside_of_writes;
    }

   private:
    hubbub::ShardLoop* loop_;
};

struct RecordingOwner final : Recording<hubbub::ByteConnectionOwner> {
    using Recording::Recording;

    void on_bytes(std::span<std::byte> borrowed) noexcept override {
        note();
        if (borrowed.empty())
            ++ends;
        else
            received.append(reinterpret_cast<char const*>(borrowed.data()), borrowed.size());
        for (std::byte& byte : borrowed) byte ^= std::byte{0xff};  // it is ours to write on
        if (at_bytes) at_bytes();
    }

    int ends = 0;
    std::string received;
    std::function<void()> at_bytes;
};

/// One connection with its owner and its peer.
template <class Fixture, class Owner = RecordingOwner>
class Party {
   public:
    using Connection = typename Fixture::Connection;

    explicit Party(Fixture& fixture) : Party(fixture, fixture.connect()) {}
    Party(Fixture& fixture, typename Fixture::Pair pair)
        : owner(fixture.loop()),
          peer(std::move(pair.peer)),
          connection(std::make_unique<Connection>(fixture.driver(), std::move(pair.socket))),
          fixture_(fixture) {
        in_turn([&] { connection->start(owner); });
    }

    /// Runs `function` in a turn of the loop.
    void in_turn(std::function<void()> function) {
        bool done = false;
        fixture_.loop().post([&] {
            function();
            done = true;
        });
        REQUIRE(fixture_.pump_until([&] { return done; }));
    }

    /// Offers all of `text`, cut into this many slices.
    hubbub::WriteResult offer(std::string& text, std::size_t pieces = 1) {
        block_ = {};
        block_.bytes = reinterpret_cast<std::byte*>(text.data());
        std::vector<hubbub::ws::Slice> slices;
        std::size_t offset = 0;
        for (std::size_t i = 1; i <= pieces; ++i) {
            std::size_t const end = text.size() * i / pieces;
            slices.push_back({&block_, static_cast<std::uint32_t>(offset), static_cast<std::uint32_t>(end - offset)});
            offset = end;
        }
        owner.writing = true;
        hubbub::WriteResult const result = connection->write(slices);
        owner.writing = false;
        return result;
    }

    /// Offers `text` once, in a turn of its own, and says how much of it is out when all that was held is settled.
    struct Outcome {
        hubbub::WriteResult result;
        std::size_t out = 0;
    };
    Outcome write_once(std::string& text, std::size_t pieces = 1) {
        Outcome outcome;
        int const before = owner.settlements;
        in_turn([&] { outcome.result = offer(text, pieces); });
        if (outcome.result.held > 0)
            REQUIRE(fixture_.pump_until([&] {
                bool const is_settled = owner.settlements > before;
                if constexpr (requires { peer.read(std::size_t{1}); })
                    if (!is_settled) early_ += peer.read(outcome.result.held);
                return is_settled;
            }));
        outcome.out = outcome.result.taken + (outcome.result.held > 0 ? owner.settled : 0);
        return outcome;
    }

    /// Whether the peer gets exactly this next.
    bool peer_gets(std::string_view expected) {
        std::string got = std::exchange(early_, {});
        bool const complete = fixture_.pump_until([&] {
            got += peer.read();
            return got.size() >= expected.size();
        });
        return complete && got == expected;
    }
    bool peer_sees_the_end() {
        return fixture_.pump_until([&] { return peer.read().empty() && peer.has_ended(); });
    }

    Owner owner;
    typename Fixture::Peer peer;
    std::unique_ptr<Connection> connection;

   private:
    Fixture& fixture_;
    hubbub::ws::Block block_{};
    std::string early_;  // what the peer read so that a write could be settled
};

template <class Fixture>
void writing_keeps_the_contract() {
    Fixture fixture;
    Party<Fixture> party(fixture);
    RecordingOwner& owner = party.owner;

    SECTION("what fits is out, whole and in order, and nobody is told to go on") {
        std::string text = "small";
        auto const outcome = party.write_once(text);
        CHECK(outcome.result.taken + outcome.result.held == text.size());
        CHECK(outcome.out == text.size());
        CHECK(party.peer_gets("small"));
        CHECK(fixture.settles());
        CHECK(owner.writables == 0);
    }
    SECTION("many slices are one stream") {
        std::string text = pattern(1000);
        CHECK(party.write_once(text, 200).out == text.size());
        CHECK(party.peer_gets(text));
    }
    SECTION("a short write is followed by exactly one on_writable, when there is room") {
        std::string text = pattern(Fixture::Peer::large);
        auto const outcome = party.write_once(text);
        CHECK_FALSE(outcome.result.failed);
        REQUIRE(outcome.out < text.size());
        CHECK(outcome.result.taken + outcome.result.held <= text.size());
        CHECK(fixture.settles());
        if (has_exact_room<Fixture>) CHECK(owner.writables == 0);
        CHECK(party.peer_gets(std::string_view(text).substr(0, outcome.out)));
        REQUIRE(fixture.pump_until([&] { return owner.writables > 0; }));
        CHECK(fixture.settles());
        CHECK(owner.writables == 1);
    }
    SECTION("the rest of a large message follows, as often as there is room") {
        std::string const text = pattern(Fixture::Peer::large);
        std::string rest = text, got;
        std::uint32_t held = 0;
        bool may_write = true;
        int shorts = 0;
        owner.at_writable = [&] { may_write = true; };
        owner.at_written = [&](std::uint32_t taken) {
            rest.erase(0, taken);
            if (taken < held) ++shorts;
            held = 0;
        };
        bool const complete = fixture.pump_until([&] {
            if (may_write && held == 0 && !rest.empty()) {
                party.in_turn([&] {
                    may_write = false;
                    std::size_t const offered = rest.size();
                    auto const result = party.offer(rest, 3);
                    held = result.held;
                    if (result.taken + result.held < offered) ++shorts;
                    rest.erase(0, result.taken);
                });
            }
            got += party.peer.read();
            return got.size() >= text.size();
        });
        CHECK(complete);
        CHECK(fixture.settles());
        CHECK(got == text);
        CHECK(shorts > 1);
        CHECK(owner.writables == shorts);
    }
    SECTION("held is settled once, and not inside the write") {
        std::string text = pattern(5000);
        auto const outcome = party.write_once(text);
        CHECK(fixture.settles());
        CHECK(owner.settlements == (outcome.result.held > 0 ? 1 : 0));
        CHECK(party.peer_gets(text));
    }
    SECTION("offered bytes are read no more after commit") {
        std::string const original = pattern(Fixture::Peer::large);
        std::string text = original;
        auto const outcome = party.write_once(text, 10);
        std::fill(text.begin(), text.end(), 'x');
        CHECK(party.peer_gets(std::string_view(original).substr(0, outcome.out)));
    }
    SECTION("nothing comes after a write that failed") {
        party.peer.reset();
        std::string text = pattern(1000);
        hubbub::WriteResult result;
        int callbacks = 0;
        party.in_turn([&] {
            callbacks = owner.callbacks;
            if (owner.losses == 0)
                for (int i = 0; i < 100 && !result.failed && !result.held; ++i) result = party.offer(text);
        });
        if (owner.losses == 0 && result.failed) {
            CHECK(fixture.settles());
            CHECK(owner.callbacks == callbacks);
        } else {
            // The loss was told before there was a chance to write.
            CHECK(fixture.pump_until([&] { return owner.losses == 1; }));
        }
        party.in_turn([&] { party.connection->close(); });
    }
    CHECK(owner.callbacks_inside_of_writes == 0);
    CHECK(owner.callbacks_outside_of_turns == 0);
}

template <class Fixture>
void reading_keeps_the_contract() {
    Fixture fixture;
    Party<Fixture> party(fixture);
    RecordingOwner& owner = party.owner;

    SECTION("bytes arrive, whole and in order") {
        std::string const text = pattern(3000);
        party.peer.write(text.substr(0, 1));
        REQUIRE(fixture.pump_until([&] { return owner.received.size() == 1; }));
        party.peer.write(text.substr(1));
        CHECK(fixture.pump_until([&] { return owner.received.size() >= text.size(); }));
        CHECK(owner.received == text);
    }
    SECTION("the peer's end comes once, behind its bytes, and writing goes on") {
        party.peer.write("last words");
        party.peer.end();
        REQUIRE(fixture.pump_until([&] { return owner.ends > 0; }));
        CHECK(owner.received == "last words");
        CHECK(fixture.settles());
        CHECK(owner.ends == 1);
        CHECK(owner.losses == 0);
        std::string answer = "an answer";
        CHECK(party.write_once(answer).out == answer.size());
        CHECK(party.peer_gets(answer));
    }
    SECTION("both sides may end without a loss") {
        party.in_turn([&] { party.connection->shutdown(); });
        party.peer.end();
        REQUIRE(fixture.pump_until([&] { return owner.ends > 0; }));
        CHECK(fixture.settles());
        CHECK(owner.ends == 1);
        CHECK(owner.losses == 0);
        CHECK(party.peer_sees_the_end());
    }
    SECTION("a peer that is gone is told once, and nothing comes after it") {
        party.peer.reset();
        REQUIRE(fixture.pump_until([&] { return owner.losses > 0; }));
        CHECK(fixture.settles());
        CHECK(owner.losses == 1);
        CHECK(owner.callbacks == 1);
        party.in_turn([&] {
            party.connection->resume_reading();
            party.connection->close();
        });
        CHECK(fixture.settles());
        CHECK(owner.callbacks == 1);
    }
    SECTION("while reading is paused no bytes come, and they come afterwards") {
        party.in_turn([&] {
            party.connection->pause_reading();
            party.connection->pause_reading();
        });
        party.peer.write("waiting");
        party.peer.end();
        CHECK(fixture.settles());
        CHECK(owner.callbacks == 0);
        std::string text = "writing goes on";
        CHECK(party.write_once(text).out == text.size());
        CHECK(party.peer_gets(text));
        party.in_turn([&] {
            party.connection->resume_reading();
            party.connection->resume_reading();
        });
        CHECK(fixture.pump_until([&] { return owner.ends == 1; }));
        CHECK(owner.received == "waiting");
        CHECK(fixture.settles());
        CHECK(owner.callbacks - owner.settlements == 2);
    }
    SECTION("a handler may pause between its bytes") {
        owner.at_bytes = [&] { party.connection->pause_reading(); };
        party.peer.write("one");
        REQUIRE(fixture.pump_until([&] { return owner.received == "one"; }));
        party.peer.write("two");
        CHECK(fixture.settles());
        CHECK(owner.received == "one");
        party.in_turn([&] { party.connection->resume_reading(); });
        CHECK(fixture.pump_until([&] { return owner.received == "onetwo"; }));
    }
    SECTION("resuming inside the pause's turn loses nothing") {
        party.in_turn([&] {
            party.connection->pause_reading();
            party.connection->resume_reading();
        });
        party.peer.write("here");
        CHECK(fixture.pump_until([&] { return owner.received == "here"; }));
    }
    SECTION("a write that was short is followed by on_writable while reading is paused") {
        std::string text = pattern(Fixture::Peer::large);
        party.in_turn([&] { party.connection->pause_reading(); });
        auto const outcome = party.write_once(text);
        REQUIRE(outcome.out < text.size());
        party.peer.write("unread");
        CHECK(party.peer_gets(std::string_view(text).substr(0, outcome.out)));
        CHECK(fixture.pump_until([&] { return owner.writables == 1; }));
        CHECK(fixture.settles());
        CHECK(owner.callbacks - owner.settlements == 1);
    }
    CHECK(owner.callbacks_outside_of_turns == 0);
}

template <class Fixture>
void ending_keeps_the_contract() {
    Fixture fixture;
    Party<Fixture> party(fixture);
    RecordingOwner& owner = party.owner;
    auto const close = [&] {
        party.connection->close();
        party.connection->close();
    };

    SECTION("shutdown ends the sending side behind what was taken, and reading goes on") {
        std::string text = pattern(2000);
        CHECK(party.write_once(text).out == text.size());
        party.in_turn([&] { party.connection->shutdown(); });
        CHECK(party.peer_gets(text));
        CHECK(party.peer_sees_the_end());
        party.peer.write("still heard");
        CHECK(fixture.pump_until([&] { return owner.received == "still heard"; }));
        party.peer.end();
        CHECK(fixture.pump_until([&] { return owner.ends == 1; }));
    }
    SECTION("close is silent, and what was taken still reaches the peer") {
        std::string text = pattern(2000);
        CHECK(party.write_once(text).out == text.size());
        int const before = owner.callbacks;
        party.in_turn(close);
        CHECK(party.peer_gets(text));
        CHECK(party.peer_sees_the_end());
        CHECK_FALSE(party.peer.was_reset());
        CHECK(fixture.settles());
        CHECK(owner.callbacks == before);
        CHECK(party.connection->peer().family == hubbub::PeerAddress::Family::none);
    }
    SECTION("reset is silent, and the peer learns that it was no orderly end") {
        std::string text = pattern(2000);
        CHECK(party.write_once(text).out == text.size());
        int const before = owner.callbacks;
        party.in_turn([&] {
            party.connection->reset();
            party.connection->reset();
            party.connection->close();
        });
        CHECK(fixture.pump_until([&] {
            (void)party.peer.read();
            return party.peer.was_reset();
        }));
        CHECK(fixture.settles());
        CHECK(owner.callbacks == before);
    }
    SECTION("close inside on_bytes: nothing comes after it") {
        owner.at_bytes = close;
        party.peer.write("one");
        REQUIRE(fixture.pump_until([&] { return owner.callbacks > 0; }));
        CHECK(fixture.settles());
        CHECK(owner.callbacks == 1);
        CHECK(party.peer_sees_the_end());
    }
    SECTION("close inside the end of the peer") {
        owner.at_bytes = close;
        party.peer.end();
        REQUIRE(fixture.pump_until([&] { return owner.ends > 0; }));
        CHECK(fixture.settles());
        CHECK(owner.callbacks == 1);
    }
    SECTION("close inside on_lost") {
        owner.at_lost = close;
        party.peer.reset();
        REQUIRE(fixture.pump_until([&] { return owner.losses > 0; }));
        CHECK(fixture.settles());
        CHECK(owner.callbacks == 1);
    }
    SECTION("close inside on_writable") {
        owner.at_writable = close;
        std::string text = pattern(Fixture::Peer::large);
        auto const outcome = party.write_once(text);
        party.peer.write("never read");
        CHECK(party.peer_gets(std::string_view(text).substr(0, outcome.out)));
        // The owner may hear the bytes first; behind on_writable it hears nothing.
        REQUIRE(fixture.pump_until([&] { return owner.writables > 0; }));
        int const before = owner.callbacks;
        CHECK(fixture.settles());
        CHECK(owner.callbacks == before);
    }
    SECTION("a callback may close another connection, which then hears nothing more") {
        Party<Fixture> other(fixture);
        owner.at_bytes = [&] { other.connection->close(); };
        other.owner.at_bytes = [&] { party.connection->close(); };
        // Both have something to say in the same turn: only one of them is heard.
        party.peer.write("a");
        other.peer.write("b");
        REQUIRE(fixture.pump_until([&] { return owner.callbacks + other.owner.callbacks > 0; }));
        CHECK(fixture.settles());
        CHECK(owner.callbacks + other.owner.callbacks == 1);
    }
    SECTION("a connection that is made in a callback hears only what is its own") {
        Party<Fixture> other(fixture);
        auto fresh = fixture.connect();
        RecordingOwner fresh_owner(fixture.loop());
        std::unique_ptr<typename Fixture::Connection> replacement;
        auto const replace = [&] {
            party.connection->close();
            other.connection->close();
            replacement = std::make_unique<typename Fixture::Connection>(fixture.driver(), std::move(fresh.socket));
            replacement->start(fresh_owner);
        };
        owner.at_bytes = other.owner.at_bytes = replace;
        party.peer.write("a");
        other.peer.write("b");
        REQUIRE(fixture.pump_until([&] { return replacement != nullptr; }));
        CHECK(fixture.settles());
        CHECK(fresh_owner.callbacks == 0);
        fresh.peer.write("c");
        CHECK(fixture.pump_until([&] { return fresh_owner.received == "c"; }));
        party.in_turn([&] { replacement.reset(); });
    }
    SECTION("destruction closes") {
        std::string text = "goodbye";
        CHECK(party.write_once(text).out == text.size());
        party.in_turn([&] { party.connection.reset(); });
        CHECK(party.peer_gets(text));
        CHECK(party.peer_sees_the_end());
    }
    CHECK(owner.callbacks_outside_of_turns == 0);
}

template <class Fixture>
void moving_keeps_the_contract() {
    using Connection = typename Fixture::Connection;
    Fixture fixture;
    Party<Fixture> party(fixture);
    RecordingOwner next(fixture.loop());
    auto const move = [&] { party.connection = std::make_unique<Connection>(std::move(*party.connection)); };
    auto const start_again = [&] { party.in_turn([&] { party.connection->start(next); }); };

    SECTION("bytes that come between the move and start go to the new owner") {
        party.in_turn(move);
        party.peer.write("for the next");
        CHECK(fixture.settles());
        CHECK(party.owner.callbacks == 0);
        start_again();
        CHECK(fixture.pump_until([&] { return next.received == "for the next"; }));
        CHECK(party.owner.callbacks == 0);
    }
    SECTION("a move inside on_bytes keeps what follows") {
        party.owner.at_bytes = [&] {
            move();
            party.connection->start(next);
        };
        party.peer.write("one");
        REQUIRE(fixture.pump_until([&] { return party.owner.received == "one"; }));
        party.peer.write("two");
        CHECK(fixture.pump_until([&] { return next.received == "two"; }));
        CHECK(party.owner.received == "one");
    }
    SECTION("on_writable goes to the new owner") {
        std::string text = pattern(Fixture::Peer::large);
        auto const outcome = party.write_once(text);
        REQUIRE(outcome.out < text.size());
        party.in_turn(move);
        int const before = party.owner.writables;
        if (has_exact_room<Fixture>) CHECK(before == 0);
        CHECK(party.peer_gets(std::string_view(text).substr(0, outcome.out)));
        CHECK(fixture.settles());
        CHECK(party.owner.writables == before);
        start_again();
        CHECK(fixture.pump_until([&] { return before + next.writables == 1; }));
        CHECK(fixture.settles());
        CHECK(before + next.writables == 1);
    }
    SECTION("the loss of the peer goes to the new owner") {
        party.in_turn(move);
        party.peer.reset();
        CHECK(fixture.settles());
        start_again();
        CHECK(fixture.pump_until([&] { return next.losses == 1; }));
        CHECK(party.owner.callbacks == 0);
    }
    SECTION("a paused connection stays paused") {
        party.in_turn([&] {
            party.connection->pause_reading();
            move();
            party.connection->start(next);
        });
        party.peer.write("later");
        CHECK(fixture.settles());
        CHECK(next.callbacks == 0);
        party.in_turn([&] { party.connection->resume_reading(); });
        CHECK(fixture.pump_until([&] { return next.received == "later"; }));
    }
    SECTION("a detached socket goes on with another driver on another thread, and no byte is lost") {
        std::string const text = pattern(3000);
        party.peer.write(text.substr(0, 1000));
        REQUIRE(fixture.pump_until([&] { return party.owner.received.size() == 1000; }));
        auto const address = party.connection->peer();
        typename Connection::Socket socket;
        party.peer.write(text.substr(1000, 1000));
        party.in_turn([&] {
            socket = party.connection->detach();
            party.connection->close();
        });
        std::size_t const heard = party.owner.received.size();
        party.peer.write(text.substr(2000));
        CHECK(fixture.settles());
        CHECK(party.owner.received.size() == heard);
        CHECK(socket.peer() == address);
        std::string received, answer = "from over there";
        bool complete = false;
        std::thread([&] {
            Fixture elsewhere;
            RecordingOwner owner(elsewhere.loop());
            Connection connection(elsewhere.driver(), std::move(socket));
            hubbub::ws::Block block{};
            block.bytes = reinterpret_cast<std::byte*>(answer.data());
            hubbub::ws::Slice const slice{&block, 0, static_cast<std::uint32_t>(answer.size())};
            elsewhere.loop().post([&] {
                connection.start(owner);
                (void)connection.write({&slice, 1});
            });
            complete = elsewhere.pump_until([&] { return heard + owner.received.size() >= text.size(); });
            received = owner.received;
            bool closed = false;
            elsewhere.loop().post([&] {
                connection.close();
                closed = true;
            });
            (void)elsewhere.pump_until([&] { return closed; });
        }).join();
        CHECK(complete);
        CHECK(party.owner.received + received == text);
        CHECK(party.peer_gets(answer));
    }
    CHECK(party.owner.callbacks_outside_of_turns + next.callbacks_outside_of_turns == 0);
}

}  // namespace hubbub_contract
