#pragma once

#include <algorithm>
#include <array>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

/// What the limit servers have in common: all of the protocol that they speak, and nothing about how bytes come and go.
namespace limit {

[[noreturn]] inline void fail(char const* what) {
    std::perror(what);
    std::exit(1);
}

// FIPS 180-4, for the handshake alone.
inline std::array<unsigned char, 20> sha1(std::string_view text) {
    std::array<std::uint32_t, 5> state{0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0};
    std::array<unsigned char, 128> block{};
    std::memcpy(block.data(), text.data(), text.size());
    block[text.size()] = 0x80;
    std::size_t const blocks = text.size() < 56 ? 1 : 2;
    std::uint64_t const bits = text.size() * 8;
    for (std::size_t i = 0; i < 8; ++i) block[blocks * 64 - 1 - i] = static_cast<unsigned char>(bits >> (8 * i));
    auto const rotate = [](std::uint32_t value, int by) { return value << by | value >> (32 - by); };
    for (std::size_t at = 0; at < blocks * 64; at += 64) {
        std::array<std::uint32_t, 80> w;
        for (std::size_t i = 0; i < 16; ++i) {
            std::uint32_t word;
            std::memcpy(&word, block.data() + at + 4 * i, 4);
            w[i] = ntohl(word);
        }
        for (std::size_t i = 16; i < 80; ++i) w[i] = rotate(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
        auto [a, b, c, d, e] = state;
        for (std::size_t i = 0; i < 80; ++i) {
            std::uint32_t f, k;
            if (i < 20)
                f = (b & c) | (~b & d), k = 0x5A827999;
            else if (i < 40)
                f = b ^ c ^ d, k = 0x6ED9EBA1;
            else if (i < 60)
                f = (b & c) | (b & d) | (c & d), k = 0x8F1BBCDC;
            else
                f = b ^ c ^ d, k = 0xCA62C1D6;
            std::uint32_t const next = rotate(a, 5) + f + e + k + w[i];
            e = d, d = c, c = rotate(b, 30), b = a, a = next;
        }
        state[0] += a, state[1] += b, state[2] += c, state[3] += d, state[4] += e;
    }
    std::array<unsigned char, 20> digest;
    for (std::size_t i = 0; i < 20; ++i) digest[i] = static_cast<unsigned char>(state[i / 4] >> (24 - 8 * (i % 4)));
    return digest;
}

// RFC 6455 4.2.2: 28 characters of base64.
inline void write_accept_key(char* out, std::string_view key) {
    static constexpr char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string text(key);
    text += "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    auto const digest = sha1(text);
    for (std::size_t i = 0; i < 7; ++i) {
        std::uint32_t group = std::uint32_t{digest[3 * i]} << 16 | std::uint32_t{digest[3 * i + 1]} << 8;
        if (i < 6) group |= digest[3 * i + 2];
        for (std::size_t j = 0; j < 4; ++j) out[4 * i + j] = alphabet[group >> (18 - 6 * j) & 63];
    }
    out[27] = '=';
}

/// Bytes that wait: an empty one owns no memory.
struct Rest {
    char* bytes = nullptr;
    std::uint32_t size = 0;
    std::uint32_t capacity = 0;

    void append(char const* from, std::size_t count) {
        if (size + count > capacity) {
            capacity = static_cast<std::uint32_t>(std::max<std::size_t>(512, (size + count) * 2));
            bytes = static_cast<char*>(std::realloc(bytes, capacity));
            if (!bytes) fail("realloc");
        }
        std::memcpy(bytes + size, from, count);
        size += static_cast<std::uint32_t>(count);
    }
    void drop_front(std::size_t count) {
        size -= static_cast<std::uint32_t>(count);
        if (size == 0)
            clear();
        else
            std::memmove(bytes, bytes + count, size);
    }
    void clear() {
        std::free(bytes);
        *this = {};
    }
};

/// Bytes of a round, whose memory stays.
struct Bytes {
    std::vector<char> storage = std::vector<char>(std::size_t{1} << 20);
    std::size_t size = 0;

    char* room(std::size_t count) {
        if (size + count > storage.size()) storage.resize((size + count) * 2);
        return storage.data() + size;
    }
};

// Writes up to 7 bytes beyond the end.
inline void unmask(char* to, char const* mask, std::size_t length) {
    std::uint32_t key;
    std::memcpy(&key, mask, 4);
    std::uint64_t const key8 = std::uint64_t{key} << 32 | key;
    char const* from = mask + 4;
    std::size_t i = 0;
    for (; i + 8 <= length; i += 8) {
        std::uint64_t word;
        std::memcpy(&word, from + i, 8);
        word ^= key8;
        std::memcpy(to + i, &word, 8);
    }
    for (; i < length; ++i) to[i] = static_cast<char>(from[i] ^ mask[i & 3]);
}

/// Answers an upgrade request.
class Upgrade {
   public:
    /// Length of the request, or 0 where it is not whole yet. `is_refused` if it is none that we know.
    std::size_t take(std::string_view request) {
        is_refused = false;
        auto const end = request.find("\r\n\r\n");
        if (end == std::string_view::npos) return 0;
        static constexpr std::string_view name = "\nsec-websocket-key:";
        auto const same = [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a + 32 : a) == b; };
        auto const at =
            std::search(request.begin(), request.begin() + static_cast<std::ptrdiff_t>(end), name.begin(), name.end(), same);
        std::string_view key = request.substr(static_cast<std::size_t>(at - request.begin()));
        key.remove_prefix(std::min(key.size(), name.size()));
        key = key.substr(0, key.find('\r'));
        while (!key.empty() && key.front() == ' ') key.remove_prefix(1);
        while (!key.empty() && key.back() == ' ') key.remove_suffix(1);
        is_refused = key.size() != 24;
        if (is_refused) return 0;
        write_accept_key(answer_ + sizeof answer_ - 1 - 4 - 28, key);
        return end + 4;
    }
    std::string_view answer() const { return {answer_, sizeof answer_ - 1}; }

    bool is_refused = false;

   private:
    char answer_[130] =
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Accept: 0123456789012345678901234567\r\n\r\n";
};

/// Decodes whole frames: messages go to `out` as frames of a server, answers to control frames to `control`.
struct Decoded {
    std::size_t used = 0;
    bool is_closing = false;  // the last was a close frame
    bool is_broken = false;
};
inline Decoded decode(char const* bytes, std::size_t size, Bytes& out, Bytes& control) {
    Decoded result;
    std::size_t& at = result.used;
    while (size - at >= 6 && !result.is_closing) {
        auto const byte = [&](std::size_t i) { return static_cast<unsigned char>(bytes[at + i]); };
        std::size_t length = byte(1) & 127u, header = 2;
        if (length == 126) {
            length = std::size_t{byte(2)} << 8 | byte(3);
            header = 4;
        } else if (length == 127) {
            if (size - at < 14) break;
            length = 0;
            for (std::size_t i = 2; i < 10; ++i) length = length << 8 | byte(i);
            header = 10;
        }
        if (length > (std::size_t{1} << 28)) {
            result.is_broken = true;
            break;
        }
        if (size - at < header + 4 + length) break;
        char const* mask = bytes + at + header;
        unsigned const opcode = byte(0) & 15u;
        if (opcode < 8) {
            char* to = out.room(header + length + 8);
            to[0] = bytes[at];
            to[1] = static_cast<char>(byte(1) & 127u);
            std::memcpy(to + 2, bytes + at + 2, header - 2);
            unmask(to + header, mask, length);
            out.size += header + length;
        } else if (opcode == 10) {
            // a pong
        } else {  // RFC 6455 5.5.2 and 5.5.1: answer with the same payload
            char* to = control.room(header + length + 8);
            to[0] = static_cast<char>(opcode == 9 ? 0x8A : 0x88);
            to[1] = static_cast<char>(length);
            unmask(to + 2, mask, length);
            control.size += 2 + length;
            result.is_closing = opcode == 8;
        }
        at += header + 4 + length;
    }
    return result;
}

/// All descriptors that the process may have; how many.
inline std::size_t raise_descriptors() {
    rlimit limit{};
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    return std::min<std::size_t>(limit.rlim_cur, 1u << 20);
}

/// What the command line says: --port N --mode echo|broadcast [--bind ADDRESS]
struct Arguments {
    std::string program, address = "127.0.0.1", mode = "broadcast";
    std::uint16_t port = 0;

