#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <span>

#include <hubbub/transport/tls/openssl_handles.hpp>
#include <hubbub/transport/tls/record_arena.hpp>

namespace hubbub::inline v0::detail {

/// What OpenSSL reads from and writes to, for all connections of a loop: it is called for one of them at a time. So a connection has
/// neither a buffer nor a BIO's memory of its own.
struct TlsWires {
    std::span<std::byte const> in;  // records of the peer that are still to be read
    RecordArena out;

    /// A BIO on these wires; `connect` moves it to others.
    static BioHandle make_bio(TlsWires& wires) {
        BioHandle bio(BIO_new(method()));
        if (bio) {
            BIO_set_data(bio.get(), &wires);
            BIO_set_init(bio.get(), 1);
        }
        return bio;
    }
    static void connect(SSL* ssl, TlsWires& wires) noexcept { BIO_set_data(SSL_get_rbio(ssl), &wires); }

   private:
    static TlsWires& of(BIO* bio) noexcept { return *static_cast<TlsWires*>(BIO_get_data(bio)); }

    static int read(BIO* bio, char* bytes, int size) {
        BIO_clear_retry_flags(bio);
        TlsWires& wires = of(bio);
        if (wires.in.empty()) {
            BIO_set_retry_read(bio);
            return -1;
        }
        std::size_t const count = std::min(wires.in.size(), static_cast<std::size_t>(size));
        std::memcpy(bytes, wires.in.data(), count);
        wires.in = wires.in.subspan(count);
        return static_cast<int>(count);
    }
    static int write(BIO* bio, char const* bytes, int size) {
        BIO_clear_retry_flags(bio);
        of(bio).out.append(std::as_bytes(std::span(bytes, static_cast<std::size_t>(size))));
        return size;
    }
    static long control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

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
};

}  // namespace hubbub::inline v0::detail
