// What hubbub_limit_server is, on one io_uring: everything that completed is read, then everything is written, with one entry
// per connection and one system call for all of them.
//   hubbub_uring_limit_server --port N --mode echo|broadcast [--bind ADDRESS]
// Sends are over when their submission returns (MSG_DONTWAIT), and only those that were short report (MSG_WAITALL makes a short
// one a failure, IOSQE_CQE_SKIP_SUCCESS keeps the others silent).
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <utility>
#include <vector>

#include <liburing.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "limit_protocol.hpp"

namespace {

using limit::Bytes;
using limit::fail;
using limit::Rest;

// Indexed by its place in the ring's table of files.
struct Connection {
    Rest unread;               // an incomplete frame or request
    Rest unwritten;            // what the socket did not take
    std::uint32_t place = 0;   // in `open_`
    std::uint32_t record = 0;  // 1 + its place among the records of this round, or 0
    std::uint32_t generation = 0;
    bool is_upgraded = false, is_in_use = false, is_ending = false, is_polled = false;
};

void check(int result, char const* what) {
    if (result >= 0) return;
    errno = -result;
    fail(what);
}

// Where the receives put what they got. Small, because the kernel goes round in it.
class Buffers {
   public:
    static constexpr unsigned count = 256, size = 4096, group = 1;
    static constexpr unsigned stride = size + 192;  // a distance of a power of two would share few sets of the caches

    explicit Buffers(io_uring& ring) {
        std::size_t const entries = std::size_t{count} * sizeof(io_uring_buf);
        void* const memory = mmap(nullptr, entries + std::size_t{stride} * count, PROT_READ | PROT_WRITE,
                                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
        if (memory == MAP_FAILED) fail("mmap");
        ring_ = static_cast<io_uring_buf_ring*>(memory);
        bytes_ = static_cast<char*>(memory) + entries;
        io_uring_buf_reg registration{};
        registration.ring_addr = reinterpret_cast<std::uintptr_t>(memory);
        registration.ring_entries = count;
        registration.bgid = group;
        check(io_uring_register_buf_ring(&ring, &registration, 0), "io_uring_register_buf_ring");
        io_uring_buf_ring_init(ring_);
        for (unsigned id = 0; id < count; ++id) give_back(id);
        publish();
    }
    char* at(unsigned id) { return bytes_ + std::size_t{id} * stride; }
    void give_back(unsigned id) {
        io_uring_buf_ring_add(ring_, at(id), size, static_cast<unsigned short>(id), count - 1, returned_++);
    }
    void publish() {
        if (returned_ != 0) io_uring_buf_ring_advance(ring_, std::exchange(returned_, 0));
    }

   private:
    io_uring_buf_ring* ring_ = nullptr;
    char* bytes_ = nullptr;
    int returned_ = 0;
};

io_uring open_ring(std::size_t files) {
    io_uring ring{};
    io_uring_params parameters{};
    parameters.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_SUBMIT_ALL | IORING_SETUP_CQSIZE;
    parameters.cq_entries = 1u << 15;
    check(io_uring_queue_init_params(1024, &ring, &parameters), "io_uring_setup");
    check(io_uring_register_files_sparse(&ring, static_cast<unsigned>(files)), "io_uring_register_files_sparse");
    return ring;
}

class UringLimitServer {
   public:
    explicit UringLimitServer(limit::Arguments const& arguments)
        : broadcast_(arguments.is_broadcast()),
          connections_(limit::raise_descriptors()),
          ring_(open_ring(connections_.size())),
          buffers_(ring_) {
        io_uring_register_ring_fd(&ring_);
        open_.reserve(connections_.size());
        listener_ = limit::listen_on(arguments, 0);
        accept();
    }

    [[noreturn]] void run() {
        for (;;) {
            // At most 20 pieces of deferred work are done in a call that waits for one completion. To wait for 256 with a timeout of
            // zero was dearer: echo by 14 %, handshakes by 30 %.
            io_uring_submit_and_wait(&ring_, 1);
            std::swap(now_, before_);
            now_->clear();
            take_completions();
            buffers_.publish();
            if (now_->broadcast.size != 0) send_broadcast();
            for (std::uint32_t i = 0; i < now_->records.size(); ++i) send_record(i);
            for (std::uint32_t const index : writable_) send_rest(index);
            writable_.clear();
            for (std::uint32_t const index : unarmed_) receive(index);
            unarmed_.clear();
            for (std::uint32_t const index : ending_) end(index);
            ending_.clear();
        }
    }

