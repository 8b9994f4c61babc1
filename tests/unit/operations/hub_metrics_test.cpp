// All metrics, and the page docs/operations/metrics.md, which this program writes when HUBBUB_WRITE_PAGES is set in its environment.
#include <hubbub/operations/hub_metrics.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/catch.hpp"

namespace hub_metrics {

using namespace hubbub;

/// Takes down what there is, and which labels it has.
struct Listed {
    struct Family {
        std::string name, help;
        MetricType type;
        std::vector<std::string> labels;
        std::size_t samples = 0;
    };
    std::vector<Family> families;

    void begin(Metric const& metric) {
        families.push_back({std::string(metric.name), std::string(metric.help), metric.type, {}, 0});
    }
    void sample(std::span<MetricLabel const> labels, double) { note(labels); }
    void histogram(std::span<MetricLabel const> labels, HistogramSample const&) { note(labels); }

   private:
    void note(std::span<MetricLabel const> labels) {
        ++families.back().samples;
        std::vector<std::string> names;
        for (MetricLabel const& each : labels) names.emplace_back(each.name);
        if (families.back().samples == 1) families.back().labels = std::move(names);
    }
};
static_assert(MetricSink<Listed>);

/// Of a hub where everything that has a label has one.
Listed all() {
    HubSnapshot hub;
    hub.shards.resize(2);
    hub.shards[0].listed.push_back({.name = "news"});
    hub.shards[0].measures.closes.note(CloseCode::normal, CloseInfo::By::peer);
    Listed listed;
    write_metrics(listed, hub);
    return listed;
}

std::string page() {
    static constexpr std::string_view types[] = {"counter", "gauge", "histogram"};
    std::string text =
        "# Metrics\n\n"
        "What `hubbub::add_metrics` shows to a Prometheus server; [how to add it](monitoring.md). This page is written by\n"
        "`tests/unit/operations/hub_metrics_test.cpp` from the list that the program itself writes them from.\n\n"
        "Names end with their unit; what ends with `_total` only grows until the process ends. No label has a value that a "
        "client "
        "chooses: close codes\nbeyond 32 different ones are `0`, and topics are those that `MetricsPageOptions::topics` "
        "lists.\n\n"
        "| metric | type | labels | what it is |\n|---|---|---|---|\n";
    for (auto const& family : all().families) {
        std::string labels;
        for (auto const& each : family.labels) labels += (labels.empty() ? "`" : ", `") + each + "`";
        text += "| `" + family.name + "` | " + std::string(types[static_cast<std::size_t>(family.type)]) + " | " + labels +
                " | " + family.help + " |\n";
    }
    return text;
}

}  // namespace hub_metrics

using namespace hub_metrics;

TEST_CASE("Every metric has a sample, and is listed once") {
    std::set<std::string> names;
    for (auto const& family : all().families) {
        CAPTURE(family.name);
        CHECK(family.samples > 0);
        CHECK(names.insert(family.name).second);
    }
}

TEST_CASE("docs/operations/metrics.md lists the metrics that there are") {
    auto const path = std::filesystem::path(__FILE__).parent_path().parent_path().parent_path().parent_path() / "docs" /
                      "operations" / "metrics.md";
    if (std::getenv("HUBBUB_WRITE_PAGES")) std::ofstream(path) << page();
    std::ifstream file(path);
    std::string const committed{std::istreambuf_iterator<char>(file), {}};
    INFO("write it anew with HUBBUB_WRITE_PAGES=1");
    CHECK(committed == page());
}
