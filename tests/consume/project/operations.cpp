#include <asio/io_context.hpp>

#include <hubbub/operations/live/hub_dump.hpp>

// What it brings: sockets and JSON. A server for operators takes as long to compile as two hubs, and is compiled elsewhere.
bool operations_works();
bool operations_works() {
    asio::io_context context;
    context.run();
    return context.stopped() && hubbub::hub_dump(hubbub::HubSnapshot{}).is_object();
}
