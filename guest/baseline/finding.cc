// SPDX-License-Identifier: MIT
#include "baseline/finding.hh"

#include "baseline/detail/procedure.hh"

#include <algorithm>

namespace tarn::guest::baseline {

std::string_view to_string(Status status) {
    constexpr std::string_view kNames[] = {
        "pass", "fail", "error", "notapplicable", "notchecked", "informational", "fixed"};
    return kNames[static_cast<std::size_t>(status)];
}

std::string_view to_string(Remediation remediation) {
    constexpr std::string_view kNames[] = {"none", "available", "applied", "needs-reboot"};
    return kNames[static_cast<std::size_t>(remediation)];
}

std::size_t Report::count(Status status) const {
    return static_cast<std::size_t>(
        std::ranges::count(findings, status, [](const Finding& one) { return one.status; }));
}

std::size_t Report::excepted() const {
    return static_cast<std::size_t>(std::ranges::count_if(findings, [](const Finding& one) {
        return one.exception != nullptr &&
               (one.status == Status::kFail || one.status == Status::kError);
    }));
}

unsigned Report::score() const {
    const std::size_t right = count(Status::kPass) + count(Status::kFixed);
    const std::size_t wrong = count(Status::kFail) + count(Status::kError);
    return right + wrong == 0 ? 100 : static_cast<unsigned>(100 * right / (right + wrong));
}

bool Report::compliant() const {
    return count(Status::kFail) + count(Status::kError) == excepted();
}

Evidence& Judgement::add(Status status, std::string what, std::string actual, std::string source) {
    evidence.push_back({std::move(what), status, std::move(actual), std::move(source)});
    return evidence.back();
}

Status Judgement::status() const {
    for (const Status status : {Status::kError,
                                Status::kFail,
                                Status::kNotChecked,
                                Status::kPass,
                                Status::kInformational}) {
        if (std::ranges::find(evidence, status, &Evidence::status) != evidence.end()) {
            return status;
        }
    }
    return Status::kNotApplicable;
}

void Judgement::write(Finding& finding) const {
    finding.status = status();
    finding.expected = expected_;
    finding.evidence = evidence;
    const auto telling = std::ranges::find(evidence, finding.status, &Evidence::status);
    if (telling == evidence.end()) {
        return;
    }
    finding.actual = telling->actual;
    finding.source = telling->source;
    if (finding.status != Status::kPass) {
        finding.reason =
            telling->what.empty() ? telling->actual : telling->what + ": " + telling->actual;
        const auto same = std::ranges::count(evidence, finding.status, &Evidence::status);
        if (same > 1) {
            finding.reason += fmt::format(" (and {} more)", same - 1);
        }
    }
}

Status status_of(const Error& error, Status absent) {
    return error.kind == ErrorKind::kNotFound ? absent : Status::kError;
}

}  // namespace tarn::guest::baseline
