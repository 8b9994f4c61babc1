#include <hubbub/transport/tls/tls_context.hpp>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/contract/byte_connection_contract.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/transport/tls/tls_fixture.hpp"

using namespace hubbub_test;
using hubbub::TlsContext;
using hubbub::TlsOptions;
using hubbub_contract::Party;
using hubbub_contract::RecordingOwner;

namespace {

/// One connection, as far as it comes.
struct Meeting {
    Meeting(TlsClient const& client, TlsContext& context)
        : pair(fixture.connect_only(client, context)),
          owner(fixture.loop()),
          connection(fixture.driver(), std::move(pair.socket)) {
        fixture.in_turn([&] { connection.start(owner); });
        REQUIRE(fixture.pump_until([&] { return pair.peer.handshake(); }));
        REQUIRE(fixture.settles());
        came = pair.peer.read();  // tickets, or the alert that comes behind a handshake of TLS 1.3
    }
    bool succeeded() const { return pair.peer.failure().empty(); }
    std::string certificate() const {
        X509* const shown = SSL_get0_peer_certificate(pair.peer.ssl());
        char name[100] = {};
        if (shown) X509_NAME_get_text_by_NID(X509_get_subject_name(shown), NID_commonName, name, sizeof name);
        return name;
    }
    SSL_SESSION* session() const { return SSL_get1_session(pair.peer.ssl()); }
    bool resumed() const { return SSL_session_reused(pair.peer.ssl()) == 1; }

    TlsFixture fixture{TcpFixture::epoll_on_one_thread};
    TlsFixture::Pair pair;
    RecordingOwner owner;
    hubbub::TcpConnection connection;
    std::string came;
};

std::string refusal(TlsOptions options) {
    try {
        TlsContext const context(std::move(options));
    } catch (std::exception const& error) {
        return error.what();
    }
    return "";
}
bool says(std::string const& sentence, std::string_view part) { return sentence.find(part) != std::string::npos; }

struct Folder {
    Folder() { std::filesystem::create_directories(path); }
    ~Folder() { std::filesystem::remove_all(path); }
    std::string write(std::string const& name, std::string const& text) const {
        std::ofstream(path / name) << text;
        return (path / name).string();
    }
    std::filesystem::path path = std::filesystem::temp_directory_path() / ("hubbub-tls-" + std::to_string(::getpid()));
};

TestCertificate named(std::string const& name, std::string const& names, TestCertificate const* issuer = nullptr) {
    return TestCertificate::make({.common_name = name, .names = names, .issuer = issuer});
}

}  // namespace

TEST_CASE("Certificates and keys are files or text, and what is wrong with them is said", "[tcp]") {
    Folder const folder;
    TestCertificate const own = TestCertificate::make(), other = TestCertificate::make();
    std::string const certificate = folder.write("chain.pem", own.certificate), key = folder.write("key.pem", own.key);
    std::string const wrong_key = folder.write("other.pem", other.key), nothing = folder.write("nothing.pem", "hello");
    CHECK(refusal({.certificate = certificate, .key = key}).empty());
    CHECK(refusal({.certificate = own.certificate, .key = own.key}).empty());
    CHECK(refusal({.certificate = certificate + ".not", .key = key})
              .find("cannot read the certificate " + certificate + ".not") != std::string::npos);
    CHECK(says(refusal({.certificate = certificate, .key = wrong_key}),
               "the key " + wrong_key + " does not belong to the certificate " + certificate));
    CHECK(says(refusal({.certificate = nothing, .key = key}), "the certificate " + nothing + " has no certificate in it"));
    CHECK(says(refusal({.certificate = certificate, .key = nothing}), "the key " + nothing + " has no key that can be read"));
    CHECK(says(refusal({.certificate = certificate, .key = folder.path.string()}), folder.path.string()));
    CHECK(says(refusal({}), "there is no certificate"));
    CHECK(says(refusal({.certificate = certificate}), "there is no key"));
    CHECK(says(refusal({.certificate = own.certificate, .key = own.key, .ciphers = "ROT13"}), "ROT13"));
    CHECK(says(refusal({.certificate = own.certificate, .key = own.key, .suites = "TLS_ROT_13"}), "TLS_ROT_13"));
    CHECK(says(refusal({.certificate = own.certificate, .key = own.key, .clients = hubbub::TlsClients::must_show}),
               "there is no list of client authorities"));
}

