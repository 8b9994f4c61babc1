#pragma once

#include <cerrno>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>

namespace generator {

/// A client's TLS on a socket that does not wait, in place of recv and send: it believes any certificate, since it is for
/// measuring. It reads ciphertext by the buffer, not by the record, so that it costs few system calls.
class TlsWire {
   public:
    explicit TlsWire(int descriptor) : descriptor_(descriptor), ssl_(SSL_new(context()), SSL_free) {
        SSL_set_bio(ssl_.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
        SSL_set_connect_state(ssl_.get());
        SSL_do_handshake(ssl_.get());
    }

    /// As recv; what is less than `size` has emptied the socket.
    ssize_t receive(void* bytes, std::size_t size) {
        static std::vector<char> records(std::size_t{1} << 17);
        std::size_t filled = decrypt(bytes, 0, size);
        while (filled < size) {
            ssize_t const got = recv(descriptor_, records.data(), records.size(), 0);
            if (got == 0 || (got < 0 && errno != EAGAIN)) return filled > 0 ? static_cast<ssize_t>(filled) : got;
            if (got < 0) break;
            BIO_write(SSL_get_rbio(ssl_.get()), records.data(), static_cast<int>(got));
            filled = decrypt(bytes, filled, size);
            if (static_cast<std::size_t>(got) < records.size()) break;
        }
        send_records();
        if (filled > 0) return static_cast<ssize_t>(filled);
        errno = EAGAIN;
        return -1;
    }
    /// As send; it takes everything, before the handshake is over too.
    ssize_t transmit(void const* bytes, std::size_t size) {
        early_.append(static_cast<char const*>(bytes), size);
        say_what_waits();
        return send_records() ? static_cast<ssize_t>(size) : -1;
    }

   private:
    static SSL_CTX* context() {
        static std::unique_ptr<SSL_CTX, void (*)(SSL_CTX*)> const made(SSL_CTX_new(TLS_client_method()), SSL_CTX_free);
        SSL_CTX_set_mode(made.get(), SSL_MODE_RELEASE_BUFFERS);
        return made.get();
    }

    std::size_t decrypt(void* bytes, std::size_t filled, std::size_t size) {
        ERR_clear_error();
        std::size_t got = 0;
        while (filled < size && SSL_read_ex(ssl_.get(), static_cast<char*>(bytes) + filled, size - filled, &got) == 1)
            filled += got;
        say_what_waits();
        return filled;
    }
    void say_what_waits() {
        if (early_.empty() || !SSL_is_init_finished(ssl_.get())) return;
        SSL_write(ssl_.get(), early_.data(), static_cast<int>(early_.size()));
        early_.clear();
    }
    /// Waits for room, which a server that reads gives soon.
    bool send_records() {
        char* bytes = nullptr;
        BIO* const out = SSL_get_wbio(ssl_.get());
        auto left = static_cast<std::size_t>(BIO_get_mem_data(out, &bytes));
        while (left > 0) {
            ssize_t const sent = send(descriptor_, bytes, left, MSG_NOSIGNAL);
            if (sent > 0) {
                bytes += sent;
                left -= static_cast<std::size_t>(sent);
                continue;
            }
            pollfd room{descriptor_, POLLOUT, 0};
            if (errno != EAGAIN || poll(&room, 1, 10'000) <= 0) return false;
        }
        (void)BIO_reset(out);
        return true;
    }

    int descriptor_;
    std::unique_ptr<SSL, void (*)(SSL*)> ssl_;
    std::string early_;
};

}  // namespace generator
