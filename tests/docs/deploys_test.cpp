// The code of docs/operations/deploys.md. It is compiled; tests/unit/server and tests/integration run the same.
#include <asio/io_context.hpp>

#include <optional>
#include <string>
#include <utility>

#include <hubbub/hub/hub.hpp>
#include <hubbub/server/handover_offer.hpp>
#include <hubbub/server/inherited_sockets.hpp>
#include <hubbub/server/server.hpp>
#include <hubbub/server/takeover.hpp>
#include <hubbub/transport/tcp/asio_loop.hpp>
#include <hubbub/transport/tcp/tcp_acceptor.hpp>
#include <hubbub/transport/tcp/tcp_connection.hpp>

namespace deploys {
namespace {

struct Chat : hubbub::NoopHandler {};
void load_keys() {}

[[maybe_unused]] int serve() {
    // [server]
    hubbub::ServerOptions<> options{.address = "0.0.0.0", .port = 8080};
    options.handover = "/run/hubbub/handover";                      // hot restarts
    options.service = hubbub::ServiceNotifier::from_environment();  // Type=notify, and the watchdog
    options.on_reload = [] { load_keys(); };                        // SIGHUP, behind the certificates
    if (auto const sockets = hubbub::inherited_sockets(); !sockets.empty()) {
        options.address.clear();  // what systemd has opened, and nothing else
        for (auto const& each : sockets) options.listen.push_back("fd:" + std::to_string(each.descriptor));
    }
    hubbub::Server server{Chat{}, std::move(options)};
    return server.run_until_signal() == hubbub::ServerEnd::drained ? 0 : 3;
    // [/server]
}

[[maybe_unused]] void serve_in_own_loop() {
    // [own_loop]
    asio::io_context context{1};
    hubbub::AsioLoop loop{context};
    hubbub::Hub<hubbub::TcpConnection> hub{loop, Chat{}};

    hubbub::Takeover takeover("/run/hubbub/handover");
    hubbub::Endpoint const where("0.0.0.0:8080");
    auto const taken = takeover.take(where);
    auto acceptor = taken ? hubbub::TcpAcceptor::adopt(taken->descriptor) : hubbub::TcpAcceptor(where);
    // ... all else that may fail: until the next line the old process goes on as if nothing had been.
    takeover.ready();
    if (taken && !taken->is_shared) acceptor.own();
    acceptor.serve(hub.driver(0), [&](hubbub::TcpSocket socket) { hub.adopt(std::move(socket)); });

    auto const leave = [&] { acceptor.leave([&] { hub.drain({}, [&] { context.stop(); }); }); };
    hubbub::HandoverOffer offer{
        hub.driver(0), std::move(takeover), {{acceptor.descriptor(), where, acceptor.is_shared()}}, leave};
    context.run();
    // [/own_loop]
}

}  // namespace
}  // namespace deploys
