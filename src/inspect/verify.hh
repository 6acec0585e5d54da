// SPDX-License-Identifier: MIT
// Every file of an image against the rpmdb inside it and the manifest beside it.
#pragma once

#include "inspect/facts.hh"

#include <set>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

namespace tarn::inspect {

struct AddedFile {    // the composer's own, or changed by it; of the manifest
    TreeEntry entry;  // contents as a digest
    std::string by;   // "declared" or "composer"
};

struct Expected {
    std::string image;
    std::map<std::string, std::string> packages;  // "bash-5.3-4.tn1.x86_64" -> SHA-256 of the RPM
    std::map<std::string, AddedFile> added;       // by path
    std::set<std::string, std::less<>> left_out{};  // packages have them, the image has not
};
// The parts of a manifest.json that say what is to be in the image.
Result<Expected> parse_expected(const std::string& manifest_json);

struct VerifyProblem {
    std::string path, what;
};

struct VerifyReport {
    std::uint64_t files = 0, from_packages = 0, added = 0, parents = 0, packages = 0;
    std::vector<VerifyProblem> problems;                           // by path
    std::vector<std::pair<std::string, std::string>> added_files;  // path -> by
    bool good() const { return problems.empty(); }
};
VerifyReport verify(const System& system, const Expected& expected);

// Every SELinux label against the policy that lies in the image, when /etc/selinux/config asks for
// one; without, a label is a problem.
Result<std::vector<VerifyProblem>> verify_labels(const Store& store, const System& system);

// The files of a directory against name -> SHA-256; a missing one is a problem too.
Result<std::vector<VerifyProblem>> verify_artifacts(
    const std::string& directory,
    const std::vector<std::pair<std::string, std::string>>& sums,
    unsigned jobs,
    std::stop_token stop);

std::string verify_text(const VerifyReport& report, const std::string& name, bool list_added);
std::string verify_json(const VerifyReport& report, const std::string& name);

}  // namespace tarn::inspect
