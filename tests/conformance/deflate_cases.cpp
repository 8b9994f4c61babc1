// What RFC 7692 asks of a server. What the client sends is made by zlib itself, and so is what it understands.
//
// Why it is long: a table of cases, each of a line or two.
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <hubbub/ws/encoder.hpp>

#include "tests/conformance/cases.hpp"
#include "tests/support/raw_deflate.hpp"

namespace conformance {
namespace {

using hubbub::ws::ClientFrame;
using hubbub::ws::Opcode;
using hubbub_test::noise;
using hubbub_test::prose;
using hubbub_test::RawDeflate;
using hubbub_test::RawInflate;
using namespace std::string_literals;

// ---- handshakes

struct Offer {
    char const* name;
    std::string lines;   ///< of Sec-WebSocket-Extensions; a line feed between two
    std::string answer;  ///< empty: none
};

std::string const plain_answer = "permessage-deflate";

std::vector<Offer> offers() {
    std::string const both = "permessage-deflate; ";
    std::vector<Offer> all{
        {"nothing but the name", "permessage-deflate", plain_answer},
        {"server_no_context_takeover", both + "server_no_context_takeover", both + "server_no_context_takeover"},
        {"client_no_context_takeover", both + "client_no_context_takeover", both + "client_no_context_takeover"},
        {"neither side refers back", both + "client_no_context_takeover; server_no_context_takeover",
         both + "server_no_context_takeover; client_no_context_takeover"},
        {"client_max_window_bits without a value", both + "client_max_window_bits", plain_answer},
        {"client_max_window_bits of 15", both + "client_max_window_bits=15", plain_answer},
        {"all parameters",
         both + "server_no_context_takeover; client_no_context_takeover; server_max_window_bits=12; client_max_window_bits=11",
         both + "server_no_context_takeover; client_no_context_takeover; server_max_window_bits=12; client_max_window_bits=11"},
        {"a quoted value", both + "server_max_window_bits=\"10\"", both + "server_max_window_bits=10"},
        {"a quoted value with an escape", both + "server_max_window_bits=\"1\\0\"", both + "server_max_window_bits=10"},
        {"spaces wherever they are allowed", "\t permessage-deflate ;\tserver_max_window_bits = 10 ",
         both + "server_max_window_bits=10"},
        {"no spaces", "permessage-deflate;server_max_window_bits=10;client_no_context_takeover",
         both + "client_no_context_takeover; server_max_window_bits=10"},
        {"two offers", both + "server_max_window_bits=10, permessage-deflate", both + "server_max_window_bits=10"},
        {"two offers in two lines", both + "server_max_window_bits=10\npermessage-deflate", both + "server_max_window_bits=10"},
        {"an extension before that nobody knows", "x-webkit-deflate-frame, permessage-deflate", plain_answer},
        {"an extension before with parameters", "a; b=c; d=\"e\", permessage-deflate", plain_answer},
        {"an extension behind", "permessage-deflate, permessage-bzip2; x=1", plain_answer},
        {"empty elements", ", permessage-deflate,, ,", plain_answer},
        {"other extensions only", "permessage-bzip2, x", ""},
        {"a name that begins alike", "permessage-deflated", ""},
        {"a name that is cut", "permessage-deflat", ""},
    };
    for (int bits = 8; bits <= 15; ++bits) {
        all.push_back({"server_max_window_bits", both + "server_max_window_bits=" + std::to_string(bits),
                       both + "server_max_window_bits=" + std::to_string(bits)});
        if (bits < 15)
            all.push_back({"client_max_window_bits", both + "client_max_window_bits=" + std::to_string(bits),
                           both + "client_max_window_bits=" + std::to_string(bits)});
    }
    // Each of these offers is declined, and the next one is taken.
    for (auto const* wrong : {"unknown",
                              "unknown=1",
                              "server_no_context_takeover=1",
                              "client_no_context_takeover=\"x\"",
                              "server_max_window_bits",
                              "server_max_window_bits=7",
                              "server_max_window_bits=16",
                              "server_max_window_bits=015",
                              "server_max_window_bits=08",
                              "server_max_window_bits=-8",
                              "server_max_window_bits=+8",
                              "server_max_window_bits=9.",
                              "server_max_window_bits=100",
                              "server_max_window_bits=15x",
                              "server_max_window_bits=\"\"",
                              "server_max_window_bits=\"1 0\"",
                              "server_max_window_bits=\"10, 11\"",
                              "client_max_window_bits=7",
                              "client_max_window_bits=16",
                              "client_max_window_bits=015",
                              "client_max_window_bits=0",
                              "server_no_context_takeover; server_no_context_takeover",
                              "client_no_context_takeover; client_no_context_takeover",
                              "server_max_window_bits=10; server_max_window_bits=10",
                              "client_max_window_bits; client_max_window_bits=10",
                              "Server_No_Context_Takeover"}) {
        all.push_back({"an offer that is not valid", both + wrong, ""});
        all.push_back({"an offer that is not valid, and one that is",
                       both + wrong + ", permessage-deflate; server_max_window_bits=9", both + "server_max_window_bits=9"});
    }
    return all;
}

/// RFC 6455 9.1: what does not have the form of a list of extensions fails the handshake.
constexpr char const* malformed[] = {"permessage-deflate;",
                                     "permessage-deflate; server_max_window_bits=",
                                     "permessage-deflate; server_max_window_bits=\"10",
                                     "permessage-deflate server_max_window_bits=10",
                                     "permessage-deflate; =10",
                                     "; permessage-deflate",
                                     "permessage-deflate, a/b",
                                     "permessage-deflate, x; y z"};

// ---- frames

std::string frame(Opcode opcode, std::string_view payload, bool compressed, bool fin = true) {
    ClientFrame wanted = ClientFrame::make(opcode, payload);
    wanted.rsv = compressed ? 4 : 0;
    wanted.fin = fin;
    wanted.key[1] = static_cast<std::byte>(payload.size() & 0xFF);
    return hubbub::ws::encode_frame(wanted);
}
std::string rsv(Opcode opcode, std::string_view payload, std::uint8_t bits) {
    ClientFrame wanted = ClientFrame::make(opcode, payload);
    wanted.rsv = bits;
    return hubbub::ws::encode_frame(wanted);
}
std::string whole(std::string_view payload, Opcode opcode = Opcode::text) { return frame(opcode, payload, true); }
std::string plain(std::string_view payload) { return frame(Opcode::text, payload, false); }
std::string close_frame(unsigned code) {
    return frame(Opcode::close, std::string{static_cast<char>(code >> 8), static_cast<char>(code & 0xFF)}, false);
}
std::string fragmented(std::string_view payload, std::size_t piece, Opcode opcode = Opcode::text,
                       std::string_view between = {}) {
    std::string bytes;
    std::size_t at = 0;
    do {
        auto const part = payload.substr(at, piece);
        bool const first = at == 0;
        at += part.size();
        bytes += frame(first ? opcode : Opcode::continuation, part, first, at == payload.size());
        if (at != payload.size()) bytes += between;
    } while (at != payload.size());
    return bytes;
}
ExpectedFrame echoed(std::string_view payload, Opcode opcode = Opcode::text) {
    return {static_cast<unsigned>(opcode), std::string(payload)};
}

/// Hands out cases.
class Suite {
   public:
    explicit Suite(std::function<void(FrameCase const&)> const& visit) : visit_(visit) {}

