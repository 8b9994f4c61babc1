// Any bytes as Sec-WebSocket-Extensions: what is agreed is something that the client offered and can live with.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <hubbub/http/ascii.hpp>
#include <hubbub/ws/deflate/negotiation.hpp>

namespace {

using namespace hubbub::ws;

void require(bool condition) {
    if (!condition) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    if (size < 2) return 0;
    DeflateOptions options;
    options.server_takeover = data[0] & 1;
    options.client_takeover = data[0] & 2;
    options.server_window_bits = 8 + (data[0] >> 2) % 8;
    options.client_window_bits = 8 + data[1] % 8;
    std::string const text(reinterpret_cast<char const*>(data) + 2, size - 2);
    std::vector<std::string_view> lines;  // one for each line feed, as a request would bring them
    for (std::string_view rest = text;;) {
        auto const end = rest.find('\n');
        lines.push_back(rest.substr(0, end));
        if (end == std::string_view::npos) break;
        rest.remove_prefix(end + 1);
    }
    auto const answer = negotiate_deflate(options, lines);
    if (answer.kind != ExtensionAnswer::Kind::agreed) {
        require(answer.response.empty() && !answer.terms.agreed);
        return 0;
    }
    require(hubbub::http::is_field_value(answer.response));
    require(answer.terms.agreed && answer.terms.server_window_bits <= options.server_window_bits);
    require(!answer.terms.client_takeover || answer.terms.client_window_bits <= options.client_window_bits);
    require(!answer.terms.server_takeover || options.server_takeover);
    // The first offer that is valid is the one that was taken: its client accepts the answer.
    for (std::string_view const line : lines) {
        ExtensionList list(line);
        while (list.next_extension()) {
            if (list.extension() != "permessage-deflate") continue;
            DeflateParameters offer;
            bool valid = true;
            while (list.next_parameter()) valid = valid && offer.add(list);
            if (!valid) continue;
            auto const understood = check_deflate_answer(offer, answer.response);
            require(understood && understood->server_window_bits == answer.terms.server_window_bits);
            require(understood->client_window_bits <= answer.terms.client_window_bits);
            require(understood->client_takeover == answer.terms.client_takeover);
            return 0;
        }
    }
    require(false);
    return 0;
}
