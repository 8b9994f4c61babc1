// Judges tokens for jwt_differential.py: a line of algorithms, a file with the key, time, issuer, audience and a token, parted by tabs,
// gets a line with "accepted" or why not.
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <hubbub/policy/jwt/jwt_verifier.hpp>

namespace {

std::shared_ptr<hubbub::JwtKeys> keys_of(std::string const& path, bool is_secret) {
    static std::map<std::string, std::shared_ptr<hubbub::JwtKeys>> known;
    auto& keys = known[path];
    if (!keys) {
        std::ifstream file(path, std::ios::binary);
        std::string const text{std::istreambuf_iterator<char>(file), {}};
        bool const is_json = !text.empty() && text.front() == '{';
        keys = is_secret && !is_json ? std::make_shared<hubbub::JwtKeys>(hubbub::JwtKeys::Set{hubbub::JwtKey::secret(text)})
                                     : std::make_shared<hubbub::JwtKeys>(text);
    }
    return keys;
}

}  // namespace

int main() {
    for (std::string line; std::getline(std::cin, line);) {
        std::vector<std::string> parts(1);
        for (char const each : line) {
            if (each == '\t')
                parts.emplace_back();
            else
                parts.back() += each;
        }
        if (parts.size() != 6) {
            std::cerr << "a line needs six parts\n";
            return 2;
        }
        hubbub::JwtRules rules;
        rules.algorithm = parts[0];
        rules.issuer = parts[3];
        if (!parts[4].empty()) rules.audience = {parts[4]};
        rules.leeway = std::chrono::seconds(0);
        rules.expiry_required = false;
        std::chrono::system_clock::time_point const now{std::chrono::seconds(std::atoll(parts[2].c_str()))};
        auto const checked = hubbub::JwtVerifier(rules, keys_of(parts[1], rules.algorithm.are_hmacs())).check(parts[5], now);
        std::cout << (checked ? "accepted" : hubbub::name_of(checked.problem)) << std::endl;
    }
}
