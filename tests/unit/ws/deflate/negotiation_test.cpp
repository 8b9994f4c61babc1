#include <string>
#include <string_view>
#include <vector>

#include <hubbub/ws/deflate/negotiation.hpp>

#include "tests/support/catch.hpp"

using namespace hubbub::ws;

namespace {
/// The answer, "-" for none, "!" for a malformed header.
std::string answer_to_all(std::vector<std::string_view> const& lines, DeflateOptions const& options = {}) {
    ExtensionAnswer const given = negotiate_deflate(options, lines);
    if (given.kind == ExtensionAnswer::Kind::malformed) return "!";
    return given.kind == ExtensionAnswer::Kind::declined ? "-" : given.response;
}
std::string answer(std::string_view line, DeflateOptions const& options = {}) {
    return answer_to_all(std::vector{line}, options);
}
constexpr char const* no_takeover = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
DeflateOptions takeover() {
    DeflateOptions options;
    options.server_takeover = options.client_takeover = true;
    return options;
}
}  // namespace

TEST_CASE("An offer of permessage-deflate is answered with what is agreed") {
    CHECK(answer("permessage-deflate") == no_takeover);
    CHECK(answer("permessage-deflate; client_max_window_bits") == no_takeover);
    CHECK(answer("permessage-deflate", takeover()) == "permessage-deflate");
    CHECK(answer("permessage-deflate; server_no_context_takeover", takeover()) ==
          "permessage-deflate; server_no_context_takeover");
    CHECK(answer("permessage-deflate; client_no_context_takeover", takeover()) ==
          "permessage-deflate; client_no_context_takeover");
    CHECK(answer("permessage-deflate; server_max_window_bits=10", takeover()) ==
          "permessage-deflate; server_max_window_bits=10");
    CHECK(answer("permessage-deflate; server_max_window_bits=15", takeover()) ==
          "permessage-deflate; server_max_window_bits=15");
    CHECK(answer("permessage-deflate; client_max_window_bits=9", takeover()) == "permessage-deflate; client_max_window_bits=9");
    CHECK(answer("permessage-deflate; server_max_window_bits=\"1\\2\"", takeover()) ==
          "permessage-deflate; server_max_window_bits=12");
}

TEST_CASE("The server's own limits are put into the answer where RFC 7692 lets it") {
    DeflateOptions options = takeover();
    options.server_window_bits = 11;
    options.client_window_bits = 12;
    CHECK(answer("permessage-deflate; client_max_window_bits", options) ==
          "permessage-deflate; server_max_window_bits=11; client_max_window_bits=12");
    CHECK(answer("permessage-deflate; client_max_window_bits=10; server_max_window_bits=9", options) ==
          "permessage-deflate; server_max_window_bits=9; client_max_window_bits=10");
    CHECK(answer("permessage-deflate; client_max_window_bits=15; server_max_window_bits=15", options) ==
          "permessage-deflate; server_max_window_bits=11; client_max_window_bits=12");
    // Who cannot be limited may not refer back: else his window would be larger than the options say.
    CHECK(answer("permessage-deflate", options) == "permessage-deflate; client_no_context_takeover; server_max_window_bits=11");
}

TEST_CASE("Every window from 8 to 15 bits can be agreed on, each way") {
    for (int bits = 8; bits <= 15; ++bits) {
        auto const offer = "permessage-deflate; server_max_window_bits=" + std::to_string(bits) +
                           "; client_max_window_bits=" + std::to_string(bits);
        std::string_view const line = offer;
        auto const given = negotiate_deflate(takeover(), std::span(&line, 1));
        CHECK(given.terms ==
              CompressionTerms{true, true, true, static_cast<std::uint8_t>(bits), static_cast<std::uint8_t>(bits)});
    }
}

TEST_CASE("An offer that is not valid is declined") {
    for (auto const* parameters : {"unknown",
                                   "unknown=1",
                                   "server_no_context_takeover=1",
                                   "client_no_context_takeover=true",
                                   "server_no_context_takeover; server_no_context_takeover",
                                   "client_no_context_takeover; client_no_context_takeover",
                                   "server_max_window_bits",
                                   "server_max_window_bits=7",
                                   "server_max_window_bits=16",
                                   "server_max_window_bits=015",
                                   "server_max_window_bits=08",
                                   "server_max_window_bits=0",
                                   "server_max_window_bits=-9",
                                   "server_max_window_bits=+9",
                                   "server_max_window_bits=9x",
                                   "server_max_window_bits=1e1",
                                   "server_max_window_bits=100",
                                   "server_max_window_bits=10; server_max_window_bits=10",
                                   "client_max_window_bits=7",
                                   "client_max_window_bits=16",
                                   "client_max_window_bits=015",
                                   "client_max_window_bits; client_max_window_bits",
                                   "client_max_window_bits; client_max_window_bits=10",
                                   "SERVER_MAX_WINDOW_BITS=10",
                                   "server_max_window_bits=10; x"}) {
        std::string const offer = std::string("permessage-deflate; ") + parameters;
        CAPTURE(offer);
        CHECK(answer(offer) == "-");
        CHECK(answer(offer + ", permessage-deflate") == no_takeover);
        std::string const second = "permessage-deflate; server_max_window_bits=9";
        std::string const answered = std::string(no_takeover).append("; server_max_window_bits=9");
        CHECK(answer_to_all({offer, second}) == answered);
    }
}

