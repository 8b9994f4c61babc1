// Drives a WebSocket server from one thread and says what a delivery cost it; see --help. It knows nothing of hubbub,
// so that it measures any server. Its own cost matters: one recv a readable socket, frames counted by their headers.
#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <charconv>
#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <arpa/inet.h>
#include <dirent.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace {

constexpr char usage[] =
    R"(hubbub_load_generator (--port N [--host ADDRESS] | --unix PATH) [options]
  --mode broadcast|echo|handshake|hold   (broadcast)
  --connections N     clients; in handshake: how many at once (1000; handshake 64)
  --in-flight W       messages outstanding: per publisher (broadcast) or per connection (echo) (1)
  --publishers P      connections that publish (1)
  --payload BYTES     of each message, at least 16 (64)
  --seconds S         length of the window (3)
  --warmup S          before it (1)
  --rate R            messages a second of all publishers together, instead of as fast as --in-flight allows
  --stall K           clients that never read
  --stall-buffer B    receive buffer of these, bytes (4096)
  --handshakes N      end after that many instead of --seconds
  --path PATH         of the upgrade request (/)
  --source ADDRESS    to connect from
  --server-pid PID    read the CPU time of that process
  --answer-pings      in hold: answer pings (the other modes always do)
  --verify            check content and order of each message at each receiver
  --latency           from publish to each receiver
  --spin              never sleep, so that the server pays for no wake-ups
  --timeout S         without any progress: give up (10)
  --json              one line of JSON
Ends with 0 if nothing was lost or wrong, 1 if something was, 2 if it could not start.
)";

[[noreturn]] void refuse(std::string const& sentence) {
    std::fprintf(stderr, "hubbub_load_generator: %s\n", sentence.c_str());
    std::exit(2);
}

std::uint64_t now_ns(clockid_t clock = CLOCK_MONOTONIC) {
    timespec time;
    clock_gettime(clock, &time);
    return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000u + static_cast<std::uint64_t>(time.tv_nsec);
}

struct Options {
    std::string mode = "broadcast", host = "127.0.0.1", unix_path, path = "/", source;
    std::uint32_t port = 0, connections = 0, in_flight = 1, publishers = 1, payload = 64, stall = 0, stall_buffer = 4096;
    std::uint64_t handshakes = 0;
    double seconds = 3, warmup = 1, rate = 0, timeout = 10;
    long server_pid = 0;
    bool verify = false, latency = false, json = false, answer_pings = false, spin = false;

    static Options parse(int argc, char** argv) {
        Options result;
        for (int i = 1; i < argc; ++i) {
            std::string const name = argv[i];
            if (name == "--help") std::fputs(usage, stdout), std::exit(0);
            if (result.set_flag(name)) continue;
            if (++i == argc) refuse(name + " needs a value or is not known; --help lists all options");
            if (!result.set_value(name, argv[i])) refuse(name + " is not known; --help lists all options");
        }
        result.check();
        return result;
    }

   private:
    bool set_flag(std::string const& name) {
        if (name == "--verify")
            verify = true;
        else if (name == "--latency")
            latency = true;
        else if (name == "--json")
            json = true;
        else if (name == "--spin")
            spin = true;
        else if (name == "--answer-pings")
            answer_pings = true;
        else
            return false;
        return true;
    }

    bool set_value(std::string const& name, std::string const& value) {
        auto const number = [&](auto& into) {
            auto const [end, error] = std::from_chars(value.data(), value.data() + value.size(), into);
            if (error != std::errc{} || end != value.data() + value.size()) refuse(name + " needs a number, not " + value);
        };
        if (name == "--mode")
            mode = value;
        else if (name == "--host")
            host = value;
        else if (name == "--unix")
            unix_path = value;
        else if (name == "--path")
            path = value;
        else if (name == "--source")
            source = value;
        else if (name == "--port")
            number(port);
        else if (name == "--connections")
            number(connections);
        else if (name == "--in-flight")
            number(in_flight);
        else if (name == "--publishers")
            number(publishers);
        else if (name == "--payload")
            number(payload);
        else if (name == "--seconds")
            number(seconds);
        else if (name == "--warmup")
            number(warmup);
        else if (name == "--rate")
            number(rate);
        else if (name == "--stall")
            number(stall);
        else if (name == "--stall-buffer")
            number(stall_buffer);
        else if (name == "--handshakes")
            number(handshakes);
        else if (name == "--server-pid")
            number(server_pid);
        else if (name == "--timeout")
            number(timeout);
        else
            return false;
        return true;
    }

