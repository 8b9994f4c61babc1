#pragma once

#include <string>

#include <nlohmann/json.hpp>

/// What a page says to this chat, beside what hubbub.v1.json has; protocol.md says when, and what it hears.
namespace chat {

struct Say {
    std::string id;  ///< what the page calls it, to know it again
    std::string text;
};
struct Rename {
    std::string name;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Say, id, text)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Rename, name)

}  // namespace chat
