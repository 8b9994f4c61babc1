#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <hubbub/core/exceptions.hpp>
#include <hubbub/http/ascii.hpp>
#include <hubbub/transport/socket/tls_options.hpp>
#include <hubbub/transport/tls/ticket_keys.hpp>
#include <hubbub/transport/tls/tls_material.hpp>

namespace hubbub::inline v0::detail {

/// All that new connections get: certificates by the names of hosts, ciphers, who signs clients. It does not change; a reload makes
/// another one, and connections that began with this one keep it.
///
/// Threading: any. Errors: std::invalid_argument or std::system_error that says what is wrong and in which file.
class TlsSetup {
   public:
    TlsSetup(TlsOptions const& options, std::shared_ptr<TicketKeys> keys);
    TlsSetup(TlsSetup const&) = delete;
    TlsSetup& operator=(TlsSetup const&) = delete;

    /// A connection that waits for its ClientHello; null if there is no memory.
    SslHandle make_connection() const { return SslHandle(SSL_new(contexts_.front().get())); }
    std::function<void(PeerAddress const&, std::string_view)> const& on_failure() const noexcept { return on_failure_; }

   private:
    void add(TlsOptions const& options, TlsCertificate const& which);
    void use(SSL_CTX* context, TlsCertificate const& which);
    void set_ciphers(SSL_CTX* context, TlsOptions const& options);
    void set_tickets(SSL_CTX* context, TlsOptions const& options);
    void ask_clients(SSL_CTX* context, TlsOptions const& options);
    void learn_names(SSL_CTX* context);

    static int on_server_name(SSL* ssl, int*, void* self);
    static int on_protocols(SSL*, unsigned char const** out, unsigned char* out_size, unsigned char const* in, unsigned in_size,
                            void*);
    static int on_ticket(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac,
                         int seals) {
        auto const* self = static_cast<TlsSetup const*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
        return self->keys_->prepare(name, iv, cipher, mac, seals == 1);
    }

    std::shared_ptr<TicketKeys> keys_;
    std::function<void(PeerAddress const&, std::string_view)> on_failure_;
    std::vector<SslContextHandle> contexts_;             // the first is for who names no host that is known
    std::unordered_map<std::string, SSL_CTX*> by_name_;  // "a.example" and "*.example", in small letters
};

inline TlsSetup::TlsSetup(TlsOptions const& options, std::shared_ptr<TicketKeys> keys)
    : keys_(std::move(keys)), on_failure_(options.on_failure) {
    add(options, {options.certificate, options.key, options.password});
    for (TlsCertificate const& each : options.more) add(options, each);
    SSL_CTX_set_tlsext_servername_callback(contexts_.front().get(), on_server_name);
    SSL_CTX_set_tlsext_servername_arg(contexts_.front().get(), this);
}

inline void TlsSetup::add(TlsOptions const& options, TlsCertificate const& which) {
    ERR_clear_error();
    SSL_CTX* const context = contexts_.emplace_back(SSL_CTX_new(TLS_server_method())).get();
    if (!context) throw_exception(std::runtime_error("TLS: OpenSSL has no context to give: " + take_openssl_reason()));
    SSL_CTX_set_app_data(context, this);
    (void)SSL_CTX_set_min_proto_version(context, options.least == TlsVersion::tls13 ? TLS1_3_VERSION : TLS1_2_VERSION);
    // SSL_OP_ENABLE_KTLS: the keys go to TlsWire, which seals in the place of a kernel.
    SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                                     SSL_OP_PRIORITIZE_CHACHA | SSL_OP_ENABLE_KTLS);
    // A connection that has nothing to read or write keeps no buffer.
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_alpn_select_cb(context, on_protocols, nullptr);
    set_ciphers(context, options);
    set_tickets(context, options);
    if (options.clients != TlsClients::anonymous) ask_clients(context, options);
    use(context, which);
    learn_names(context);
}

inline void TlsSetup::use(SSL_CTX* context, TlsCertificate const& which) {
    TlsMaterial const certificate("certificate", which.certificate), key("key", which.key);
    auto const chain = certificate.certificates();
    if (SSL_CTX_use_certificate(context, chain.front().get()) != 1)
        throw_exception(std::invalid_argument("TLS: " + certificate.name() + " is of no use: " + take_openssl_reason()));
    for (std::size_t i = 1; i < chain.size(); ++i) (void)SSL_CTX_add1_chain_cert(context, chain[i].get());
    KeyHandle const private_key = key.key(which.password);
    ERR_clear_error();
    if (X509_check_private_key(chain.front().get(), private_key.get()) != 1 ||
        SSL_CTX_use_PrivateKey(context, private_key.get()) != 1) {
        ERR_clear_error();
        throw_exception(std::invalid_argument("TLS: " + key.name() + " does not belong to " + certificate.name()));
    }
}

