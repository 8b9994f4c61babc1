#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <hubbub/policy/presence.hpp>

namespace hubbub::inline v0 {

/// What nodes tell each other about who is subscribed to a topic.
struct PresenceNotice {
    enum class Kind : std::uint8_t {
        change,  ///< these came, or are somebody else now, and those left; the version is one more than before
        all,     ///< these are there; a list that is long comes in parts
        alive,   ///< nothing has changed since that version
        ask,     ///< who is there?
    };
    /// Notices are no longer than this, and a member.
    static constexpr std::size_t part = 32 * 1024;

    Kind kind = Kind::alive;
    bool is_first = true, is_last = true;  ///< of the parts of a list
    std::uint64_t version = 0;
    std::vector<PresenceMember> members{};
    std::vector<SessionId> left{};

    std::string write() const;
    /// Of that node. Nothing: it makes no sense.
    static std::optional<PresenceNotice> read(std::uint64_t node, std::string_view text);

   private:
    struct Writer {
        std::string out;
        template <class Number>
        void number(Number value) {
            for (std::size_t i = 0; i < sizeof value; ++i) out += static_cast<char>(value >> i * 8 & 0xFF);
        }
        void text(std::string_view value) {
            number(static_cast<std::uint32_t>(value.size()));
            out += value;
        }
        void id(SessionId session) {
            number(session.shard.value);
            number(session.index);
            number(session.generation);
        }
    };
    struct Reader {
        std::string_view in;
        bool failed = false;
        template <class Number>
        Number number() {
            Number value{};
            if (in.size() < sizeof value) {
                failed = true;
                return value;
            }
            for (std::size_t i = 0; i < sizeof value; ++i)
                value = static_cast<Number>(
                    value | static_cast<Number>(static_cast<Number>(static_cast<std::uint8_t>(in[i])) << i * 8));
            in.remove_prefix(sizeof value);
            return value;
        }
        std::string text() {
            auto const size = number<std::uint32_t>();
            if (failed || in.size() < size) {
                failed = true;
                return {};
            }
            std::string value(in.substr(0, size));
            in.remove_prefix(size);
            return value;
        }
        SessionId id() {
            auto const shard = number<std::uint16_t>();
            auto const index = number<std::uint32_t>();
            return {index, number<std::uint32_t>(), {shard}};
        }
    };
};

inline std::string PresenceNotice::write() const {
    Writer writer;
    writer.number(static_cast<std::uint8_t>(kind));
    writer.number(static_cast<std::uint8_t>(is_first | is_last << 1));
    writer.number(version);
    writer.number(static_cast<std::uint32_t>(members.size()));
    for (PresenceMember const& member : members) {
        writer.id(member.session);
        writer.text(member.user);
        writer.number(static_cast<std::uint32_t>(member.labels.size()));
        for (std::string const& label : member.labels) writer.text(label);
    }
    for (SessionId const session : left) writer.id(session);
    return std::move(writer.out);
}

inline std::optional<PresenceNotice> PresenceNotice::read(std::uint64_t node, std::string_view text) {
    Reader reader{text};
    PresenceNotice notice;
    notice.kind = static_cast<Kind>(reader.number<std::uint8_t>());
    auto const flags = reader.number<std::uint8_t>();
    notice.is_first = flags & 1;
    notice.is_last = flags & 2;
    notice.version = reader.number<std::uint64_t>();
    if (notice.kind > Kind::ask) return std::nullopt;
    for (auto count = reader.number<std::uint32_t>(); count && !reader.failed; --count) {
        PresenceMember member{.session = reader.id(), .user = reader.text(), .node = node};
        for (auto labels = reader.number<std::uint32_t>(); labels && !reader.failed; --labels)
            member.labels.push_back(reader.text());
        notice.members.push_back(std::move(member));
    }
    while (!reader.failed && !reader.in.empty()) notice.left.push_back(reader.id());
    if (reader.failed) return std::nullopt;
    return notice;
}

}  // namespace hubbub::inline v0
