#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <asio/buffer.hpp>
#include <asio/generic/stream_protocol.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/address.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/local/stream_protocol.hpp>
#include <asio/ssl/context.hpp>
#include <asio/ssl/host_name_verification.hpp>
#include <asio/ssl/stream.hpp>
#include <asio/write.hpp>

#include <hubbub/backplane/redis/redis_options.hpp>
#include <hubbub/backplane/redis/redis_url.hpp>

namespace hubbub::inline v0::detail {

/// A stream to one place: TCP or a Unix socket, plain or with TLS. Whoever waits for it keeps it alive.
class RedisSocket {
   public:
    using Executor = asio::io_context::executor_type;
    using Stream = asio::generic::stream_protocol::socket;

    explicit RedisSocket(asio::io_context& context) : stream_(context), resolver_(context) {}

    /// Prepares TLS for `host`. The files are read each time, so that they may be replaced. Returns what is wrong.
    std::string use_tls(RedisTls const& tls, std::string const& host) {
        std::error_code error;
        context_.emplace(asio::ssl::context::tls_client);
        context_->set_options(asio::ssl::context::default_workarounds | asio::ssl::context::no_sslv2 |
                                  asio::ssl::context::no_sslv3 | asio::ssl::context::no_tlsv1 | asio::ssl::context::no_tlsv1_1,
                              error);
        if (tls.authorities.empty())
            context_->set_default_verify_paths(error);
        else
            context_->load_verify_file(tls.authorities, error);
        if (error) return "tls.authorities: " + error.message();
        if (!tls.certificate.empty()) {
            context_->use_certificate_chain_file(tls.certificate, error);
            if (error) return "tls.certificate: " + error.message();
            context_->use_private_key_file(tls.key, asio::ssl::context::pem, error);
            if (error) return "tls.key: " + error.message();
        }
        tls_.emplace(stream_, *context_);
        std::string const& name = tls.name.empty() ? host : tls.name;
        if (tls.verify) {
            tls_->set_verify_mode(asio::ssl::verify_peer, error);
            if (!error) tls_->set_verify_callback(asio::ssl::host_name_verification(name), error);
            if (error) return "tls: " + error.message();
        }
        std::error_code is_name;
        (void)asio::ip::make_address(name, is_name);
        if (is_name && SSL_set_tlsext_host_name(tls_->native_handle(), name.c_str()) != 1) return "tls.name is none";
        return {};
    }

    /// `handler(std::error_code)`, also after the handshake of TLS.
    template <class Handler>
    void connect(RedisUrl::Place const& place, Handler handler) {
        if (place.port == 0) return connect_to(asio::local::stream_protocol::endpoint(place.host), std::move(handler));
        std::error_code error;
        asio::ip::address const address = asio::ip::make_address(place.host, error);
        if (!error) return connect_to(asio::ip::tcp::endpoint(address, place.port), std::move(handler));
        resolver_.async_resolve(
            place.host, std::to_string(place.port), asio::ip::resolver_base::numeric_service,
            [this, handler = std::move(handler)](std::error_code failed, asio::ip::tcp::resolver::results_type found) mutable {
                if (!failed && found.empty()) failed = asio::error::host_not_found;
                if (failed) return handler(failed);
                found_ = std::move(found);
                try_next(found_.begin(), std::move(handler));
            });
    }

    template <class Handler>
    void read_some(asio::mutable_buffer to, Handler handler) {
        if (tls_)
            tls_->async_read_some(to, std::move(handler));
        else
            stream_.async_read_some(to, std::move(handler));
    }
    template <class Handler>
    void write(asio::const_buffer from, Handler handler) {
        if (tls_)
            asio::async_write(*tls_, from, std::move(handler));
        else
            asio::async_write(stream_, from, std::move(handler));
    }

    void close() noexcept {
        std::error_code ignored;
        resolver_.cancel();
        stream_.close(ignored);
    }

   private:
    template <class Handler>
    void connect_to(asio::generic::stream_protocol::endpoint const& endpoint, Handler handler) {
        stream_.async_connect(endpoint, [this, handler = std::move(handler)](std::error_code error) mutable {
            if (error) return handler(error);
            connected(std::move(handler));
        });
    }
    /// A name may have several addresses, of which some may not work.
    template <class Handler>
    void try_next(asio::ip::tcp::resolver::results_type::iterator next, Handler handler) {
        stream_.async_connect(next->endpoint(), [this, next, handler = std::move(handler)](std::error_code error) mutable {
            if (!error) return connected(std::move(handler));
            if (error == asio::error::operation_aborted || ++next == found_.end()) return handler(error);
            std::error_code ignored;
            stream_.close(ignored);
            try_next(next, std::move(handler));
        });
    }
    template <class Handler>
    void connected(Handler handler) {
        std::error_code ignored;
        // A turn's bytes go in one write: to wait for more would only delay them. Not for a Unix socket, which says so.
        stream_.set_option(asio::ip::tcp::no_delay(true), ignored);
        if (tls_)
            tls_->async_handshake(asio::ssl::stream_base::client, std::move(handler));
        else
            handler(std::error_code{});
    }

    Stream stream_;
    asio::ip::tcp::resolver resolver_;
    asio::ip::tcp::resolver::results_type found_;
    std::optional<asio::ssl::context> context_;
    std::optional<asio::ssl::stream<Stream&>> tls_;
};

}  // namespace hubbub::inline v0::detail
