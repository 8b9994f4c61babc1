#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <hubbub/core/exceptions.hpp>

namespace hubbub::inline v0 {

/// Where JetStream keeps histories.
enum class NatsStorage : std::uint8_t {
    memory,  ///< a server that restarts has forgotten them
    file,    ///< see NatsOptions::new_epoch_after_restart
};

/// TLS towards the broker. Each file is PEM.
struct NatsTls {
    bool required = false;           ///< also "tls://" in an url
    std::string authorities_file{};  ///< who signs the certificate of the broker; empty: whom the system trusts
    std::string certificate_file{};  ///< what this node shows, if the broker wants to see it
    std::string key_file{};
    std::string expected_name{};  ///< in the broker's certificate; empty: that of the url
};

/// How a NatsBackplane finds its broker, and what it does there.
struct NatsOptions {
    std::string url = "nats://127.0.0.1:4222";
    std::vector<std::string> urls{};  ///< of the servers of one NATS cluster, instead of `url`
    std::string prefix = "hubbub";    ///< of all subjects and streams: hubs with the same are one
    std::string user{}, password{};
    std::string token{};
    std::string credentials_file{};  ///< as `nsc` makes it
    NatsTls tls{};

    NatsStorage storage = NatsStorage::memory;
    std::uint32_t replicas = 1;  ///< of each history, in a cluster of at least so many servers; odd, at most 5
    /// With one server, which keeps histories in files: JetStream writes to the disk some time after it has said that it has a message,
    /// so a machine that crashes may lose the newest. False: no machine does, and who was connected before a restart misses nothing.
    bool new_epoch_after_restart = true;

    std::chrono::milliseconds connect_limit{3'000};  ///< for one server to be reached
    std::chrono::milliseconds probe_every{1'000};    ///< a message to itself
    std::chrono::milliseconds probe_limit{3'000};    ///< it has not come back: the connection is dead
    std::chrono::milliseconds answer_limit{5'000};   ///< the same for a question to JetStream
    std::chrono::milliseconds pause_first{50};       ///< before it connects again; doubles each time, and is jittered
    std::chrono::milliseconds pause_most{5'000};
    std::size_t most_waiting = std::size_t{64} << 20;  ///< bytes that have come and wait for the loop; what comes then is lost

    /// Throws std::invalid_argument with a sentence that names the member.
    void check() const {
        auto const demand = [](bool holds, char const* sentence) {
            if (!holds) detail::throw_exception(std::invalid_argument(sentence));
        };
        demand(!urls.empty() || is_url(url), "NatsOptions::url must be nats://HOST:PORT or tls://HOST:PORT");
        for (std::string const& each : urls)
            demand(is_url(each), "NatsOptions::urls must each be nats://HOST:PORT or tls://HOST:PORT");
        demand(is_word(prefix), "NatsOptions::prefix must be 1 to 64 letters, digits, '-' and '_'");
        demand(password.empty() || !user.empty(), "NatsOptions::user must be given with a password");
        demand((user.empty() ? 0 : 1) + (token.empty() ? 0 : 1) + (credentials_file.empty() ? 0 : 1) <= 1,
               "NatsOptions: user, token and credentials_file exclude each other");
        demand(tls.certificate_file.empty() == tls.key_file.empty(),
               "NatsOptions::tls.certificate_file and tls.key_file belong together");
        demand(replicas >= 1 && replicas <= 5 && replicas % 2 == 1, "NatsOptions::replicas must be 1, 3 or 5");
        demand(storage == NatsStorage::memory || storage == NatsStorage::file, "NatsOptions::storage must be memory or file");
        auto const is_time = [](std::chrono::milliseconds time) { return time.count() > 0 && time <= std::chrono::hours(1); };
        demand(is_time(connect_limit), "NatsOptions::connect_limit must be positive and at most an hour");
        demand(is_time(probe_every), "NatsOptions::probe_every must be positive and at most an hour");
        demand(is_time(probe_limit), "NatsOptions::probe_limit must be positive and at most an hour");
        demand(is_time(answer_limit), "NatsOptions::answer_limit must be positive and at most an hour");
        demand(is_time(pause_first), "NatsOptions::pause_first must be positive and at most an hour");
        demand(is_time(pause_most) && pause_most >= pause_first,
               "NatsOptions::pause_most must be at least pause_first and at most an hour");
        demand(most_waiting > 0, "NatsOptions::most_waiting must be positive");
    }

   private:
    static bool is_url(std::string_view text) {
        auto const rest = text.starts_with("nats://") ? text.substr(7) : text.starts_with("tls://") ? text.substr(6) : "";
        return !rest.empty() && rest.find_first_of(" ,\r\n\t") == std::string_view::npos;
    }
    static bool is_word(std::string_view text) {
        for (char const c : text) {
            bool const fits =
                (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
            if (!fits) return false;
        }
        return !text.empty() && text.size() <= 64;
    }
};

}  // namespace hubbub::inline v0
