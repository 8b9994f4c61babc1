// The seam: a library that knows only {"name": "string", ...} of plain letters is enough for a router.
#include <hubbub/json/library.hpp>

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <hubbub/json/basic_router.hpp>

#include "support/catch.hpp"

namespace {

using hubbub::json::Outcome;
using hubbub::json::Problem;
using hubbub::json::Reading;

struct Name {
    std::string value;
};

struct FlatStrings {
    /// A string if it has no members, else an object.
    struct Document {
        std::string text;
        std::map<std::string, Document, std::less<>> members;
    };

    static std::optional<Problem> parse(std::string_view text, std::size_t deepest, Document& into) {
        if (deepest < 1) return hubbub::json::too_deep(deepest);
        std::vector<std::string_view> strings;  // between quotes; what is around them is not looked at
        for (std::size_t at = 0; (at = text.find('"', at)) != text.npos;) {
            std::size_t const end = text.find('"', at + 1);
            if (end == text.npos) return hubbub::json::not_json(at + 1);
            strings.push_back(text.substr(at + 1, end - at - 1));
            at = end + 1;
        }
        if (strings.size() % 2 != 0) return hubbub::json::not_json(text.size());
        for (std::size_t i = 0; i < strings.size(); i += 2)
            if (!into.members.try_emplace(std::string(strings[i]), Document{std::string(strings[i + 1]), {}}).second)
                return hubbub::json::duplicate_member(strings[i]);
        return std::nullopt;
    }
    static std::string_view kind(Document const& document) { return document.members.empty() ? "string" : "object"; }
    static Document* member(Document& document, std::string_view name) {
        auto const found = document.members.find(name);
        return found == document.members.end() ? nullptr : &found->second;
    }
    static std::optional<std::string_view> string(Document const& document) { return document.text; }
    template <class T>
    static Reading<T> read(Document& data, std::string_view path) {
        if (data.text.empty()) return Problem{Outcome::invalid_value, "a name has letters", std::string(path)};
        return T{data.text};
    }
    static void write(std::string& out, std::string_view text) { out += '"' + std::string(text) + '"'; }
};
static_assert(hubbub::json::Library<FlatStrings>);

struct WithoutParse {
    using Document = FlatStrings::Document;
};
static_assert(!hubbub::json::Library<WithoutParse>);

struct Client {
    std::string answer;
    void send(std::string_view text) { answer = text; }
};

}  // namespace

TEST_CASE("Another JSON library can take the place of the first") {
    std::string name;
    auto const router =
        hubbub::json::BasicRouter<FlatStrings>{}.on<Name>("rename", [&](Client&, Name const& to) { name = to.value; });
    Client client;
    CHECK(router(client, hubbub::MessageView::text(R"({"type":"rename","data":"Ada"})")) == Outcome::handled);
    CHECK(name == "Ada");
    CHECK(client.answer.empty());

    struct Row {
        std::string_view text;
        Outcome outcome;
        std::string_view answer;
    };
    for (Row const& row : {Row{R"({"type":"rename","data":""})", Outcome::invalid_value, R"("member":"data")"},
                           Row{R"({"type":"rename"})", Outcome::missing_member, R"("member":"data")"},
                           Row{R"({"type":"other"})", Outcome::unknown_type, R"("code":"unknown_type")"},
                           Row{R"({"data":"Ada"})", Outcome::missing_member, R"("member":"type")"},
                           Row{R"({"type)", Outcome::not_json, "byte 2"}, Row{"{}", Outcome::not_an_object, "kind string"},
                           Row{R"({"type":"rename","type":"rename"})", Outcome::duplicate_member, R"("member":"type")"}}) {
        INFO(row.text);
        CHECK(router(client, hubbub::MessageView::text(row.text)) == row.outcome);
        CHECK(client.answer.find(row.answer) != std::string::npos);
    }
    CHECK(name == "Ada");
}
