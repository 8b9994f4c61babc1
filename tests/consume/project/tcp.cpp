#include <asio/io_context.hpp>

#include <hubbub/ws/frame.hpp>

bool tcp_works();
bool tcp_works() {
    asio::io_context context;
    context.run();
    return context.stopped();
}