    void check() {
        if (mode != "broadcast" && mode != "echo" && mode != "handshake" && mode != "hold")
            refuse("--mode is broadcast, echo, handshake or hold, not " + mode);
        if (port == 0 && unix_path.empty()) refuse("--port or --unix is needed");
        if (port > 65535) refuse("--port ends at 65535");
        if (connections == 0) connections = mode == "handshake" ? 64 : 1000;
        if (payload < 16) refuse("--payload is at least 16: publisher, number and time are in it");
        if (payload > 64u << 20) refuse("--payload is at most 64 MiB");
        if (in_flight == 0 || publishers == 0) refuse("--in-flight and --publishers are at least 1");
        if (stall + publishers > connections) refuse("--stall leaves too few clients for --publishers");
        if (mode != "broadcast" && (stall != 0 || publishers != 1 || rate > 0))
            refuse("--stall, --publishers and --rate are for broadcast");
    }
};

// Nanoseconds of CPU that all threads of a process have used, also those that have ended.
class ProcessCpu {
   public:
    explicit ProcessCpu(long pid) : pid_(pid) {}

    std::uint64_t used() const {
        if (pid_ == 0) return 0;
        std::string const directory = "/proc/" + std::to_string(pid_) + "/task";
        std::unique_ptr<DIR, int (*)(DIR*)> tasks(opendir(directory.c_str()), closedir);
        if (!tasks) refuse("there is no process " + std::to_string(pid_));
        std::uint64_t sum = 0;
        while (auto const* entry = readdir(tasks.get())) {
            if (entry->d_name[0] == '.') continue;
            std::string const file = directory + "/" + entry->d_name + "/schedstat";
            std::unique_ptr<FILE, int (*)(FILE*)> stat(std::fopen(file.c_str(), "r"), std::fclose);
            std::uint64_t nanoseconds = 0;
            if (stat && std::fscanf(stat.get(), "%" SCNu64, &nanoseconds) == 1) sum += nanoseconds;
        }
        return sum;
    }

    std::uint64_t resident_bytes() const {
        if (pid_ == 0) return 0;
        std::string const file = "/proc/" + std::to_string(pid_) + "/statm";
        std::unique_ptr<FILE, int (*)(FILE*)> statm(std::fopen(file.c_str(), "r"), std::fclose);
        std::uint64_t pages = 0;
        if (!statm || std::fscanf(statm.get(), "%*u %" SCNu64, &pages) != 1) return 0;
        return pages * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
    }

   private:
    long pid_;
};

// Counts per duration with 3 % resolution, up to 2^40 ns.
class Histogram {
   public:
    void add(std::uint64_t nanoseconds) {
        ++buckets_[index(nanoseconds)];
        ++count_;
        most_ = std::max(most_, nanoseconds);
    }
    void clear() { *this = Histogram{}; }
    double microseconds(double quantile) const {
        auto const wanted = static_cast<std::uint64_t>(quantile * static_cast<double>(count_));
        std::uint64_t seen = 0;
        for (std::size_t i = 0; i < buckets_.size(); ++i)
            if ((seen += buckets_[i]) > wanted) return std::min(upper_end(i), static_cast<double>(most_)) / 1000.0;
        return static_cast<double>(most_) / 1000.0;
    }
    double most_microseconds() const { return static_cast<double>(most_) / 1000.0; }

   private:
    static std::size_t index(std::uint64_t value) {
        if (value < 32) return value;
        auto const shift = std::min<unsigned>(static_cast<unsigned>(std::bit_width(value)) - 6, 35);
        return std::min<std::size_t>((shift + 1) * 32 + (value >> shift) - 32, 1183);
    }
    static double upper_end(std::size_t i) {
        if (i < 64) return static_cast<double>(i + 1);
        return static_cast<double>((i % 32 + 33) << (i / 32 - 1));
    }

    std::array<std::uint64_t, 1184> buckets_{};
    std::uint64_t count_ = 0;
    std::uint64_t most_ = 0;
};

// What a message looks like on the wire. Payload: publisher (4 bytes), number (4), time (8), then a pattern of both.
class MessageFormat {
   public:
    static constexpr std::uint32_t synchronise = 0xFFFFFFFF;  // publisher of messages that are not counted

