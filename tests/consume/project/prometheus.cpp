#include <hubbub/operations/prometheus/metrics_page.hpp>

bool prometheus_works();
bool prometheus_works() {
    hubbub::PrometheusText text;
    hubbub::write_metrics(text, hubbub::HubSnapshot{});
    return text.text().find("\nhubbub_deliveries_total 0\n") != std::string::npos;
}
