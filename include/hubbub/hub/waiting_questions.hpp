#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace hubbub::inline v0 {

/// What somebody has asked for and not been answered yet, in order: an answer that comes early waits for those before it.
template <class Question>
class WaitingQuestions {
   public:
    bool empty() const noexcept { return entries_.empty(); }
    std::size_t size() const noexcept { return entries_.size(); }

    void add(std::uint64_t serial, Question question, std::optional<bool> answer) {
        entries_.push_back({serial, answer, std::move(question)});
    }
    /// The question that is answered by that, or null: nobody waits for it any more.
    Question* answer(std::uint64_t serial, bool answer) noexcept {
        for (Entry& each : entries_) {
            if (each.serial != serial) continue;
            each.answer = answer;
            return &each.question;
        }
        return nullptr;
    }
    /// Calls `act(Question&&, bool)` for each that is answered and before which none is not.
    template <class Act>
    void take_answered(Act&& act) {
        while (!entries_.empty() && entries_.front().answer) {
            Entry first = std::move(entries_.front());
            entries_.erase(entries_.begin());
            act(std::move(first.question), *first.answer);
        }
    }
    template <class Match>
    bool has(Match const& match) const {
        return std::any_of(entries_.begin(), entries_.end(), [&](Entry const& each) { return match(each.question); });
    }
    /// Nobody wants to know any more. False: there was none.
    template <class Match>
    bool withdraw(Match const& match) {
        return std::erase_if(entries_, [&](Entry const& each) { return match(each.question); }) != 0;
    }

   private:
    struct Entry {
        std::uint64_t serial;
        std::optional<bool> answer;
        Question question;
    };
    std::vector<Entry> entries_;  ///< few: who asks is paused when there are many
};

}  // namespace hubbub::inline v0
