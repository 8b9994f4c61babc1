#pragma once

#include <hubbub/transport/websocketpp/compat.hpp>

#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/post.hpp>
#include <asio/read.hpp>
#include <asio/write.hpp>
#include <websocketpp/concurrency/none.hpp>
#include <websocketpp/config/asio_no_tls.hpp>
#include <websocketpp/logger/stub.hpp>
#include <websocketpp/server.hpp>

#include <hubbub/hub/hub.hpp>
#include <hubbub/testing/server_stream.hpp>
#include <hubbub/transport/tcp/asio_loop.hpp>
#include <hubbub/transport/websocketpp/adopted_connection.hpp>
#include <hubbub/ws/client_handshake.hpp>
#include <hubbub/ws/encoder.hpp>

#include "tests/support/catch.hpp"

namespace adopted_world {

using namespace hubbub;
using hubbub::testing::ServerStream;
using websocketpp::connection_hdl;

/// What hooks and handlers of several threads report, in the order in which it came.
class Notes {
   public:
    void add(std::string note) {
        std::lock_guard lock(mutex_);
        notes_.push_back(std::move(note));
        changed_.notify_all();
    }
    /// Waits until that many are exactly this. False: in vain.
    bool wait_for(std::string_view note, std::size_t times = 1) {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, std::chrono::seconds(20), [&] { return count(note) >= times; });
    }
    bool has(std::string_view note) {
        std::lock_guard lock(mutex_);
        return count(note) != 0;
    }
    std::vector<std::string> all() {
        std::lock_guard lock(mutex_);
        return notes_;
    }

   private:
    std::size_t count(std::string_view note) const {
        return static_cast<std::size_t>(std::count(notes_.begin(), notes_.end(), note));
    }
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<std::string> notes_;
};

inline std::string frame(unsigned opcode, std::string_view payload, bool fin = true) {
    ws::ClientFrame made = ws::ClientFrame::text(payload);
    made.opcode = opcode;
    made.fin = fin;
    return ws::encode_frame(made);
}

