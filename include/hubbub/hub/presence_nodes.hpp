#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include <hubbub/core/clock.hpp>
#include <hubbub/core/unique_function.hpp>
#include <hubbub/hub/presence_book.hpp>
#include <hubbub/hub/presence_notice.hpp>
#include <hubbub/hub/topic_index.hpp>

namespace hubbub::inline v0 {

/// Keeps the lists of who is there the same on all nodes: each tells the others what changes on it, and now and then that it is alive; who
/// has missed something asks. A node that falls silent for the time of its lease has no members any more.
///
/// Threading: the shard's. Cost: of a change constant; a look at each topic that knows its members, ten times a second.
class PresenceNodes {
   public:
    PresenceNodes(TopicIndex& topics, PresenceBook& book, std::uint64_t mine) : topics_(&topics), book_(&book), mine_(mine) {}

    /// A session of this node has come, has changed or is gone.
    void note(std::uint32_t number, SessionId session) { local(number).changed.insert(session); }
    /// The link to the other nodes is there, again maybe.
    void on_linked(std::uint32_t number) { local(number).asks = true; }
    void forget(std::uint32_t number) { local_.erase(number); }
    /// The others have been asked who is there.
    bool has_asked(std::uint32_t number) const {
        auto const known = local_.find(number);
        return known != local_.end() && known->second.asked_at;
    }
    /// Calls `then` when those who are there have had the time to say who is on them, or at once, if they had it before. How many there are
    /// nobody knows, so that there is no last answer to wait for.
    void when_heard(std::uint32_t number, std::int64_t now, UniqueFunction<void()> then) {
        Local& local = this->local(number);
        if (local.asked_at && local.asked_at + answered <= now) return then();
        local.readers.emplace_back(now + answered, std::move(then));
    }
    /// What another node says.
    void hear(std::uint32_t number, std::uint64_t node, std::string_view text, std::int64_t now);
    /// Calls `announce(number, text)` with what the others are to hear; ten times a second. Calls user code at the end.
    template <class Announce>
    void tick(std::int64_t now, Announce&& announce);

   private:
    struct Node {
        std::uint64_t version = 0;
        bool is_whole = false;  ///< its members are known as of that version
        std::int64_t heard_at = 0;
        std::vector<PresenceMember> parts{};  ///< of a list that is coming
        std::uint64_t parts_version = 0;
    };
    struct Local {
        std::uint64_t version = 0;  ///< of what the others were told
        std::unordered_set<SessionId> changed{};
        bool asks = false;      ///< wants to know who is elsewhere
        bool is_asked = false;  ///< somebody wants to know who is here
        std::int64_t told_at = 0, listed_at = 0, asked_at = 0;
        std::unordered_map<std::uint64_t, Node> nodes{};
        std::vector<std::pair<std::int64_t, UniqueFunction<void()>>> readers{};  ///< and when each is answered
    };
    static constexpr std::int64_t pause = Duration(std::chrono::seconds(1)).count();  ///< between two lists, and two questions
    /// A question goes out with a tick, and the list behind a pause and another one.
    static constexpr std::int64_t answered = pause + Duration(std::chrono::milliseconds(500)).count();

    static std::size_t size_of(PresenceMember const& member) noexcept {
        std::size_t bytes = 32 + member.user.size();
        for (std::string const& label : member.labels) bytes += 4 + label.size();
        return bytes;
    }
    /// The versions of a topic that comes again are not those that it had.
    Local& local(std::uint32_t number) {
        auto const [known, is_new] = local_.try_emplace(number);
        if (is_new) known->second.version = ++lists_ << 32;
        return known->second;
    }
    Presence& presence(std::uint32_t number) { return *(*topics_)[number].presence; }
    void replace(std::uint32_t number, std::uint64_t node, std::vector<PresenceMember> members, std::int64_t now);
    template <class Announce>
    void tell_changes(std::uint32_t number, Local& local, Announce&& announce);
    template <class Announce>
    void tell_all(std::uint32_t number, Local& local, Announce&& announce);