TEST_CASE("TLS 1.2 and 1.3 are spoken, older versions are refused, and so is 1.2 where 1.3 is wanted", "[tcp]") {
    TestCertificate const own = TestCertificate::make();
    TlsContext context({.certificate = own.certificate, .key = own.key});
    TlsContext newest({.certificate = own.certificate, .key = own.key, .least = hubbub::TlsVersion::tls13});
    auto const meets = [](int version, TlsContext& with) {
        TlsClient client;
        client.speak(version);
        return Meeting(client, with).succeeded();
    };
    CHECK(meets(TLS1_3_VERSION, context));
    CHECK(meets(TLS1_2_VERSION, context));
    CHECK_FALSE(meets(TLS1_1_VERSION, context));
    CHECK_FALSE(meets(TLS1_VERSION, context));
    CHECK(meets(TLS1_3_VERSION, newest));
    CHECK_FALSE(meets(TLS1_2_VERSION, newest));
    CHECK(context.counts().handshakes == 2);
    CHECK(context.counts().failed == 2);
}

TEST_CASE("ALPN chooses http/1.1, refuses who wants something else, and may be absent", "[tcp]") {
    auto& context = TlsFixture::usual_context();
    TlsClient client;
    auto const chosen = [&](std::string protocols) {
        client.protocols = std::move(protocols);
        Meeting const meeting(client, context);
        unsigned char const* name = nullptr;
        unsigned size = 0;
        SSL_get0_alpn_selected(meeting.pair.peer.ssl(), &name, &size);
        return meeting.succeeded() ? std::string(reinterpret_cast<char const*>(name), size) : meeting.pair.peer.failure();
    };
    CHECK(chosen("\x02h2\x08http/1.1") == "http/1.1");
    CHECK(chosen("").empty());
    CHECK(says(chosen("\x02h2"), "no application protocol"));
}

TEST_CASE("The certificate is the one of the host that the client names", "[tcp]") {
    TestCertificate const first = named("first", "DNS:first.example"),
                          second = named("second", "DNS:second.example,DNS:*.many.example");
    TestCertificate const third = named("Third.Example", "");
    TlsContext context({.certificate = first.certificate,
                        .key = first.key,
                        .more = {{.certificate = second.certificate, .key = second.key},
                                 {.certificate = third.certificate, .key = third.key}}});
    auto const shown = [&](std::string host) {
        TlsClient client;
        client.host = std::move(host);
        Meeting const meeting(client, context);
        CHECK(meeting.succeeded());
        return meeting.certificate();
    };
    CHECK(shown("first.example") == "first");
    CHECK(shown("SECOND.example") == "second");
    CHECK(shown("a.many.example") == "second");
    CHECK(shown("a.b.many.example") == "first");
    CHECK(shown("third.example") == "Third.Example");
    CHECK(shown("unknown.example") == "first");
    CHECK(shown("") == "first");
}

TEST_CASE("A client comes back with its ticket, on any loop, until tickets are off or their keys are gone", "[tcp]") {
    auto const version = GENERATE(TLS1_3_VERSION, TLS1_2_VERSION);
    CAPTURE(version);
    TestCertificate const own = TestCertificate::make();
    TlsOptions options{.certificate = own.certificate, .key = own.key};
    TlsContext context(options);
    TlsClient client;
    client.speak(version);
    auto const comes_back = [&](TlsContext& with) {
        Meeting const meeting(client, with);
        CHECK(meeting.succeeded());
        SSL_SESSION_free(std::exchange(client.resumed, meeting.session()));
        return meeting.resumed();
    };
    CHECK_FALSE(comes_back(context));
    CHECK(comes_back(context));  // each Meeting has a loop of its own
    CHECK(context.counts().resumed == 1);
    context.reload();
    CHECK(comes_back(context));
    context.replace_ticket_key();
    CHECK(comes_back(context));
    for (int i = 0; i < 10; ++i) context.replace_ticket_key();
    CHECK_FALSE(comes_back(context));
    options.resumption = std::chrono::seconds(0);
    TlsContext without(options);
    CHECK_FALSE(comes_back(without));
    CHECK_FALSE(comes_back(without));
    SSL_SESSION_free(client.resumed);
}

