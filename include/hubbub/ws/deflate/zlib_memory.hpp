#pragma once

#include <zlib.h>

#include <cstddef>
#include <new>

#include <hubbub/core/ledger.hpp>

namespace hubbub::inline v0::ws {

/// Where zlib's contexts have their memory from: the heap, charged to a ledger.
///
/// Threading: the ledger's. Lifetime: the ledger outlives each stream that was set up with it.
struct ZlibMemory {
    static void use(z_stream& stream, Ledger& ledger) noexcept {
        stream.zalloc = &allocate;
        stream.zfree = &free;
        stream.opaque = &ledger;
    }

   private:
    static constexpr std::size_t header = alignof(std::max_align_t);

    static voidpf allocate(voidpf ledger, uInt items, uInt size) noexcept {
        std::size_t const bytes = header + std::size_t{items} * size;
        void* const memory = ::operator new(bytes, std::nothrow);
        if (!memory) return nullptr;
        *static_cast<std::size_t*>(memory) = bytes;
        static_cast<Ledger*>(ledger)->charge(bytes);
        return static_cast<std::byte*>(memory) + header;
    }
    static void free(voidpf ledger, voidpf address) noexcept {
        void* const memory = static_cast<std::byte*>(address) - header;
        static_cast<Ledger*>(ledger)->release(*static_cast<std::size_t*>(memory));
        ::operator delete(memory);
    }
};

}  // namespace hubbub::inline v0::ws
