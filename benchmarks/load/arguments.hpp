#pragma once

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <initializer_list>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <hubbub/hub/hub_options.hpp>
#include <hubbub/transport/socket/send_limits.hpp>
#include <hubbub/transport/socket/socket_engine.hpp>

namespace load {

/// What a command line can choose about topics.
struct ChosenTopics {
    std::optional<hubbub::OverflowAction> on_full;
    hubbub::HistoryLimits history;
    hubbub::TopicOptions options_for(std::string_view) const noexcept { return {on_full, history}; }
};
struct LoadPolicy : hubbub::DefaultPolicy {
    using Rates = hubbub::NoRates;  // one client is to say as much as it can
    using Topics = ChosenTopics;
};

inline constexpr char usage[] =
    R"(hubbub_load_server [options]
  --port N            0 lets the system choose; the first line of output names it (0)
  --bind ADDRESS      IPv4, IPv6, or unix:PATH (127.0.0.1)
  --mode MODE         echo, or broadcast of each message to every client, its sender too (broadcast)
  --engine ENGINE     asio, epoll, uring or automatic (automatic)
  --threads N         one shard each, and each accepts (1)
  --transport KIND    tcp, websocketpp or websocketpp-adopted (tcp)
  --tls FILE          speak TLS, with the certificate and the key in that file
  --deflate           speak permessage-deflate with who offers it; over tcp only
  --max-message BYTES     of a message, over all its fragments (65536)
  --max-fragments N       of a message (128)
  --overflow ACTION   when a client's queue is full: disconnect, drop-newest, drop-oldest or latest-per-key, where the key is
                      the first four bytes of a message (disconnect)
  --queue-bytes BYTES     of a client's queue (16 MiB, or 16 of the longest messages)
  --queue-messages N      (32000)
  --send-buffer BYTES     of the system for each client, SO_SNDBUF (left to the system)
  --unsent BYTES      that the system keeps of what was not sent to a client yet, TCP_NOTSENT_LOWAT (131072; 0 leaves it to the system)
  --history N         messages that the topic remembers (0)
  --protocol NAME     a subprotocol that is spoken, the one that is liked best first; may be given several times
  --memory BYTES          what clients may make it keep in all (1 GiB)
  --per-address N         connections of one address (0, any number)
  --trust NETWORK         where proxies are that may say whose a connection is; may be given several times
  --proxy-protocol        their connections begin with the header of the PROXY protocol
  --handshake-limit MS, --ping-after MS, --silence MS, --message-limit MS, --write-limit MS, --close-limit MS
                      as the members of HubOptions
  --snapshot          print the hub's sums as one line of JSON on SIGUSR1 and at the end
SIGTERM and SIGINT end it: nobody is accepted any more, what has been sent to it is still delivered, and every client gets a
Close with 1012. Exits with 0 within 10 seconds; with 1 if it could not start, with 2 if an option is wrong or not built yet.
)";

enum class Transport { tcp, websocketpp, websocketpp_adopted };

/// What the command line says.
struct Arguments {
    std::string address = "127.0.0.1", mode = "broadcast", tls;
    std::uint16_t port = 0;
    unsigned threads = 1;
    int send_buffer = 0, unsent = hubbub::detail::usual_unsent;
    bool snapshot = false, deflate = false;

    /// The options of a hub with that policy, which is `LoadPolicy` but for compression.
    template <class Policy>
    hubbub::HubOptions<Policy> hub_with() const {
        hubbub::HubOptions<Policy> options;
        options.origin = hub.origin;
        options.proxies = hub.proxies;
        options.limits = hub.limits;
        options.heartbeat = hub.heartbeat;
        options.topics = hub.topics;
        options.queue = hub.queue;
        options.message = hub.message;
        options.protocols = hub.protocols;
        options.handshake_limit = hub.handshake_limit;
        options.message_limit = hub.message_limit;
        options.write_limit = hub.write_limit;
        options.close_limit = hub.close_limit;
        options.memory = hub.memory;
        return options;
    }
    hubbub::EngineKind engine = hubbub::EngineKind::automatic;
    Transport transport = Transport::tcp;
    hubbub::HubOptions<LoadPolicy> hub;
};

/// Ends the program.
[[noreturn]] inline void refuse(std::string const& sentence) {
    std::cerr << "hubbub_load_server: " << sentence << '\n';
    std::exit(2);
}

/// Reads the command line; what is wrong, or not built yet, ends the program with a sentence and exit code 2.
class Parser {
   public:
    static Arguments parse(int argc, char** argv) {
        Parser parser;
        for (int i = 1; i < argc; ++i) {
            parser.name_ = argv[i];
            if (parser.set_flag()) continue;
            if (++i == argc) refuse(parser.name_ + " needs a value or is not known; --help lists all options");
            parser.value_ = argv[i];
            if (!parser.set_number() && !parser.set_word()) refuse(parser.name_ + " is not known; --help lists all options");
        }
        return parser.finish();
    }

   private:
    bool set_flag() {
        if (name_ == "--help") {
            std::cout << usage;
            std::exit(0);
        }
        if (name_ == "--deflate") return result_.deflate = true;
        if (name_ == "--snapshot") return result_.snapshot = true;
        if (name_ == "--proxy-protocol") return result_.hub.proxies.proxy_protocol = true;
        return false;
    }

