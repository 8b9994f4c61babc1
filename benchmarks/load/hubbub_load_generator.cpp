// Drives a WebSocket server from one thread and says what a delivery cost it; see --help. It knows nothing of hubbub,
// so that it measures any server. Its own cost matters: one recv a readable socket, frames counted by their headers.
#include <algorithm>
#include <array>
#include <cerrno>
#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "generator_options.hpp"
#include "inflater.hpp"
#include "measures.hpp"
#include "message_format.hpp"
#ifdef GENERATOR_HAS_TLS
#include "tls_wire.hpp"
#endif

namespace generator {
namespace {

enum class State : std::uint8_t { unused, connecting, upgrading, open, stalled, closed };

struct Client {
    int fd = -1;
    State state = State::unused;
    std::uint32_t left_over = 0;     // bytes of an incomplete frame
    std::uint32_t not_written = 0;   // in `output`
    std::uint32_t synchronised = 0;  // number of the latest synchronising message
    std::uint32_t pings = 0;
    std::uint64_t received = 0;                          // messages
    std::unique_ptr<std::vector<unsigned char>> input;   // made when a frame arrives in pieces
    std::unique_ptr<std::vector<unsigned char>> output;  // made when a socket is full
#ifdef GENERATOR_HAS_TLS
    std::unique_ptr<TlsWire> tls;
#endif
};

ssize_t receive(Client& client, void* bytes, std::size_t size) {
#ifdef GENERATOR_HAS_TLS
    if (client.tls) return client.tls->receive(bytes, size);
#endif
    return recv(client.fd, bytes, size, 0);
}
ssize_t transmit(Client& client, void const* bytes, std::size_t size) {
#ifdef GENERATOR_HAS_TLS
    if (client.tls) return client.tls->transmit(bytes, size);
#endif
    return send(client.fd, bytes, size, MSG_NOSIGNAL);
}

struct Totals {
    std::uint64_t deliveries = 0, published = 0, wrong = 0, lost_connections = 0, refused = 0, pings = 0, stalled_closed = 0;
    std::uint64_t synchronisers_received = 0, synchronisers_sent = 0;
    std::string first_problem;

    void problem(std::string const& text) {
        ++wrong;
        if (first_problem.empty()) first_problem = text;
    }
};

class Generator {
   public:
    explicit Generator(Options const& options)
        : options_(options),
          format_(options.payload, options.deflate),
          cpu_(options.server_pid),
          epoll_(epoll_create1(EPOLL_CLOEXEC)),
          buffer_(std::max<std::size_t>(std::size_t{1} << 17, 4 * format_.server_size())),
          clients_(options.connections) {
        raise_descriptor_limit();
        find_address();
        keep_times_ = options_.latency;
        accounts_ = options_.mode == "account";
        parses_ = options_.verify || options_.latency || options_.publishers > 1 || accounts_;
    }

    int run() {
        if (options_.mode == "handshake") {
            run_handshakes();
        } else {
            connect_all();
            if (options_.mode == "hold")
                run_hold();
            else if (accounts_)
                run_account();
            else
                run_messages();
        }
        return report();
    }

   private:
    // ---- set-up

    void raise_descriptor_limit() const {
        rlimit limit{};
        getrlimit(RLIMIT_NOFILE, &limit);
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
        if (limit.rlim_cur < options_.connections + 16u)
            refuse("this process may open " + std::to_string(limit.rlim_cur) + " files: too few for --connections " +
                   std::to_string(options_.connections));
    }

    void find_address() {
        auto* v4 = reinterpret_cast<sockaddr_in*>(&address_);
        auto* v6 = reinterpret_cast<sockaddr_in6*>(&address_);
        if (!options_.unix_path.empty()) {
            auto* path = reinterpret_cast<sockaddr_un*>(&address_);
            path->sun_family = AF_UNIX;
            if (options_.unix_path.size() >= sizeof path->sun_path) refuse("--unix is too long");
            std::memcpy(path->sun_path, options_.unix_path.c_str(), options_.unix_path.size() + 1);
            address_length_ = sizeof(sockaddr_un);
        } else if (inet_pton(AF_INET, options_.host.c_str(), &v4->sin_addr) == 1) {
            v4->sin_family = AF_INET;
            v4->sin_port = htons(static_cast<std::uint16_t>(options_.port));
            address_length_ = sizeof(sockaddr_in);
        } else if (inet_pton(AF_INET6, options_.host.c_str(), &v6->sin6_addr) == 1) {
            v6->sin6_family = AF_INET6;
            v6->sin6_port = htons(static_cast<std::uint16_t>(options_.port));
            address_length_ = sizeof(sockaddr_in6);
        } else {
            refuse("--host takes an address, not a name: " + options_.host);
        }
        std::string const address = options_.host.find(':') == std::string::npos ? options_.host : "[" + options_.host + "]";
        std::string const host = options_.unix_path.empty() ? address + ":" + std::to_string(options_.port) : "localhost";
        request_ =
            "GET " + options_.path + " HTTP/1.1\r\nHost: " + host +
            "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            "Sec-WebSocket-Version: 13\r\n" +
            (options_.deflate ? "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover\r\n\r\n" : "\r\n");
    }

    void watch(int operation, std::size_t index, std::uint32_t events) const {
        epoll_event event{};
        event.events = events | EPOLLET;
        event.data.u64 = index;
        epoll_ctl(epoll_, operation, clients_[index].fd, &event);
    }