    TopicIndex* topics_;
    PresenceBook* book_;
    std::uint64_t mine_;
    std::uint64_t lists_ = 0;  ///< that this shard has begun
    std::unordered_map<std::uint32_t, Local> local_;
};

inline void PresenceNodes::hear(std::uint32_t number, std::uint64_t node, std::string_view text, std::int64_t now) {
    auto notice = PresenceNotice::read(node, text);
    if (!notice) return;
    using Kind = PresenceNotice::Kind;
    Local& local = this->local(number);
    if (notice->kind == Kind::ask) {
        local.is_asked = true;
        return;
    }
    Node& known = local.nodes[node];
    known.heard_at = now;
    switch (notice->kind) {
        case Kind::change: {
            // The first of a list that has begun anew is all of it, whatever was known of the one before.
            bool const is_first = static_cast<std::uint32_t>(notice->version) == 1;
            known.is_whole = is_first || (known.is_whole && notice->version == known.version + 1);
            known.version = notice->version;
            if (is_first) return replace(number, node, std::move(notice->members), now);
            book_->change(number, now, [&](Presence& presence) {
                for (PresenceMember& member : notice->members) presence.enter(std::move(member));
                for (SessionId const session : notice->left) presence.leave({node, session});
            });
            break;
        }
        case Kind::all:
            if (notice->is_first) {
                known.parts.clear();
                known.parts_version = notice->version;
            } else if (known.parts_version != notice->version) {
                break;
            }
            std::move(notice->members.begin(), notice->members.end(), std::back_inserter(known.parts));
            if (!notice->is_last) return;
            known.version = notice->version;
            known.is_whole = true;
            return replace(number, node, std::exchange(known.parts, {}), now);
        default: known.is_whole = known.is_whole && notice->version == known.version;
    }
    if (!known.is_whole) local.asks = true;
}

inline void PresenceNodes::replace(std::uint32_t number, std::uint64_t node, std::vector<PresenceMember> members,
                                   std::int64_t now) {
    std::unordered_set<SessionId> there;
    for (PresenceMember const& member : members) there.insert(member.session);
    std::vector<Presence::Key> gone;
    for (auto const& [key, member] : presence(number).members())
        if (key.node == node && !there.contains(key.session)) gone.push_back(key);
    book_->change(number, now, [&](Presence& presence) {
        for (Presence::Key const& key : gone) presence.leave(key);
        for (PresenceMember& member : members) {
            auto const known = presence.members().find(Presence::Key(member));
            if (known == presence.members().end() || known->second != member) presence.enter(std::move(member));
        }
    });
}

template <class Announce>
void PresenceNodes::tick(std::int64_t now, Announce&& announce) {
    std::vector<UniqueFunction<void()>> heard;  // they are called last: they may do anything
    for (auto& [number, local] : local_) {
        std::erase_if(local.readers, [&](auto& reader) {
            if (reader.first > now) return false;
            heard.push_back(std::move(reader.second));
            return true;
        });
        auto const tell = [&, topic = number](PresenceNotice const& notice) { announce(topic, notice.write()); };
        if (!local.changed.empty()) {
            tell_changes(number, local, tell);
            local.told_at = now;
        }
        if (local.asks && local.asked_at + pause <= now) {
            local.asks = false;
            local.asked_at = now;
            tell({.kind = PresenceNotice::Kind::ask});
        }
        if (local.is_asked && local.listed_at + pause <= now) {
            local.is_asked = false;
            local.listed_at = local.told_at = now;
            tell_all(number, local, tell);
        }
        std::int64_t const lease = Duration(presence(number).options().lease).count();
        if (local.told_at && local.told_at + lease / 3 <= now) {
            local.told_at = now;
            tell({.kind = PresenceNotice::Kind::alive, .version = local.version});
        }
        for (auto node = local.nodes.begin(); node != local.nodes.end();) {
            if (node->second.heard_at + lease > now) {
                ++node;
                continue;
            }
            replace(number, node->first, {}, now);
            node = local.nodes.erase(node);
        }
    }
    for (auto& then : heard) then();
}

template <class Announce>
void PresenceNodes::tell_changes(std::uint32_t number, Local& local, Announce&& tell) {
    PresenceNotice notice{.kind = PresenceNotice::Kind::change};
    std::size_t bytes = 0;
    auto const send = [&] {
        notice.version = ++local.version;
        tell(notice);
        notice.members.clear();
        notice.left.clear();
        bytes = 0;
    };
    for (SessionId const session : std::exchange(local.changed, {})) {
        auto const found = presence(number).members().find({mine_, session});
        if (found == presence(number).members().end()) {
            notice.left.push_back(session);
            bytes += 16;
        } else {
            notice.members.push_back(found->second);
            bytes += size_of(found->second);
        }
        if (bytes > PresenceNotice::part) send();
    }
    if (bytes) send();
}

template <class Announce>
void PresenceNodes::tell_all(std::uint32_t number, Local& local, Announce&& tell) {
    PresenceNotice notice{.kind = PresenceNotice::Kind::all, .is_last = false, .version = local.version};
    std::size_t bytes = 0;
    for (auto const& [key, member] : presence(number).members()) {
        if (key.node != mine_) continue;
        if (bytes > PresenceNotice::part) {
            tell(notice);
            notice.members.clear();
            notice.is_first = false;
            bytes = 0;
        }
        notice.members.push_back(member);
        bytes += size_of(member);
    }
    notice.is_last = true;
    tell(notice);
}

}  // namespace hubbub::inline v0
