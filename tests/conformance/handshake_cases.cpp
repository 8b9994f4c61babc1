#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/conformance/cases.hpp"

namespace conformance {
namespace {

using namespace std::string_literals;

/// A handshake in its parts, so that a case can spoil one.
struct Request {
    std::string line = "GET / HTTP/1.1\r\n";
    std::string host = "Host: localhost\r\n";
    std::string upgrade = "Upgrade: websocket\r\n";
    std::string connection = "Connection: Upgrade\r\n";
    std::string key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    std::string version = "Sec-WebSocket-Version: 13\r\n";
    std::string more{};

    std::string text() const { return line + host + upgrade + connection + key + version + more + "\r\n"; }
};

std::vector<std::string> const accepted_headers{"Upgrade: websocket", "Connection: Upgrade",
                                                "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="};
std::vector<std::string> const version_headers{"Sec-WebSocket-Version: 13"};

class Suite {
   public:
    explicit Suite(std::function<void(HandshakeCase const&)> const& visit) : visit_(visit) {}

    std::string section;

    template <class Change>
    void accepted(std::string name, Change&& change) {
        Request request;
        change(request);
        visit_({std::move(name), section, request.text(), {101}, accepted_headers, true});
    }
    template <class Change>
    void refused(std::string name, std::vector<unsigned> statuses, Change&& change, std::vector<std::string> headers = {}) {
        Request request;
        change(request);
        raw(std::move(name), std::move(statuses), request.text(), std::move(headers));
    }
    void raw(std::string name, std::vector<unsigned> statuses, std::string request, std::vector<std::string> headers = {},
             bool body_allowed = true) {
        headers.push_back("Connection: close");
        if (statuses == std::vector<unsigned>{426}) headers.back() = "Connection: close, Upgrade";
        visit_({std::move(name), section, std::move(request), std::move(statuses), std::move(headers), body_allowed});
    }

