#pragma once

/// A static probe (USDT) of the provider `hubbub`, at which bpftrace, perf, SystemTap and gdb can look into a process that runs.
/// `count` is that of its arguments, which are integers and pointers; docs/events.md lists them.
///
/// Cost: with HUBBUB_USDT one instruction that does nothing, and what it takes to have the arguments at hand; without, nothing at all.
#ifdef HUBBUB_USDT
#if !__has_include(<sys/sdt.h>)
#error "hubbub: HUBBUB_USDT needs sys/sdt.h: install systemtap-sdt-dev"
#endif
#include <sys/sdt.h>
#define HUBBUB_PROBE(count, name, ...) STAP_PROBE##count(hubbub, name, __VA_ARGS__)
#else
#define HUBBUB_PROBE(count, name, ...) static_cast<void>(0)
#endif