TEST_CASE("A reload gives new connections new certificates, and those that are there notice nothing", "[tcp]") {
    Folder const folder;
    TestCertificate const before = named("before", "DNS:localhost"), after = named("after", "DNS:localhost");
    std::string const certificate = folder.write("chain.pem", before.certificate), key = folder.write("key.pem", before.key);
    TlsContext context({.certificate = certificate, .key = key});
    Meeting old({}, context);
    CHECK(old.certificate() == "before");

    folder.write("key.pem", after.key);
    CHECK_THROWS(context.reload());  // the certificate is not there yet
    CHECK(Meeting({}, context).certificate() == "before");
    folder.write("chain.pem", after.certificate);
    context.reload();
    CHECK(Meeting({}, context).certificate() == "after");
    CHECK(context.counts().reloads == 1);

    old.pair.peer.write("still here");
    CHECK(old.fixture.pump_until([&] { return old.owner.received == "still here"; }));
    TestCertificate const again = named("again", "DNS:localhost");
    context.reload({.certificate = again.certificate, .key = again.key});
    CHECK(Meeting({}, context).certificate() == "again");
}

TEST_CASE("Clients show certificates where they are asked, and the connection knows them", "[tcp]") {
    TestCertificate const own = TestCertificate::make();
    TestCertificate const authority = TestCertificate::make({.common_name = "authority", .names = "", .is_authority = true});
    TestCertificate const foreign = TestCertificate::make({.common_name = "foreign", .names = "", .is_authority = true});
    TlsOptions options{.certificate = own.certificate,
                       .key = own.key,
                       .clients = hubbub::TlsClients::must_show,
                       .client_authorities = authority.certificate};
    TlsContext must(options);
    options.clients = hubbub::TlsClients::may_show;
    TlsContext may(options);
    TestCertificate const anna = named("anna", "DNS:a.example,email:anna@a.example,URI:spiffe://a.example/anna", &authority);
    TestCertificate const eve = named("anna", "", &foreign);
    TestCertificate const late =
        TestCertificate::make({.common_name = "late", .names = "", .issuer = &authority, .seconds = -60});
    auto const known = [](TlsContext& with, TestCertificate const* shown) {
        TlsClient client;
        if (shown) client.show(*shown);
        Meeting const meeting(client, with);
        auto const certificate = meeting.connection.certificate();
        if (meeting.owner.losses > 0) return std::string("refused");
        return certificate ? certificate->common_name : std::string("nobody");
    };
    CHECK(known(must, &anna) == "anna");
    CHECK(known(must, nullptr) == "refused");
    CHECK(known(must, &eve) == "refused");
    CHECK(known(must, &late) == "refused");
    CHECK(known(may, &anna) == "anna");
    CHECK(known(may, nullptr) == "nobody");
    CHECK(known(may, &eve) == "refused");
    CHECK(known(TlsFixture::usual_context(), &anna) == "nobody");

    SECTION("with all that is in them, and again when they come back with a ticket") {
        TlsClient client;
        client.show(anna);
        std::string fingerprint;
        for (bool const again : {false, true}) {
            Meeting const meeting(client, must);
            CHECK(meeting.resumed() == again);
            auto const certificate = meeting.connection.certificate();
            REQUIRE(certificate);
            CHECK(certificate->subject == "CN=anna");
            CHECK(certificate->names ==
                  std::vector<std::string>{"DNS:a.example", "email:anna@a.example", "URI:spiffe://a.example/anna"});
            CHECK(certificate->fingerprint.size() == 64);
            if (again) CHECK(certificate->fingerprint == fingerprint);
            fingerprint = certificate->fingerprint;
            SSL_SESSION_free(std::exchange(client.resumed, meeting.session()));
        }
        // Others sign now: a ticket is worth nothing.
        must.reload({.certificate = own.certificate,
                     .key = own.key,
                     .clients = hubbub::TlsClients::must_show,
                     .client_authorities = foreign.certificate});
        Meeting const meeting(client, must);
        CHECK_FALSE(meeting.resumed());
        CHECK(meeting.owner.losses == 1);
        SSL_SESSION_free(client.resumed);
    }
}

TEST_CASE("Failures are told with their reason", "[tcp]") {
    TestCertificate const own = TestCertificate::make();
    std::vector<std::string> told;
    TlsContext context({.certificate = own.certificate,
                        .key = own.key,
                        .on_failure = [&](hubbub::PeerAddress const& peer, std::string_view why) {
                            told.push_back(peer.to_string() + " " + std::string(why));
                        }});
    TlsClient old;
    old.speak(TLS1_1_VERSION);
    CHECK_FALSE(Meeting(old, context).succeeded());
    REQUIRE(told.size() == 1);
    CHECK(told.front() == "127.0.0.1 unsupported protocol");
    TlsClient distrustful;
    distrustful.trust(TestCertificate::make());
    CHECK_FALSE(Meeting(distrustful, context).succeeded());
    CHECK(told.size() == 2);
}
