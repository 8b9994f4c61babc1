#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include <hubbub/transport/socket/socket_engine.hpp>
#include <hubbub/transport/tls/tls_bench.hpp>
#include <hubbub/transport/tls/tls_link.hpp>

namespace hubbub::inline v0::detail {

/// The engine of all TLS connections of a loop, above the loop's engine, whichever that is. Plain connections know nothing of it.
///
/// Cost: 80 KiB a loop, and see RecordArena; 36 bytes a connection, beside its TlsLink and what the engine below has of it.
class TlsEngine final : public SocketEngine, private TlsBench {
   public:
    explicit TlsEngine(SocketEngine& engine_below) : SocketEngine(engine_below.loop()), TlsBench(engine_below) {}
    static std::unique_ptr<SocketEngine> make(SocketEngine& engine_below) { return std::make_unique<TlsEngine>(engine_below); }

    std::string_view name() const noexcept override { return below.name(); }

    void enter(SocketState& state, TcpSocket socket) override;
    void moved(SocketState& state) noexcept override {
        SocketEngine::moved(state);
        links_[state.slot]->moved(state);
    }
    void start(SocketState& state, ByteConnectionOwner& owner) override {
        if (state.descriptor < 0) return;
        state.owner = &owner;
        links_[state.slot]->start();
    }
    WriteResult write(SocketState& state, std::span<ws::Slice const> slices) override {
        if (state.descriptor < 0) return {.failed = true};
        return links_[state.slot]->write(slices);
    }
    void pause(SocketState& state) override {
        state.paused = true;
        if (state.descriptor >= 0) links_[state.slot]->update_reading();
    }
    void resume(SocketState& state) override {
        state.paused = false;
        if (state.descriptor >= 0) links_[state.slot]->resume();
    }
    void shutdown(SocketState& state) override {
        if (state.descriptor >= 0) links_[state.slot]->shutdown();
    }
    void close(SocketState& state) override {
        if (state.descriptor >= 0) leave(state)->close();
    }
    void reset(SocketState& state) override {
        if (state.descriptor >= 0) leave(state)->reset();
    }
    TcpSocket detach(SocketState& state) override {
        if (state.descriptor < 0) return {};
        auto link = leave(state);
        TcpSocket socket = link->detach();
        socket.set_layer(std::move(link));
        return socket;
    }
    void commit() override;
    bool writes_at_once() const noexcept override { return below.writes_at_once(); }
    std::size_t footprint() const noexcept override { return TlsBench::footprint; }
    std::size_t footprint(SocketState const& state) const noexcept override { return links_[state.slot]->weight(); }
    std::shared_ptr<http::ClientCertificate const> certificate(SocketState const& state) const override {
        return links_[state.slot]->certificate();
    }
    std::unique_ptr<ListenWatch> listen(int descriptor, ListenOwner& owner) override { return below.listen(descriptor, owner); }

   private:
    static constexpr std::uint8_t in_unsent = 1, in_looking = 2;

    void arm(SocketState&) override {}
    std::unique_ptr<TlsLink> leave(SocketState& state) noexcept {
        slots().put_back(state.slot);
        state.owner = nullptr;
        state.descriptor = -1;
        return std::move(links_[state.slot]);
    }

    void list_unsent(TlsLink& link) override {
        if ((link.listed & in_unsent) != 0) return;
        link.listed |= in_unsent;
        unsent_.push_back(&link);
        if (is_committing || (SocketEngine::loop().in_turn() && SocketEngine::loop().has_hook())) return;
        SocketEngine::loop().post([this, engine = handle()] {
            if (!engine.expired()) commit();
        });
    }
    void look_later(TlsLink& link) override {
        if ((link.listed & in_looking) != 0) return;
        link.listed |= in_looking;
        looking_.push_back(&link);
        if (looking_.size() > 1) return;
        SocketEngine::loop().post([this, engine = handle()] {
            if (!engine.expired()) look();
        });
    }
    void look();
    void forget(TlsLink& link) noexcept override {
        std::replace(unsent_.begin(), unsent_.end(), &link, static_cast<TlsLink*>(nullptr));
        std::replace(looking_.begin(), looking_.end(), &link, static_cast<TlsLink*>(nullptr));
        std::replace(looked_at_.begin(), looked_at_.end(), &link, static_cast<TlsLink*>(nullptr));
        link.listed = 0;
    }

    std::vector<std::unique_ptr<TlsLink>> links_;  // by slot
    std::vector<TlsLink*> unsent_, looking_, looked_at_;
};

inline void TlsEngine::enter(SocketState& state, TcpSocket socket) {
    state.slot = slots().take(state, socket.peer()) & (SlotTable::max_slots - 1);
    state.engine = this;
    state.descriptor = socket.descriptor();
    if (links_.size() <= state.slot) links_.resize(state.slot + 1u);
    links_[state.slot].reset(static_cast<TlsLink*>(socket.take_layer().release()));
    links_[state.slot]->enter(*this, state, std::move(socket));
}

inline void TlsEngine::commit() {
    if (std::exchange(is_committing, true)) return;
    do {
        for (std::size_t i = 0; i < unsent_.size(); ++i) {
            TlsLink* const link = unsent_[i];
            if (!link) continue;
            link->listed &= static_cast<std::uint8_t>(~in_unsent);
            unsent_[i] = nullptr;
            link->flush();
        }
        unsent_.clear();
        below.commit();
    } while (!unsent_.empty());
    wires.out.clear();
    retired.clear();
    is_committing = false;
}

inline void TlsEngine::look() {
    looked_at_.swap(looking_);
    for (std::size_t i = 0; i < looked_at_.size(); ++i) {
        TlsLink* const link = looked_at_[i];
        if (!link) continue;
        link->listed &= static_cast<std::uint8_t>(~in_looking);
        looked_at_[i] = nullptr;
        link->look();
    }
    looked_at_.clear();
}

}  // namespace hubbub::inline v0::detail
