// SPDX-License-Identifier: MIT
// Dependency solving: the only room that includes libsolv. It knows names, versions and relations,
// and nothing of files or where packages come from.
#pragma once

#include "base/result.hh"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tarn {

enum class VersionScheme { kRpm, kDeb };

// "rtld(GNU_HASH)", "glibc >= 2.43-1", "(a or b)", "libfoo.so.1()(64bit)": RPM syntax, rich
// dependencies included; for kDeb "a (>= 1) | b" as in a control file, one element a clause.
struct SolvePackage {
    std::string name;
    std::string evr;  // [epoch:]version[-release]
    std::string arch;
    std::vector<std::string> requires_{};
    std::vector<std::string> provides{};  // name = evr is added by itself
    std::vector<std::string> conflicts{};
    std::vector<std::string> obsoletes{};
    std::vector<std::string> recommends{};
    std::vector<std::string> files{};  // only those a dependency may name (/usr/bin/sh ...)
    int priority = 0;                  // higher wins over newer
};

struct SolveRequest {
    std::vector<std::string> install{};  // names, or "name = evr", files or provides
    std::vector<std::string> exclude{};  // names never to be used
    // Of several providers, these names are to be taken.
    std::vector<std::string> favor{};
    bool weak_dependencies = false;  // install Recommends too
    // Per package dependencies that are to be taken as satisfied.
    std::vector<std::string> assume_provided{};
};

struct SolvedPackage {
    std::size_t index = 0;  // into the packages added
    std::string reason;     // "requested", or "required by bash" (the first that asks)
};

class Universe {
  public:
    explicit Universe(VersionScheme scheme, std::string architecture);
    Universe(Universe&&) noexcept;
    Universe& operator=(Universe&&) noexcept;
    ~Universe();
    std::size_t add(const SolvePackage& package);  // index
    // Sorted by name. kNotFound for an unknown name (with suggestions in help); kFailed when it
    // cannot be resolved: message names what, notes say why in words.
    Result<std::vector<SolvedPackage>> solve(const SolveRequest& request);

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

// rpmvercmp over EVR strings, and dpkg's order: <0, 0, >0.
int compare_evr(VersionScheme scheme, std::string_view a, std::string_view b);

}  // namespace tarn
