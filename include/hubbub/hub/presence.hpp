#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <hubbub/policy/presence.hpp>

namespace hubbub::inline v0 {

/// Who is subscribed to a topic, and who has come and gone since it was last told.
///
/// Threading: the shard of the topic's owner. Cost: constant for each call that is about one member.
class Presence {
   public:
    explicit Presence(PresenceOptions const& options) : options_(options) {}

    /// A session of one of the nodes.
    struct Key {
        std::uint64_t node;
        SessionId session;
        explicit Key(PresenceMember const& member) : node(member.node), session(member.session) {}
        Key(std::uint64_t its_node, SessionId its_session) : node(its_node), session(its_session) {}
        bool operator==(Key const&) const = default;
    };
    struct HashOf {
        std::size_t operator()(Key const& key) const noexcept {
            return std::hash<SessionId>{}(key.session) ^ static_cast<std::size_t>(key.node);
        }
    };
    using Members = std::unordered_map<Key, PresenceMember, HashOf>;

    /// Comes, or is another now than before: somebody has been given another identity.
    void enter(PresenceMember member) {
        Key const key(member);
        auto const found = members_.find(key);
        note_before(key, found == members_.end() ? nullptr : &found->second);
        if (found != members_.end()) forget(found);
        bytes_ += size_of(member);
        ++sessions_of_[member.user];
        members_.emplace(key, std::move(member));
    }
    void leave(Key const& key) {
        auto const found = members_.find(key);
        if (found == members_.end()) return;
        note_before(key, &found->second);
        if (auto const before = before_.find(key); !before->second) {  // it came and went
            if (is_read_)
                before->second = found->second;
            else
                before_.erase(before);
        }
        forget(found);
    }
    /// Somebody is given the list. What has changed until then and is undone behind that he has to be told, although others need not.
    void note_read() noexcept { is_read_ = is_read_ || has_changed(); }

    PresenceOptions const& options() const noexcept { return options_; }
    Members const& members() const noexcept { return members_; }
    std::size_t sessions() const noexcept { return members_.size(); }
    /// Sessions of nobody in particular are one user together.
    std::size_t users() const noexcept { return sessions_of_.size(); }
    bool has_changed() const noexcept { return !before_.empty(); }
    /// What has changed since the last call, at most `most_told` of each kind. Who came and went in between was not there, unless the list
    /// was read meanwhile.
    PresenceChange take_change(std::string_view topic);
    /// Nobody wants to be told.
    void forget_change() noexcept {
        before_.clear();
        is_read_ = false;
    }
    /// Bytes of memory, more or less.
    std::size_t footprint() const noexcept { return bytes_ + before_.size() * node; }

   private:
    static constexpr std::size_t node = 64;

    static std::size_t size_of(PresenceMember const& member) noexcept {
        std::size_t bytes = node * 2 + sizeof member + member.user.size() * 2;
        for (std::string const& label : member.labels) bytes += sizeof(std::string) + label.size();
        return bytes;
    }
    void forget(Members::iterator member) {
        bytes_ -= size_of(member->second);
        if (auto const user = sessions_of_.find(member->second.user); --user->second == 0) sessions_of_.erase(user);
        members_.erase(member);
    }
    void note_before(Key const& key, PresenceMember const* member) {
        if (before_.contains(key)) return;
        before_.emplace(key, member ? std::optional(*member) : std::nullopt);
    }

    PresenceOptions options_;
    Members members_;
    std::unordered_map<std::string, std::size_t> sessions_of_;               ///< by user
    std::unordered_map<Key, std::optional<PresenceMember>, HashOf> before_;  ///< what changed was, when it was last told
    std::size_t bytes_ = 0;
    bool is_read_ = false;  ///< since a change that is not told yet
};

inline PresenceChange Presence::take_change(std::string_view topic) {
    PresenceChange change{.topic = topic, .sessions = sessions(), .users = users()};
    auto const add = [&](std::vector<PresenceMember>& list, PresenceMember const& member) {
        if (list.size() < options_.most_told)
            list.push_back(member);
        else
            ++change.untold;
    };
    for (auto const& [key, before] : before_) {
        auto const now = members_.find(key);
        if (now == members_.end()) {
            if (before) add(change.left, *before);
        } else if (!before || is_read_ || *before != now->second) {
            add(change.entered, now->second);
        }
    }
    forget_change();
    return change;
}

namespace detail {
/// A member in a letter: each text behind its length.
inline std::string write_member(PresenceMember const& member) {
    std::string out;
    auto const put = [&out](std::string_view text) {
        auto const size = static_cast<std::uint32_t>(text.size());
        out.append(reinterpret_cast<char const*>(&size), sizeof size).append(text);
    };
    put(member.user);
    for (std::string const& label : member.labels) put(label);
    return out;
}
inline PresenceMember read_member(std::uint64_t node, SessionId session, std::string_view letter) {
    auto const take = [&letter] {
        std::uint32_t size;
        std::memcpy(&size, letter.data(), sizeof size);
        std::string text(letter.substr(sizeof size, size));
        letter.remove_prefix(sizeof size + size);
        return text;
    };
    PresenceMember member{session, take(), {}, node};
    while (!letter.empty()) member.labels.push_back(take());
    return member;
}
}  // namespace detail

}  // namespace hubbub::inline v0