    bool is_staller(std::size_t index) const { return index >= options_.connections - options_.stall; }

    void start_connect(std::size_t index) {
        Client& client = clients_[index];
        client.fd = socket(address_.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (client.fd < 0) refuse(std::string("socket: ") + std::strerror(errno));
        if (address_.ss_family != AF_UNIX) {
            int const on = 1;
            setsockopt(client.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        }
        if (is_staller(index)) {
            int const bytes = static_cast<int>(options_.stall_buffer);
            setsockopt(client.fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
        }
        if (!options_.source.empty()) {
            sockaddr_in source{};
            source.sin_family = AF_INET;
            if (inet_pton(AF_INET, options_.source.c_str(), &source.sin_addr) != 1) refuse("--source is no IPv4 address");
            int const on = 1;
            setsockopt(client.fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
            if (bind(client.fd, reinterpret_cast<sockaddr*>(&source), sizeof source) != 0)
                refuse(std::string("bind --source: ") + std::strerror(errno));
        }
#ifdef GENERATOR_HAS_TLS
        if (options_.tls) client.tls = std::make_unique<TlsWire>(client.fd);
#endif
        client.state = State::connecting;
        client.left_over = 0;
        int const result = connect(client.fd, reinterpret_cast<sockaddr*>(&address_), address_length_);
        if (result == 0) {
            client.state = State::upgrading;
            transmit(client, request_.data(), request_.size());
            watch(EPOLL_CTL_ADD, index, EPOLLIN);
            return;
        }
        if (errno != EINPROGRESS) refuse(std::string("connect: ") + std::strerror(errno));
        watch(EPOLL_CTL_ADD, index, EPOLLIN | EPOLLOUT);
    }

    // Drives a client that is not open yet. True once it is open.
    bool continue_connect(std::size_t index) {
        Client& client = clients_[index];
        if (client.state == State::connecting) {
            int error = 0;
            socklen_t length = sizeof error;
            getsockopt(client.fd, SOL_SOCKET, SO_ERROR, &error, &length);
            if (error != 0) {
                lose(index, std::string("connect: ") + std::strerror(error));
                return false;
            }
            client.state = State::upgrading;
            if (transmit(client, request_.data(), request_.size()) != static_cast<ssize_t>(request_.size()))
                lose(index, "the request could not be sent");
            return false;
        }
        ssize_t const got = receive(client, buffer_.data() + client.left_over, buffer_.size() - client.left_over);
        if (got <= 0) {
            if (got == 0 || errno != EAGAIN) lose(index, "the server closed during the handshake");
            return false;
        }
        if (client.left_over != 0) std::memcpy(buffer_.data(), client.input->data(), client.left_over);
        std::size_t const size = client.left_over + static_cast<std::size_t>(got);
        std::string_view const answer(reinterpret_cast<char*>(buffer_.data()), size);
        auto const end = answer.find("\r\n\r\n");
        if (end == std::string_view::npos) {
            keep(client, buffer_.data(), size);
            return false;
        }
        if (!answer.starts_with("HTTP/1.1 101 ")) {
            ++totals_.refused;
            lose(index, "the server refused: " + std::string(answer.substr(0, answer.find('\r'))));
            return false;
        }
        if (answer.substr(0, end).find("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=") == std::string_view::npos) {
            lose(index, "the answer has a wrong Sec-WebSocket-Accept");
            return false;
        }
        if (options_.deflate &&
            answer.substr(0, end).find("\r\nSec-WebSocket-Extensions: permessage-deflate") == std::string_view::npos) {
            lose(index, "the server does not speak permessage-deflate");
            return false;
        }
        client.state = State::open;
        client.left_over = 0;
        if (size != end + 4) {
            std::size_t const used = consume(index, buffer_.data() + end + 4, size - end - 4);
            keep(client, buffer_.data() + end + 4 + used, size - end - 4 - used);
        }
        return client.state == State::open;
    }

    void connect_all() {
        std::size_t started = 0, open = 0, finished = 0;
        std::uint64_t progress = now_ns();
        while (finished < clients_.size()) {
            while (started < clients_.size() && started - finished < 256) {
                start_connect(started++);
            }
            int const count = wait(100);
            for (int i = 0; i < count; ++i) {
                auto const index = static_cast<std::size_t>(events_[static_cast<std::size_t>(i)].data.u64);
                Client& client = clients_[index];
                if (client.state == State::open) {
                    read(index);
                    continue;
                }
                if (client.state != State::connecting && client.state != State::upgrading) continue;
                bool const is_open = continue_connect(index);
                if (!is_open && client.state != State::closed) continue;
                ++finished;
                progress = now_ns();
                if (!is_open) continue;
                ++open;
                if (is_staller(index) && !accounts_) {
                    client.state = State::stalled;
                    watch(EPOLL_CTL_MOD, index, EPOLLRDHUP);
                } else {
                    watch(EPOLL_CTL_MOD, index, EPOLLIN);
                }
            }
            if (now_ns() - progress > static_cast<std::uint64_t>(options_.timeout * 1e9)) {
                totals_.problem("connecting made no progress");
                break;
            }
        }
        connected_ = open;
        if (open != clients_.size()) {
            std::fprintf(stderr, "hubbub_load_generator: %zu of %zu connections opened; first problem: %s\n", open,
                         clients_.size(), totals_.first_problem.c_str());
            std::exit(2);
        }
    }

    // ---- reading

    int wait(int milliseconds) {
        return epoll_wait(epoll_, events_.data(), static_cast<int>(events_.size()), options_.spin ? 0 : milliseconds);
    }

    void lose(std::size_t index, std::string const& why) {
        Client& client = clients_[index];
        if (client.state == State::closed) return;
        client.state = State::closed;
        close(client.fd);
        ++totals_.lost_connections;
        totals_.problem("connection " + std::to_string(index) + ": " + why);
    }

    static void keep(Client& client, unsigned char const* bytes, std::size_t size) {
        client.left_over = static_cast<std::uint32_t>(size);
        if (size == 0) return;
        if (!client.input) client.input = std::make_unique<std::vector<unsigned char>>();
        client.input->assign(bytes, bytes + size);
    }

    // Everything that has arrived. Edge-triggered: a recv that does not fill the buffer has emptied the socket.
    void read(std::size_t index) {
        Client& client = clients_[index];
        for (;;) {
            std::size_t const before = client.left_over;
            if (before + 65536 > buffer_.size()) buffer_.resize(2 * before + 65536);
            std::size_t const room = buffer_.size() - before;
            ssize_t const got = receive(client, buffer_.data() + before, room);
            if (got <= 0) {
                if (got == 0)
                    lose(index, "the server closed");
                else if (errno != EAGAIN && errno != EINTR)
                    lose(index, std::string("recv: ") + std::strerror(errno));
                return;
            }
            if (before != 0) std::memcpy(buffer_.data(), client.input->data(), before);
            std::size_t const size = before + static_cast<std::size_t>(got);
            std::size_t const used = consume(index, buffer_.data(), size);
            if (client.state == State::closed) return;
            if (used != size || before != 0) keep(client, buffer_.data() + used, size - used);
            if (static_cast<std::size_t>(got) < room) return;
        }
    }

    // Counts the whole frames and returns their length.
    std::size_t consume(std::size_t index, unsigned char const* bytes, std::size_t size) {
        std::size_t const frame = format_.server_size();
        std::size_t at = 0;
        std::uint64_t messages = 0;
        std::uint64_t const now = keep_times_ ? now_ns() : 0;
        while (size - at >= 2) {
            if (size - at >= frame && format_.begins_at(bytes + at)) [[likely]] {
                if (!parses_ && !synchronising_)
                    ++messages;
                else
                    messages += accept_message(index, bytes + at, now);
                at += frame;
                continue;
            }
            std::size_t const other = other_frame(index, bytes + at, size - at, messages, now);
            if (other == 0 || clients_[index].state == State::closed) break;
            at += other;
        }
        if (messages != 0) count(index, messages);
        return at;
    }

    // A frame that is incomplete (0) or not a message of ours (its length).
    std::size_t other_frame(std::size_t index, unsigned char const* bytes, std::size_t size, std::uint64_t& messages,
                            std::uint64_t now) {
        std::size_t length = bytes[1] & 127u, header = 2;
        if (length == 126) header = 4;
        if (length == 127) header = 10;
        if (size < header) return 0;
        if (header != 2) {
            length = 0;
            for (std::size_t i = 2; i < header; ++i) length = length << 8 | bytes[i];
        }
        if (bytes[1] & 0x80) {
            lose(index, "the server sent a masked frame");  // RFC 6455 5.1
            return 0;
        }
        if (size - header < length) {
            if (header + length > format_.server_size() + 256) lose(index, "a frame is longer than any that was published");
            return 0;
        }
        unsigned const opcode = bytes[0] & 15u;
        if (bytes[0] == 0xC2 && options_.deflate) {  // final, RSV1, binary
            compressed_bytes_ += header + length;
            ++compressed_messages_;
            messages += parses_ || synchronising_ ? accept_compressed(index, {bytes + header, length}, now) : 1;
        } else if (opcode == 9) {
            ++totals_.pings;
            ++clients_[index].pings;
            if (options_.mode != "hold" || options_.answer_pings) answer_ping(index, bytes + header, length);
        } else if (opcode == 8) {
            unsigned const code = length >= 2 ? unsigned{bytes[header]} << 8 | bytes[header + 1] : 1005;
            if (accounts_ && is_staller(index) && code == 1013) {
                end_staller(index);
                return header + length;
            }
            lose(index, "the server sent Close " + std::to_string(code));
        } else if (opcode != 10) {
            totals_.problem("connection " + std::to_string(index) + ": a frame that nobody published");
        }
        return header + length;
    }

    // The server has disconnected a client that was too slow, as it may; the client takes its leave.
    void end_staller(std::size_t index) {
        Client& client = clients_[index];
        std::array<unsigned char, 8> constexpr answer{0x88, 0x82, 0, 0, 0, 0, 0x03, 0xF5};  // mask key 0, code 1013
        transmit(client, answer.data(), answer.size());
        client.state = State::closed;
        close(client.fd);
        ++totals_.stalled_closed;
    }

    void answer_ping(std::size_t index, unsigned char const* payload, std::size_t size) {
        std::array<unsigned char, 6 + 125> pong{0x8A, static_cast<unsigned char>(0x80 | size)};  // mask key 0
        std::memcpy(pong.data() + 6, payload, size);
        write(index, pong.data(), 6 + size);
    }

    // The same of a message that came compressed: looked at as if it had come plain.
    unsigned accept_compressed(std::size_t index, std::span<unsigned char const> payload, std::uint64_t now) {
        inflated_.resize(format_.server_size());
        std::memcpy(inflated_.data(), format_.header(), format_.header_size());
        if (!inflater_.inflate(payload, std::span(inflated_).subspan(format_.header_size()))) {
            totals_.problem("connection " + std::to_string(index) + ": a message that cannot be inflated");
            return 0;
        }
        return accept_message(index, inflated_.data(), now);
    }

    // 1 if it counts.
    unsigned accept_message(std::size_t index, unsigned char const* frame, std::uint64_t now) {
        auto const parsed = format_.parse(frame);
        Client& client = clients_[index];
        if (parsed.publisher == MessageFormat::synchronise) {
            client.synchronised = parsed.number;
            ++totals_.synchronisers_received;
            return 0;
        }
        if (!parses_) return 1;
        bool const echo = options_.mode == "echo";
        std::uint32_t const publishers = options_.publishers;
        if (echo ? parsed.publisher != index : parsed.publisher >= publishers) {
            totals_.problem("connection " + std::to_string(index) + ": a message of publisher " +
                            std::to_string(parsed.publisher));
            return 0;
        }
        std::size_t const slot = echo ? index : index * publishers + parsed.publisher;
        std::uint32_t const wanted = next_number_[slot];
        if (accounts_ ? parsed.number < wanted : parsed.number != wanted) {
            totals_.problem("connection " + std::to_string(index) + ": message " + std::to_string(parsed.number) +
                            " of publisher " + std::to_string(parsed.publisher) + " instead of " + std::to_string(wanted));
        }
        next_number_[slot] = parsed.number + 1;
        if (options_.verify && !format_.content_is_right(frame, parsed))
            totals_.problem("connection " + std::to_string(index) + ": wrong content in message " +
                            std::to_string(parsed.number));
        if (keep_times_ && in_window_) latency_.add(now - parsed.time);
        if (!echo && !accounts_) complete(parsed.publisher, parsed.number);
        return 1;
    }

    void count(std::size_t index, std::uint64_t messages) {
        totals_.deliveries += messages;
        Client& client = clients_[index];
        if (options_.mode == "echo") {
            echo_outstanding_ -= messages;
            client.received += messages;
            if (publishing_) publish_echo(index, messages);
            return;
        }
        if (!parses_)  // never in account
            for (std::uint64_t i = 0; i < messages; ++i) complete(0, static_cast<std::uint32_t>(client.received + i));
        client.received += messages;
    }

    // One more receiver has that message; it is over when all have it.
    void complete(std::uint32_t publisher, std::uint32_t number) {
        auto& track = tracks_[publisher];
        if (number >= track.sent || track.sent - number > options_.in_flight) {
            totals_.problem("message " + std::to_string(number) + " of publisher " + std::to_string(publisher) +
                            " came too often");
            return;
        }
        auto& missing = track.missing[number % options_.in_flight];
        if (--missing != 0) return;
        while (track.completed < track.sent && track.missing[track.completed % options_.in_flight] == 0) ++track.completed;
    }

    // ---- writing

    void write(std::size_t index, unsigned char const* bytes, std::size_t size) {
        Client& client = clients_[index];
        std::size_t taken = 0;
        if (client.not_written == 0) {
            ssize_t const sent = transmit(client, bytes, size);
            if (sent == static_cast<ssize_t>(size)) [[likely]]
                return;
            if (sent < 0 && errno != EAGAIN) return;  // reading will say why
            taken = sent < 0 ? 0 : static_cast<std::size_t>(sent);
        }
        if (!client.output) client.output = std::make_unique<std::vector<unsigned char>>();
        client.output->insert(client.output->end(), bytes + taken, bytes + size);
        client.not_written = static_cast<std::uint32_t>(client.output->size());
        watch(EPOLL_CTL_MOD, index, EPOLLIN | EPOLLOUT);
    }

    void flush(std::size_t index) {
        Client& client = clients_[index];
        ssize_t const sent = transmit(client, client.output->data(), client.output->size());
        if (sent <= 0) return;
        client.output->erase(client.output->begin(), client.output->begin() + sent);
        client.not_written = static_cast<std::uint32_t>(client.output->size());
        if (client.not_written == 0) watch(EPOLL_CTL_MOD, index, EPOLLIN);
    }

    // Fills every publisher's window up, in one send each.
    void publish() {
        bool const at_rate = options_.rate > 0 && !is_filling_;
        std::uint64_t allowed = UINT64_MAX;
        if (at_rate) {
            double const due = static_cast<double>(now_ns() - rate_start_) * options_.rate / 1e9;
            allowed = due > static_cast<double>(rate_sent_) ? static_cast<std::uint64_t>(due) - rate_sent_ : 0;
        }
        std::uint64_t const time = keep_times_ ? now_ns() : 0;
        std::size_t const frame = format_.client_size();
        for (std::uint32_t i = 0; i < options_.publishers && allowed != 0; ++i) {
            std::uint32_t const p = at_rate ? static_cast<std::uint32_t>(rate_sent_ % options_.publishers) : i;
            auto& track = tracks_[p];
            std::size_t size = 0;
            if (options_.bursts && track.sent != track.completed) continue;
            while (track.sent - track.completed < options_.in_flight && allowed != 0) {
                if (out_.size() < size + frame + 8) out_.resize(2 * (size + frame + 8));
                if (at_rate) ++rate_sent_;
                format_.write_client_frame(out_.data() + size, p, track.sent, at_rate ? intended(rate_sent_) : time);
                track.missing[track.sent % options_.in_flight] = receivers_;
                ++track.sent;
                ++totals_.published;
                --allowed;
                size += frame;
                if (at_rate && options_.publishers > 1) break;  // in turns
            }
            if (size != 0) write(p, out_.data(), size);
        }
    }

    // When that message of a rate should go, whenever it does: a server that holds its publisher back pays for those that wait.
    std::uint64_t intended(std::uint64_t number) {
        auto const time = rate_start_ + static_cast<std::uint64_t>(static_cast<double>(number) * 1e9 / options_.rate);
        std::uint64_t const now = now_ns();
        if (keep_times_ && in_window_) lateness_.add(now > time ? now - time : 0);
        return time;
    }

    // What is due, from each publisher in its turn, whatever has arrived of what was published before.
    void publish_at_rate() {
        double const due = static_cast<double>(now_ns() - rate_start_) * options_.rate / 1e9;
        std::size_t const frame = format_.client_size();
        if (out_.size() < frame + 8) out_.resize(frame + 8);
        for (; static_cast<double>(rate_sent_) < due; ++rate_sent_) {
            auto const p = static_cast<std::uint32_t>(rate_sent_ % options_.publishers);
            format_.write_client_frame(out_.data(), p, tracks_[p].sent++, intended(rate_sent_));
            ++totals_.published;
            write(p, out_.data(), frame);
        }
    }

    void publish_echo(std::size_t index, std::uint64_t messages) {
        std::size_t const frame = format_.client_size();
        std::size_t const size = frame * messages;
        if (parses_) {
            std::uint64_t const time = keep_times_ ? now_ns() : 0;
            if (out_.size() < size + 8) out_.resize(size + 8);
            for (std::uint64_t i = 0; i < messages; ++i)
                format_.write_client_frame(out_.data() + i * frame, static_cast<std::uint32_t>(index), echo_sent_[index]++,
                                           time);
        } else if (prepared_ < messages) {
            out_.resize(size + 8);
            for (std::uint64_t i = 0; i < messages; ++i) format_.write_client_frame(out_.data() + i * frame, 0, 0, 0);
            prepared_ = messages;
        }
        echo_outstanding_ += messages;
        totals_.published += messages;
        write(index, out_.data(), size);
    }

    // ---- the modes

    bool outstanding() const {
        if (options_.mode == "echo") return echo_outstanding_ != 0;
        return std::any_of(tracks_.begin(), tracks_.end(), [](auto const& track) { return track.completed != track.sent; });
    }

    void turn(int milliseconds) {
        int const count = wait(milliseconds);
        for (int i = 0; i < count; ++i) {
            auto const& event = events_[static_cast<std::size_t>(i)];
            auto const index = static_cast<std::size_t>(event.data.u64);
            Client& client = clients_[index];
            if (client.state == State::stalled) {
                if (event.events & (EPOLLHUP | EPOLLRDHUP | EPOLLERR)) {
                    client.state = State::closed;
                    close(client.fd);
                    ++totals_.stalled_closed;
                }
                continue;
            }
            if (client.state != State::open) continue;
            if (event.events & EPOLLOUT && client.not_written != 0) flush(index);
            if (event.events & ~std::uint32_t{EPOLLOUT}) read(index);
        }
        if (!publishing_) return;
        if (accounts_)
            publish_at_rate();
        else if (options_.mode == "broadcast")
            publish();
    }

    // Until that time; false if nothing moved for the timeout.
    bool run_until(std::uint64_t end, bool drain) {
        std::uint64_t progress = now_ns(), seen = totals_.deliveries;
        int const pause = options_.rate > 0 && !is_filling_ ? 1 : 20;
        for (unsigned i = 0;; ++i) {
            if (drain && !outstanding()) return true;
            turn(pause);
            if (i % 16 != 0 && !drain && (options_.rate == 0 || is_filling_)) continue;  // a clock read is not free
            std::uint64_t const now = now_ns();
            if (!drain && now >= end) return true;
            if (totals_.deliveries != seen || !outstanding()) seen = totals_.deliveries, progress = now;
            if (now - progress > static_cast<std::uint64_t>(options_.timeout * 1e9)) return false;
            if (totals_.lost_connections != 0) return false;
        }
    }

    // A server may make a client a member a moment after its 101: the first message that reaches everybody says when all are.
    bool synchronise() {
        std::size_t const readers = accounts_ ? clients_.size() : clients_.size() - options_.stall;
        synchronising_ = true;
        std::uint64_t const start = now_ns();
        for (unsigned attempt = 1;; ++attempt) {
            auto const number = static_cast<std::uint32_t>(++totals_.synchronisers_sent);
            std::vector<unsigned char> frame(format_.client_size() + 8);
            format_.write_client_frame(frame.data(), MessageFormat::synchronise, number, 0);
            write(0, frame.data(), format_.client_size());
            std::uint64_t const sent = now_ns();
            // Each try waits longer, so that a slow server is asked seldom.
            while (now_ns() - sent < 200'000'000u * std::min(attempt, 10u)) {
                turn(20);
                bool const all = std::all_of(
                    clients_.begin(), clients_.begin() + static_cast<std::ptrdiff_t>(readers),
                    [&](Client const& client) { return client.synchronised == number || client.state == State::closed; });
                if (all) {
                    synchronising_ = false;
                    return true;
                }
            }
            if (now_ns() - start > static_cast<std::uint64_t>(options_.timeout * 1e9) || totals_.lost_connections != 0)
                return false;
        }
    }

    void run_messages() {
        bool const echo = options_.mode == "echo";
        receivers_ = options_.connections - options_.stall;
        for (std::uint32_t i = 0; i < options_.publishers; ++i) tracks_.emplace_back(options_.in_flight);
        next_number_.resize(parses_ ? std::size_t{options_.connections} * (echo ? 1 : options_.publishers) : 0);
        echo_sent_.resize(echo && parses_ ? options_.connections : 0);
        if (!echo && !synchronise()) {
            totals_.problem("a message did not reach every client");
            return;
        }
        // The warm-up, then the window; nothing is outstanding at the edges of it.
        for (bool const window : {false, true}) {
            in_window_ = window;
            is_filling_ = !window && options_.fill;
            std::uint64_t const deliveries = totals_.deliveries, published = totals_.published;
            std::uint64_t const server = cpu_.used(), own = now_ns(CLOCK_PROCESS_CPUTIME_ID), start = now_ns();
            publishing_ = true;
            rate_start_ = start;
            rate_sent_ = 0;
            if (echo)
                for (std::size_t i = 0; i < clients_.size(); ++i) publish_echo(i, options_.in_flight);
            else
                publish();
            double const length = window ? options_.seconds : options_.warmup;
            bool fine = run_until(start + static_cast<std::uint64_t>(length * 1e9), false);
            publishing_ = false;
            fine = fine && run_until(0, true);
            if (window) {
                window_seconds_ = static_cast<double>(now_ns() - start) / 1e9;
                own_cpu_ = now_ns(CLOCK_PROCESS_CPUTIME_ID) - own;
                server_cpu_ = cpu_.used() - server;
                window_deliveries_ = totals_.deliveries - deliveries;
                window_published_ = totals_.published - published;
                resident_ = cpu_.resident_bytes();
            }
            if (!fine) {
                totals_.problem("no progress: messages were lost");
                return;
            }
        }
        in_window_ = false;
        // Whatever comes now is one too many.
        std::uint64_t const end = now_ns() + 100'000'000;
        while (now_ns() < end) turn(20);
        check_counts();
    }

    void check_counts() {
        bool const echo = options_.mode == "echo";
        if (totals_.deliveries != (echo ? totals_.published : totals_.published * receivers_))
            totals_.problem(std::to_string(totals_.deliveries) + " deliveries of " + std::to_string(totals_.published) +
                            " messages");
        if (echo) return;
        for (std::size_t i = 0; i < receivers_; ++i)
            if (clients_[i].received != totals_.published)
                totals_.problem("connection " + std::to_string(i) + " received " + std::to_string(clients_[i].received) +
                                " of " + std::to_string(totals_.published) + " messages");
    }

    // Readers read throughout; the others stall for the length of the window and then read what is left for them. Who is still
    // connected has seen the last synchronising message in the end, and so all that the server had for it.
    void run_account() {
        for (std::uint32_t i = 0; i < options_.publishers; ++i) tracks_.emplace_back(1);
        next_number_.resize(std::size_t{options_.connections} * options_.publishers);
        if (!synchronise()) return totals_.problem("a message did not reach every client");
        std::uint64_t const certain = totals_.synchronisers_received, asked = totals_.synchronisers_sent;
        std::size_t const first = options_.connections - options_.stall;
        for (std::size_t i = first; i < clients_.size(); ++i) {
            clients_[i].state = State::stalled;
            watch(EPOLL_CTL_MOD, i, EPOLLRDHUP);
        }
        std::uint64_t const server = cpu_.used(), own = now_ns(CLOCK_PROCESS_CPUTIME_ID);
        std::uint64_t const start = rate_start_ = now_ns();
        auto const after = [start](double seconds) { return start + static_cast<std::uint64_t>(seconds * 1e9); };
        publishing_ = in_window_ = true;
        while (now_ns() < after(options_.seconds)) {
            turn(1);
            if (early_resident_ == 0 && now_ns() >= after(options_.sample)) early_resident_ = cpu_.resident_bytes();
        }
        publishing_ = false;
        resident_ = cpu_.resident_bytes();
        window_seconds_ = static_cast<double>(now_ns() - start) / 1e9;
        own_cpu_ = now_ns(CLOCK_PROCESS_CPUTIME_ID) - own;
        server_cpu_ = cpu_.used() - server;
        window_deliveries_ = totals_.deliveries;
        window_published_ = totals_.published;
        in_window_ = false;

        for (std::size_t i = first; i < clients_.size(); ++i) {
            if (clients_[i].state != State::stalled) continue;
            int const bytes = 1 << 20;  // a small window is slow to empty
            setsockopt(clients_[i].fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
            clients_[i].state = State::open;
            watch(EPOLL_CTL_MOD, i, EPOLLIN);
            read(i);
        }
        if (!synchronise()) totals_.problem("not every client could read to the end");
        received_ = totals_.deliveries + totals_.synchronisers_received;
        expected_ = certain + (totals_.published + totals_.synchronisers_sent - asked) * options_.connections;
        for (std::size_t i = 0; i < first && !options_.lossy; ++i)
            if (clients_[i].received != totals_.published)
                totals_.problem("connection " + std::to_string(i) + " received " + std::to_string(clients_[i].received) +
                                " of " + std::to_string(totals_.published) + " messages");
        for (std::size_t i = first; i < clients_.size(); ++i) stalled_received_ += clients_[i].received;
    }

    void run_hold() {
        std::uint64_t const server = cpu_.used(), own = now_ns(CLOCK_PROCESS_CPUTIME_ID), start = now_ns();
        std::uint64_t const end = start + static_cast<std::uint64_t>(options_.seconds * 1e9);
        while (now_ns() < end) turn(20);
        window_seconds_ = static_cast<double>(now_ns() - start) / 1e9;
        own_cpu_ = now_ns(CLOCK_PROCESS_CPUTIME_ID) - own;
        server_cpu_ = cpu_.used() - server;
        resident_ = cpu_.resident_bytes();
    }

    // Connect, upgrade, close, in each slot. Closing resets the connection, so that no port is left in TIME_WAIT.
    void run_handshakes() {
        std::uint64_t started = 0, finished = 0;
        auto const run = [&](double seconds, std::uint64_t most) {
            std::uint64_t const end = now_ns() + static_cast<std::uint64_t>(seconds * 1e9);
            std::uint64_t progress = now_ns();
            bool stop = false;
            started = finished = 0;
            auto const start = [&](std::size_t index) { ++started, start_connect(index); };
            for (std::size_t i = 0; i < clients_.size() && started < most; ++i) start(i);
            while (finished < started) {
                int const count = wait(20);
                std::uint64_t const now = now_ns();
                if (now >= end || totals_.lost_connections != 0) stop = true;
                for (int i = 0; i < count; ++i) {
                    auto const index = static_cast<std::size_t>(events_[static_cast<std::size_t>(i)].data.u64);
                    Client& client = clients_[index];
                    if (client.state != State::connecting && client.state != State::upgrading) continue;
                    if (!continue_connect(index)) {
                        if (client.state == State::closed) ++finished;
                        continue;
                    }
                    linger reset{};
                    reset.l_onoff = 1;
                    if (address_.ss_family != AF_UNIX) setsockopt(client.fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
                    close(client.fd);
                    client.state = State::unused;
                    ++finished;
                    progress = now;
                    if (!stop && started < most) start(index);
                }
                if (now - progress > static_cast<std::uint64_t>(options_.timeout * 1e9)) {
                    totals_.problem("handshakes made no progress");
                    return;
                }
            }
        };
        run(options_.warmup, UINT64_MAX);
        std::uint64_t const server = cpu_.used(), own = now_ns(CLOCK_PROCESS_CPUTIME_ID), start = now_ns();
        run(options_.handshakes != 0 ? 1e6 : options_.seconds, options_.handshakes != 0 ? options_.handshakes : UINT64_MAX);
        // The server has read its last request, but perhaps not yet seen the last closes.
        window_seconds_ = static_cast<double>(now_ns() - start) / 1e9;
        own_cpu_ = now_ns(CLOCK_PROCESS_CPUTIME_ID) - own;
        usleep(20'000);
        server_cpu_ = cpu_.used() - server;
        window_deliveries_ = window_published_ = finished - totals_.lost_connections;
        resident_ = cpu_.resident_bytes();
        if (options_.handshakes != 0 && window_deliveries_ != options_.handshakes) totals_.problem("too few handshakes");
    }

    // ---- the end

    std::uint64_t least_pings() const {
        auto const least = std::min_element(clients_.begin(), clients_.end(),
                                            [](Client const& one, Client const& other) { return one.pings < other.pings; });
        return least->pings;
    }

    int report() {
        auto const per = [](std::uint64_t nanoseconds, std::uint64_t count) {
            return count == 0 ? 0.0 : static_cast<double>(nanoseconds) / 1000.0 / static_cast<double>(count);
        };
        auto const rate = [&](std::uint64_t count) {
            return window_seconds_ > 0 ? static_cast<double>(count) / window_seconds_ : 0.0;
        };
        double const own_share = window_seconds_ > 0 ? static_cast<double>(own_cpu_) / 1e9 / window_seconds_ : 0.0;
        double const server_share = window_seconds_ > 0 ? static_cast<double>(server_cpu_) / 1e9 / window_seconds_ : 0.0;
        bool const fine = totals_.wrong == 0;
        if (options_.json) {
            std::string problem;
            for (char const c : totals_.first_problem)
                if (c >= ' ' && c != '"' && c != '\\') problem += c;
            std::printf(
                "{\"mode\": \"%s\", \"connections\": %u, \"in_flight\": %u, \"payload\": %u, \"publishers\": %u, \"stalled\": "
                "%u, "
                "\"seconds\": %.3f, \"published\": %" PRIu64 ", \"deliveries\": %" PRIu64
                ", \"deliveries_per_second\": %.0f, \"server_us_per_delivery\": %.4f, \"generator_us_per_delivery\": %.4f, "
                "\"server_share\": %.3f, \"generator_share\": %.3f, \"server_rss_bytes\": %" PRIu64 ", \"pings\": %" PRIu64
                ", \"least_pings\": %" PRIu64 ", \"received\": %" PRIu64 ", \"stalled_received\": %" PRIu64
                ", \"expected\": %" PRIu64 ", \"early_rss_bytes\": %" PRIu64 ", \"lost_connections\": %" PRIu64
                ", \"stalled_closed\": %" PRIu64
                ", \"latency_us\": {\"p50\": %.1f, \"p99\": %.1f, \"p999\": %.1f, \"max\": %.1f}, \"sent_late_us\": {\"p50\": "
                "%.1f, \"p99\": %.1f, \"max\": %.1f}, \"compressed_messages\": %" PRIu64 ", \"compressed_bytes\": %" PRIu64
                ", \"wrong\": %" PRIu64 ", \"problem\": \"%s\"}\n",
                options_.mode.c_str(), options_.connections, options_.in_flight, options_.payload, options_.publishers,
                options_.stall, window_seconds_, window_published_, window_deliveries_, rate(window_deliveries_),
                per(server_cpu_, window_deliveries_), per(own_cpu_, window_deliveries_), server_share, own_share, resident_,
                totals_.pings, least_pings(), received_, stalled_received_, expected_, early_resident_,
                totals_.lost_connections, totals_.stalled_closed, latency_.microseconds(0.5), latency_.microseconds(0.99),
                latency_.microseconds(0.999), latency_.most_microseconds(), lateness_.microseconds(0.5),
                lateness_.microseconds(0.99), lateness_.most_microseconds(), compressed_messages_, compressed_bytes_,
                totals_.wrong, problem.c_str());
            return fine ? 0 : 1;
        }
        std::printf("%s, %u connections", options_.mode.c_str(), options_.connections);
        if (options_.mode == "hold") {
            std::printf(": %" PRIu64 " lost, %" PRIu64 " pings in %.1f s\n", totals_.lost_connections, totals_.pings,
                        window_seconds_);
        } else {
            std::printf(", %u in flight, %u bytes, %.2f s\n", options_.in_flight, options_.payload, window_seconds_);
            std::printf("  published %" PRIu64 ", deliveries %" PRIu64 " (%.0f a second)\n", window_published_,
                        window_deliveries_, rate(window_deliveries_));
        }
        if (options_.server_pid != 0)
            std::printf("  server %.3f us a delivery, %.0f %% of a core, %.1f MiB resident\n",
                        per(server_cpu_, window_deliveries_), 100 * server_share, static_cast<double>(resident_) / 1048576.0);
        std::printf("  generator %.3f us a delivery, %.0f %% of a core\n", per(own_cpu_, window_deliveries_), 100 * own_share);
        if (accounts_)
            std::printf("  all clients received %" PRIu64 ", those that stalled %" PRIu64
                        " of it; without a drop it were %" PRIu64 "; server %.1f MiB early in the window\n",
                        received_, stalled_received_, expected_, static_cast<double>(early_resident_) / 1048576.0);
        if (options_.stall != 0)
            std::printf("  stalled %u, of which the server closed %" PRIu64 "\n", options_.stall, totals_.stalled_closed);
        if (options_.latency)
            std::printf("  latency p50 %.1f us, p99 %.1f us, p99.9 %.1f us, max %.1f us\n", latency_.microseconds(0.5),
                        latency_.microseconds(0.99), latency_.microseconds(0.999), latency_.most_microseconds());
        if (options_.latency && options_.rate > 0)
            std::printf("  from when each was due; sent late: p50 %.1f us, p99 %.1f us, max %.1f us\n",
                        lateness_.microseconds(0.5), lateness_.microseconds(0.99), lateness_.most_microseconds());
        if (options_.deflate && compressed_messages_ != 0)
            std::printf("  %" PRIu64 " messages came compressed, %.1f bytes each\n", compressed_messages_,
                        static_cast<double>(compressed_bytes_) / static_cast<double>(compressed_messages_));
        if (fine)
            std::printf("  %s\n", options_.verify ? "count, order and content are right" : "nothing was lost");
        else
            std::printf("  WRONG: %" PRIu64 " problems, the first: %s\n", totals_.wrong, totals_.first_problem.c_str());
        return fine ? 0 : 1;
    }

    struct Track {
        explicit Track(std::uint32_t in_flight) : missing(in_flight) {}
        std::vector<std::uint32_t> missing;  // receivers, of each message in flight
        std::uint32_t sent = 0, completed = 0;
    };

    Options options_;
    MessageFormat format_;
    Inflater inflater_;
    std::vector<unsigned char> inflated_;
    std::uint64_t compressed_bytes_ = 0, compressed_messages_ = 0;  // on the wire
    ProcessCpu cpu_;
    int epoll_;
    std::vector<unsigned char> buffer_;
    std::vector<Client> clients_;
    std::array<epoll_event, 1024> events_;
    std::vector<unsigned char> out_;
    std::vector<Track> tracks_;
    std::vector<std::uint32_t> next_number_, echo_sent_;
    std::string request_;
    sockaddr_storage address_{};
    socklen_t address_length_ = 0;
    bool parses_ = false, keep_times_ = false, publishing_ = false, synchronising_ = false, in_window_ = false,
         accounts_ = false, is_filling_ = false;
    std::uint32_t receivers_ = 0;
    std::size_t connected_ = 0;
    std::uint64_t echo_outstanding_ = 0, prepared_ = 0, rate_start_ = 0, rate_sent_ = 0;
    Totals totals_;
    Histogram latency_, lateness_;  // of the latter each message that was sent at a rate
    std::uint64_t window_deliveries_ = 0, window_published_ = 0, own_cpu_ = 0, server_cpu_ = 0, resident_ = 0;
    std::uint64_t early_resident_ = 0, received_ = 0, stalled_received_ = 0, expected_ = 0;
    double window_seconds_ = 0;
};

}  // namespace
}  // namespace generator

int main(int argc, char** argv) { return generator::Generator(generator::Options::parse(argc, argv)).run(); }
