// SPDX-License-Identifier: MIT
#include "provision/report.hh"

#include "base/strings.hh"

#include "provision/text.hh"
#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace tarn::guest {

namespace {

std::string csv_field(const std::string& field) {
    if (field.find_first_of("|'\r\n") == std::string::npos) {
        return field;
    }
    return "'" + replace_all(field, "'", "''") + "'";
}

std::string text_with(const Report& report, const std::string& reason) {
    std::vector<std::string> fields;
    fields.push_back(report.success ? "result=success" : "result=error");
    if (!report.success) {
        fields.push_back(csv_field("reason=" + reason));
    }
    fields.push_back(std::string("agent=") + kAgent);
    if (!report.success) {
        fields.push_back(fmt::format("duration={:.1f}", report.seconds));
    }
    fields.push_back(csv_field("pps_type=" + report.pps_type));
    fields.push_back(csv_field("vm_id=" + report.vm_id));
    fields.push_back("timestamp=" + report.timestamp);
    if (!report.success) {
        fields.emplace_back("documentation_url=https://aka.ms/linuxprovisioningerror");
    }
    return join(fields, "|");
}

}  // namespace

std::string report_text(const Report& report, std::size_t limit) {
    std::string reason = one_line(report.reason);
    std::string text = text_with(report, reason);
    while (text.size() > limit && !reason.empty()) {
        const std::size_t over = text.size() - limit;
        // A quote that is cut away was two bytes of the text: a shorter reason may be needed again.
        const std::size_t keep =
            reason.size() - std::min(reason.size(), std::max<std::size_t>(over / 2, 1));
        reason = std::string(cut_text(reason, keep));
        text = text_with(report, reason);
    }
    return std::string(cut_text(text, limit));
}

}  // namespace tarn::guest
