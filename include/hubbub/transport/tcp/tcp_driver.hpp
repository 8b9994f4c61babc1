#pragma once

#include <memory>
#include <stdexcept>
#include <string_view>

#include <hubbub/core/exceptions.hpp>
#include <hubbub/core/shard_loop.hpp>
#include <hubbub/transport/connection.hpp>
#include <hubbub/transport/tcp/asio_engine.hpp>
#include <hubbub/transport/tcp/asio_loop.hpp>
#include <hubbub/transport/tcp/socket_engine.hpp>
#ifdef __linux__
#include <hubbub/transport/tcp/epoll_engine.hpp>
#endif

namespace hubbub::inline v0 {

/// What TCP needs once per loop: the engine.
///
/// Threading and lifetime: as every Driver.
/// Errors: std::invalid_argument for an engine that this build, system or loop does not have; std::system_error.
class TcpDriver {
   public:
    /// What a hub makes of an io_context that it is given.
    using Loop = AsioLoop;

    struct Options {
        EngineKind engine = EngineKind::automatic;
    };

    explicit TcpDriver(ShardLoop& loop) : TcpDriver(loop, Options{}) {}
    TcpDriver(ShardLoop& loop, Options const& options) : engine_(make_engine(loop, options.engine)) {}

    void commit() { engine_->commit(); }

    /// "epoll" or "asio".
    std::string_view engine_name() const noexcept { return engine_->name(); }
    ShardLoop& loop() noexcept { return engine_->loop(); }
    detail::SocketEngine& engine() noexcept { return *engine_; }

   private:
    static std::unique_ptr<detail::SocketEngine> make_engine(ShardLoop& loop, EngineKind kind);

    std::unique_ptr<detail::SocketEngine> engine_;
};

static_assert(Driver<TcpDriver>);

inline std::unique_ptr<detail::SocketEngine> TcpDriver::make_engine(ShardLoop& loop, EngineKind kind) {
    if (kind == EngineKind::uring)
        detail::throw_exception(
            std::invalid_argument("the uring engine is not part of this build; choose epoll, asio or automatic"));
#ifdef __linux__
    if (kind != EngineKind::asio) return std::make_unique<detail::EpollEngine>(loop);
#else
    if (kind == EngineKind::epoll)
        detail::throw_exception(std::invalid_argument("the epoll engine needs Linux; choose asio or automatic"));
#endif
    return std::make_unique<detail::AsioEngine>(loop);
}

}  // namespace hubbub::inline v0
