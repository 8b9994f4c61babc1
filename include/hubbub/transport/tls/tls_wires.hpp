#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <utility>

#include <hubbub/transport/tls/openssl_handles.hpp>
#include <hubbub/transport/tls/record_arena.hpp>
#include <hubbub/transport/tls/record_sealer.hpp>

namespace hubbub::inline v0::detail {

/// What OpenSSL reads from and writes to, for all connections of a loop: it is called for one of them at a time. So a connection has
/// neither a buffer nor a BIO's memory of its own.
struct TlsWires {
    std::span<std::byte const> in;  // records of the peer that are still to be read
    RecordArena out;
    RecordCiphers ciphers;
};

/// One connection's end of them, as the BIO that OpenSSL sees. To OpenSSL it is a socket whose kernel seals records (SSL_OP_ENABLE_KTLS),
/// so that it hands over keys, and plaintext of its own with its type. An OpenSSL that was built without that seals all itself.
struct TlsWire {
    TlsWires* wires = nullptr;  // of the loop where the connection is
    RecordSealer sealer;

    BioHandle make_bio() {
        BioHandle bio(BIO_new(method()));
        if (bio) {
            BIO_set_data(bio.get(), this);
            BIO_set_init(bio.get(), 1);
        }
        return bio;
    }
    /// One record, of at most as much as it may have. `fill(room)` writes its plaintext and says how much that is. 0: OpenSSL has failed.
    template <class Fill>
    std::size_t seal(std::uint8_t type, Fill fill) {
        std::span<std::byte> const room = wires->out.room(RecordSealer::header + RecordSealer::most + RecordSealer::trailer);
        std::size_t const size = fill(room.subspan(RecordSealer::header, RecordSealer::most));
        std::size_t const all = RecordSealer::header + size + RecordSealer::trailer;
        if (!sealer.seal(wires->ciphers, type, room.first(all))) return 0;
        wires->out.advance(all);
        return size;
    }

    // Content types of RFC 8446 5.1, and a message of 4.
    static constexpr std::uint8_t handshake = 22, application_data = 23;
    static constexpr std::byte key_update{24};

   private:
    // Commands to a BIO that bio.h describes and does not define.
    static constexpr int set_keys = 72, set_type = 74, clear_type = 75;

    static TlsWire& of(BIO* bio) noexcept { return *static_cast<TlsWire*>(BIO_get_data(bio)); }

    static int read(BIO* bio, char* bytes, int size) {
        BIO_clear_retry_flags(bio);
        auto& in = of(bio).wires->in;
        if (in.empty()) {
            BIO_set_retry_read(bio);
            return -1;
        }
        std::size_t const count = std::min(in.size(), static_cast<std::size_t>(size));
        std::memcpy(bytes, in.data(), count);
        in = in.subspan(count);
        return static_cast<int>(count);
    }
    static int write(BIO* bio, char const* bytes, int size) {
        BIO_clear_retry_flags(bio);
        return of(bio).write(std::as_bytes(std::span(bytes, static_cast<std::size_t>(size)))) ? size : -1;
    }
    bool write(std::span<std::byte const> bytes) {
        if (!sealer.is_active()) {
            wires->out.append(bytes);
            return true;
        }
        std::uint8_t const type = std::exchange(type_, application_data);
        for (auto left = bytes; !left.empty();) {
            std::size_t const sealed = seal(type, [&](std::span<std::byte> room) {
                std::size_t const count = std::min(left.size(), room.size());
                std::memcpy(room.data(), left.data(), count);
                return count;
            });
            if (sealed == 0) return false;
            left = left.subspan(sealed);
        }
        // What follows has another key (RFC 8446 4.6.3), which OpenSSL 3.0 tells no kernel. Others hand it over now.
        if (type == handshake && bytes.front() == key_update) sealer.give_back();
        return true;
    }
    static long control(BIO* bio, int command, long number, void* what) {
        TlsWire& wire = of(bio);
        switch (command) {
            case BIO_CTRL_FLUSH: return 1;
            case set_keys:  // 0: those to read with, which stay with OpenSSL
                return number != 0 && wire.sealer.take(*static_cast<tls_crypto_info const*>(what), wire.wires->ciphers) ? 1 : 0;
            case BIO_CTRL_GET_KTLS_SEND: return wire.sealer.is_active() ? 1 : 0;
            case set_type: wire.type_ = static_cast<std::uint8_t>(number); return 1;
            case clear_type: wire.type_ = application_data; return 1;
            default: return 0;
        }
    }

    static BIO_METHOD* method() {
        static BIO_METHOD* const made = [] {
            BIO_METHOD* const fresh = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "hubbub");
            BIO_meth_set_read(fresh, read);
            BIO_meth_set_write(fresh, write);
            BIO_meth_set_ctrl(fresh, control);
            return fresh;
        }();
        return made;
    }

    std::uint8_t type_ = application_data;  // of what OpenSSL writes next
};

}  // namespace hubbub::inline v0::detail