    explicit MessageFormat(std::size_t payload) : payload_(payload) {
        header_ = payload < 126 ? 2 : payload < 65536 ? 4 : 10;
        expected_[0] = 0x82;  // final, binary
        std::size_t const length_bytes = header_ == 2 ? 0 : header_ - 2;
        expected_[1] = static_cast<unsigned char>(header_ == 2 ? payload : header_ == 4 ? 126 : 127);
        for (std::size_t i = 0; i < length_bytes; ++i)
            expected_[2 + i] = static_cast<unsigned char>(std::uint64_t{payload} >> 8 * (length_bytes - 1 - i));
        std::memcpy(&expected_start_, expected_, 2);
    }

    std::size_t server_size() const { return header_ + payload_; }
    std::size_t client_size() const { return server_size() + 4; }
    std::size_t payload() const { return payload_; }

    // True if a message of ours begins there; at least server_size() bytes must be readable.
    bool begins_at(unsigned char const* bytes) const {
        std::uint16_t start;
        std::memcpy(&start, bytes, 2);
        return start == expected_start_ && (header_ == 2 || std::memcmp(bytes, expected_, header_) == 0);
    }

    // `out` has client_size() bytes and 8 more.
    void write_client_frame(unsigned char* out, std::uint32_t publisher, std::uint32_t number, std::uint64_t time) const {
        std::memcpy(out, expected_, header_);
        out[1] |= 0x80;
        std::uint32_t constexpr key = 0x5BD1E995;
        std::memcpy(out + header_, &key, 4);
        unsigned char* payload = out + header_ + 4;
        std::uint64_t constexpr key8 = std::uint64_t{key} << 32 | key;
        std::uint64_t const first = (std::uint64_t{number} << 32 | publisher) ^ key8;
        time ^= key8;
        std::memcpy(payload, &first, 8);
        std::memcpy(payload + 8, &time, 8);
        for (std::size_t i = 16; i < payload_; i += 8) {
            std::uint64_t const word = pattern(publisher, number, i) ^ key8;
            std::memcpy(payload + i, &word, std::min<std::size_t>(8, payload_ - i));
        }
    }

    struct Parsed {
        std::uint32_t publisher, number;
        std::uint64_t time;
    };
    Parsed parse(unsigned char const* frame) const {
        Parsed result;
        std::memcpy(&result.publisher, frame + header_, 4);
        std::memcpy(&result.number, frame + header_ + 4, 4);
        std::memcpy(&result.time, frame + header_ + 8, 8);
        return result;
    }
    bool content_is_right(unsigned char const* frame, Parsed const& parsed) const {
        unsigned char const* payload = frame + header_;
        for (std::size_t i = 16; i < payload_; i += 8) {
            std::uint64_t const word = pattern(parsed.publisher, parsed.number, i);
            if (std::memcmp(payload + i, &word, std::min<std::size_t>(8, payload_ - i)) != 0) return false;
        }
        return true;
    }

   private:
    static std::uint64_t pattern(std::uint32_t publisher, std::uint32_t number, std::size_t at) {
        return (std::uint64_t{publisher} << 32 | number) * 0x9E3779B97F4A7C15u + at * 0xD1B54A32D192ED03u;
    }

    std::size_t payload_, header_;
    std::uint16_t expected_start_;
    unsigned char expected_[10]{};
};

enum class State : std::uint8_t { unused, connecting, upgrading, open, stalled, closed };

struct Client {
    int fd = -1;
    State state = State::unused;
    std::uint32_t left_over = 0;                         // bytes of an incomplete frame
    std::uint32_t not_written = 0;                       // in `output`
    std::uint32_t synchronised = 0;                      // number of the latest synchronising message
    std::uint64_t received = 0;                          // messages
    std::unique_ptr<std::vector<unsigned char>> input;   // made when a frame arrives in pieces
    std::unique_ptr<std::vector<unsigned char>> output;  // made when a socket is full
};

struct Totals {
    std::uint64_t deliveries = 0, published = 0, wrong = 0, lost_connections = 0, refused = 0, pings = 0, stalled_closed = 0;
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
          format_(options.payload),
          cpu_(options.server_pid),
          epoll_(epoll_create1(EPOLL_CLOEXEC)),
          buffer_(std::max<std::size_t>(std::size_t{1} << 17, 4 * format_.server_size())),
          clients_(options.connections) {
        raise_descriptor_limit();
        find_address();
        keep_times_ = options_.latency;
        parses_ = options_.verify || options_.latency || options_.publishers > 1;
    }