    ServerOptions server;
    std::string section;
    std::string offer = "permessage-deflate; client_max_window_bits";
    int server_window = 15;
    bool forgets = false;  ///< the client's inflater keeps no context

    void open(std::string name, std::string bytes, std::vector<ExpectedFrame> frames) {
        add(std::move(name), std::move(bytes), std::move(frames), {}, false);
    }
    void fails(std::string name, std::string bytes, unsigned code, std::vector<ExpectedFrame> before = {}) {
        add(std::move(name), std::move(bytes), std::move(before), {code}, false);
    }
    void closes(std::string name, std::string bytes, unsigned code, std::vector<ExpectedFrame> before) {
        add(std::move(name), std::move(bytes), std::move(before), {code}, true);
    }

   private:
    void add(std::string name, std::string bytes, std::vector<ExpectedFrame> frames, std::vector<unsigned> codes,
             bool by_client) {
        auto inflate = std::make_shared<RawInflate>(server_window, server_window < 15 ? 1 : 4096);
        visit_({std::move(name), "RFC 7692 " + section, std::move(bytes), server, std::move(frames), std::move(codes),
                by_client, offer, [inflate, forgets = forgets](std::string_view payload) {
                    if (forgets) inflate->forget();
                    return (*inflate)(payload);
                }});
    }

