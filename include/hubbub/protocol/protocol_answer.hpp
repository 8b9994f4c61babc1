#pragma once

#include <string>
#include <string_view>
#include <utility>

#include <hubbub/json/nlohmann.hpp>

namespace hubbub::inline v0 {

/// What a program answers to a request: a result, or why there is none.
///
/// Example: `reply.answer(hubbub::ProtocolAnswer::result(sum));`
struct ProtocolAnswer {
    bool is_result = false;
    std::string result_text{};  ///< JSON
    std::string code{};         ///< of an error, for programs
    std::string message{};      ///< of an error, a sentence for developers
    std::string member{};       ///< of an error: what it is about, such as `params.count`; or empty

    /// Of any type that nlohmann_json can write.
    template <class T>
    static ProtocolAnswer result(T const& value) {
        ProtocolAnswer answer{.is_result = true};
        json::Nlohmann::write(answer.result_text, value);
        return answer;
    }
    static ProtocolAnswer error(std::string code, std::string message, std::string member = {}) {
        return {false, {}, std::move(code), std::move(message), std::move(member)};
    }
    /// What reading the parameters has found.
    static ProtocolAnswer error(json::Problem const& problem) {
        return error(std::string(json::name_of(problem.code)), problem.message, problem.member);
    }
    static ProtocolAnswer unanswered() { return error("no_answer", "nobody answered this request"); }
};

}  // namespace hubbub::inline v0
