#include <span>
#include <string_view>

#include <hubbub/hub/hub_options.hpp>
#include <hubbub/ws/deflate/permessage_deflate.hpp>

bool deflate_works();
bool deflate_works() {
    struct Compressed : hubbub::DefaultPolicy {
        using Compression = hubbub::PermessageDeflate;
    };
    hubbub::HubOptions<Compressed> options;
    hubbub::PermessageDeflate compression(options.compression);
    std::string_view const offer = "permessage-deflate";
    hubbub::PermessageDeflate::Session session;
    compression.open(session, hubbub::PermessageDeflate::negotiate(options.compression, std::span(&offer, 1)).terms);
    char const zeros[4000]{};
    auto const sent = hubbub::MessageView::text({zeros, sizeof zeros});
    auto const deflated = compression.compress(hubbub::PermessageDeflate::variant(session), sent);
    if (!deflated || deflated->size() > 100) return false;
    hubbub::MessageView const came(sent.opcode(), *deflated);
    return compression.inflate(session, came, true, sent.size()).payload.size() == sent.size();
}