TEST_CASE("The first offer that is valid is taken, whatever else is offered") {
    CHECK(answer("x-webkit-deflate-frame, permessage-deflate; server_max_window_bits=9, permessage-deflate", takeover()) ==
          "permessage-deflate; server_max_window_bits=9");
    CHECK(answer("permessage-bzip2; a=b") == "-");
    CHECK(answer("permessage-deflate-x, permessage-deflat") == "-");
    CHECK(answer("") == "-");
}

TEST_CASE("A header that is no list of extensions is malformed, even behind a valid offer") {
    for (auto const* line : {"permessage-deflate;", "permessage-deflate, a b", "permessage-deflate; server_max_window_bits=",
                             "permessage-deflate; server_max_window_bits=\"1", "; permessage-deflate"}) {
        CAPTURE(line);
        CHECK(answer(line) == "!");
    }
    CHECK(answer_to_all({"permessage-deflate", "x;"}) == "!");
}

TEST_CASE("A client checks the answer against what it offered") {
    DeflateParameters offer;
    CHECK(check_deflate_answer(offer, "permessage-deflate") == CompressionTerms{true, true, true, 15, 15});
    CHECK(check_deflate_answer(offer, no_takeover) == CompressionTerms{true, false, false, 15, 15});
    CHECK(check_deflate_answer(offer, "permessage-deflate; server_max_window_bits=9")->server_window_bits == 9);
    for (auto const* wrong : {"", "x", "permessage-deflate, permessage-deflate", "permessage-deflate; x", "permessage-deflate;",
                              "permessage-deflate; client_max_window_bits=10", "permessage-deflate; server_max_window_bits=16",
                              "permessage-deflate; server_no_context_takeover; server_no_context_takeover"})
        CHECK_FALSE(check_deflate_answer(offer, wrong));

    offer.client_may_be_limited = true;
    CHECK(check_deflate_answer(offer, "permessage-deflate; client_max_window_bits=10")->client_window_bits == 10);
    CHECK_FALSE(check_deflate_answer(offer, "permessage-deflate; client_max_window_bits"));

    offer.server_max_window_bits = 10;
    CHECK(check_deflate_answer(offer, "permessage-deflate; server_max_window_bits=10"));
    CHECK_FALSE(check_deflate_answer(offer, "permessage-deflate; server_max_window_bits=11"));
    CHECK_FALSE(check_deflate_answer(offer, "permessage-deflate"));

    offer = {};
    offer.server_no_context_takeover = true;
    CHECK_FALSE(check_deflate_answer(offer, "permessage-deflate"));
    CHECK(check_deflate_answer(offer, "permessage-deflate; server_no_context_takeover"));
}

TEST_CASE("Whatever a client offers, it can live with the answer") {
    for (unsigned choice = 0; choice < 4 * 9 * 10 * 4; ++choice) {
        DeflateParameters offer;
        offer.server_no_context_takeover = choice & 1;
        offer.client_no_context_takeover = choice & 2;
        unsigned left = choice / 4;
        if (unsigned const bits = left % 9; bits) offer.server_max_window_bits = static_cast<std::uint8_t>(7 + bits);
        left /= 9;
        unsigned const client = left % 10;
        offer.client_may_be_limited = client != 0;
        if (client > 1) offer.client_max_window_bits = static_cast<std::uint8_t>(6 + client);
        left /= 10;
        DeflateOptions options;
        options.server_takeover = left & 1;
        options.client_takeover = left & 2;
        options.client_window_bits = left & 1 ? 15 : 10;
        options.server_window_bits = left & 2 ? 15 : 11;
        std::string const line = offer.to_string();
        CAPTURE(line);
        std::string_view const view = line;
        auto const given = negotiate_deflate(options, std::span(&view, 1));
        REQUIRE(given.kind == ExtensionAnswer::Kind::agreed);
        auto const understood = check_deflate_answer(offer, given.response);
        REQUIRE(understood);
        CHECK(understood->server_window_bits == given.terms.server_window_bits);
        CHECK(understood->client_takeover == given.terms.client_takeover);
        CHECK(understood->client_window_bits <= given.terms.client_window_bits);
        CHECK((!given.terms.client_takeover || given.terms.client_window_bits <= options.client_window_bits));
    }
}
