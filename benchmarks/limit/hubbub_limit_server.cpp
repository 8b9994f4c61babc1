// The limit that the load server is compared with: a hand-written epoll server that gathers each round's messages into
// one send per connection and does nothing else. No topics, no queue bounds, no checks beyond what keeps it alive.
//   hubbub_limit_server --port N --mode echo|broadcast [--bind ADDRESS]
// A round is one epoll_wait: everything that it reports is read, then everything is written.
#include <algorithm>
#include <array>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

namespace {

[[noreturn]] void fail(char const* what) {
    std::perror(what);
    std::exit(1);
}

// FIPS 180-4, for the handshake alone.
std::array<unsigned char, 20> sha1(std::string_view text) {
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
void write_accept_key(char* out, std::string_view key) {
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

// Indexed by descriptor.
struct Connection {
    Rest unread;              // an incomplete frame or request
    Rest unwritten;           // what the socket did not take
    std::uint32_t place = 0;  // in `open`
    bool upgraded = false;
    bool in_use = false;
};

struct Bytes {
    std::vector<char> storage = std::vector<char>(std::size_t{1} << 20);
    std::size_t size = 0;

    char* room(std::size_t count) {
        if (size + count > storage.size()) storage.resize((size + count) * 2);
        return storage.data() + size;
    }
};

class LimitServer {
   public:
    LimitServer(char const* address, std::uint16_t port, bool broadcast) : broadcast_(broadcast) {
        rlimit limit{};
        getrlimit(RLIMIT_NOFILE, &limit);
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
        connections_.resize(std::min<std::size_t>(limit.rlim_cur, 1u << 20));
        open_.reserve(connections_.size());
        epoll_ = epoll_create1(EPOLL_CLOEXEC);
        listen(address, port);
    }

    [[noreturn]] void run() {
        std::array<epoll_event, 1024> events;
        for (;;) {
            int const count = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), -1);
            for (int i = 0; i < count; ++i) {
                auto const& event = events[static_cast<std::size_t>(i)];
                int const fd = event.data.fd;
                if (fd == listener_) {
                    accept_all();
                } else if (connections_[static_cast<std::size_t>(fd)].in_use) {
                    if (event.events & EPOLLOUT) flush(fd);
                    if (event.events & ~std::uint32_t{EPOLLOUT}) read(fd);
                }
            }
            if (round_.size != 0) {
                // Backwards, because a failed send takes its connection out of the list.
                for (std::size_t i = open_.size(); i-- > 0;) write(open_[i], round_.storage.data(), round_.size);
                round_.size = 0;
            }
        }
    }

   private:
    void listen(char const* address, std::uint16_t port) {
        sockaddr_storage storage{};
        socklen_t length = sizeof(sockaddr_in);
        auto* v4 = reinterpret_cast<sockaddr_in*>(&storage);
        auto* v6 = reinterpret_cast<sockaddr_in6*>(&storage);
        if (inet_pton(AF_INET, address, &v4->sin_addr) == 1) {
            storage.ss_family = AF_INET;
            v4->sin_port = htons(port);
        } else if (inet_pton(AF_INET6, address, &v6->sin6_addr) == 1) {
            storage.ss_family = AF_INET6;
            v6->sin6_port = htons(port);
            length = sizeof(sockaddr_in6);
        } else {
            std::fprintf(stderr, "hubbub_limit_server: %s is no address\n", address);
            std::exit(2);
        }
        listener_ = socket(storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        int const on = 1;
        setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        setsockopt(listener_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);  // Linux: accepted sockets inherit it
        if (bind(listener_, reinterpret_cast<sockaddr*>(&storage), length) != 0) fail("bind");
        if (::listen(listener_, 4096) != 0) fail("listen");
        watch(EPOLL_CTL_ADD, listener_, EPOLLIN);
        getsockname(listener_, reinterpret_cast<sockaddr*>(&storage), &length);
        std::printf("listening on port %u\n", ntohs(v4->sin_port));
        std::fflush(stdout);
    }

    void watch(int operation, int fd, std::uint32_t what) const {
        epoll_event event{};
        event.events = what;
        event.data.fd = fd;
        if (epoll_ctl(epoll_, operation, fd, &event) != 0) fail("epoll_ctl");
    }

    void accept_all() {
        for (;;) {
            int const fd = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
            if (fd < 0) {
                if (errno == EMFILE || errno == ENFILE) {  // else it is reported again and again
                    watch(EPOLL_CTL_MOD, listener_, 0);
                    listener_paused_ = true;
                } else if (errno == ECONNABORTED || errno == EINTR) {
                    continue;
                }
                return;
            }
            auto& connection = connections_[static_cast<std::size_t>(fd)];
            connection.in_use = true;
            connection.upgraded = false;
            watch(EPOLL_CTL_ADD, fd, EPOLLIN);
        }
    }

    void close_connection(int fd) {
        auto& connection = connections_[static_cast<std::size_t>(fd)];
        if (connection.upgraded) {
            int const last = open_.back();
            open_[connection.place] = last;
            connections_[static_cast<std::size_t>(last)].place = connection.place;
            open_.pop_back();
        }
        connection.unread.clear();
        connection.unwritten.clear();
        connection.in_use = connection.upgraded = false;
        close(fd);
        if (listener_paused_) {
            watch(EPOLL_CTL_MOD, listener_, EPOLLIN);
            listener_paused_ = false;
        }
    }

    void read(int fd) {
        auto& connection = connections_[static_cast<std::size_t>(fd)];
        std::size_t size = connection.unread.size;
        if (input_.size() < size * 2 + 65536) input_.resize(size * 2 + 65536);
        ssize_t const got = recv(fd, input_.data() + size, input_.size() - size, 0);
        if (got <= 0) {
            if (got == 0 || (errno != EAGAIN && errno != EINTR)) close_connection(fd);
            return;
        }
        if (size != 0) std::memcpy(input_.data(), connection.unread.bytes, size);
        size += static_cast<std::size_t>(got);
        std::size_t used = 0;
        if (!connection.upgraded) {
            used = upgrade(fd, {input_.data(), size});
            if (!connection.in_use) return;
        }
        if (connection.upgraded) {
            used += decode(fd, input_.data() + used, size - used);
            if (!connection.in_use) return;
        }
        if (used == size && connection.unread.size == 0) return;
        connection.unread.clear();
        if (used != size) connection.unread.append(input_.data() + used, size - used);
    }

    // Length of the request, or 0 where it is not whole yet.
    std::size_t upgrade(int fd, std::string_view request) {
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
        if (key.size() != 24) {
            close_connection(fd);
            return 0;
        }
        char answer[] =
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Accept: 0123456789012345678901234567\r\n\r\n";
        write_accept_key(answer + sizeof answer - 1 - 4 - 28, key);
        auto& connection = connections_[static_cast<std::size_t>(fd)];
        connection.upgraded = true;
        connection.place = static_cast<std::uint32_t>(open_.size());
        open_.push_back(fd);
        write(fd, answer, sizeof answer - 1);
        return end + 4;
    }

    // Decodes the whole frames and returns their length; echoes go out in one send.
    std::size_t decode(int fd, char* bytes, std::size_t size) {
        Bytes& out = broadcast_ ? round_ : echo_;
        std::size_t at = 0;
        bool closing = false;
        while (size - at >= 6 && !closing) {
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
                close_connection(fd);
                return 0;
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
                char* to = control_.room(header + length + 8);
                to[0] = static_cast<char>(opcode == 9 ? 0x8A : 0x88);
                to[1] = static_cast<char>(length);
                unmask(to + 2, mask, length);
                control_.size += 2 + length;
                closing = opcode == 8;
            }
            at += header + 4 + length;
        }
        if (!broadcast_ && echo_.size != 0) {
            write(fd, echo_.storage.data(), echo_.size);
            echo_.size = 0;
        }
        if (control_.size != 0) [[unlikely]] {
            if (connections_[static_cast<std::size_t>(fd)].in_use) write(fd, control_.storage.data(), control_.size);
            control_.size = 0;
        }
        if (closing && connections_[static_cast<std::size_t>(fd)].in_use) close_connection(fd);
        return at;
    }

    // Writes up to 7 bytes beyond the end.
    static void unmask(char* to, char const* mask, std::size_t length) {
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

    void write(int fd, char const* bytes, std::size_t size) {
        auto& connection = connections_[static_cast<std::size_t>(fd)];
        if (connection.unwritten.size != 0) [[unlikely]] {
            connection.unwritten.append(bytes, size);
            return;
        }
        ssize_t const sent = send(fd, bytes, size, MSG_NOSIGNAL);
        if (sent == static_cast<ssize_t>(size)) [[likely]]
            return;
        if (sent < 0 && errno != EAGAIN) {
            close_connection(fd);
            return;
        }
        std::size_t const taken = sent < 0 ? 0 : static_cast<std::size_t>(sent);
        connection.unwritten.append(bytes + taken, size - taken);
        watch(EPOLL_CTL_MOD, fd, EPOLLIN | EPOLLOUT);
    }

    void flush(int fd) {
        auto& rest = connections_[static_cast<std::size_t>(fd)].unwritten;
        ssize_t const sent = send(fd, rest.bytes, rest.size, MSG_NOSIGNAL);
        if (sent < 0) return;  // an error is reported as readable too
        rest.drop_front(static_cast<std::size_t>(sent));
        if (rest.size == 0) watch(EPOLL_CTL_MOD, fd, EPOLLIN);
    }

    bool broadcast_;
    bool listener_paused_ = false;
    int epoll_ = -1;
    int listener_ = -1;
    std::vector<Connection> connections_;
    std::vector<int> open_;
    std::vector<char> input_ = std::vector<char>(65536 * 2);
    Bytes round_, echo_, control_;
};

}  // namespace

int main(int argc, char** argv) {
    std::string address = "127.0.0.1", mode = "broadcast";
    unsigned long port = 0;
    for (int i = 1; i < argc; i += 2) {
        std::string_view const name = argv[i];
        if (i + 1 < argc && name == "--port")
            port = std::strtoul(argv[i + 1], nullptr, 10);
        else if (i + 1 < argc && name == "--mode")
            mode = argv[i + 1];
        else if (i + 1 < argc && name == "--bind")
            address = argv[i + 1];
        else
            mode.clear();
    }
    if ((mode != "echo" && mode != "broadcast") || port > 65535) {
        std::fprintf(stderr, "usage: hubbub_limit_server --port N --mode echo|broadcast [--bind ADDRESS]\n");
        return 2;
    }
    struct sigaction action{};
    action.sa_handler = [](int) { _exit(0); };  // it owes nobody anything
    sigaction(SIGTERM, &action, nullptr);
    sigaction(SIGINT, &action, nullptr);
    LimitServer(address.c_str(), static_cast<std::uint16_t>(port), mode == "broadcast").run();
}
