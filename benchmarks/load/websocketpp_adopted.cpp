// The load server over connections that a websocketpp::server has accepted. The endpoint has one thread and, as a tuned program has it,
// neither locks nor logs; a hub with one shard is on that thread, and one with several has loops of its own.
#include <hubbub/transport/websocketpp/compat.hpp>

#include <websocketpp/concurrency/none.hpp>
#include <websocketpp/config/asio_no_tls.hpp>
#include <websocketpp/logger/stub.hpp>
#include <websocketpp/server.hpp>

#include <hubbub/transport/websocketpp/adopted_connection.hpp>

#include "load_server.hpp"
#include "transports.hpp"

namespace {

struct Config : websocketpp::config::asio {
    using type = Config;
    using concurrency_type = websocketpp::concurrency::none;
    using alog_type = websocketpp::log::stub;
    using elog_type = websocketpp::log::stub;
    static bool const enable_extensions = false;
    static long const timeout_open_handshake = 0;
    static long const timeout_pong = 0;

    struct transport_config : websocketpp::config::asio::transport_config {
        using concurrency_type = type::concurrency_type;
        using alog_type = type::alog_type;
        using elog_type = type::elog_type;
        static bool const enable_multithreading = false;
        static long const timeout_socket_post_init = 0;
    };
    using transport_type = websocketpp::transport::asio::endpoint<transport_config>;
};
using Endpoint = websocketpp::server<Config>;
using Handle = websocketpp::connection_hdl;

/// What `load::Server` has of a TcpAcceptor.
class Adopting {
   public:
    using Hub = hubbub::Hub<hubbub::AdoptedWebsocketpp<Endpoint>, load::LoadPolicy>;

    explicit Adopting(load::Arguments const& arguments) : arguments_(arguments) {
        std::vector<hubbub::ShardLoop*> pointers;
        for (unsigned i = 0; i < arguments.threads; ++i) {
            if (arguments.threads > 1) contexts_.push_back(std::make_unique<asio::io_context>(1));
            loops_.push_back(std::make_unique<hubbub::AsioLoop>(arguments.threads > 1 ? *contexts_.back() : context_));
            pointers.push_back(loops_.back().get());
        }
        load::Broadcast broadcast;
        broadcast.is_keyed = arguments.hub.topics.on_full == hubbub::OverflowAction::replace_key;
        hub_ = arguments.mode == "echo" ? std::make_unique<Hub>(pointers, load::Echo{}, arguments.hub)
                                        : std::make_unique<Hub>(pointers, broadcast, arguments.hub);
        server_.init_asio(&context_);
        server_.set_reuse_addr(true);
        server_.set_tcp_post_init_handler([this](Handle handle) {  // in the socket init handler the socket is not open yet
            asio::error_code gone;
            auto& socket = server_.get_con_from_hdl(handle)->get_raw_socket();
            if (arguments_.send_buffer) socket.set_option(asio::socket_base::send_buffer_size(arguments_.send_buffer), gone);
        });
        server_.set_validate_handler([this](Handle handle) {
            auto const connection = server_.get_con_from_hdl(handle);
            auto const& wanted = connection->get_requested_subprotocols();
            for (auto const& ours : arguments_.hub.protocols) {
                if (std::find(wanted.begin(), wanted.end(), ours) == wanted.end()) continue;
                connection->select_subprotocol(ours);
                break;
            }
            return true;
        });
        server_.set_open_handler([this](Handle handle) { hub_->adopt(server_.get_con_from_hdl(handle)); });
        server_.listen(asio::ip::tcp::endpoint(asio::ip::make_address(arguments.address), arguments.port));
        server_.start_accept();
        end_signals_.async_wait([this](std::error_code error, int) {
            if (error) return;
            websocketpp::lib::error_code ignored;
            server_.stop_listening(ignored);
            drain();
        });
        if (arguments.snapshot) print_snapshot_on_signal();
    }

    void run() {
        asio::error_code ignored;
        std::cout << "listening on port " << server_.get_local_endpoint(ignored).port() << std::endl;
        std::vector<std::thread> threads;
        for (auto& context : contexts_) threads.emplace_back([&context] { context->run(); });
        context_.run();
        for (auto& thread : threads) thread.join();
        for (auto& loop : loops_) loop->claim();
        hub_.reset();
    }

   private:
    void print_snapshot_on_signal() {
        snapshot_signals_.add(SIGUSR1);
        snapshot_signals_.async_wait([this](std::error_code error, int) {
            if (error) return;
            hub_->collect([](hubbub::HubSnapshot const& all) { std::cout << load::to_json(all.total()) << std::endl; });
            print_snapshot_on_signal();
        });
    }
    void drain() {
        hub_->drain({.code = hubbub::CloseCode::service_restart,
                     .reason = "the server goes away",
                     .per_second = 10'000,
                     .deadline = load::milliseconds(7000)},
                    [this] {
                        if (!arguments_.snapshot) return stop();
                        hub_->collect([this](hubbub::HubSnapshot const& all) {
                            std::cout << load::to_json(all.total()) << std::endl;
                            stop();
                        });
                    });
    }
    void stop() {
        context_.stop();
        for (auto& context : contexts_) context->stop();
    }

    load::Arguments const arguments_;
    asio::io_context context_{1};  // the endpoint's
    std::vector<std::unique_ptr<asio::io_context>> contexts_;
    std::vector<std::unique_ptr<hubbub::AsioLoop>> loops_;
    Endpoint server_;
    std::unique_ptr<Hub> hub_;
    asio::signal_set end_signals_{context_, SIGINT, SIGTERM}, snapshot_signals_{context_};
};

}  // namespace

void load::run_websocketpp_adopted(Arguments const& arguments) { Adopting(arguments).run(); }
