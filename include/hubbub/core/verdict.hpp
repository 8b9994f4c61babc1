#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include <hubbub/core/unique_function.hpp>

namespace hubbub::inline v0 {

/// The one answer to a question that may be answered later, on any thread: whoever asked is told exactly once. A verdict that is
/// destroyed without an answer answers with `T::unanswered()`.
///
/// Threading: may be moved to and answered on any thread.
/// Cost: one allocation.
template <class T>
class Verdict {
   public:
    /// `tell` runs inside `answer`, on its thread.
    explicit Verdict(UniqueFunction<void(T)> tell) : tell_(std::move(tell)) {}
    Verdict(Verdict&& other) noexcept : tell_(std::exchange(other.tell_, nullptr)) {}
    Verdict& operator=(Verdict&& other) noexcept {
        if (this != &other) {
            if (tell_) answer(T::unanswered());
            tell_ = std::exchange(other.tell_, nullptr);
        }
        return *this;
    }
    ~Verdict() {
        if (tell_) answer(T::unanswered());
    }

    /// Answers. What comes after the first answer is ignored.
    void answer(T value) {
        if (auto tell = std::exchange(tell_, nullptr)) tell(std::move(value));
    }

   private:
    UniqueFunction<void(T)> tell_;
};

/// For whoever asks: takes an answer that comes at once without a detour, and passes a later one on.
///
/// Example: `Asked<T> asked(later); policy.decide(question, asked.verdict()); if (auto now = asked.take()) ...`
template <class T>
class Asked {
   public:
    /// `later` is told an answer that comes after `take`, on the thread that answers.
    explicit Asked(UniqueFunction<void(T)> later) : state_(std::make_shared<State>(std::move(later))) {}

    Verdict<T> verdict() {
        return Verdict<T>([state = state_](T value) {
            {
                std::lock_guard lock(state->mutex);
                if (!state->taken) {
                    state->early.emplace(std::move(value));
                    return;
                }
            }
            state->later(std::move(value));
        });
    }
    /// The answer, if it has come. From here on `later` is told.
    std::optional<T> take() {
        std::lock_guard lock(state_->mutex);
        state_->taken = true;
        return std::move(state_->early);
    }

   private:
    struct State {
        explicit State(UniqueFunction<void(T)> tell) : later(std::move(tell)) {}
        std::mutex mutex;
        bool taken = false;
        std::optional<T> early;
        UniqueFunction<void(T)> later;
    };
    std::shared_ptr<State> state_;
};

}  // namespace hubbub::inline v0
