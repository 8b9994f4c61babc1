#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace hubbub::inline v0::detail {

/// Which of a cluster's 16384 slots a key or channel is in: CRC16 (XMODEM) of what is between its first '{' and the '}' behind it.
inline std::uint16_t redis_slot(std::string_view key) noexcept {
    if (std::size_t const open = key.find('{'); open != std::string_view::npos)
        if (std::size_t const end = key.find('}', open + 1); end != std::string_view::npos && end != open + 1)
            key = key.substr(open + 1, end - open - 1);
    std::uint32_t crc = 0;
    for (char const c : key) {
        crc ^= std::uint32_t{static_cast<unsigned char>(c)} << 8;
        for (int bit = 0; bit < 8; ++bit) crc = crc & 0x8000u ? crc << 1 ^ 0x1021u : crc << 1;
    }
    return static_cast<std::uint16_t>(crc & 0x3fffu);
}

/// The names of channels and keys:
///
///     prefix:{t:TOPIC}                         the channel of a topic
///     prefix:{t:TOPIC}:m  :s  :k  :i  :j  :n   what is kept of it: see RedisScripts
///     prefix:probe:{N}:NODE                    the channel of a node's probes, for each master that one of a slot of its own
///
/// All of a topic are in one slot of a cluster. Before the topic stands a "t:", because Redis takes "{}" for no tag; the last '}' ends
/// the topic, so that no two topics have a name in common.
class RedisNames {
   public:
    using Keys = std::array<std::string, 6>;

    RedisNames(std::string_view prefix, std::uint64_t node)
        : topics_(std::string(prefix) + ":{t:"), probes_(std::string(prefix) + ":probe:{"), node_(std::to_string(node)) {}

    std::string channel(std::string_view topic) const {
        std::string name;
        name.reserve(topics_.size() + topic.size() + 1);
        name.append(topics_).append(topic).append(1, '}');
        return name;
    }
    /// The topic of a channel; false if it is none of a topic.
    bool topic_of(std::string_view channel, std::string_view& topic) const noexcept {
        if (channel.size() <= topics_.size() || !channel.starts_with(topics_) || !channel.ends_with('}')) return false;
        topic = channel.substr(topics_.size(), channel.size() - topics_.size() - 1);
        return true;
    }
    static Keys keys(std::string const& channel) {
        return {channel + ":m", channel + ":s", channel + ":k", channel + ":i", channel + ":j", channel + ":n"};
    }
    std::string probe(std::uint32_t number) const { return probes_ + std::to_string(number) + "}:" + node_; }
    bool is_probe(std::string_view channel) const noexcept { return channel.starts_with(probes_); }
    std::string const& node() const noexcept { return node_; }

   private:
    std::string topics_, probes_, node_;
};

}  // namespace hubbub::inline v0::detail
