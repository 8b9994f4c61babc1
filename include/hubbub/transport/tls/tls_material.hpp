#pragma once

#include <openssl/pem.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <hubbub/core/exceptions.hpp>
#include <hubbub/transport/tls/openssl_handles.hpp>

namespace hubbub::inline v0::detail {

/// PEM text from an option, or from the file that the option names.
///
/// Errors: std::system_error for a file that cannot be read, std::invalid_argument for what is in it; both name the file.
class TlsMaterial {
   public:
    /// `role` is how a sentence calls it: "certificate".
    TlsMaterial(std::string_view role, std::string const& path_or_text) {
        if (path_or_text.empty()) throw_exception(std::invalid_argument("TLS: there is no " + std::string(role)));
        if (path_or_text.find("-----BEGIN") != std::string::npos) {
            text_ = path_or_text;
            name_ = "the " + std::string(role) + " that was given as text";
            return;
        }
        name_ = "the " + std::string(role) + " " + path_or_text;
        if (int const error = read(path_or_text))
            throw_exception(std::system_error(error, std::generic_category(), "TLS: cannot read " + name_));
    }

    std::string const& name() const noexcept { return name_; }
    std::string const& text() const noexcept { return text_; }

    /// In their order; at least one.
    std::vector<CertificateHandle> certificates() const {
        BioHandle const bio = reader();
        std::vector<CertificateHandle> result;
        while (CertificateHandle each{PEM_read_bio_X509(bio.get(), nullptr, no_password, nullptr)})
            result.push_back(std::move(each));
        bool const is_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
        std::string const reason = take_openssl_reason();
        if (!is_end) fail("has a certificate that cannot be read: " + reason);
        if (result.empty()) fail("has no certificate in it");
        return result;
    }
    KeyHandle key(std::string const& password) const {
        BioHandle const bio = reader();
        // With a callback of our own, because OpenSSL's asks on the terminal.
        KeyHandle result(PEM_read_bio_PrivateKey(bio.get(), nullptr, give_password, const_cast<std::string*>(&password)));
        if (!result) fail("has no key that can be read: " + take_openssl_reason());
        return result;
    }

   private:
    [[noreturn]] void fail(std::string const& what) const {
        throw_exception(std::invalid_argument("TLS: " + name_ + " " + what));
    }
    /// 0, or an errno value.
    int read(std::string const& path) {
        errno = 0;
        std::unique_ptr<std::FILE, OpensslDeleter<std::fclose>> const file(std::fopen(path.c_str(), "rb"));
        if (!file) return errno;
        std::array<char, 4096> piece;
        while (std::size_t const size = std::fread(piece.data(), 1, piece.size(), file.get())) text_.append(piece.data(), size);
        return std::ferror(file.get()) ? (errno ? errno : EIO) : 0;
    }
    BioHandle reader() const { return BioHandle(BIO_new_mem_buf(text_.data(), static_cast<int>(text_.size()))); }

    static int no_password(char*, int, int, void*) { return -1; }
    static int give_password(char* buffer, int size, int, void* of) {
        auto const& password = *static_cast<std::string const*>(of);
        if (password.empty() || password.size() > static_cast<std::size_t>(size)) return -1;
        password.copy(buffer, password.size());
        return static_cast<int>(password.size());
    }

    std::string name_, text_;
};

}  // namespace hubbub::inline v0::detail
