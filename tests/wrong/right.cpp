// What is wrong elsewhere here is right, and compiles.
#include <memory>

#include <hubbub/hub/hub.hpp>
#include <hubbub/transport/memory/memory_connection.hpp>

struct Policy : hubbub::DefaultPolicy {
    struct Auth {
        void authenticate(hubbub::http::Request const&, hubbub::PeerAddress const&, hubbub::Verdict<hubbub::Authenticated>) {}
    };
    struct Access {
        void authorize(hubbub::AuthorizationRequest const&, hubbub::Verdict<hubbub::Permission>) {}
    };
    struct Sharding {
        hubbub::ShardIndex operator()(hubbub::SessionInfo const&, hubbub::ShardCount) { return {0}; }
    };
    struct Overflow {
        hubbub::OverflowAction on_full(hubbub::QueueState const&, hubbub::OverflowingMessage const&) const noexcept {
            return hubbub::OverflowAction::drop_newest;
        }
    };
    struct Rates {
        hubbub::SessionRates of_session(hubbub::Identity const&) const noexcept { return {}; }
        hubbub::UserRates of_user(hubbub::Identity const&) const noexcept { return {}; }
        hubbub::AddressRates of_address(hubbub::PeerAddress const&) const noexcept { return {}; }
        hubbub::RateAction on_excess(hubbub::Identity const&) const noexcept { return hubbub::RateAction::close; }
    };
    struct Heartbeat {
        hubbub::HeartbeatTimes times_for(hubbub::Identity const&) const noexcept {
            return {std::chrono::seconds(10), std::chrono::seconds(20)};
        }
    };
    struct EventSink {
        void on_event(hubbub::Event const&) noexcept {}
    };
    struct SessionData {
        int score = 0;
    };
};
struct Line {
    using Driver = hubbub::MemoryConnection::Driver;
    using Socket = hubbub::MemoryConnection::Socket;
    Line(Driver&, Socket);
    Line(Line&&);
    void start(hubbub::ByteConnectionOwner&);
    hubbub::WriteResult write(std::span<hubbub::ws::Slice const>);
    void pause_reading();
    void resume_reading();
    void shutdown();
    void close();
    void reset();
    Socket detach();
    hubbub::PeerAddress peer() const;
};
struct Handler : hubbub::NoopHandler {
    void on_message(auto&, hubbub::MessageView const&) {}
    std::shared_ptr<int> state;
};

void make(hubbub::ShardLoop& loop) { hubbub::Hub<Line, Policy> hub{loop, Handler{}}; }
