#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <utility>
#include <vector>

#include <hubbub/core/ids.hpp>

namespace hubbub::inline v0 {

/// The sessions of a shard: in slabs, so that they lie side by side and never move, addressed by index and generation.
///
/// Threading: its shard's. Cost: constant; one allocation for 256 sessions.
template <class T>
class SessionTable {
   public:
    SessionTable() = default;
    SessionTable(SessionTable const&) = delete;
    SessionTable& operator=(SessionTable const&) = delete;
    ~SessionTable() {
        each([this](T& session) { destroy(session.id().index); });
    }

    /// Makes a session from its id and `arguments`.
    template <class... Arguments>
    T& make(ShardIndex shard, Arguments&&... arguments) {
        if (free_.empty()) {
            auto const first = static_cast<std::uint32_t>(slabs_.size() * slab);
            slabs_.push_back(Slab{std::make_unique_for_overwrite<Slot[]>(slab), {}});
            for (std::uint32_t i = slab; i-- > 0;) free_.push_back(first + i);
        }
        std::uint32_t const index = free_.back();
        Slot& slot = at(index);
        if (++generations_ == 0) ++generations_;  // 0 is no session
        T* const made = ::new (static_cast<void*>(slot.memory))
            T(SessionId{index, generations_, shard}, std::forward<Arguments>(arguments)...);
        free_.pop_back();
        used(index) = true;
        ++size_;
        return *made;
    }
    void destroy(std::uint32_t index) {
        Slot& slot = at(index);
        used(index) = false;
        slot.get()->~T();
        free_.push_back(index);
        --size_;
    }
    T& operator[](std::uint32_t index) noexcept { return *at(index).get(); }
    T* find(SessionId id) noexcept {
        if (id.index >= slabs_.size() * slab) return nullptr;
        Slot& slot = at(id.index);
        return used(id.index) && slot.get()->id() == id ? slot.get() : nullptr;
    }
    std::size_t size() const noexcept { return size_; }

    template <class Visit>
    void each(Visit&& visit) {
        for (auto& memory : slabs_)
            for (std::uint32_t i = 0; i < slab; ++i)
                if (memory.used[i]) visit(*memory.slots[i].get());
    }

    /// Visits those from `index` on until `visit` returns false, and returns where to go on.
    template <class Visit>
    std::uint32_t each_from(std::uint32_t index, Visit&& visit) {
        while (index < slabs_.size() * slab) {
            std::uint32_t const here = index++;
            if (used(here) && !visit(*at(here).get())) break;
        }
        return index;
    }

   private:
    static constexpr std::uint32_t slab = 256;
    struct Slot {
        alignas(T) std::byte memory[sizeof(T)];
        T* get() noexcept { return std::launder(reinterpret_cast<T*>(memory)); }
    };
    struct Slab {
        std::unique_ptr<Slot[]> slots;
        std::array<bool, slab> used;
    };
    Slot& at(std::uint32_t index) noexcept { return slabs_[index / slab].slots[index % slab]; }
    bool& used(std::uint32_t index) noexcept { return slabs_[index / slab].used[index % slab]; }

    std::vector<Slab> slabs_;
    std::vector<std::uint32_t> free_;
    std::size_t size_ = 0;
    std::uint32_t generations_ = 0;
};

}  // namespace hubbub::inline v0
