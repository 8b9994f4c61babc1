#pragma once

#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include <hubbub/hub/publish_options.hpp>

namespace hubbub::inline v0 {

/// What a client wants to publish, for `ProtocolApp::on_publish`. All but `text` is borrowed.
struct ProtocolPublication {
    std::string_view topic;
    nlohmann::json& data;     ///< as it was read; what changes here changes nothing
    PublishOptions& options;  ///< with the client's key and id; `on_receipt` belongs to the protocol
    std::string text{};       ///< JSON that is published instead, if it is not empty
};

}  // namespace hubbub::inline v0
