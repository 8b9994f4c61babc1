#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <memory>
#include <vector>

#include <hubbub/core/shard_loop.hpp>
#include <hubbub/transport/socket/socket_engine.hpp>
#include <hubbub/transport/tls/tls_wires.hpp>

namespace hubbub::inline v0::detail {

class TlsLink;

/// What all TLS connections of one loop share: they work at it one after the other, and leave nothing of theirs on it but in `wires.out`
/// until the commit.
class TlsBench {
   public:
    static constexpr std::size_t record = RecordSealer::most;  // of plaintext
    static constexpr std::size_t most_read = 4 * record;

    explicit TlsBench(SocketEngine& engine_below) : below(engine_below) {}
    TlsBench(TlsBench const&) = delete;
    TlsBench& operator=(TlsBench const&) = delete;

    SocketEngine& below;
    TlsWires wires;
    std::unique_ptr<std::byte[]> plain = std::make_unique_for_overwrite<std::byte[]>(most_read);  // what was decrypted
    std::unique_ptr<std::byte[]> gathered =
        std::make_unique_for_overwrite<std::byte[]>(record);  // small slices that are to be one record
    std::vector<std::vector<std::byte>> retired;              // what is read until the commit
    std::size_t footprint = 0;                                // bytes of memory of all connections, about
    bool is_committing = false;

    ShardLoop& loop() noexcept { return below.loop(); }

    /// Its `flush` is called at the commit.
    virtual void list_unsent(TlsLink& link) = 0;
    /// Its `look` is called in a turn of its own.
    virtual void look_later(TlsLink& link) = 0;
    /// It goes.
    virtual void forget(TlsLink& link) noexcept = 0;

   protected:
    ~TlsBench() = default;
};

}  // namespace hubbub::inline v0::detail