    bool set_number() {
        hubbub::HubOptions<LoadPolicy>& hub = result_.hub;
        if (name_ == "--port") return number(result_.port);
        if (name_ == "--threads") return number(result_.threads);
        if (name_ == "--max-message") return number(hub.message.message);
        if (name_ == "--max-fragments") return number(hub.message.fragments);
        if (name_ == "--send-buffer") return number(result_.send_buffer);
        if (name_ == "--unsent") return number(result_.unsent);
        if (name_ == "--queue-bytes") return number(queue_bytes_.emplace());
        if (name_ == "--queue-messages") return number(hub.queue.messages);
        if (name_ == "--history") return number(hub.topics.history.messages);
        if (name_ == "--memory") return number(memory_.emplace());
        if (name_ == "--per-address") return number(hub.limits.per_address);
        if (name_ == "--handshake-limit") return duration(hub.handshake_limit);
        if (name_ == "--ping-after") return duration(hub.heartbeat.ping_after);
        if (name_ == "--silence") return duration(hub.heartbeat.silence_limit);
        if (name_ == "--message-limit") return duration(hub.message_limit);
        if (name_ == "--write-limit") return duration(hub.write_limit);
        if (name_ == "--close-limit") return duration(hub.close_limit);
        return false;
    }

    bool set_word() {
        if (name_ == "--bind") {
            result_.address = value_;
        } else if (name_ == "--mode") {
            if (value_ != "echo" && value_ != "broadcast") refuse("--mode is echo or broadcast, not " + value_);
            result_.mode = value_;
        } else if (name_ == "--engine") {
            using Kind = hubbub::EngineKind;
            result_.engine = choose<Kind>(
                {{"automatic", Kind::automatic}, {"epoll", Kind::epoll}, {"asio", Kind::asio}, {"uring", Kind::uring}});
#ifndef HUBBUB_HAS_URING
            if (result_.engine == Kind::uring) refuse("--engine uring is not in this build, because liburing was not found");
#endif
        } else if (name_ == "--overflow") {
            using Action = hubbub::OverflowAction;
            result_.hub.topics.on_full = choose<Action>({{"disconnect", Action::disconnect},
                                                         {"drop-newest", Action::drop_newest},
                                                         {"drop-oldest", Action::drop_oldest},
                                                         {"latest-per-key", Action::replace_key}});
        } else if (name_ == "--protocol") {
            if (!hubbub::http::is_token(value_)) refuse("--protocol needs a token, not \"" + value_ + '"');
            result_.hub.protocols.push_back(value_);
        } else if (name_ == "--trust") {
            if (!hubbub::Network::parse(value_)) refuse("--trust needs a network such as 10.0.0.0/8, not \"" + value_ + '"');
            result_.hub.proxies.networks.push_back(value_);
        } else if (name_ == "--tls") {
#ifndef HUBBUB_HAS_TLS
            refuse("--tls is not in this build, because OpenSSL was not found");
#endif
            result_.tls = value_;
        } else if (name_ == "--transport") {
            result_.transport = choose<Transport>({{"tcp", Transport::tcp},
                                                   {"websocketpp", Transport::websocketpp},
                                                   {"websocketpp-adopted", Transport::websocketpp_adopted}});
        } else {
            return false;
        }
        return true;
    }

    bool number(auto& into) {
        auto const [end, error] = std::from_chars(value_.data(), value_.data() + value_.size(), into);
        if (error != std::errc{} || end != value_.data() + value_.size())
            refuse(name_ + " needs a number that it can hold, but got " + value_);
        return true;
    }
    bool duration(std::chrono::milliseconds& into) {
        std::uint32_t count = 0;
        number(count);
        into = std::chrono::milliseconds(count);
        return true;
    }
    template <class T>
    struct Choice {
        char const* word;
        T value;
    };
    template <class T>
    T choose(std::initializer_list<Choice<T>> choices) {
        std::string all;
        for (auto const& choice : choices) {
            if (value_ == choice.word) return choice.value;
            all.append(all.empty() ? "" : ", ").append(choice.word);
        }
        refuse(name_ + " is one of " + all + ", not " + value_);
    }

    Arguments finish() {
        if (result_.deflate && result_.transport != Transport::tcp)
            refuse("--deflate is for --transport tcp: what websocketpp reads is not compressed");
        if (!result_.tls.empty() && result_.transport == Transport::websocketpp_adopted)
            refuse("--tls is not for --transport websocketpp-adopted, where websocketpp has the sockets");
        if (result_.threads < 1 || result_.threads > 64) refuse("--threads is from 1 to 64");
        hubbub::HubOptions<LoadPolicy>& hub = result_.hub;
        // 16 messages in flight are never too many, whatever their length.
        std::uint64_t const enough = std::max<std::uint64_t>(16u << 20, 16 * (std::uint64_t{hub.message.message} + 16));
        hub.queue.bytes = queue_bytes_.value_or(static_cast<std::uint32_t>(std::min<std::uint64_t>(enough, 1u << 30)));
        hub.queue.high_bytes = hub.queue.bytes / 2;
        hub.queue.low_bytes = hub.queue.bytes / 8;
        hub.origin = hubbub::OriginCheck::off();
        if (memory_) hub.memory = std::make_shared<hubbub::MemoryBudget>(*memory_);
        return result_;
    }

    Parser() {
        result_.hub.queue.messages = hubbub::OutboundQueue::most_messages;
        result_.hub.limits = {.in_all = 0, .per_address = 0, .per_user = 0};  // all clients come from one address
    }

    Arguments result_;
    std::optional<std::uint32_t> queue_bytes_;
    std::optional<std::size_t> memory_;
    std::string name_, value_;
};

}  // namespace load
