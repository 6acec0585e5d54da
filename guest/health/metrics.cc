// SPDX-License-Identifier: MIT
#include "health/metrics.hh"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "base/strings.hh"

namespace tarn::guest {

void Metrics::add(
    MetricType type, std::string_view name, std::string_view help, double value, Labels labels) {
    auto family = std::ranges::find(families_, name, &Family::name);
    if (family == families_.end()) {
        std::string unit;
        for (const char* known : {"seconds", "bytes"}) {
            unit = name.ends_with(std::string("_") + known) ? known : unit;
        }
        families_.push_back({std::string(name), type, std::string(help), unit, {}});
        family = std::prev(families_.end());
    }
    family->samples.push_back({std::move(labels), value});
}

namespace {

std::string number_text(double value) {
    if (std::isnan(value) || std::isinf(value)) {
        return std::isnan(value) ? "NaN" : (value > 0 ? "+Inf" : "-Inf");
    }
    return fmt::format("{}", value);
}

// A label's value: a device or a mount point may be called anything.
std::string escaped(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (c == '\\' || c == '"') {
            out += '\\';
            out += c;
        } else if (c == '\n') {
            out += "\\n";
        } else {
            // Only UTF-8 may be sent: other bytes become question marks.
            out += static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) > 0x7e
                       ? '?'
                       : c;
        }
    }
    return out;
}

std::string labels_text(const Labels& labels) {
    std::string out;
    for (const auto& [name, value] : labels) {
        out += fmt::format("{}{}=\"{}\"", out.empty() ? "{" : ",", name, escaped(value));
    }
    return out.empty() ? out : out + "}";
}

}  // namespace

std::string metrics_text(const Metrics& metrics, Exposition form) {
    const bool open = form == Exposition::kOpenMetrics;
    std::string out;
    for (const Family& family : metrics.families()) {
        const bool counter = family.type == MetricType::kCounter;
        const bool info = family.type == MetricType::kInfo;
        const std::string full = family.name + (counter ? "_total" : info ? "_info" : "");
        // The older format knows no info, and names a family as its samples.
        const std::string& named = open ? family.name : full;
        const char* type = counter ? "counter" : info && open ? "info" : "gauge";
        out += fmt::format("# HELP {} {}\n# TYPE {} {}\n", named, family.help, named, type);
        if (open && !family.unit.empty()) {
            out += fmt::format("# UNIT {} {}\n", named, family.unit);
        }
        for (const Family::Sample& sample : family.samples) {
            out += full + labels_text(sample.labels) + " " + number_text(sample.value) + "\n";
        }
    }
    return open ? out + "# EOF\n" : out;
}

std::string_view content_type(Exposition form) {
    return form == Exposition::kOpenMetrics
               ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
               : "text/plain; version=0.0.4; charset=utf-8";
}

Exposition negotiate(std::string_view accept) {
    double open = 0, plain = 0;
    for (const std::string_view range : split(accept.substr(0, 4096), ',')) {
        const auto parts = split(range, ';');
        double weight = 1;
        for (const std::string_view part : parts) {
            const std::string_view parameter = trim(part);
            if (parameter.starts_with("q=")) {
                weight = 0;
                std::from_chars(parameter.data() + 2, parameter.data() + parameter.size(), weight);
            }
        }
        const std::string type = to_lower(trim(parts[0]));
        double& best = type == "application/openmetrics-text" ? open : plain;
        best = std::max(best, weight);
    }
    return open > 0 && open >= plain ? Exposition::kOpenMetrics : Exposition::kPrometheus;
}

}  // namespace tarn::guest
