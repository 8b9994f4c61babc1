#pragma once

#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <system_error>

#include "inflater.hpp"

namespace generator {

inline constexpr char usage[] =
    R"(hubbub_load_generator (--port N [--host ADDRESS] | --unix PATH) [options]
  --mode broadcast|echo|handshake|hold|account   (broadcast)
                      account: a broadcast at --rate from which the server may drop for who stalls; in the end these read again,
                      and what each client received is counted
  --connections N     clients; in handshake: how many at once (1000; handshake 64)
  --in-flight W       messages outstanding: per publisher (broadcast) or per connection (echo) (1)
  --publishers P      connections that publish (1)
  --payload BYTES     of each message, at least 16 (64)
  --seconds S         length of the window (3)
  --warmup S          before it (1)
  --rate R            messages a second of all publishers together, instead of as fast as --in-flight allows
  --bursts            in broadcast: publish --in-flight messages at once, and the next when all of them are over
  --fill              with --rate: the warm-up is as fast as --in-flight allows, so that the buffers of those that stall are full
  --stall K           clients that never read; in account: not before the window is over
  --stall-buffer B    receive buffer of these, bytes (4096)
  --handshakes N      end after that many instead of --seconds
  --path PATH         of the upgrade request (/)
  --source ADDRESS    to connect from
  --tls               speak TLS; any certificate will do
  --server-pid PID    read the CPU time of that process
  --answer-pings      in hold: answer pings (the other modes always do)
  --lossy             in account: the server may drop for clients that read too
  --sample S          in account: seconds into the window at which the server's memory is looked at, beside its end (10)
  --deflate           offer permessage-deflate and publish what compresses; a compressed message is counted, and inflated where
                      its content matters
  --verify            check content and order of each message at each receiver
  --latency           from publish to each receiver; with --rate from when the message was due, so that waiting to send counts
  --spin              never sleep, so that the server pays for no wake-ups, and what is due is sent at once
  --timeout S         without any progress: give up (10)
  --json              one line of JSON
Ends with 0 if nothing was lost or wrong, 1 if something was, 2 if it could not start.
)";

/// Ends the program.
[[noreturn]] inline void refuse(std::string const& sentence) {
    std::fprintf(stderr, "hubbub_load_generator: %s\n", sentence.c_str());
    std::exit(2);
}

/// What the command line says.
struct Options {
    std::string mode = "broadcast", host = "127.0.0.1", unix_path, path = "/", source;
    std::uint32_t port = 0, connections = 0, in_flight = 1, publishers = 1, payload = 64, stall = 0, stall_buffer = 4096;
    std::uint64_t handshakes = 0;
    double seconds = 3, warmup = 1, rate = 0, timeout = 10, sample = 10;
    long server_pid = 0;
    bool tls = false, verify = false, latency = false, json = false, answer_pings = false, spin = false, lossy = false,
         fill = false, bursts = false, deflate = false;

    static Options parse(int argc, char** argv) {
        Options result;
        for (int i = 1; i < argc; ++i) {
            std::string const name = argv[i];
            if (name == "--help") std::fputs(usage, stdout), std::exit(0);
            if (result.set_flag(name)) continue;
            if (++i == argc) refuse(name + " needs a value or is not known; --help lists all options");
            if (!result.set_value(name, argv[i])) refuse(name + " is not known; --help lists all options");
        }
        result.check();
        return result;
    }

   private:
    bool set_flag(std::string const& name) {
        if (name == "--verify")
            verify = true;
        else if (name == "--latency")
            latency = true;
        else if (name == "--json")
            json = true;
        else if (name == "--spin")
            spin = true;
        else if (name == "--answer-pings")
            answer_pings = true;
        else if (name == "--lossy")
            lossy = true;
        else if (name == "--fill")
            fill = true;
        else if (name == "--deflate")
            deflate = true;
        else if (name == "--tls")
            tls = true;
        else if (name == "--bursts")
            bursts = true;
        else
            return false;
        return true;
    }

    bool set_value(std::string const& name, std::string const& value) {
        auto const number = [&](auto& into) {
            auto const [end, error] = std::from_chars(value.data(), value.data() + value.size(), into);
            if (error != std::errc{} || end != value.data() + value.size()) refuse(name + " needs a number, not " + value);
        };
        if (name == "--mode")
            mode = value;
        else if (name == "--host")
            host = value;
        else if (name == "--unix")
            unix_path = value;
        else if (name == "--path")
            path = value;
        else if (name == "--source")
            source = value;
        else if (name == "--port")
            number(port);
        else if (name == "--connections")
            number(connections);
        else if (name == "--in-flight")
            number(in_flight);
        else if (name == "--publishers")
            number(publishers);
        else if (name == "--payload")
            number(payload);
        else if (name == "--seconds")
            number(seconds);
        else if (name == "--warmup")
            number(warmup);
        else if (name == "--rate")
            number(rate);
        else if (name == "--stall")
            number(stall);
        else if (name == "--stall-buffer")
            number(stall_buffer);
        else if (name == "--handshakes")
            number(handshakes);
        else if (name == "--server-pid")
            number(server_pid);
        else if (name == "--sample")
            number(sample);
        else if (name == "--timeout")
            number(timeout);
        else
            return false;
        return true;
    }

    void check() {
        if (mode != "broadcast" && mode != "echo" && mode != "handshake" && mode != "hold" && mode != "account")
            refuse("--mode is broadcast, echo, handshake, hold or account, not " + mode);
        if (deflate && !Inflater::is_there) refuse("--deflate is not built: zlib was not found (zlib1g-dev)");
        if (mode == "account" && rate <= 0) refuse("--mode account needs a --rate");
#ifndef GENERATOR_HAS_TLS
        if (tls) refuse("--tls is not in this build, because OpenSSL was not found");
#endif
        if (port == 0 && unix_path.empty()) refuse("--port or --unix is needed");
        if (port > 65535) refuse("--port ends at 65535");
        if (connections == 0) connections = mode == "handshake" ? 64 : 1000;
        if (payload < 16) refuse("--payload is at least 16: publisher, number and time are in it");
        if (payload > 64u << 20) refuse("--payload is at most 64 MiB");
        if (in_flight == 0 || publishers == 0) refuse("--in-flight and --publishers are at least 1");
        if (stall + publishers > connections) refuse("--stall leaves too few clients for --publishers");
        if (mode != "broadcast" && mode != "account" && (stall != 0 || publishers != 1 || rate > 0))
            refuse("--stall, --publishers and --rate are for broadcast and account");
    }
};

}  // namespace generator
