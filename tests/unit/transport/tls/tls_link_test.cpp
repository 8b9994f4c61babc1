#include <hubbub/transport/tls/tls_link.hpp>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "tests/contract/byte_connection_contract.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/transport/tls/offline_client.hpp"
#include "tests/unit/transport/tls/tls_fixture.hpp"

using namespace hubbub_test;
using hubbub_contract::Party;
using hubbub_contract::pattern;
using hubbub_contract::RecordingOwner;

namespace {

/// A connection whose client's records go through the test's hands.
struct Offline {
    explicit Offline(hubbub::TlsContext& context = TlsFixture::usual_context(), TlsClient const& of = {})
        : tcp(TcpFixture::usual),
          pair(tcp.connect()),
          client(of),
          owner(tcp.loop()),
          connection(tcp.driver(), context.wrap(std::move(pair.socket))) {
        int const on = 1;  // each piece is to arrive by itself
        (void)::setsockopt(pair.peer.descriptor(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        in_turn([&] { connection.start(owner); });
    }
    void in_turn(std::function<void()> function) {
        bool done = false;
        tcp.loop().post([&] {
            function();
            done = true;
        });
        REQUIRE(tcp.pump_until([&] { return done; }));
    }
    void shake_hands() {
        bool done = client.handshake({});
        REQUIRE(tcp.pump_until([&] {
            if (std::string const out = client.take(); !out.empty()) pair.peer.write(out);
            done = done || client.handshake(pair.peer.read());
            return done;
        }));
        if (std::string const out = client.take(); !out.empty()) pair.peer.write(out);
        REQUIRE(tcp.settles());
        client.give(pair.peer.read());
    }
    hubbub::WriteResult offer(std::string const& text) {
        block = {};
        block.bytes = reinterpret_cast<std::byte*>(const_cast<char*>(text.data()));
        hubbub::ws::Slice const slice{&block, 0, static_cast<std::uint32_t>(text.size())};
        return connection.write({&slice, 1});
    }

    TcpFixture tcp;
    TcpFixture::Pair pair;
    OfflineClient client;
    hubbub::ws::Block block{};
    RecordingOwner owner;
    hubbub::TcpConnection connection;
};

std::size_t count_records(std::string_view bytes) {
    std::size_t records = 0;
    for (std::size_t i = 0; i + 5 <= bytes.size();) {
        ++records;
        i += 5u + static_cast<unsigned char>(bytes[i + 3]) * 256u + static_cast<unsigned char>(bytes[i + 4]);
    }
    return records;
}

}  // namespace

TEST_CASE("A record that comes in two pieces is read wherever it was cut", "[tcp]") {
    TcpFixture::usual = GENERATE(TcpFixture::epoll_on_one_thread, TcpFixture::kinds.back());
    Offline here;
    here.shake_hands();
    std::string expected;
    for (std::size_t cut = 1;; ++cut) {
        std::string const text = "message " + std::to_string(cut);
        std::string const record = here.client.seal(text);
        if (cut >= record.size()) break;
        here.pair.peer.write(std::string_view(record).substr(0, cut));
        REQUIRE(here.tcp.settles());
        REQUIRE(here.owner.received == expected);
        here.pair.peer.write(std::string_view(record).substr(cut));
        expected += text;
        REQUIRE(here.tcp.pump_until([&] { return here.owner.received.size() >= expected.size(); }));
        REQUIRE(here.owner.received == expected);
    }
    CHECK(here.owner.losses == 0);
}

TEST_CASE("A handshake that comes byte by byte is read", "[tcp]") {
    TcpFixture::usual = TcpFixture::epoll_on_one_thread;
    Offline here;
    bool done = here.client.handshake({});
    for (int round = 0; round < 10 && !done; ++round) {
        for (char const byte : here.client.take()) {
            here.pair.peer.write({&byte, 1});
            REQUIRE(here.tcp.settles());
        }
        done = here.client.handshake(here.pair.peer.read());
    }
    REQUIRE(done);
    std::string const last = here.client.take() + here.client.seal("hello");
    for (char const byte : last) {
        here.pair.peer.write({&byte, 1});
        REQUIRE(here.tcp.settles());
    }
    CHECK(here.owner.received == "hello");
}

TEST_CASE("Many records that come at once are one call, and those of the handshake's last flight are not lost", "[tcp]") {
    TcpFixture::usual = TcpFixture::epoll_on_one_thread;
    Offline here;
    bool done = here.client.handshake({});
    here.pair.peer.write(here.client.take());
    REQUIRE(here.tcp.settles());
    done = here.client.handshake(here.pair.peer.read());
    REQUIRE(done);
    std::string flight = here.client.take();
    for (int i = 0; i < 50; ++i) flight += here.client.seal("x");
    here.pair.peer.write(flight);
    REQUIRE(here.tcp.settles());
    CHECK(here.owner.received == std::string(50, 'x'));
    CHECK(here.owner.callbacks == 1);
}

TEST_CASE("Small slices leave as one record, large ones as full records", "[tcp]") {
    Offline here;
    here.shake_hands();
    std::string text = pattern(1000);
    here.in_turn([&] {
        hubbub::ws::Block block{};
        block.bytes = reinterpret_cast<std::byte*>(text.data());
        std::vector<hubbub::ws::Slice> slices;
        for (std::uint32_t i = 0; i < 100; ++i) slices.push_back({&block, i * 10, 10});
        auto const result = here.connection.write(slices);
        CHECK(result.taken + result.held == 1000);
    });
    REQUIRE(here.tcp.settles());
    std::string records = here.pair.peer.read();
    CHECK(count_records(records) == 1);
    CHECK(records.size() < 1000 + 64);
    here.client.give(records);
    CHECK(here.client.open() == text);

    text = pattern(3 * 16384 + 100);
    here.in_turn([&] { (void)here.offer(text); });
    records.clear();
    REQUIRE(here.tcp.pump_until([&] {
        records += here.pair.peer.read();
        return records.size() > text.size();
    }));
    CHECK(count_records(records) == 4);
    here.client.give(records);
    CHECK(here.client.open() == text);
}

TEST_CASE("A close_notify without the end of TCP ends the peer's side", "[tcp]") {
    TcpFixture::usual = GENERATE(from_range(TcpFixture::kinds));
    Offline here;
    here.shake_hands();
    std::string records = here.client.seal("bye");
    records += here.client.seal_end();
    here.pair.peer.write(records + "what follows is nothing");
    REQUIRE(here.tcp.settles());
    CHECK(here.owner.received == "bye");
    CHECK(here.owner.ends == 1);
    CHECK(here.owner.losses == 0);
    std::string const answer = "still there";
    here.in_turn([&] { (void)here.offer(answer); });
    REQUIRE(here.tcp.settles());
    here.client.give(here.pair.peer.read());
    CHECK(here.client.open() == answer);
}

TEST_CASE("The end of TCP without a close_notify is a loss: somebody may have cut it", "[tcp]") {
    TcpFixture::usual = GENERATE(from_range(TcpFixture::kinds));
    Offline here;
    here.shake_hands();
    std::string records = here.client.seal("whole");
    records += here.client.seal("cut off");
    here.pair.peer.write(std::string_view(records).substr(0, records.size() - 3));
    here.pair.peer.end();
    REQUIRE(here.tcp.pump_until([&] { return here.owner.losses == 1; }));
    CHECK(here.owner.received == "whole");
    CHECK(here.owner.ends == 0);
}

TEST_CASE("shutdown and close say close_notify", "[tcp]") {
    TcpFixture::usual = GENERATE(from_range(TcpFixture::kinds));
    bool const closes = GENERATE(false, true);
    Offline here;
    here.shake_hands();
    here.in_turn([&] { closes ? here.connection.close() : here.connection.shutdown(); });
    std::string records;
    REQUIRE(here.tcp.pump_until([&] {
        records += here.pair.peer.read();
        return here.pair.peer.has_ended();
    }));
    here.client.give(records);
    CHECK(here.client.open().empty());
    CHECK(here.client.has_ended());
    CHECK(here.owner.callbacks == 0);
}

TEST_CASE("A record that was changed on its way is the end", "[tcp]") {
    TcpFixture::usual = TcpFixture::epoll_on_one_thread;
    Offline here;
    here.shake_hands();
    std::string record = here.client.seal("money for anna");
    record[8] = static_cast<char>(record[8] ^ 1);
    here.pair.peer.write(record);
    REQUIRE(here.tcp.pump_until([&] { return here.owner.losses == 1; }));
    CHECK(here.owner.received.empty());
    std::string const text = "too late";
    here.in_turn([&] {
        CHECK(here.offer(text).failed);
        here.connection.close();
    });
}

TEST_CASE("What does not begin like TLS is closed and counted, and costs no handshake", "[tcp]") {
    TcpFixture::usual = GENERATE(from_range(TcpFixture::kinds));
    std::string why;
    TestCertificate const own = TestCertificate::make();
    hubbub::TlsContext context(
        {.certificate = own.certificate, .key = own.key, .on_failure = [&](auto const&, auto reason) { why = reason; }});
    Offline here(context);
    here.pair.peer.write("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    REQUIRE(here.tcp.pump_until([&] { return here.owner.losses == 1; }));
    CHECK(here.owner.callbacks == 1);
    CHECK(context.counts().not_tls == 1);
    CHECK(context.counts().failed == 1);
    CHECK(why == "it did not begin like TLS");
}

TEST_CASE("Garbage that begins like TLS is refused with an alert and counted", "[tcp]") {
    TcpFixture::usual = GENERATE(from_range(TcpFixture::kinds));
    TestCertificate const own = TestCertificate::make();
    hubbub::TlsContext context({.certificate = own.certificate, .key = own.key});
    Offline here(context);
    std::string garbage("\x16\x03\x01\x00\x40", 5);
    for (int i = 0; i < 64; ++i) garbage += static_cast<char>(i * 37);
    here.pair.peer.write(garbage);
    REQUIRE(here.tcp.pump_until([&] { return here.owner.losses == 1; }));
    CHECK(context.counts().failed == 1);
    CHECK(context.counts().not_tls == 0);
    here.in_turn([&] { here.connection.close(); });
    std::string answer;
    REQUIRE(here.tcp.pump_until([&] {
        answer += here.pair.peer.read();
        return here.pair.peer.has_ended() || here.pair.peer.was_reset();
    }));
    REQUIRE_FALSE(answer.empty());
    CHECK(answer.front() == 21);  // an alert
}

TEST_CASE("What an owner offers before the handshake is over waits for it", "[tcp]") {
    TcpFixture::usual = GENERATE(from_range(TcpFixture::kinds));
    Offline here;
    std::string const text = "service unavailable";
    here.in_turn([&] {
        auto const result = here.offer(text);
        CHECK_FALSE(result.failed);
        CHECK(result.taken + result.held == 0);
    });
    bool said = false;
    here.owner.at_writable = [&] {
        said = true;
        (void)here.offer(text);
    };
    here.shake_hands();
    REQUIRE(here.tcp.pump_until([&] { return said; }));
    REQUIRE(here.tcp.settles());
    here.client.give(here.pair.peer.read());
    CHECK(here.client.open() == text);
    CHECK(here.owner.writables == 1);
}

TEST_CASE("Who goes before the handshake is over is counted, and so is who was never greeted", "[tcp]") {
    TcpFixture::usual = GENERATE(from_range(TcpFixture::kinds));
    TestCertificate const own = TestCertificate::make();
    hubbub::TlsContext context({.certificate = own.certificate, .key = own.key});
    Offline here(context);
    (void)here.client.handshake({});
    here.pair.peer.write(here.client.take());
    REQUIRE(here.tcp.settles());
    here.pair.peer.end();
    REQUIRE(here.tcp.pump_until([&] { return here.owner.losses == 1; }));
    CHECK(context.counts().abandoned == 1);
    CHECK(context.counts().handshakes == 0);
}

TEST_CASE("A client that asks for a new key gets one", "[tcp]") {
    TcpFixture::usual = GENERATE(from_range(TcpFixture::kinds));
    Offline here;
    here.shake_hands();
    for (int i = 0; i < 3; ++i) {
        CHECK(SSL_key_update(here.client.ssl(), SSL_KEY_UPDATE_REQUESTED) == 1);
        here.pair.peer.write(here.client.seal("x"));
        REQUIRE(here.tcp.pump_until([&] { return here.owner.received.size() == static_cast<std::size_t>(i) + 1; }));
        std::string const text = "answer " + std::to_string(i);
        here.in_turn([&] { (void)here.offer(text); });
        REQUIRE(here.tcp.settles());
        here.client.give(here.pair.peer.read());
        CHECK(here.client.open() == text);
    }
}

TEST_CASE("Each suite of TLS 1.3 carries what is written, and so does TLS 1.2", "[tcp]") {
    TcpFixture::usual = GENERATE(from_range(TcpFixture::kinds));
    std::string const suite =
        GENERATE(as<std::string>(), "TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256", "");
    bool const is_tls13 = !suite.empty();
    TestCertificate const own = TestCertificate::make();
    hubbub::TlsContext context({.certificate = own.certificate, .key = own.key});
    TlsClient client;
    client.speak(is_tls13 ? TLS1_3_VERSION : TLS1_2_VERSION);
    if (is_tls13) REQUIRE(SSL_CTX_set_ciphersuites(client.context(), suite.c_str()) == 1);
    Offline here(context, client);
    here.shake_hands();
#ifdef OPENSSL_NO_KTLS
    bool const hands_over = false;  // it seals all itself
#else
    bool const hands_over = is_tls13;
#endif
    CHECK(context.counts().keys_taken == (hands_over ? 1u : 0u));
    for (std::size_t const size : {std::size_t{1}, std::size_t{16384}, std::size_t{16385}, std::size_t{50000}}) {
        std::string const text = pattern(size);
        here.in_turn([&] { CHECK(here.offer(text).failed == false); });
        std::string heard;
        REQUIRE(here.tcp.pump_until([&] {
            here.client.give(here.pair.peer.read());
            heard += here.client.open();
            return heard.size() >= text.size();
        }));
        CHECK(heard == text);
    }
    here.in_turn([&] { here.connection.shutdown(); });
    REQUIRE(here.tcp.settles());
    here.client.give(here.pair.peer.read());
    (void)here.client.open();
    CHECK((SSL_get_shutdown(here.client.ssl()) & SSL_RECEIVED_SHUTDOWN) != 0);
}

TEST_CASE("Renegotiation is refused", "[tcp]") {
    TcpFixture::usual = TcpFixture::epoll_on_one_thread;
    TlsClient old;
    old.speak(TLS1_2_VERSION);
    Offline here(TlsFixture::usual_context(), old);
    here.shake_hands();
    CHECK(SSL_renegotiate(here.client.ssl()) == 1);
    (void)SSL_do_handshake(here.client.ssl());
    here.pair.peer.write(here.client.take());
    REQUIRE(here.tcp.settles());
    here.client.give(here.pair.peer.read());
    CHECK(SSL_do_handshake(here.client.ssl()) != 1);
}

TEST_CASE("A driver knows what TLS keeps for its clients", "[tcp]") {
    TcpFixture::usual = GENERATE(from_range(TcpFixture::kinds));
    TlsFixture fixture;
    CHECK(fixture.driver().footprint() == 0);
    auto pair = fixture.connect();
    CHECK(fixture.driver().footprint() == 0);  // it has left
    Party<TlsFixture> party(fixture, std::move(pair));
    std::size_t const idle = fixture.driver().footprint();
    CHECK(idle > 8'000);
    std::string text = pattern(TlsPeer::large);
    hubbub::WriteResult result{.held = 1};
    party.in_turn([&] { result = party.offer(text); });
    REQUIRE(fixture.settles());
    CHECK(fixture.driver().footprint() > idle);
    CHECK(fixture.driver().footprint() < idle + 200'000);
    party.in_turn([&] { party.connection->close(); });
    CHECK(fixture.driver().footprint() == 0);
}

TEST_CASE("Sessions that write in one turn share the memory of their records, and leave with one write each", "[tcp]") {
    TcpFixture::usual = GENERATE(from_range(TcpFixture::kinds));
    TlsFixture fixture;
    std::vector<std::unique_ptr<Party<TlsFixture>>> parties;
    for (int i = 0; i < 10; ++i) parties.push_back(std::make_unique<Party<TlsFixture>>(fixture));
    std::vector<std::string> texts;
    for (std::size_t i = 0; i < parties.size(); ++i) texts.push_back(pattern(20'000) + std::to_string(i));
    for (int round = 0; round < 20; ++round) {
        fixture.in_turn([&] {
            for (std::size_t i = 0; i < parties.size(); ++i) {
                auto const result = parties[i]->offer(texts[i], 7);
                CHECK(result.taken + result.held == texts[i].size());
            }
        });
        for (std::size_t i = 0; i < parties.size(); ++i) REQUIRE(parties[i]->peer_gets(texts[i]));
        REQUIRE(fixture.settles());
    }
    for (auto& party : parties) CHECK(party->owner.losses + party->owner.writables == 0);
}
