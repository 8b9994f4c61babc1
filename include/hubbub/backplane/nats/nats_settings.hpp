#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <nats/nats.h>

#include <hubbub/backplane/nats/nats_options.hpp>

namespace hubbub::inline v0::detail {

struct NatsSettingsDeleter {
    void operator()(natsOptions* options) const noexcept { natsOptions_Destroy(options); }
};
using NatsSettings = std::unique_ptr<natsOptions, NatsSettingsDeleter>;

/// NatsOptions as nats.c takes them, or what it says is wrong with them (a file that cannot be read, for one) in `status`.
///
/// nats.c does not connect again by itself: what it would keep to send later, the hub sends again. Nor does it deliver with a thread for
/// each subscription, but with one for all.
inline NatsSettings nats_settings(NatsOptions const& from, natsStatus& status) {
    natsOptions* made = nullptr;
    status = natsOptions_Create(&made);
    NatsSettings settings(made);
    auto const set = [&](auto function, auto... values) {
        if (status == NATS_OK) status = function(made, values...);
    };
    auto const given = [](std::string const& text) { return text.empty() ? nullptr : text.c_str(); };
    std::vector<char const*> urls;
    for (std::string const& each : from.urls) urls.push_back(each.c_str());
    if (urls.empty()) urls.push_back(from.url.c_str());
    set(natsOptions_SetServers, urls.data(), static_cast<int>(urls.size()));
    set(natsOptions_SetName, "hubbub");
    set(natsOptions_SetAllowReconnect, false);
    set(natsOptions_SetRetryOnFailedConnect, false, nullptr, nullptr);
    set(natsOptions_SetTimeout, from.connect_limit.count());
    set(natsOptions_SetWriteDeadline, from.probe_limit.count());
    set(natsOptions_UseGlobalMessageDelivery, true);
    if (!from.user.empty()) set(natsOptions_SetUserInfo, from.user.c_str(), from.password.c_str());
    if (!from.token.empty()) set(natsOptions_SetToken, from.token.c_str());
    if (!from.credentials_file.empty()) set(natsOptions_SetUserCredentialsFromFiles, from.credentials_file.c_str(), nullptr);
    NatsTls const& tls = from.tls;
    // Left to itself, it would take a server without TLS also for "tls://".
    bool const is_secure =
        tls.required || std::ranges::any_of(urls, [](std::string_view url) { return url.starts_with("tls://"); });
    if (is_secure) set(natsOptions_SetSecure, true);
    if (!tls.authorities_file.empty()) set(natsOptions_LoadCATrustedCertificates, tls.authorities_file.c_str());
    if (!tls.certificate_file.empty()) set(natsOptions_LoadCertificatesChain, given(tls.certificate_file), given(tls.key_file));
    if (!tls.expected_name.empty()) set(natsOptions_SetExpectedHostname, tls.expected_name.c_str());
    return settings;
}

}  // namespace hubbub::inline v0::detail
