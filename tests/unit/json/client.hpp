#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <hubbub/json/router.hpp>

/// What a router needs of a session, and what it answered.
struct AnsweredClient {
    std::vector<nlohmann::json> answers;

    void send(std::string_view text) { answers.push_back(nlohmann::json::parse(text)); }
    nlohmann::json const& error() const { return answers.at(0).at("data"); }
};
