#pragma once

#include <memory>

namespace hubbub::inline v0::detail {

class SocketEngine;

/// What wraps the bytes of one socket into records: TLS. It travels with the socket, from who accepted it to the engine that it
/// enters, and with all its state from one engine to the next.
///
/// It exists so that sockets and TcpConnection know that there is such a thing, and nothing of OpenSSL.
class RecordLayer {
   public:
    /// Makes the engine of all connections of this kind, above the loop's engine.
    using MakeEngine = std::unique_ptr<SocketEngine> (*)(SocketEngine& below);

    explicit RecordLayer(MakeEngine maker) noexcept : make_engine(maker) {}
    RecordLayer(RecordLayer const&) = delete;
    RecordLayer& operator=(RecordLayer const&) = delete;
    virtual ~RecordLayer() = default;

    MakeEngine const make_engine;
};

}  // namespace hubbub::inline v0::detail