/// A client that reads when it is told to.
class Peer {
   public:
    explicit Peer(std::uint16_t port, std::string_view target = "/", int receive_buffer = 0) : socket_(context_) {
        socket_.open(asio::ip::tcp::v4());
        if (receive_buffer) socket_.set_option(asio::socket_base::receive_buffer_size(receive_buffer));
        socket_.set_option(asio::socket_base::send_buffer_size(262'144));
        socket_.connect({asio::ip::address_v4::loopback(), port});
        timeval const patience{20, 0};
        (void)::setsockopt(socket_.native_handle(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        send_bytes(ws::make_upgrade_request({.target = target}));
        while (!stream_.status() && read_some()) {}
        if (stream_.status() != 101) throw std::runtime_error("no upgrade");
    }
    void send(std::string_view text) { send_bytes(frame(0x1, text)); }
    void send_bytes(std::string_view bytes) { asio::write(socket_, asio::buffer(bytes.data(), bytes.size())); }
    /// The next message, or what went wrong.
    std::string receive() {
        while (stream_.messages().size() == taken_)
            if (!read_some()) return "(nothing)";
        return stream_.messages()[taken_++].payload;
    }
    /// The Close, which is answered.
    CloseCode receive_close() {
        while (!stream_.close())
            if (!read_some()) return CloseCode::abnormal;
        asio::error_code gone;
        asio::write(socket_, asio::buffer(frame(0x8, "")), gone);
        return stream_.close()->code;
    }
    bool receive_pings(std::size_t number) {
        while (stream_.pings().size() < number)
            if (!read_some()) return false;
        return true;
    }
    ServerStream const& stream() const { return stream_; }

   private:
    bool read_some() {
        std::array<char, 65536> piece;
        ssize_t got;
        do got = ::recv(socket_.native_handle(), piece.data(), piece.size(), 0);  // Asio's would wait for ever
        while (got < 0 && errno == EINTR);
        if (got <= 0) return false;
        bytes_.append(piece.data(), static_cast<std::size_t>(got));
        stream_.read(bytes_);
        return stream_.problem().empty();
    }
    asio::io_context context_;
    asio::ip::tcp::socket socket_;
    std::string bytes_;
    ServerStream stream_;
    std::size_t taken_ = 0;
};

/// Does what its clients say.
struct Obedient : NoopHandler {
    std::shared_ptr<Notes> notes = std::make_shared<Notes>();
    std::shared_ptr<SessionId> paused = std::make_shared<SessionId>();

    void on_open(auto& session) {
        auto const* const request = session.request();
        notes->add("open " + (request ? std::string(request->target()) : std::string()) + " " + session.identity().user + " " +
                   std::string(session.protocol()) + " " + session.peer().to_string());
        notes->add("shard " + std::to_string(session.id().shard.value));
        session.subscribe("room");
    }
    void on_subscribed(auto&, Subscription const&) { notes->add("subscribed"); }
    void on_message(auto& session, MessageView message) {
        std::string_view const text = message.view();
        if (text == "close")
            session.close(CloseCode{4000}, "bye");
        else if (text == "pause") {
            session.pause_reading();
            *paused = session.id();
            notes->add("paused");
        } else if (text.starts_with("publish "))
            session.publish("room", text.substr(8));
        else if (text.starts_with("note "))
            notes->add(std::string(text.substr(5)));
        else
            session.send(message);
    }
    void on_close(auto&, CloseInfo const& info) {
        static constexpr char const* by[] = {"us", "peer", "network"};
        notes->add("closed " + std::to_string(static_cast<int>(info.code)) + " " + info.reason + " by " +
                   by[static_cast<std::size_t>(info.by)]);
    }
};

/// An io_context with a thread, or several, of its own.
struct Runner {
    explicit Runner(std::size_t threads = 1) {
        for (std::size_t i = 0; i < threads; ++i) running.emplace_back([this] { context.run(); });
    }
    ~Runner() { join(); }
    void join() {
        context.stop();
        for (auto& each : running)
            if (each.joinable()) each.join();
    }

    asio::io_context context;
    asio::executor_work_guard<asio::io_context::executor_type> work = asio::make_work_guard(context);
    std::vector<std::thread> running;
};

/// As tuned programs have it: for one thread, without locks.
struct Lean : websocketpp::config::asio {
    using type = Lean;
    using concurrency_type = websocketpp::concurrency::none;
    using alog_type = websocketpp::log::stub;
    using elog_type = websocketpp::log::stub;
    struct transport_config : websocketpp::config::asio::transport_config {
        using concurrency_type = websocketpp::concurrency::none;
        using alog_type = websocketpp::log::stub;
        using elog_type = websocketpp::log::stub;
        static bool const enable_multithreading = false;
    };
    using transport_type = websocketpp::transport::asio::endpoint<transport_config>;
};

enum class Loops { own, of_the_endpoint };

/// A websocketpp::server that gives each connection to a hub.
template <class Config, HubPolicy Policy = DefaultPolicy>
class World {
   public:
    using Server = websocketpp::server<Config>;
    using Conn = AdoptedWebsocketpp<Server>;
    using HubType = Hub<Conn, Policy>;

    explicit World(HubOptions<Policy> options = {}, std::size_t shards = 1, std::size_t threads = 1, Loops loops = Loops::own,
                   AdoptOptions adopt = {})
        : endpoint_(threads) {
        server_.clear_access_channels(websocketpp::log::alevel::all);
        server_.clear_error_channels(websocketpp::log::elevel::all);
        for (std::size_t i = 0; i < shards; ++i) {
            if (loops == Loops::own) runners_.push_back(std::make_unique<Runner>());
            auto& context = loops == Loops::own ? runners_.back()->context : endpoint_.context;
            loops_.push_back(std::make_unique<AsioLoop>(context));
            pointers_.push_back(loops_.back().get());
        }
        // Everything that the threads share is made by the endpoint's.
        on_endpoint([&, adopt = std::move(adopt)] {
            hub.emplace(pointers_, handler, std::move(options));
            server_.init_asio(&endpoint_.context);
            server_.set_reuse_addr(true);
            server_.set_validate_handler([this](connection_hdl hdl) {
                auto const connection = server_.get_con_from_hdl(hdl);
                if (!connection->get_requested_subprotocols().empty())
                    connection->select_subprotocol(connection->get_requested_subprotocols().front());
                return true;
            });
            server_.set_open_handler([this, adopt](connection_hdl hdl) {
                auto const connection = server_.get_con_from_hdl(hdl);
                last = connection;
                // So that who does not read or is not read from is noticed soon.
                connection->get_raw_socket().set_option(asio::socket_base::send_buffer_size(8192));
                connection->get_raw_socket().set_option(asio::socket_base::receive_buffer_size(262'144));
                hub->adopt({connection, adopt});
            });
            server_.listen(asio::ip::tcp::endpoint(asio::ip::address_v4::loopback(), 0));
            server_.start_accept();
            websocketpp::lib::asio::error_code none;
            port = server_.get_local_endpoint(none).port();
        });
    }
    ~World() {
        end_hub();
        for (auto& runner : runners_) runner->join();
        endpoint_.join();
        loops_.clear();
    }

    Notes& notes() { return *handler.notes; }
    /// One who has subscribed to "room".
    std::unique_ptr<Peer> client(std::string_view target = "/", int receive_buffer = 0) {
        auto fresh = std::make_unique<Peer>(port, target, receive_buffer);
        REQUIRE(notes().wait_for("subscribed", ++clients_));
        return fresh;
    }
    /// The hub goes, and all of it has gone.
    void end_hub() {
        if (!hub) return;
        on_endpoint([this] { hub.reset(); });
        for (auto& loop : loops_) {
            std::promise<void> done;
            loop->post([&done] { done.set_value(); });
            done.get_future().wait();
        }
    }
    ShardSnapshot sums() {
        std::promise<ShardSnapshot> promise;
        hub->collect([&promise](HubSnapshot const& all) { promise.set_value(all.total()); });
        return promise.get_future().get();
    }
    /// Sums, once nothing is pending for `sessions` sessions.
    ShardSnapshot settled(std::size_t sessions) {
        for (int i = 0; i < 20'000; ++i) {
            ShardSnapshot const now = sums();
            if (now.pending == 0 && now.sessions == sessions) return now;
            std::this_thread::yield();
        }
        return sums();
    }
    void on_endpoint(std::function<void()> function) {
        std::promise<void> done;
        asio::post(endpoint_.context, [&] {
            function();
            done.set_value();
        });
        done.get_future().wait();
    }

    Obedient handler;
    std::optional<HubType> hub;
    std::uint16_t port = 0;
    std::weak_ptr<typename Server::connection_type> last;

   private:
    Runner endpoint_;
    Server server_;
    std::vector<std::unique_ptr<Runner>> runners_;
    std::vector<std::unique_ptr<AsioLoop>> loops_;
    std::vector<ShardLoop*> pointers_;
    std::size_t clients_ = 0;
};

inline void check_sums(ShardSnapshot const& sums) {
    CHECK(sums.delivery.deliveries == sums.delivery.written + sums.delivery.all_dropped() + sums.pending);
}

}  // namespace adopted_world
