// Any bytes, to a router: either a handler is called, or the client gets one error that is short and valid JSON.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <hubbub/json/router.hpp>
#include <hubbub/ws/utf8.hpp>

namespace fuzzed {

enum class Colour { unknown, red };
NLOHMANN_JSON_SERIALIZE_ENUM(Colour, {{Colour::unknown, nullptr}, {Colour::red, "red"}})

struct Item {
    std::string name;
    std::uint8_t count = 0;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Item, name, count)

struct Order {
    Item first;
    std::vector<Item> items;
    std::map<std::string, double> prices;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Order, first, items, prices)

struct Numbers {
    int whole = 0;
    unsigned natural = 0;
    std::int64_t wide = 0;
    std::uint64_t widest = 0;
    float rough = 0;
    bool flag = false;
    Colour colour = Colour::red;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Numbers, whole, natural, wide, widest, rough, flag, colour)

void require(bool condition) {
    if (!condition) std::abort();
}

struct Client {
    int handled = 0;
    std::vector<std::string> answers;
    void send(std::string_view text) { answers.emplace_back(text); }
};

/// What a handler gets is what came.
template <class T>
void check_kept(T const& data, nlohmann::json const& text) {
    auto const kept = nlohmann::json(data);
    for (auto it = kept.begin(); it != kept.end(); ++it) {
        if (!text.contains(it.key())) continue;
        require(it->type_name() == std::string_view(text.at(it.key()).type_name()));
        if (it->is_number_integer()) require(text.at(it.key()).get<double>() == it->get<double>());
    }
}

auto const router = hubbub::json::Router{{.deepest = 8}}
                        .on<Order>("order",
                                   [](Client& client, Order const& order, nlohmann::json const& text) {
                                       ++client.handled;
                                       check_kept(order, text.at("data"));
                                       check_kept(order.first, text.at("data").at("first"));
                                   })
                        .on<Numbers>("numbers",
                                     [](Client& client, Numbers const& numbers, nlohmann::json const& text) {
                                         ++client.handled;
                                         check_kept(numbers, text.at("data"));
                                     })
                        .on<nlohmann::json>("any", [](Client& client, nlohmann::json const&) { ++client.handled; })
                        .on("none", [](Client& client) { ++client.handled; });

}  // namespace fuzzed

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    using namespace fuzzed;
    std::string const bytes(reinterpret_cast<char const*>(data), size);
    Client client;
    // Not this parser's tree, but the same library's: what it cannot read, a router cannot either.
    auto const text = nlohmann::json::parse(bytes, nullptr, false);
    auto const outcome = router(client, hubbub::MessageView::text(bytes), text);
    bool const is_handled = outcome == hubbub::json::Outcome::handled;
    require(client.handled == (is_handled ? 1 : 0));
    require(client.answers.size() == (is_handled ? 0u : 1u));
    if (is_handled) {
        require(!text.is_discarded());
        return 0;
    }
    std::string const& answer = client.answers[0];
    require(answer.size() < 1000 && hubbub::ws::is_valid_utf8(std::string_view(answer)));
    auto const error = nlohmann::json::parse(answer);
    require(error.at("type") == "error" && error.at("time").is_string());
    require(error.at("data").at("code") == hubbub::json::name_of(outcome));
    require(!error.at("data").at("message").get<std::string>().empty());
    return 0;
}