    std::function<void(FrameCase const&)> const& visit_;
};

void examples(Suite& suite) {
    std::string const hello = "\xf2\x48\xcd\xc9\xc9\x07\x00"s;
    suite.section = "7.2.3.1";
    suite.open("one message", whole(hello), {echoed("Hello")});
    suite.open("one message, in two frames as in the text",
               frame(Opcode::text, hello.substr(0, 3), true, false) + frame(Opcode::continuation, hello.substr(3), false),
               {echoed("Hello")});
    suite.section = "7.2.3.2";
    suite.open("two messages that share a window", whole(hello) + whole("\xf2\x00\x11\x00\x00"s),
               {echoed("Hello"), echoed("Hello")});
    suite.open("two messages that do not", whole(hello) + whole(hello), {echoed("Hello"), echoed("Hello")});
    suite.section = "7.2.3.3";
    suite.open("a block without compression", whole("\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00"s), {echoed("Hello")});
    suite.section = "7.2.3.4";
    suite.open("a final block", whole("\xf3\x48\xcd\xc9\xc9\x07\x00\x00"s), {echoed("Hello")});
    suite.section = "7.2.3.5";
    suite.open("two blocks", whole("\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00"s), {echoed("Hello")});
    suite.section = "7.2.3.6";
    suite.open("an empty message", whole("\x00"s), {echoed("")});
}

void sizes(Suite& suite) {
    suite.section = "7.2";
    for (Opcode const opcode : {Opcode::text, Opcode::binary})
        for (std::size_t const size :
             {1u, 2u, 125u, 126u, 127u, 128u, 4095u, 4096u, 4097u, 32'767u, 32'768u, 32'769u, 65'535u, 65'536u}) {
            std::string const text = prose(size);
            std::string const kind = opcode == Opcode::text ? "text of " : "binary of ";
            suite.open(kind + std::to_string(size) + " bytes", whole(RawDeflate()(text), opcode), {echoed(text, opcode)});
        }
    for (int const level : {0, 1, 9})
        for (std::size_t const size : {100u, 65'536u})
            suite.open(std::to_string(size) + " bytes at level " + std::to_string(level),
                       whole(RawDeflate(15, level)(prose(size))), {echoed(prose(size))});
    suite.open("bytes that do not compress", whole(RawDeflate()(noise(65'536)), Opcode::binary),
               {echoed(noise(65'536), Opcode::binary)});
    suite.open("fixed codes only", whole(RawDeflate(15, 6, Z_FIXED)(prose(2000))), {echoed(prose(2000))});
    suite.open("codes without references", whole(RawDeflate(15, 6, Z_HUFFMAN_ONLY)(prose(2000))), {echoed(prose(2000))});
    suite.open("references by one byte", whole(RawDeflate(15, 6, Z_RLE)(std::string(3000, 'r'))),
               {echoed(std::string(3000, 'r'))});
    std::string many;
    std::vector<ExpectedFrame> answers;
    RawDeflate deflate;
    for (unsigned i = 0; i < 60; ++i) {
        many += whole(deflate(prose(i * 17, i)));
        answers.push_back(echoed(prose(i * 17, i)));
    }
    suite.open("many messages", many, answers);
}

void fragments(Suite& suite) {
    suite.section = "6.1";
    std::string const text = prose(900), payload = RawDeflate()(text);
    for (std::size_t const piece : {4u, 5u, 7u, 64u, 125u, 126u})
        suite.open("fragments of " + std::to_string(piece) + " bytes", fragmented(payload, piece), {echoed(text)});
    std::string const tiny = RawDeflate()("tiny");
    suite.open("fragments of a byte", fragmented(tiny, 1, Opcode::binary), {echoed("tiny", Opcode::binary)});
    std::string const ping = frame(Opcode::ping, "p", false), empty = frame(Opcode::continuation, "", false, false);
    suite.open("pings between fragments", fragmented(payload, 100, Opcode::text, ping),
               {echoed(text), {10, "p"}, {10, "p"}, {10, "p"}, {10, "p"}, {10, "p"}, {10, "p"}, {10, "p"}});
    suite.open("an empty first fragment", frame(Opcode::text, "", true, false) + frame(Opcode::continuation, payload, false),
               {echoed(text)});
    suite.open("an empty last fragment", frame(Opcode::text, payload, true, false) + frame(Opcode::continuation, "", false),
               {echoed(text)});
    suite.open("empty fragments between", fragmented(payload, 100, Opcode::text, empty), {echoed(text)});
    suite.open("fragments that are all empty",
               frame(Opcode::text, "", true, false) + empty + frame(Opcode::continuation, "", false), {echoed("")});
    suite.open("fragments that are plain, between compressed messages",
               whole(payload) + frame(Opcode::text, "pl", false, false) + frame(Opcode::continuation, "ain", false) +
                   whole(RawDeflate()("end")),
               {echoed(text), echoed("plain"), echoed("end")});
    suite.server.fragments = 8;
    suite.open("as many fragments as are allowed",
               fragmented(tiny.substr(0, 6) + std::string(tiny.substr(6)), (tiny.size() + 7) / 8), {echoed("tiny")});
    suite.fails("too many fragments", fragmented(RawDeflate()(prose(400)), 10), 1008);
    suite.server = {};
}

void empties(Suite& suite) {
    suite.section = "7.2.3.6";
    suite.open("no payload at all", whole(""), {echoed("")});
    suite.open("an empty block of fixed codes", whole("\x02\x00"s), {echoed("")});
    suite.open("an empty final block", whole("\x03\x00\x00"s), {echoed("")});
    suite.open("an empty final block, and nothing behind", whole("\x03\x00"s), {echoed("")});
    suite.open("an empty block without compression before the last", whole("\x00\x00\x00\xff\xff\x00"s), {echoed("")});
    std::string many;
    std::vector<ExpectedFrame> answers;
    for (int i = 0; i < 100; ++i) {
        many += whole("\x00"s);
        answers.push_back(echoed(""));
    }
    suite.open("many empty messages", many, answers);
    RawDeflate deflate;
    std::string const text = prose(300), first = whole(deflate(text)), again = whole(deflate(text));
    suite.open("an empty message keeps the window", first + whole("\x00"s) + again, {echoed(text), echoed(""), echoed(text)});
}

void context(Suite& suite) {
    std::string const text = prose(2000);
    std::vector<ExpectedFrame> const four(4, echoed(text));
    RawDeflate with;
    std::string shared, alone;
    for (int i = 0; i < 4; ++i) {
        shared += whole(with(text));
        alone += whole(RawDeflate()(text));
    }
    suite.section = "7.1.1.2";
    suite.open("a client's messages refer to earlier ones", shared, four);
    suite.open("a client's messages need not", alone, four);
    suite.open("a plain message between does not belong to the window",
               [&] {
                   RawDeflate deflate;
                   std::string const first = whole(deflate(text)), second = whole(deflate(text));
                   return first + plain(prose(3000, 3)) + second;
               }(),
               {echoed(text), echoed(prose(3000, 3)), echoed(text)});
    suite.offer = "permessage-deflate; client_no_context_takeover";
    suite.open("client_no_context_takeover, and each message stands alone", alone, four);
    suite.fails("client_no_context_takeover, and a message refers to the one before", shared, 1007, {echoed(text)});
    suite.offer = "permessage-deflate";
    suite.server.takeover = false;
    suite.fails("a server that keeps no window, and a message refers to the one before", shared, 1007, {echoed(text)});
    suite.open("a server that keeps no window", alone, four);
    suite.server = {};
    suite.section = "7.1.1.1";
    suite.offer = "permessage-deflate; server_no_context_takeover";
    suite.forgets = true;
    suite.open("server_no_context_takeover, and the client keeps no window", alone, four);
    suite.forgets = false;
    suite.open("server_no_context_takeover, and it keeps one", alone, four);
    suite.offer = "permessage-deflate";
    suite.open("a long dialogue with the window of the server", shared + alone.substr(0, alone.size() / 4),
               std::vector<ExpectedFrame>(5, echoed(text)));
    suite.offer = "permessage-deflate; client_max_window_bits";
}

void windows(Suite& suite) {
    std::string const text = prose(9000) + prose(9000) + std::string(600, 'z');
    for (int bits = 8; bits <= 15; ++bits) {
        suite.section = "7.1.2.1";
        suite.offer = "permessage-deflate; server_max_window_bits=" + std::to_string(bits);
        suite.server_window = bits;
        suite.open("a window of the server of " + std::to_string(bits) + " bits", plain(text) + plain(text),
                   {echoed(text), echoed(text)});
        suite.server_window = 15;
        suite.section = "7.1.2.2";
        suite.offer = "permessage-deflate; client_max_window_bits=" + std::to_string(bits);
        RawDeflate deflate(std::max(9, bits), 6, bits == 8 ? Z_RLE : Z_DEFAULT_STRATEGY);
        std::string bytes = whole(deflate(text));
        bytes += whole(deflate(text));
        suite.open("a window of the client of " + std::to_string(bits) + " bits", bytes, {echoed(text), echoed(text)});
    }
    suite.offer = "permessage-deflate; client_max_window_bits=10";
    RawDeflate deflate(15);
    std::string const far = noise(3000);
    std::string bytes = whole(deflate(far), Opcode::binary);
    bytes += whole(deflate(far), Opcode::binary);
    suite.fails("a message that refers back farther than was agreed on", bytes, 1007, {echoed(far, Opcode::binary)});
    suite.offer = "permessage-deflate; client_max_window_bits";
}

void final_blocks(Suite& suite) {
    suite.section = "7.2.3.4";
    std::string const text = prose(5000);
    std::string ended = RawDeflate()(text, Z_FINISH);
    suite.open("a message that ends in a final block", whole(ended), {echoed(text)});
    suite.open("messages that all end so", whole(ended) + whole(ended) + whole(ended),
               {echoed(text), echoed(text), echoed(text)});
    ended.pop_back();
    suite.open("nothing behind the final block", whole(ended) + plain("x"), {echoed(text), echoed("x")});
    suite.open("a final block in the midst", whole(ended + RawDeflate()(text)), {echoed(text + text)});
    suite.open("a fragment each with a final block",
               frame(Opcode::text, ended, true, false) + frame(Opcode::continuation, ended, false, false) +
                   frame(Opcode::continuation, ended + "\x00"s, false),
               {echoed(text + text + text)});
    std::string many;
    for (int i = 0; i < 1000; ++i) many += "\x03\x00"s;
    suite.fails("a thousand final blocks", whole(many), 1007);
}

void reserved_bits(Suite& suite) {
    suite.section = "6";
    std::string const payload = RawDeflate()("x");
    suite.fails("RSV1 on a continuation",
                frame(Opcode::text, payload, true, false) + frame(Opcode::continuation, payload, true), 1002);
    suite.fails("RSV1 on a continuation only",
                frame(Opcode::text, "plain", false, false) + frame(Opcode::continuation, payload, true), 1002);
    suite.fails("RSV1 on a ping", rsv(Opcode::ping, payload, 4), 1002);
    suite.fails("RSV1 on a pong", rsv(Opcode::pong, payload, 4), 1002);
    suite.fails("RSV1 on a Close", rsv(Opcode::close, "\x03\xe8", 4), 1002);
    for (int const bits : {1, 2, 3, 5, 6, 7})
        suite.fails("reserved bits " + std::to_string(bits), rsv(Opcode::text, payload, static_cast<std::uint8_t>(bits)), 1002);
    suite.fails("RSV1 and a reserved opcode", rsv(static_cast<Opcode>(3), payload, 4), 1002);
    suite.open("plain messages only", plain("a") + plain(prose(3000)) + plain(""),
               {echoed("a"), echoed(prose(3000)), echoed("")});
    for (auto const* offer : {"", "permessage-deflate; x", "x"}) {
        suite.offer = offer;
        suite.fails("RSV1 although nothing was agreed on: "s + offer, whole(payload), 1002);
        suite.open("no compression although it was not agreed on: "s + offer, plain(prose(3000)), {echoed(prose(3000))});
    }
    suite.offer = "permessage-deflate; client_max_window_bits";
}

void corrupt(Suite& suite) {
    suite.section = "7.2.2";
    std::string const text = prose(2000), payload = RawDeflate()(text), before = whole(RawDeflate()("fine"));
    auto const fails = [&](std::string name, std::string const& bytes) {
        suite.fails(name, whole(bytes), 1007);
        suite.fails(name + ", behind a good message", before + whole(bytes) + plain("unheard"), 1007, {echoed("fine")});
    };
    fails("a reserved kind of block", "\x06"s);
    fails("lengths that do not match", "\x00\x05\x00\xfa\xfe\x48\x65\x6c\x6c\x6f\x00"s);
    fails("a block without compression that is cut", "\x00\x05\x00\xfa\xff\x48\x65"s);
    suite.fails("a reference to before the beginning", whole("\xf2\x00\x11\x00\x00"s), 1007);
    fails("codes that are too many", "\x04\xff\xff\xff\xff\xff"s);
    fails("only ones", std::string(50, '\xff'));
    fails("text", "this is no DEFLATE");
    fails("no empty block at the end", payload.substr(0, payload.size() - 1));
    fails("half of it", payload.substr(0, payload.size() / 2));
    fails("only its first byte", payload.substr(0, 1));
    fails("the end was not taken off", payload + "\x00\x00\xff\xff"s);
    fails("a zlib header", "\x78\x9c" + payload);
    fails("a gzip header", "\x1f\x8b\x08"s + payload);
    for (std::size_t const at : {3u, 50u, 200u}) {
        std::string cut = fragmented(payload.substr(0, at), 20);
        suite.fails("fragments that end at byte " + std::to_string(at), cut, 1007);
    }
}

void bombs(Suite& suite) {
    suite.section = "8";
    auto const bomb = [](std::size_t size) { return RawDeflate()(std::string(size, 'b')); };
    suite.open("as much as is allowed", whole(bomb(65'536)), {echoed(std::string(65'536, 'b'))});
    suite.fails("a byte more than is allowed", whole(bomb(65'537)), 1009);
    suite.fails("a byte more, plain", plain(std::string(65'537, 'b')), 1009);
    suite.fails("a million", whole(bomb(1'000'000)), 1009);
    suite.fails("thirty million", whole(bomb(30'000'000)), 1009);
    suite.fails("a bomb in fragments", fragmented(bomb(1'000'000), 100), 1009);
    std::string const ended = RawDeflate()(std::string(40'000, 'b'), Z_FINISH);
    suite.fails("a bomb with final blocks", whole(ended.substr(0, ended.size() - 1) + bomb(40'000)), 1009);
    suite.fails("a bomb behind a message", whole(bomb(100)) + whole(bomb(1'000'000)) + plain("unheard"), 1009,
                {echoed(std::string(100, 'b'))});
    suite.fails("more on the wire than any message may have", whole(noise(100'000)), 1009);
    suite.fails("more on the wire, in fragments", fragmented(noise(100'000), 20'000), 1009);
    suite.open("what does not compress, as much as is allowed", whole(RawDeflate(15, 0)(noise(65'536)), Opcode::binary),
               {echoed(noise(65'536), Opcode::binary)});
    suite.server.message = 100;
    suite.open("a small limit, met", whole(bomb(100)), {echoed(std::string(100, 'b'))});
    suite.fails("a small limit, exceeded", whole(bomb(101)), 1009);
    suite.fails("a small limit, exceeded plain by less than compression may add", plain(std::string(101, 'b')), 1009);
    suite.server.message = 1;
    suite.open("a limit of one byte", whole(RawDeflate()("b")), {echoed("b")});
    suite.fails("a limit of one byte, exceeded", whole(RawDeflate()("bb")), 1009);
    suite.server = {};
}

void texts(Suite& suite) {
    suite.section = "6.2";
    for (auto const* valid : {"\xC3\xA4", "\xE2\x82\xAC uro", "\xF0\x9F\x98\x80\xF4\x8F\xBF\xBF"}) {
        suite.open("valid text: "s + valid, whole(RawDeflate()(valid)), {echoed(valid)});
        suite.open("valid text in fragments of a byte: "s + valid, fragmented(RawDeflate()(valid), 1), {echoed(valid)});
    }
    for (auto const* wrong : {"\xFF", "ok \xC3", "\xED\xA0\x80", "\xF5\x80\x80\x80", "\xC0\x80"}) {
        suite.fails("invalid text: "s + wrong, whole(RawDeflate()(wrong)), 1007);
        suite.fails("invalid text in fragments: "s + wrong, fragmented(RawDeflate()(prose(500) + wrong), 40), 1007);
        suite.open("as bytes it is fine: "s + wrong, whole(RawDeflate()(wrong), Opcode::binary),
                   {echoed(wrong, Opcode::binary)});
    }
    suite.open("a payload that is no text, of text", whole(RawDeflate()(prose(100))) + plain("next"),
               {echoed(prose(100)), echoed("next")});
}

void endings(Suite& suite) {
    suite.section = "5";
    std::string const text = prose(1000), payload = RawDeflate()(text);
    suite.closes("a Close behind a message", whole(payload) + close_frame(1000), 1000, {echoed(text)});
    suite.closes("a Close inside a message", frame(Opcode::text, payload.substr(0, 20), true, false) + close_frame(1001), 1001,
                 {});
    suite.closes("nothing is heard behind a Close", whole(payload) + close_frame(1000) + whole("\xff"), 1000, {echoed(text)});
    suite.fails("a new message inside of one", frame(Opcode::text, payload, true, false) + whole(payload), 1002);
    suite.fails("nothing to continue", frame(Opcode::continuation, payload, false), 1002);
}

}  // namespace

void visit_deflate_frame_cases(std::function<void(FrameCase const&)> const& visit) {
    Suite suite(visit);
    examples(suite);
    sizes(suite);
    fragments(suite);
    empties(suite);
    context(suite);
    windows(suite);
    final_blocks(suite);
    reserved_bits(suite);
    corrupt(suite);
    bombs(suite);
    texts(suite);
    endings(suite);
}

void visit_deflate_handshake_cases(std::function<void(HandshakeCase const&)> const& visit) {
    for (Offer const& offer : offers()) {
        std::string lines = "Sec-WebSocket-Extensions: " + offer.lines + "\r\n";
        if (auto const second = lines.find('\n'); second + 1 != lines.size())
            lines.replace(second, 1, "\r\nSec-WebSocket-Extensions: ");
        HandshakeCase wanted{offer.name + (": " + offer.lines), "RFC 7692 7.1", good_request(lines), {101}, {}, true, {}};
        if (offer.answer.empty())
            wanted.absent = "Sec-WebSocket-Extensions";
        else
            wanted.headers.push_back("Sec-WebSocket-Extensions: " + offer.answer);
        visit(wanted);
    }
    for (auto const* line : malformed)
        visit({"malformed: "s + line,
               "RFC 6455 9.1",
               good_request("Sec-WebSocket-Extensions: "s + line + "\r\n"),
               {400},
               {"Connection: close"},
               true,
               {}});
}

}  // namespace conformance