   private:
    enum class Kind : std::uint8_t { nobody, accept, receive, broadcast, record, rest, writable };

    // What one connection gets in a round, beside what all get.
    struct Record {
        std::uint32_t index, generation;
        std::size_t offset, size;  // in `direct`
    };
    // Its bytes are read when they are submitted, and once more where a send was short.
    struct Round {
        Bytes broadcast, direct;
        std::vector<Record> records;

        void clear() {
            broadcast.size = direct.size = 0;
            records.clear();
        }
    };

    static std::uint64_t tag(Kind kind, std::uint32_t generation, std::uint32_t index) {
        return std::uint64_t{static_cast<std::uint8_t>(kind)} << 56 | std::uint64_t{generation & 0xFFFFFF} << 32 | index;
    }

    template <class Prepare>
    void prepare(std::uint64_t tag, unsigned flags, Prepare prepare) {
        io_uring_sqe* entry = io_uring_get_sqe(&ring_);
        while (!entry) {
            io_uring_submit(&ring_);
            entry = io_uring_get_sqe(&ring_);
        }
        prepare(entry);
        entry->flags = static_cast<std::uint8_t>(entry->flags | flags);
        entry->user_data = tag;
    }

    void accept() {
        prepare(tag(Kind::accept, 0, 0), 0,
                [&](auto* entry) { io_uring_prep_multishot_accept_direct(entry, listener_, nullptr, nullptr, 0); });
    }

    void receive(std::uint32_t index) {
        Connection const& connection = connections_[index];
        if (!connection.is_in_use) return;
        prepare(tag(Kind::receive, connection.generation, index), IOSQE_FIXED_FILE | IOSQE_BUFFER_SELECT, [&](auto* entry) {
            io_uring_prep_recv_multishot(entry, static_cast<int>(index), nullptr, 0, 0);
            entry->buf_group = Buffers::group;
        });
    }

    void send(std::uint64_t tag, unsigned flags, std::uint32_t index, char const* bytes, std::size_t size) {
        prepare(tag, IOSQE_FIXED_FILE | flags, [&](auto* entry) {
            io_uring_prep_send(entry, static_cast<int>(index), bytes, size, MSG_DONTWAIT | MSG_WAITALL | MSG_NOSIGNAL);
        });
    }

    void send_broadcast() {
        Bytes const& bytes = now_->broadcast;
        for (std::uint32_t const index : open_) {
            Connection const& connection = connections_[index];
            if (connection.record != 0 || connection.unwritten.size != 0) [[unlikely]]
                write(index, bytes.storage.data(), bytes.size);
            else
                send(tag(Kind::broadcast, connection.generation, index), IOSQE_CQE_SKIP_SUCCESS, index, bytes.storage.data(),
                     bytes.size);
        }
    }

    void send_record(std::uint32_t number) {
        Record const& record = now_->records[number];
        if (connections_[record.index].generation != record.generation) return;
        connections_[record.index].record = 0;
        if (record.size != 0)
            send(tag(Kind::record, record.generation, number), IOSQE_CQE_SKIP_SUCCESS, record.index,
                 now_->direct.storage.data() + record.offset, record.size);
    }

    void send_rest(std::uint32_t index) {
        Connection const& connection = connections_[index];
        if (connection.is_in_use)
            send(tag(Kind::rest, connection.generation, index), 0, index, connection.unwritten.bytes,
                 connection.unwritten.size);
    }

    // The receive ends then, which closes the connection.
    void end(std::uint32_t index) {
        prepare(0, IOSQE_CQE_SKIP_SUCCESS, [&](auto* entry) {
            io_uring_prep_cancel64(entry, tag(Kind::receive, connections_[index].generation, index), 0);
        });
    }

