#pragma once

#include <concepts>
#include <cstddef>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

#include <hubbub/core/assert.hpp>

namespace hubbub::inline v0 {

template <class Signature>
class UniqueFunction;

/// A move-only `std::function`: what is posted to a loop may own sockets and frames.
///
/// Cost: callables of up to 48 bytes that move without throwing live inside; others take one allocation.
template <class R, class... Args>
class UniqueFunction<R(Args...)> {
   public:
    UniqueFunction() noexcept = default;
    UniqueFunction(std::nullptr_t) noexcept {}

    template <class F>
        requires(!std::same_as<std::remove_cvref_t<F>, UniqueFunction> && std::is_invocable_r_v<R, std::decay_t<F>&, Args...>)
    UniqueFunction(F&& f) {
        using Callable = std::decay_t<F>;
        if constexpr (fits_inside<Callable>) {
            ::new (static_cast<void*>(storage_)) Callable(std::forward<F>(f));
            table_ = &inside<Callable>;
        } else {
            ::new (static_cast<void*>(storage_)) Callable*(new Callable(std::forward<F>(f)));
            table_ = &outside<Callable>;
        }
    }

    UniqueFunction(UniqueFunction&& other) noexcept : table_(std::exchange(other.table_, nullptr)) {
        if (table_) table_->move(storage_, other.storage_);
    }
    UniqueFunction& operator=(UniqueFunction&& other) noexcept {
        if (this != &other) {
            reset();
            table_ = std::exchange(other.table_, nullptr);
            if (table_) table_->move(storage_, other.storage_);
        }
        return *this;
    }
    ~UniqueFunction() { reset(); }

    explicit operator bool() const noexcept { return table_ != nullptr; }

    /// The function must not be empty.
    R operator()(Args... args) {  // NOLINT(performance-unnecessary-value-param): as the signature has them
        HUBBUB_ASSERT(table_);
        return table_->call(storage_, std::forward<Args>(args)...);
    }

   private:
    struct Table {
        R (*call)(void*, Args&&...);
        void (*move)(void* to, void* from) noexcept;
        void (*destroy)(void*) noexcept;
    };
    static constexpr std::size_t capacity = 48;

    template <class F>
    static constexpr bool fits_inside =
        sizeof(F) <= capacity && alignof(F) <= alignof(std::max_align_t) && std::is_nothrow_move_constructible_v<F>;

    template <class F>
    static constexpr Table inside{
        [](void* self, Args&&... args) -> R { return (*static_cast<F*>(self))(std::forward<Args>(args)...); },
        [](void* to, void* from) noexcept {
            ::new (to) F(std::move(*static_cast<F*>(from)));
            static_cast<F*>(from)->~F();
        },
        [](void* self) noexcept { static_cast<F*>(self)->~F(); }};

    template <class F>
    static constexpr Table outside{
        [](void* self, Args&&... args) -> R { return (**static_cast<F**>(self))(std::forward<Args>(args)...); },
        [](void* to, void* from) noexcept { ::new (to) F*(*static_cast<F**>(from)); },
        [](void* self) noexcept { delete *static_cast<F**>(self); }};

    void reset() noexcept {
        if (auto* table = std::exchange(table_, nullptr)) table->destroy(storage_);
    }

    alignas(std::max_align_t) std::byte storage_[capacity];
    Table const* table_ = nullptr;
};

}  // namespace hubbub::inline v0
