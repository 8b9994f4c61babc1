// Validation of text (RFC 6455 8.1). ASCII is most of what machines say, a mixture is what people say, and the worst is text in
// which every character is long.
#include <string>

#include <benchmark/benchmark.h>

#include <hubbub/ws/utf8.hpp>

namespace {
namespace utf8 {

void validate(benchmark::State& state, std::string_view part) {
    std::string text;
    while (text.size() + part.size() <= static_cast<std::size_t>(state.range(0))) text += part;
    for (auto _ : state) {
        benchmark::ClobberMemory();
        bool const is_valid = hubbub::ws::is_valid_utf8(text);
        if (!is_valid) state.SkipWithError("it is valid");
    }
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(text.size()));
}
BENCHMARK_CAPTURE(validate, ascii, "{\"type\": \"said\", \"text\": \"hello\"}")->Arg(64)->Arg(4096);
BENCHMARK_CAPTURE(validate, mixed,
                  "Gr\xC3\xBC\xC3\x9F"
                  "e an alle, \xD0\xBF\xD1\x80\xD0\xB8\xD0\xB2\xD0\xB5\xD1\x82 \xF0\x9F\x91\x8B! ")
    ->Arg(64)
    ->Arg(4096);
BENCHMARK_CAPTURE(validate, worst, "\xE4\xBD\xA0\xE5\xA5\xBD\xE4\xB8\x96\xF0\x9F\x8C\x8D")->Arg(64)->Arg(4096);

}  // namespace utf8
}  // namespace