    static Arguments parse(char const* program, int argc, char** argv) {
        Arguments result;
        result.program = program;
        unsigned long port = 0;
        for (int i = 1; i < argc; i += 2) {
            std::string_view const name = argv[i];
            if (i + 1 < argc && name == "--port")
                port = std::strtoul(argv[i + 1], nullptr, 10);
            else if (i + 1 < argc && name == "--mode")
                result.mode = argv[i + 1];
            else if (i + 1 < argc && name == "--bind")
                result.address = argv[i + 1];
            else
                result.mode.clear();
        }
        if ((result.mode != "echo" && result.mode != "broadcast") || port > 65535) {
            std::fprintf(stderr, "usage: %s --port N --mode echo|broadcast [--bind ADDRESS]\n", program);
            std::exit(2);
        }
        result.port = static_cast<std::uint16_t>(port);
        return result;
    }
    bool is_broadcast() const { return mode == "broadcast"; }
};

/// A listening socket, which it says.
inline int listen_on(Arguments const& arguments, int flags) {
    sockaddr_storage storage{};
    socklen_t length = sizeof(sockaddr_in);
    auto* v4 = reinterpret_cast<sockaddr_in*>(&storage);
    auto* v6 = reinterpret_cast<sockaddr_in6*>(&storage);
    if (inet_pton(AF_INET, arguments.address.c_str(), &v4->sin_addr) == 1) {
        storage.ss_family = AF_INET;
        v4->sin_port = htons(arguments.port);
    } else if (inet_pton(AF_INET6, arguments.address.c_str(), &v6->sin6_addr) == 1) {
        storage.ss_family = AF_INET6;
        v6->sin6_port = htons(arguments.port);
        length = sizeof(sockaddr_in6);
    } else {
        std::fprintf(stderr, "%s: %s is no address\n", arguments.program.c_str(), arguments.address.c_str());
        std::exit(2);
    }
    int const listener = socket(storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
    int const on = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    setsockopt(listener, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);  // Linux: accepted sockets inherit it
    if (bind(listener, reinterpret_cast<sockaddr*>(&storage), length) != 0) fail("bind");
    if (::listen(listener, 4096) != 0) fail("listen");
    getsockname(listener, reinterpret_cast<sockaddr*>(&storage), &length);
    std::printf("listening on port %u\n", ntohs(v4->sin_port));
    std::fflush(stdout);
    return listener;
}

/// What both programs do: a server of that kind, until a signal ends it.
template <class Server>
int serve(char const* program, int argc, char** argv) {
    auto const arguments = Arguments::parse(program, argc, argv);
    struct sigaction action{};
    action.sa_handler = [](int) { _exit(0); };  // it owes nobody anything
    sigaction(SIGTERM, &action, nullptr);
    sigaction(SIGINT, &action, nullptr);
    Server(arguments).run();
    return 0;
}

}  // namespace limit
