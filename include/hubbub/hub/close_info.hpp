#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <hubbub/ws/close_code.hpp>

namespace hubbub::inline v0 {

/// How a session ended.
struct CloseInfo {
    enum class By : std::uint8_t { us, peer, network };
    static constexpr std::string_view by_names[] = {"us", "peer", "network"};

    CloseCode code = CloseCode::abnormal;
    std::string reason;
    By by = By::network;
};

}  // namespace hubbub::inline v0