    void poll(std::uint32_t index) {
        Connection& connection = connections_[index];
        connection.is_polled = true;
        prepare(tag(Kind::writable, connection.generation, index), IOSQE_FIXED_FILE,
                [&](auto* entry) { io_uring_prep_poll_add(entry, static_cast<int>(index), POLLOUT); });
    }

    void take_completions() {
        unsigned head = 0, count = 0;
        io_uring_cqe* completion = nullptr;
        io_uring_for_each_cqe(&ring_, head, completion) {
            ++count;
            take(static_cast<Kind>(completion->user_data >> 56),
                 static_cast<std::uint32_t>(completion->user_data >> 32) & 0xFFFFFF,
                 static_cast<std::uint32_t>(completion->user_data), completion->res, completion->flags);
        }
        io_uring_cq_advance(&ring_, count);
    }

    void take(Kind kind, std::uint32_t generation, std::uint32_t index, int result, unsigned flags) {
        if (kind == Kind::nobody) return;
        if (kind == Kind::accept) return accepted(result, flags);
        if (kind == Kind::record) {
            Record const record = before_->records[index];
            if (is_current(record.index, generation))
                settle(record.index, result, before_->direct.storage.data() + record.offset, record.size);
            return;
        }
        bool const is_ours = is_current(index, generation);
        if (kind == Kind::receive) {
            if (result > 0) {
                unsigned const buffer = flags >> IORING_CQE_BUFFER_SHIFT;
                if (is_ours) received(index, buffers_.at(buffer), static_cast<std::size_t>(result));
                buffers_.give_back(buffer);
            }
            if (!is_ours || (flags & IORING_CQE_F_MORE) != 0) return;
            if ((result > 0 || result == -ENOBUFS || result == -EINTR) && !connections_[index].is_ending)
                unarmed_.push_back(index);
            else
                close(index);
        } else if (is_ours && kind == Kind::broadcast) {
            settle(index, result, before_->broadcast.storage.data(), before_->broadcast.size);
        } else if (is_ours && kind == Kind::rest) {
            if (result > 0) connections_[index].unwritten.drop_front(static_cast<std::size_t>(result));
            if (connections_[index].unwritten.size != 0 && (result > 0 || result == -EAGAIN)) poll(index);
        } else if (is_ours && kind == Kind::writable) {
            connections_[index].is_polled = false;
            writable_.push_back(index);
        }
    }

    bool is_current(std::uint32_t index, std::uint32_t generation) const {
        return connections_[index].is_in_use && connections_[index].generation == generation;
    }

    void accepted(int result, unsigned flags) {
        if (result >= 0) {
            connections_[static_cast<std::uint32_t>(result)].is_in_use = true;
            unarmed_.push_back(static_cast<std::uint32_t>(result));
        }
        if ((flags & IORING_CQE_F_MORE) != 0) return;
        is_paused_ = result == -ENFILE || result == -EMFILE;  // else it is reported again and again
        if (!is_paused_) accept();
    }

    // A send that was short or failed.
    void settle(std::uint32_t index, int result, char const* bytes, std::size_t size) {
        if (result < 0 && result != -EAGAIN) return;  // the receive ends too
        Connection& connection = connections_[index];
        std::size_t const taken = result < 0 ? 0 : static_cast<std::size_t>(result);
        connection.unwritten.append(bytes + taken, size - taken);
        if (connection.record != 0) {
            Record& later = now_->records[connection.record - 1];
            connection.unwritten.append(now_->direct.storage.data() + later.offset, std::exchange(later.size, 0));
        }
        poll(index);
    }

    void close(std::uint32_t index) {
        Connection& connection = connections_[index];
        if (connection.is_upgraded) {
            std::uint32_t const last = open_.back();
            open_[connection.place] = last;
            connections_[last].place = connection.place;
            open_.pop_back();
        }
        if (connection.is_polled)
            prepare(0, IOSQE_CQE_SKIP_SUCCESS,
                    [&](auto* entry) { io_uring_prep_cancel64(entry, tag(Kind::writable, connection.generation, index), 0); });
        connection.unread.clear();
        connection.unwritten.clear();
        auto const next = (connection.generation + 1) & 0xFFFFFF;
        connection = {};
        connection.generation = next;
        prepare(0, IOSQE_CQE_SKIP_SUCCESS, [&](auto* entry) { io_uring_prep_close_direct(entry, index); });
        if (std::exchange(is_paused_, false)) accept();
    }

