// SPDX-License-Identifier: MIT
// Numbers for monitoring, as text: the Prometheus format (0.0.4) and OpenMetrics 1.0. What wants
// OpenTelemetry scrapes one of them (the collector's prometheus receiver); nothing is pushed.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tarn::guest {

using Labels = std::vector<std::pair<std::string, std::string>>;
enum class MetricType { kCounter, kGauge, kInfo };

struct Family {
    std::string name;  // without "_total" or "_info"
    MetricType type = MetricType::kGauge;
    std::string help;
    std::string unit;  // "seconds", "bytes" or empty; the name ends with it
    struct Sample {
        Labels labels;
        double value = 0;
    };
    std::vector<Sample> samples;
};

class Metrics {
  public:
    // Adds to the family of this name, which takes type and help from the first.
    void add(MetricType type,
             std::string_view name,
             std::string_view help,
             double value,
             Labels labels = {});
    const std::vector<Family>& families() const { return families_; }

  private:
    std::vector<Family> families_;
};

enum class Exposition { kPrometheus, kOpenMetrics };
std::string metrics_text(const Metrics& metrics, Exposition form);
std::string_view content_type(Exposition form);
// What an Accept header asks for: OpenMetrics when it names it with a weight of at least the plain
// text's, else Prometheus.
Exposition negotiate(std::string_view accept);

}  // namespace tarn::guest
