// Words that are planted where secrets are, and the search for them in what is written for operators.
#pragma once

#include <cstddef>
#include <cstdio>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <hubbub/ws/base64.hpp>

namespace hubbub_test {

/// Each word is of letters and digits, so that no quoting hides it, and says where it was planted.
class Secrets {
   public:
    std::string plant(std::string const& where) {
        also(where, where + "X7q9planted4Tz");
        return where + "X7q9planted4Tz";
    }
    /// What is not a word of ours, as a token that was signed.
    void also(std::string const& where, std::string const& word) {
        for (auto const& [form, written] : forms_of(word)) forms_.emplace(written, where + ' ' + form);
    }
    /// All that is looked for: how it is written, and its name, as "cookie in base64".
    std::map<std::string, std::string> const& forms() const { return forms_; }
    /// The names of those that are there.
    std::vector<std::string> found_in(std::string_view text) const {
        std::vector<std::string> result;
        for (auto const& [written, name] : forms_)
            if (text.find(written) != std::string_view::npos) result.push_back(name);
        return result;
    }

   private:
    using Forms = std::vector<std::pair<std::string, std::string>>;

    static Forms forms_of(std::string_view word) {
        Forms result{{"as it is", std::string(word)}, {"backwards", {word.rbegin(), word.rend()}}};
        for (bool const capitals : {false, true}) {
            std::string percent, hexadecimal;
            for (char const each : word) {
                char digits[3];
                (void)std::snprintf(digits, sizeof digits, capitals ? "%02X" : "%02x",
                                    unsigned{static_cast<unsigned char>(each)});
                (percent += '%') += digits;
                hexadecimal += digits;
            }
            result.emplace_back("in percent", std::move(percent));
            result.emplace_back("in hexadecimal", std::move(hexadecimal));
        }
        // In the middle of something longer it looks otherwise, by what is before it. Bits that belong to neighbours are left out.
        for (std::size_t before = 0; before < 3; ++before) {
            std::string const text = std::string(before, '\0') + std::string(word);
            std::string inner = hubbub::ws::encode_base64(std::as_bytes(std::span(text)));
            inner.resize(text.size() * 8 / 6);
            result.emplace_back("in base64", inner.substr(before ? before + 1 : 0));
            std::string url = result.back().second;
            for (char& each : url) each = each == '+' ? '-' : each == '/' ? '_' : each;
            result.emplace_back("in base64url", std::move(url));
        }
        return result;
    }

    std::map<std::string, std::string> forms_;
};

}  // namespace hubbub_test