    void received(std::uint32_t index, char* bytes, std::size_t size) {
        Connection& connection = connections_[index];
        if (connection.is_ending) return;
        bool const is_joined = connection.unread.size != 0;
        if (is_joined) {
            connection.unread.append(bytes, size);
            bytes = connection.unread.bytes;
            size = connection.unread.size;
        }
        std::size_t used = 0;
        if (!connection.is_upgraded) used = upgrade(index, {bytes, size});
        if (connection.is_upgraded && used != size) used += decode(index, bytes + used, size - used);
        if (is_joined)
            connection.unread.drop_front(used);
        else if (used != size)
            connection.unread.append(bytes + used, size - used);
    }

    // Length of the request, or 0 where it is not whole yet.
    std::size_t upgrade(std::uint32_t index, std::string_view request) {
        std::size_t const used = upgrade_.take(request);
        if (upgrade_.is_refused) end_later(index);
        if (used == 0) return 0;
        Connection& connection = connections_[index];
        connection.is_upgraded = true;
        connection.place = static_cast<std::uint32_t>(open_.size());
        open_.push_back(index);
        write(index, upgrade_.answer().data(), upgrade_.answer().size());
        return used;
    }

    // Decodes the whole frames and returns their length.
    std::size_t decode(std::uint32_t index, char const* bytes, std::size_t size) {
        limit::Decoded decoded;
        if (broadcast_) {
            decoded = limit::decode(bytes, size, now_->broadcast, control_);
        } else if (connections_[index].unwritten.size != 0) [[unlikely]] {
            std::size_t const before = now_->direct.size;
            decoded = limit::decode(bytes, size, now_->direct, control_);
            connections_[index].unwritten.append(now_->direct.storage.data() + before, now_->direct.size - before);
            now_->direct.size = before;
        } else {
            Record& record = record_at_end(index);
            decoded = limit::decode(bytes, size, now_->direct, control_);
            record.size = now_->direct.size - record.offset;
        }
        if (control_.size != 0) [[unlikely]] {
            write(index, control_.storage.data(), control_.size);
            control_.size = 0;
        }
        if (decoded.is_closing || decoded.is_broken) end_later(index);
        return decoded.used;
    }

    void end_later(std::uint32_t index) {
        connections_[index].is_ending = true;
        ending_.push_back(index);
    }

    // The record of that connection, to be continued at the end of `direct`: what it gets in a round is one send.
    Record& record_at_end(std::uint32_t index) {
        Connection& connection = connections_[index];
        Bytes& direct = now_->direct;
        if (connection.record == 0) {
            now_->records.push_back({index, connection.generation, direct.size, 0});
            connection.record = static_cast<std::uint32_t>(now_->records.size());
        }
        Record& record = now_->records[connection.record - 1];
        if (record.offset + record.size != direct.size) [[unlikely]] {
            char* const to = direct.room(record.size);
            std::memcpy(to, direct.storage.data() + record.offset, record.size);
            record.offset = direct.size;
            direct.size += record.size;
        }
        return record;
    }

    void write(std::uint32_t index, char const* bytes, std::size_t size) {
        Connection& connection = connections_[index];
        if (connection.unwritten.size != 0) return connection.unwritten.append(bytes, size);
        Record& record = record_at_end(index);
        std::memcpy(now_->direct.room(size), bytes, size);
        now_->direct.size += size;
        record.size += size;
    }

    bool broadcast_;
    bool is_paused_ = false;
    int listener_ = -1;
    std::vector<Connection> connections_;
    io_uring ring_;
    Buffers buffers_;
    std::vector<std::uint32_t> open_;
    std::vector<std::uint32_t> writable_, unarmed_, ending_;  // what is to be submitted behind the sends of this round
    Round rounds_[2];
    Round* now_ = &rounds_[0];
    Round* before_ = &rounds_[1];
    Bytes control_;
    limit::Upgrade upgrade_;
};

}  // namespace

int main(int argc, char** argv) { return limit::serve<UringLimitServer>("hubbub_uring_limit_server", argc, argv); }