    int run() {
        if (options_.mode == "handshake") {
            run_handshakes();
        } else {
            connect_all();
            if (options_.mode == "hold")
                run_hold();
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
        request_ = "GET " + options_.path + " HTTP/1.1\r\nHost: " +
                   (options_.host.find(':') == std::string::npos ? options_.host : "[" + options_.host + "]") + ":" +
                   std::to_string(options_.port) +
                   "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                   "Sec-WebSocket-Version: 13\r\n\r\n";
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
        client.state = State::connecting;
        client.left_over = 0;
        int const result = connect(client.fd, reinterpret_cast<sockaddr*>(&address_), address_length_);
        if (result == 0) {
            client.state = State::upgrading;
            send(client.fd, request_.data(), request_.size(), MSG_NOSIGNAL);
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
            if (send(client.fd, request_.data(), request_.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(request_.size()))
                lose(index, "the request could not be sent");
            return false;
        }
        ssize_t const got = recv(client.fd, buffer_.data() + client.left_over, buffer_.size() - client.left_over, 0);
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
                if (is_staller(index)) {
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
            ssize_t const got = recv(client.fd, buffer_.data() + before, room, 0);
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
            std::size_t const other = other_frame(index, bytes + at, size - at);
            if (other == 0 || clients_[index].state == State::closed) break;
            at += other;
        }
        if (messages != 0) count(index, messages);
        return at;
    }

    // A frame that is incomplete (0) or not a message of ours (its length).
    std::size_t other_frame(std::size_t index, unsigned char const* bytes, std::size_t size) {
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
        if (opcode == 9) {
            ++totals_.pings;
            if (options_.mode != "hold" || options_.answer_pings) answer_ping(index, bytes + header, length);
        } else if (opcode == 8) {
            unsigned const code = length >= 2 ? unsigned{bytes[header]} << 8 | bytes[header + 1] : 1005;
            lose(index, "the server sent Close " + std::to_string(code));
        } else if (opcode != 10) {
            totals_.problem("connection " + std::to_string(index) + ": a frame that nobody published");
        }
        return header + length;
    }

    void answer_ping(std::size_t index, unsigned char const* payload, std::size_t size) {
        std::array<unsigned char, 6 + 125> pong{0x8A, static_cast<unsigned char>(0x80 | size)};  // mask key 0
        std::memcpy(pong.data() + 6, payload, size);
        write(index, pong.data(), 6 + size);
    }

    // 1 if it counts.
    unsigned accept_message(std::size_t index, unsigned char const* frame, std::uint64_t now) {
        auto const parsed = format_.parse(frame);
        Client& client = clients_[index];
        if (parsed.publisher == MessageFormat::synchronise) {
            client.synchronised = parsed.number;
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
        if (parsed.number != wanted) {
            totals_.problem("connection " + std::to_string(index) + ": message " + std::to_string(parsed.number) +
                            " of publisher " + std::to_string(parsed.publisher) + " instead of " + std::to_string(wanted));
        }
        next_number_[slot] = parsed.number + 1;
        if (options_.verify && !format_.content_is_right(frame, parsed))
            totals_.problem("connection " + std::to_string(index) + ": wrong content in message " +
                            std::to_string(parsed.number));
        if (keep_times_ && in_window_) latency_.add(now - parsed.time);
        if (!echo) complete(parsed.publisher, parsed.number);
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
        if (!parses_)
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
            ssize_t const sent = send(client.fd, bytes, size, MSG_NOSIGNAL);
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
        ssize_t const sent = send(client.fd, client.output->data(), client.output->size(), MSG_NOSIGNAL);
        if (sent <= 0) return;
        client.output->erase(client.output->begin(), client.output->begin() + sent);
        client.not_written = static_cast<std::uint32_t>(client.output->size());
        if (client.not_written == 0) watch(EPOLL_CTL_MOD, index, EPOLLIN);
    }

    // Fills every publisher's window up, in one send each.
    void publish() {
        std::uint64_t allowed = UINT64_MAX;
        if (options_.rate > 0) {
            double const due = static_cast<double>(now_ns() - rate_start_) * options_.rate / 1e9;
            allowed = due > static_cast<double>(rate_sent_) ? static_cast<std::uint64_t>(due) - rate_sent_ : 0;
        }
        std::uint64_t const time = keep_times_ ? now_ns() : 0;
        std::size_t const frame = format_.client_size();
        for (std::uint32_t i = 0; i < options_.publishers && allowed != 0; ++i) {
            std::uint32_t const p = options_.rate > 0 ? static_cast<std::uint32_t>(rate_sent_ % options_.publishers) : i;
            auto& track = tracks_[p];
            std::size_t size = 0;
            while (track.sent - track.completed < options_.in_flight && allowed != 0) {
                if (out_.size() < size + frame + 8) out_.resize(2 * (size + frame + 8));
                format_.write_client_frame(out_.data() + size, p, track.sent, time);
                track.missing[track.sent % options_.in_flight] = receivers_;
                ++track.sent;
                ++totals_.published;
                if (options_.rate > 0) ++rate_sent_;
                --allowed;
                size += frame;
                if (options_.rate > 0 && options_.publishers > 1) break;  // in turns
            }
            if (size != 0) write(p, out_.data(), size);
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
        if (publishing_ && options_.mode == "broadcast") publish();
    }

    // Until that time; false if nothing moved for the timeout.
    bool run_until(std::uint64_t end, bool drain) {
        std::uint64_t progress = now_ns(), seen = totals_.deliveries;
        int const pause = options_.rate > 0 ? 1 : 20;
        for (unsigned i = 0;; ++i) {
            if (drain && !outstanding()) return true;
            turn(pause);
            if (i % 16 != 0 && !drain && options_.rate == 0) continue;  // a clock read is not free
            std::uint64_t const now = now_ns();
            if (!drain && now >= end) return true;
            if (totals_.deliveries != seen || !outstanding()) seen = totals_.deliveries, progress = now;
            if (now - progress > static_cast<std::uint64_t>(options_.timeout * 1e9)) return false;
            if (totals_.lost_connections != 0) return false;
        }
    }

    // A server may make a client a member a moment after its 101: the first message that reaches everybody says when all are.
    bool synchronise() {
        synchronising_ = true;
        std::uint64_t const start = now_ns();
        for (std::uint32_t number = 1;; ++number) {
            std::vector<unsigned char> frame(format_.client_size() + 8);
            format_.write_client_frame(frame.data(), MessageFormat::synchronise, number, 0);
            write(0, frame.data(), format_.client_size());
            std::uint64_t const sent = now_ns();
            // Each try waits longer, so that a slow server is asked seldom.
            while (now_ns() - sent < 200'000'000u * std::min<std::uint64_t>(number, 10)) {
                turn(20);
                bool const all = std::all_of(clients_.begin(), clients_.end() - static_cast<std::ptrdiff_t>(options_.stall),
                                             [&](Client const& client) { return client.synchronised == number; });
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
                ", \"lost_connections\": %" PRIu64 ", \"stalled_closed\": %" PRIu64
                ", \"latency_us\": {\"p50\": %.1f, \"p99\": %.1f, \"p999\": %.1f, \"max\": %.1f}, \"wrong\": %" PRIu64
                ", \"problem\": \"%s\"}\n",
                options_.mode.c_str(), options_.connections, options_.in_flight, options_.payload, options_.publishers,
                options_.stall, window_seconds_, window_published_, window_deliveries_, rate(window_deliveries_),
                per(server_cpu_, window_deliveries_), per(own_cpu_, window_deliveries_), server_share, own_share, resident_,
                totals_.pings, totals_.lost_connections, totals_.stalled_closed, latency_.microseconds(0.5),
                latency_.microseconds(0.99), latency_.microseconds(0.999), latency_.most_microseconds(), totals_.wrong,
                problem.c_str());
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
        if (options_.stall != 0)
            std::printf("  stalled %u, of which the server closed %" PRIu64 "\n", options_.stall, totals_.stalled_closed);
        if (options_.latency)
            std::printf("  latency p50 %.1f us, p99 %.1f us, p99.9 %.1f us, max %.1f us\n", latency_.microseconds(0.5),
                        latency_.microseconds(0.99), latency_.microseconds(0.999), latency_.most_microseconds());
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
    bool parses_ = false, keep_times_ = false, publishing_ = false, synchronising_ = false, in_window_ = false;
    std::uint32_t receivers_ = 0;
    std::size_t connected_ = 0;
    std::uint64_t echo_outstanding_ = 0, prepared_ = 0, rate_start_ = 0, rate_sent_ = 0;
    Totals totals_;
    Histogram latency_;
    std::uint64_t window_deliveries_ = 0, window_published_ = 0, own_cpu_ = 0, server_cpu_ = 0, resident_ = 0;
    double window_seconds_ = 0;
};

}  // namespace

int main(int argc, char** argv) { return Generator(Options::parse(argc, argv)).run(); }
