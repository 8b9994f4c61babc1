#pragma once

#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

#include <hubbub/core/exceptions.hpp>
#include <hubbub/core/shard_loop.hpp>
#include <hubbub/transport/connection.hpp>
#include <hubbub/transport/socket/ring_options.hpp>
#include <hubbub/transport/socket/socket_engine.hpp>
#include <hubbub/transport/tcp/asio_engine.hpp>
#include <hubbub/transport/tcp/asio_loop.hpp>
#ifdef __linux__
#include <hubbub/transport/socket/epoll_engine.hpp>
#endif
#ifdef HUBBUB_HAS_URING
#include <hubbub/transport/uring/uring_engine.hpp>
#endif

namespace hubbub::inline v0 {
#ifdef HUBBUB_HAS_URING
inline namespace with_uring {  // so that it is never taken for the one of a file that was compiled without
#endif

/// What TCP needs once per loop: the engine. The uring engine is there where the target hubbub::uring is linked, and `automatic`
/// takes it then; where the system does not let it run, it is epoll, and `engine_remark` says why.
///
/// Threading and lifetime: as every Driver.
/// Errors: std::invalid_argument for an engine that this build, system or loop does not have; std::system_error.
class TcpDriver {
   public:
    /// What a hub makes of an io_context that it is given.
    using Loop = AsioLoop;

    struct Options {
        EngineKind engine = EngineKind::automatic;
        RingOptions ring{};  ///< of the uring engine
    };

    explicit TcpDriver(ShardLoop& loop) : TcpDriver(loop, Options{}) {}
    TcpDriver(ShardLoop& loop, Options const& options) : engine_(make_engine(loop, options, remark_)) {}

    void commit() { top_->commit(); }
    bool writes_at_once() const noexcept { return engine_->writes_at_once(); }
    /// Bytes of TLS, about, for the hub's budget; 0 without it.
    std::size_t footprint() const noexcept { return wrapping_ ? wrapping_->footprint() : 0; }

    /// "uring", "epoll" or "asio".
    std::string_view engine_name() const noexcept { return engine_->name(); }
    /// Why it is not the uring engine, where that could have been; else empty.
    std::string_view engine_remark() const noexcept { return remark_; }
    ShardLoop& loop() noexcept { return engine_->loop(); }
    /// The one that talks to the system.
    detail::SocketEngine& engine() noexcept { return *engine_; }
    /// The one that such a socket enters.
    detail::SocketEngine& engine_for(TcpSocket const& socket) {
        detail::RecordLayer const* const layer = socket.layer();
        return layer ? wrapping_engine(*layer) : *engine_;
    }

   private:
    static std::unique_ptr<detail::SocketEngine> make_engine(ShardLoop& loop, Options const& options, std::string& remark);
    static std::unique_ptr<detail::SocketEngine> make_uring(ShardLoop& loop, Options const& options, std::string& remark);

    detail::SocketEngine& wrapping_engine(detail::RecordLayer const& layer) {
        if (!wrapping_) {
            wrapping_ = layer.make_engine(*engine_);
            top_ = wrapping_.get();
        }
        return *wrapping_;
    }

    std::string remark_;
    std::unique_ptr<detail::SocketEngine> engine_;
    std::unique_ptr<detail::SocketEngine>
        wrapping_;  // made for the first socket with a record layer; there is one kind of them
    detail::SocketEngine* top_ = engine_.get();
};

static_assert(Driver<TcpDriver>);

inline std::unique_ptr<detail::SocketEngine> TcpDriver::make_engine(ShardLoop& loop, Options const& options,
                                                                    std::string& remark) {
    if (options.engine == EngineKind::uring || options.engine == EngineKind::automatic)
        if (auto engine = make_uring(loop, options, remark)) return engine;
#ifdef __linux__
    if (options.engine != EngineKind::asio) return std::make_unique<detail::EpollEngine>(loop);
#else
    if (options.engine == EngineKind::epoll)
        detail::throw_exception(std::invalid_argument("the epoll engine needs Linux; choose asio or automatic"));
#endif
    return std::make_unique<detail::AsioEngine>(loop);
}

/// Null where it cannot run; the remark says why, unless nobody could expect it.
inline std::unique_ptr<detail::SocketEngine> TcpDriver::make_uring([[maybe_unused]] ShardLoop& loop, Options const& options,
                                                                   [[maybe_unused]] std::string& remark) {
#ifdef HUBBUB_HAS_URING
    auto* const asio_loop = static_cast<AsioLoop*>(loop.extension(&AsioLoop::key));
    if (asio_loop && asio_loop->threading() == Threading::several_threads) {
        remark = "the uring engine needs a loop that runs on one thread, and this one is a strand";
        return nullptr;
    }
    return detail::UringEngine::make(loop, options.ring, remark);
#else
    if (options.engine == EngineKind::uring)
        detail::throw_exception(std::invalid_argument(
            "the uring engine is not part of this build: link hubbub::uring, or choose epoll, asio or automatic"));
    return nullptr;
#endif
}

#ifdef HUBBUB_HAS_URING
}  // namespace with_uring
#endif
}  // namespace hubbub::inline v0
