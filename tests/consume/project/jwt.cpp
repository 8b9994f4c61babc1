#include <openssl/crypto.h>
#include <nlohmann/json_fwd.hpp>

#include <hubbub/policy/jwt/base64url.hpp>

bool jwt_works();
bool jwt_works() { return hubbub::encode_base64url("hub") == "aHVi" && OpenSSL_version_num() >= 0x30000000; }