inline void TlsSetup::set_ciphers(SSL_CTX* context, TlsOptions const& options) {
    if (SSL_CTX_set_cipher_list(context, options.ciphers.c_str()) != 1) {
        ERR_clear_error();
        throw_exception(std::invalid_argument("TLS: TlsOptions::ciphers has none that OpenSSL knows: " + options.ciphers));
    }
    if (SSL_CTX_set_ciphersuites(context, options.suites.c_str()) != 1) {
        ERR_clear_error();
        throw_exception(std::invalid_argument("TLS: TlsOptions::suites has one that OpenSSL does not know: " + options.suites));
    }
}

inline void TlsSetup::set_tickets(SSL_CTX* context, TlsOptions const& options) {
    // What is to be resumed is with the client, so that shards share no table and a session costs no memory when it is gone.
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    if (options.resumption.count() <= 0) {
        SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
        (void)SSL_CTX_set_num_tickets(context, 0);
        return;
    }
    (void)SSL_CTX_set_num_tickets(context, 1);
    (void)SSL_CTX_set_timeout(context, static_cast<long>(options.resumption.count()));
    (void)SSL_CTX_set_tlsext_ticket_key_evp_cb(context, on_ticket);
}

inline void TlsSetup::ask_clients(SSL_CTX* context, TlsOptions const& options) {
    int const must = options.clients == TlsClients::must_show ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0;
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | must, nullptr);
    TlsMaterial const authorities("list of client authorities", options.client_authorities);
    for (auto const& each : authorities.certificates()) {
        (void)X509_STORE_add_cert(SSL_CTX_get_cert_store(context), each.get());
        (void)SSL_CTX_add_client_CA(context, each.get());
    }
    // A ticket says whom we believed. It is worth nothing once others sign, or once a certificate is wanted.
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
    std::string const rules = std::to_string(must) + authorities.text();
    unsigned size = 0;
    (void)EVP_Digest(rules.data(), rules.size(), digest.data(), &size, EVP_sha256(), nullptr);
    (void)SSL_CTX_set_session_id_context(context, digest.data(), size);
}

/// The alternative names of a certificate, or else its common name (RFC 6125 6.4.4).
inline void TlsSetup::learn_names(SSL_CTX* context) {
    X509* const certificate = SSL_CTX_get0_certificate(context);
    auto const learn = [&](ASN1_STRING const* text) {
        std::string name(reinterpret_cast<char const*>(ASN1_STRING_get0_data(text)),
                         static_cast<std::size_t>(ASN1_STRING_length(text)));
        for (char& letter : name) letter = http::to_lower(letter);
        by_name_.emplace(std::move(name), context);  // of two certificates for one name the first is taken
    };
    GeneralNamesHandle const names(
        static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
    bool has_any = false;
    for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
        GENERAL_NAME const* const name = sk_GENERAL_NAME_value(names.get(), i);
        if (name->type != GEN_DNS) continue;
        has_any = true;
        learn(name->d.dNSName);
    }
    if (has_any) return;
    X509_NAME const* const subject = X509_get_subject_name(certificate);
    int const at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
    if (at >= 0) learn(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
}

inline int TlsSetup::on_server_name(SSL* ssl, int*, void* self) {
    char const* const asked = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    if (!asked) return SSL_TLSEXT_ERR_NOACK;
    std::string name(asked);
    for (char& letter : name) letter = http::to_lower(letter);
    auto const& known = static_cast<TlsSetup const*>(self)->by_name_;
    auto found = known.find(name);
    if (std::size_t const dot = name.find('.'); found == known.end() && dot != std::string::npos)
        found = known.find("*" + name.substr(dot));  // RFC 6125 6.4.3: for one label, the left-most
    if (found == known.end()) return SSL_TLSEXT_ERR_NOACK;
    (void)SSL_set_SSL_CTX(ssl, found->second);
    return SSL_TLSEXT_ERR_OK;
}

/// RFC 7301 3.2: who offers protocols and not ours is refused; who offers none speaks HTTP/1.1.
inline int TlsSetup::on_protocols(SSL*, unsigned char const** out, unsigned char* out_size, unsigned char const* in,
                                  unsigned in_size, void*) {
    constexpr std::string_view ours = "http/1.1";
    for (unsigned i = 0; i < in_size; i += 1u + in[i]) {
        if (std::string_view(reinterpret_cast<char const*>(in) + i + 1, in[i]) != ours) continue;
        *out = in + i + 1;
        *out_size = in[i];
        return SSL_TLSEXT_ERR_OK;
    }
    return SSL_TLSEXT_ERR_ALERT_FATAL;
}

}  // namespace hubbub::inline v0::detail
