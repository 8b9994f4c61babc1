#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

/// What client and server say to each other, as data; protocol.md says when.
namespace chat {

// ---- from a client

struct Join {
    std::string room, name;
};
struct Leave {
    std::string room;
};
struct Rename {
    std::string room, name;
};
struct Say {
    std::string room, text;
};
struct StartTyping {
    std::string room;
};
struct AskForMembers {
    std::string room;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Join, room, name)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Leave, room)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Rename, room, name)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Say, room, text)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(StartTyping, room)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(AskForMembers, room)

// ---- from the server

struct Welcome {
    std::size_t name, room, text, rooms;  ///< the limits
};
struct Member {
    std::uint64_t id;  ///< of one stay in one room
    std::string name;
};
struct Joined {
    std::string room;
    std::uint64_t id, version;
    std::vector<Member> members;
};
struct Left {
    std::string room;
};
struct Members {
    std::string room;
    std::uint64_t version;
    std::vector<Member> members;
};
struct Came {
    std::string room;
    std::uint64_t version, id;
    std::string name;
};
struct Went {
    std::string room;
    std::uint64_t version, id;
    std::string name;
};
struct Renamed {
    std::string room;
    std::uint64_t version, id;
    std::string name, before;
};
struct Said {
    std::string room;
    std::uint64_t id;
    std::string text;
};
struct Typing {
    std::string room;
    std::uint64_t id;
};
struct Missed {
    std::uint64_t count;
};
struct Problem {
    std::string code, message, member;
    std::string about, room;  ///< which message it answers
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Welcome, name, room, text, rooms)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Member, id, name)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Joined, room, id, version, members)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Left, room)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Members, room, version, members)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Came, room, version, id, name)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Went, room, version, id, name)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Renamed, room, version, id, name, before)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Said, room, id, text)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Typing, room, id)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Missed, count)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Problem, code, message, member, about, room)

}  // namespace chat