   private:
    std::function<void(HandshakeCase const&)> const& visit_;
};

void accepted(Suite& suite) {
    suite.section = "1.3";
    suite.accepted("the plain handshake", [](Request&) {});
    suite.section = "4.2.1";
    suite.accepted("names and tokens in another case", [](Request& each) {
        each.host = "hOST: localhost\r\n";
        each.upgrade = "UPGRADE: WebSocket\r\n";
        each.connection = "connection: uPGRADE\r\n";
        each.key = "sec-websocket-KEY: dGhlIHNhbXBsZSBub25jZQ==\r\n";
        each.version = "SEC-WEBSOCKET-VERSION: 13\r\n";
    });
    suite.accepted("Connection as a list", [](Request& each) { each.connection = "Connection: keep-alive, Upgrade\r\n"; });
    suite.accepted("Connection as a list with tabs and empty elements",
                   [](Request& each) { each.connection = "Connection:\t,keep-alive ,\tUpgrade,\r\n"; });
    suite.accepted("Connection on two lines",
                   [](Request& each) { each.connection = "Connection: keep-alive\r\nConnection: Upgrade\r\n"; });
    suite.accepted("Upgrade as a list", [](Request& each) { each.upgrade = "Upgrade: h2c, websocket\r\n"; });
    suite.accepted("no spaces behind the colons", [](Request& each) {
        each.upgrade = "Upgrade:websocket\r\n";
        each.connection = "Connection:Upgrade\r\n";
        each.version = "Sec-WebSocket-Version:13\r\n";
    });
    suite.accepted("spaces around the values", [](Request& each) {
        each.upgrade = "Upgrade: \t websocket \t\r\n";
        each.key = "Sec-WebSocket-Key:   dGhlIHNhbXBsZSBub25jZQ==  \r\n";
        each.version = "Sec-WebSocket-Version:  13\t\r\n";
    });
    suite.accepted("headers in another order", [](Request& each) { std::swap(each.host, each.version); });
    suite.accepted("an absolute target", [](Request& each) { each.line = "GET http://localhost/ HTTP/1.1\r\n"; });
    suite.accepted("an absolute ws target", [](Request& each) { each.line = "GET ws://localhost/?x=y HTTP/1.1\r\n"; });
    suite.accepted("a query", [](Request& each) { each.line = "GET /?a=b&c=%20d HTTP/1.1\r\n"; });
    suite.accepted("Host with a port", [](Request& each) { each.host = "Host: localhost:8080\r\n"; });
    suite.accepted("Host is IPv6", [](Request& each) { each.host = "Host: [::1]:8080\r\n"; });
    suite.accepted("Content-Length of 0", [](Request& each) { each.more = "Content-Length: 0\r\n"; });
    suite.accepted("an Origin that is the Host", [](Request& each) { each.more = "Origin: http://localhost\r\n"; });
    suite.accepted("an offer of permessage-deflate", [](Request& each) {
        each.more = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n";
    });
    suite.accepted("an unknown extension",
                   [](Request& each) { each.more = "Sec-WebSocket-Extensions: x-unknown; a=\"b, c\"\r\n"; });
    suite.accepted("an unknown subprotocol",
                   [](Request& each) { each.more = "Sec-WebSocket-Protocol: x-unknown, y-unknown\r\n"; });
    suite.accepted("subprotocols on two lines",
                   [](Request& each) { each.more = "Sec-WebSocket-Protocol: x\r\nSec-WebSocket-Protocol: y\r\n"; });
    suite.accepted("headers of a browser", [](Request& each) {
        each.more =
            "Pragma: no-cache\r\nCache-Control: no-cache\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64)\r\nAccept-Encoding: "
            "gzip, deflate, br\r\n"
            "Accept-Language: de-DE,de;q=0.9\r\nCookie: a=b; c=d\r\nSec-WebSocket-Extensions: permessage-deflate; "
            "client_max_window_bits\r\n";
    });
    suite.accepted("100 header lines", [](Request& each) {
        for (int i = 0; i < 95; ++i) each.more += "X: y\r\n";
    });
    suite.accepted("a header with bytes beyond ASCII", [](Request& each) { each.more = "X: \xC3\xA4\xFF\r\n"; });
}

void missing_parts(Suite& suite) {
    suite.section = "4.2.1";
    suite.refused("no Upgrade", {400, 426}, [](Request& each) { each.upgrade.clear(); });
    suite.refused("Upgrade: websocketx", {400, 426}, [](Request& each) { each.upgrade = "Upgrade: websocketx\r\n"; });
    suite.refused("Upgrade: xwebsocket", {400, 426}, [](Request& each) { each.upgrade = "Upgrade: xwebsocket\r\n"; });
    suite.refused("Upgrade: web socket", {400, 426}, [](Request& each) { each.upgrade = "Upgrade: web socket\r\n"; });
    suite.refused("Upgrade is empty", {400, 426}, [](Request& each) { each.upgrade = "Upgrade:\r\n"; });
    suite.refused("Upgrade twice", {400}, [](Request& each) { each.upgrade += each.upgrade; });
    suite.refused("no Connection", {400}, [](Request& each) { each.connection.clear(); });
    suite.refused("Connection: close", {400}, [](Request& each) { each.connection = "Connection: close\r\n"; });
    suite.refused("Connection: Upgraded", {400}, [](Request& each) { each.connection = "Connection: Upgraded\r\n"; });
    suite.refused("no key", {400}, [](Request& each) { each.key.clear(); });
    suite.refused("two keys", {400}, [](Request& each) { each.key += "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"; });
    suite.refused("the same key twice", {400}, [](Request& each) { each.key += each.key; });
    for (auto const* key : {"", "AAAA", "dGhlIHNhbXBsZSBub25jZQ", "dGhlIHNhbXBsZSBub25jZR==", "dGhlIHNhbXBsZSBub25jZWE=",
                            "dGhlIHNhbXBsZSBub25jZWFh", "dGhlIHNhbXBsZSBub25j!Q==", "dGhlIHNhbXBs ZSBub25jZQ=="}) {
        suite.refused("the key "s + key, {400}, [key](Request& each) { each.key = "Sec-WebSocket-Key: "s + key + "\r\n"; });
    }
    suite.section = "4.4";
    for (auto const* version : {"0", "7", "8", "12", "14", "130", "013", "-13", "13, 8", "x", ""}) {
        suite.refused(
            "version "s + version, {426},
            [version](Request& each) { each.version = "Sec-WebSocket-Version: "s + version + "\r\n"; }, version_headers);
    }
    suite.refused("no version", {426}, [](Request& each) { each.version.clear(); }, version_headers);
    suite.refused("two versions", {400}, [](Request& each) { each.version += "Sec-WebSocket-Version: 8\r\n"; });
    suite.section = "4.1";
    suite.refused("a subprotocol twice", {400}, [](Request& each) { each.more = "Sec-WebSocket-Protocol: a, b, a\r\n"; });
    suite.refused("a subprotocol twice on two lines", {400},
                  [](Request& each) { each.more = "Sec-WebSocket-Protocol: a\r\nSec-WebSocket-Protocol: a\r\n"; });
    suite.refused("a subprotocol that is no token", {400},
                  [](Request& each) { each.more = "Sec-WebSocket-Protocol: a b\r\n"; });
    suite.refused("no subprotocol in the list", {400}, [](Request& each) { each.more = "Sec-WebSocket-Protocol: ,\r\n"; });
    suite.section = "4.2.1";
    suite.refused("two Origins", {400},
                  [](Request& each) { each.more = "Origin: http://localhost\r\nOrigin: http://localhost\r\n"; });
}

void request_lines(Suite& suite) {
    suite.section = "RFC 9112 3";
    for (auto const* method : {"POST", "PUT", "DELETE", "OPTIONS", "TRACE", "get", "GETX"}) {
        suite.refused("method "s + method, {405}, [method](Request& each) { each.line = method + " / HTTP/1.1\r\n"s; },
                      {"Allow: GET, HEAD"});
    }
    for (auto const* version : {"HTTP/1.0", "HTTP/0.9", "HTTP/2.0", "HTTP/1.2"}) {
        suite.refused(version, {505}, [version](Request& each) { each.line = "GET / "s + version + "\r\n"; });
    }
    suite.raw("HTTP/2 with prior knowledge", {400, 505}, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    for (auto const* line :
         {"GET /", "GET", "GET  / HTTP/1.1", "GET / HTTP/1.1 ", "GET / http/1.1", "GET /a b HTTP/1.1", "GET /\t HTTP/1.1",
          "GET * HTTP/1.1", "GET localhost HTTP/1.1", "GET /#x HTTP/1.1", "GET /\xC3\xA4 HTTP/1.1",
          "GET ftp://localhost/ HTTP/1.1", "GET http://user@localhost/ HTTP/1.1", "GET http:///x HTTP/1.1", "G(T / HTTP/1.1"}) {
        suite.refused("request line "s + line, {400}, [line](Request& each) { each.line = line + "\r\n"s; });
    }
    suite.refused("a target of 5000 bytes", {414},
                  [](Request& each) { each.line = "GET /" + std::string(5000, 'x') + " HTTP/1.1\r\n"; });
    suite.raw("an endless target", {414}, "GET /" + std::string(9000, 'x'));
    suite.raw("a TLS greeting", {400}, "\x16\x03\x01\x02\x00\x01\x00\x01\xFC\x03\x03"s);
    suite.raw("an empty line first", {400}, "\r\n" + Request{}.text());
    suite.raw("a frame instead of a request", {400}, "\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58");
}

void header_lines(Suite& suite) {
    suite.section = "RFC 9112 3.2";
    suite.refused("no Host", {400}, [](Request& each) { each.host.clear(); });
    suite.refused("two Hosts", {400}, [](Request& each) { each.host += "Host: other\r\n"; });
    suite.refused("the same Host twice", {400}, [](Request& each) { each.host += each.host; });
    for (auto const* host :
         {"", "a b", "user@a", "a:", "a:x", "a:0", "a:65536", "a,b", "http://a", "a/b", "[::1", "::1", "\xC3\xA4"}) {
        suite.refused("the Host "s + host, {400}, [host](Request& each) { each.host = "Host: "s + host + "\r\n"; });
    }
    suite.section = "RFC 9112 5";
    suite.refused("space before a colon", {400}, [](Request& each) { each.upgrade = "Upgrade : websocket\r\n"; });
    suite.refused("a folded line", {400}, [](Request& each) { each.more = "X: a\r\n b\r\n"; });
    suite.refused("a line that begins with a space", {400}, [](Request& each) { each.more = " X: a\r\n"; });
    suite.refused("a line without a colon", {400}, [](Request& each) { each.more = "X\r\n"; });
    suite.refused("a line without a name", {400}, [](Request& each) { each.more = ": a\r\n"; });
    suite.refused("a name that is no token", {400}, [](Request& each) { each.more = "X(Y): a\r\n"; });
    suite.refused("NUL in a value", {400}, [](Request& each) { each.more = "X: a\0b\r\n"s; });
    suite.refused("a control character in a value", {400}, [](Request& each) { each.more = "X: a\x01\r\n"; });
    suite.section = "RFC 9112 2.2";
    suite.refused("a bare CR in a value", {400}, [](Request& each) { each.more = "X: a\rb\r\n"; });
    suite.refused("a bare LF behind a value", {400}, [](Request& each) { each.more = "X: a\n"; });
    suite.refused("a bare LF behind the request line", {400}, [](Request& each) { each.line = "GET / HTTP/1.1\n"; });
    suite.raw("only bare LF", {400}, "GET / HTTP/1.1\nHost: localhost\n\n");
    suite.section = "RFC 9112 6";
    suite.refused("a body", {400, 413}, [](Request& each) { each.more = "Content-Length: 5\r\n"; });
    suite.refused("Transfer-Encoding", {400, 413}, [](Request& each) { each.more = "Transfer-Encoding: chunked\r\n"; });
    suite.refused("Transfer-Encoding and Content-Length", {400, 413},
                  [](Request& each) { each.more = "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n"; });
    suite.refused("two lengths", {400}, [](Request& each) { each.more = "Content-Length: 0\r\nContent-Length: 0\r\n"; });
    for (auto const* length : {"", "x", "-0", "+0", "0x0", "0, 0", "0 0"}) {
        suite.refused("Content-Length "s + length, {400},
                      [length](Request& each) { each.more = "Content-Length: "s + length + "\r\n"; });
    }
    suite.section = "RFC 6585 5";
    suite.refused("101 header lines", {431}, [](Request& each) {
        for (int i = 0; i < 96; ++i) each.more += "X: y\r\n";
    });
    suite.refused("nine kilobytes of headers", {431},
                  [](Request& each) { each.more = "X: " + std::string(9000, 'x') + "\r\n"; });
    suite.raw("headers without an end", {431}, "GET / HTTP/1.1\r\nHost: localhost\r\nX: " + std::string(9000, 'x'));
}

void plain_requests(Suite& suite) {
    suite.section = "RFC 9110 9.3";
    suite.raw("a page that does not exist", {404}, "GET /no-such-page HTTP/1.1\r\nHost: localhost\r\n\r\n");
    suite.raw("HEAD of a page that does not exist", {404}, "HEAD /no-such-page HTTP/1.1\r\nHost: localhost\r\n\r\n", {}, false);
    suite.raw("a refused HEAD", {400}, "HEAD / HTTP/1.1\r\nHost: localhost\r\nX : y\r\n\r\n", {}, false);
    suite.raw(
        "a handshake with HEAD", {400, 405},
        [] {
            Request request;
            request.line = "HEAD / HTTP/1.1\r\n";
            return request.text();
        }(),
        {}, false);
}

}  // namespace

void visit_handshake_cases(std::function<void(HandshakeCase const&)> const& visit) {
    Suite suite(visit);
    accepted(suite);
    missing_parts(suite);
    request_lines(suite);
    header_lines(suite);
    plain_requests(suite);
}

std::string good_request(std::string_view more) {
    Request request;
    request.more = more;
    return request.text();
}

}  // namespace conformance
