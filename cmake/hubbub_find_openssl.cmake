# Finds OpenSSL (libcrypto and libssl), with CMake's own module, unless the project has its targets already.
# Sets hubbub_openssl_FOUND, hubbub_openssl_REASON and hubbub_openssl_LEAST, the oldest version that has what hubbub uses.

set(hubbub_openssl_LEAST 3.0)
set(hubbub_openssl_FOUND TRUE)
set(hubbub_openssl_REASON "")
if(NOT TARGET OpenSSL::Crypto OR NOT TARGET OpenSSL::SSL)
    find_package(OpenSSL ${hubbub_openssl_LEAST} QUIET)
    if(NOT OPENSSL_FOUND OR NOT TARGET OpenSSL::SSL)
        set(hubbub_openssl_FOUND FALSE)
        set(hubbub_openssl_REASON
            "OpenSSL ${hubbub_openssl_LEAST} was not found: install libssl-dev or set OPENSSL_ROOT_DIR")
    endif()
endif()
