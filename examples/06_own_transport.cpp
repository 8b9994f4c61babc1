// A transport of one's own: here the other end is a function of the same program, which is called with what the hub sends.
// It models ByteConnection (hubbub/transport/connection.hpp says what each member must do); the hub does the rest.
//   06_own_transport --self-test
#include <functional>
#include <iostream>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include <hubbub/hub/hub.hpp>
#include <hubbub/transport/memory/manual_loop.hpp>
#include <hubbub/ws/client_handshake.hpp>
#include <hubbub/ws/encoder.hpp>

/// Both ends' common ground: who is called with what the hub sends, and whom the client calls.
struct Channel {
    std::function<void(std::string const&)> to_client;
    hubbub::ByteConnectionOwner* server = nullptr;
};

// [connection]
class CallConnection {
   public:
    struct Driver {  // one for each shard; a transport with system calls to gather makes them in `commit`
        using Loop = hubbub::ShardLoop;
        struct Options {};
        Driver(hubbub::ShardLoop&, Options const&) {}
        void commit() {}
    };
    struct Socket {  // a connection that no shard has yet
        std::shared_ptr<Channel> channel;
        hubbub::PeerAddress peer() const { return {}; }
    };

    CallConnection(Driver&, Socket socket) : channel_(std::move(socket.channel)) {}
    CallConnection(CallConnection&&) = default;
    CallConnection& operator=(CallConnection&&) = delete;
    ~CallConnection() { close(); }

    void start(hubbub::ByteConnectionOwner& owner) { channel_->server = &owner; }
    hubbub::WriteResult write(std::span<hubbub::ws::Slice const> slices) {
        std::string bytes;
        for (auto const& slice : slices) bytes.append(reinterpret_cast<char const*>(slice.data()), slice.length);
        channel_->to_client(bytes);
        return {static_cast<std::uint32_t>(bytes.size())};  // all of it is taken
    }
    void pause_reading() {}
    void resume_reading() {}
    void shutdown() {}
    void close() {
        if (auto const channel = std::exchange(channel_, nullptr)) channel->server = nullptr;
    }
    void reset() { close(); }
    Socket detach() { return {std::exchange(channel_, nullptr)}; }
    hubbub::PeerAddress peer() const { return {}; }

   private:
    std::shared_ptr<Channel> channel_;
};
static_assert(hubbub::ByteConnection<CallConnection>);
// [/connection]

struct Echo : hubbub::NoopHandler {
    void on_message(auto& session, hubbub::MessageView message) { session.send(message); }
};

int main() {
    // [hub]
    hubbub::ManualLoop loop;  // a loop that runs when it is told to
    hubbub::Hub<CallConnection> hub{loop, Echo{}};

    std::string heard;
    auto const channel = std::make_shared<Channel>();
    channel->to_client = [&heard](std::string const& bytes) { heard += bytes; };
    hub.adopt(CallConnection::Socket{channel});
    loop.run_until_idle();
    // [/hub]

    auto const say = [&](std::string bytes) {
        loop.run_events([&] { channel->server->on_bytes(std::as_writable_bytes(std::span(bytes))); });
    };
    say(hubbub::ws::make_upgrade_request({}));
    say(hubbub::ws::encode_frame(hubbub::ws::ClientFrame::text("hello")));

    bool const fine = heard.starts_with("HTTP/1.1 101") && heard.ends_with("\x81\x05hello");
    std::cout << (fine ? "hello came back\n" : "something else came back\n");
    return fine ? 0 : 1;
}
