#include <hubbub/transport/websocketpp/compat.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <asio/io_context.hpp>
#include <websocketpp/config/asio_no_tls.hpp>
#include <websocketpp/server.hpp>

#include <hubbub/transport/websocketpp/adopted_connection.hpp>
#include <hubbub/ws/client_handshake.hpp>
#include <hubbub/ws/close_payload.hpp>
#include <hubbub/ws/encoder.hpp>

#include "tests/contract/message_connection_contract.hpp"
#include "tests/unit/transport/tcp/tcp_fixture.hpp"

using namespace hubbub_contract;

namespace {

using Server = websocketpp::server<websocketpp::config::asio>;

/// A client of a real server. It answers the Close with which an adopted connection that is closed takes its leave.
class Peer : public hubbub_test::RawPeer {
   public:
    using RawPeer::RawPeer;

    void say(std::string_view text) { frame(hubbub::ws::Opcode::text, text); }
    void pong(std::string_view payload) { frame(hubbub::ws::Opcode::pong, payload); }
    void close(hubbub::CloseCode code, std::string_view reason) {
        std::array<std::byte, hubbub::ws::max_control_payload> payload;
        std::size_t const size = hubbub::ws::encode_close_payload(payload, code, reason);
        frame(hubbub::ws::Opcode::close, {reinterpret_cast<char const*>(payload.data()), size});
    }
    std::string read() {
        std::string bytes = RawPeer::read();
        static constexpr std::string_view leave("\x88\x02\x03\xe9", 4);
        if (bytes.ends_with(leave) && !std::exchange(has_answered_, true)) {
            bytes.resize(bytes.size() - leave.size());
            close(hubbub::CloseCode::going_away, {});
        }
        return bytes;
    }
    std::string read(std::size_t) { return read(); }

   private:
    void frame(hubbub::ws::Opcode opcode, std::string_view payload) {
        write(hubbub::ws::encode_frame(hubbub::ws::ClientFrame::make(opcode, payload)));
    }
    bool has_answered_ = false;
};

/// The endpoint and the shard share one thread, or have loops of their own which take turns.
template <bool is_shared>
class Adopted {
   public:
    using Connection = hubbub::AdoptedWebsocketpp<Server>;
    using Peer = ::Peer;
    static constexpr bool holds_all = true;
    struct Pair {
        Connection::Socket socket;
        Peer peer;
    };

    Adopted() {
        server_.clear_access_channels(websocketpp::log::alevel::all);
        server_.clear_error_channels(websocketpp::log::elevel::all);
        server_.init_asio(&context_);
        server_.set_open_handler(
            [this](websocketpp::connection_hdl hdl) { opened_ = Connection::Socket(server_.get_con_from_hdl(hdl)); });
        server_.listen(asio::ip::tcp::endpoint(asio::ip::address_v4::loopback(), 0));
        server_.start_accept();
        loop_.attach(&hook_);
        loop_.claim();
    }
    ~Adopted() {
        loop_.attach(nullptr);
        server_.stop();
    }

    Connection::Driver& driver() { return driver_; }
    hubbub::ShardLoop& loop() { return loop_; }
    Pair connect() {
        asio::error_code none;
        Peer peer(hubbub::Endpoint("127.0.0.1:" + std::to_string(server_.get_local_endpoint(none).port())));
        peer.write(hubbub::ws::make_upgrade_request({}));
        std::string head;
        REQUIRE(pump_until([&] {
            head += peer.read();
            return head.ends_with("\r\n\r\n") && opened_.peer() != hubbub::PeerAddress{};
        }));
        return {std::exchange(opened_, {}), std::move(peer)};
    }
    bool pump_until(std::function<bool()> const& is_done) {
        for (int i = 0; i < 10'000; ++i) {
            if (is_done()) return true;
            if (!pump()) context_.run_one_for(std::chrono::milliseconds(i < 10 ? 0 : 1));
        }
        return is_done();
    }
    bool settles() {
        int idle = 0;
        for (int i = 0; i < 1000; ++i)
            if (!pump() && ++idle == 5) return true;
        return false;
    }

   private:
    struct Hook final : hubbub::TurnHook {
        explicit Hook(Adopted& owner) : fixture(owner) {}
        void on_turn_begin() noexcept override {}
        void on_turn_end() noexcept override { fixture.driver_.commit(); }
        void on_wake() noexcept override {}
        Adopted& fixture;
    };

    bool pump() {
        context_.restart();
        own_.restart();
        return context_.poll() + own_.poll() != 0;
    }

    asio::io_context context_, own_;
    Server server_;
    hubbub::AsioLoop loop_{is_shared ? context_ : own_};
    Connection::Driver driver_{loop_};
    Hook hook_{*this};
    Connection::Socket opened_;
};

}  // namespace

TEMPLATE_TEST_CASE("AdoptedConnection brings messages as a MessageConnection must", "[tcp]", Adopted<true>, Adopted<false>) {
    hearing_messages_keeps_the_contract<TestType>();
}

TEMPLATE_TEST_CASE("AdoptedConnection writes as a MessageConnection must", "[tcp]", Adopted<true>, Adopted<false>) {
    writing_frames_keeps_the_contract<TestType>();
}

TEMPLATE_TEST_CASE("AdoptedConnection ends as a MessageConnection must", "[tcp]", Adopted<true>, Adopted<false>) {
    ending_messages_keeps_the_contract<TestType>();
}
