// SPDX-License-Identifier: MIT
// What an upstream reference resolved to, written down: <lock-dir>/debian.lock, JSON with one
// package a line so that a diff of it reads well (docs/formats/lock.md).
#pragma once

#include "base/result.hh"
#include "store/digest.hh"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace tarn {

struct LockedFile {       // a binary package or a file of a source package
    std::string suite;    // key into Lock::suites
    std::string package;  // Debian name
    std::string version;
    std::string architecture;
    std::string path;  // in the archive: pool/main/...
    Digest digest{};
    std::vector<std::string> groups;  // import groups whose closure has it; empty for sources
    std::string reason;               // "requested" or "required by x"
};

struct LockedSuite {
    std::string distro, version;  // of the project
    std::string suite;
    std::string date;  // of Release
    std::string valid_until;
    Digest release{};            // of InRelease as fetched
    std::string signer;          // fingerprint
    std::string expired_reason;  // when an expired Release was accepted
};

struct Lock {
    int format = 1;
    Digest request{};  // of what was asked (groups, policy, sources): freshness
    std::map<std::string, LockedSuite> suites;
    std::vector<LockedFile> packages;  // sorted by suite, package
    std::vector<LockedFile> sources;

    std::string serialize() const;
    static Result<Lock> parse(const std::string& text, const std::string& name);
};

}  // namespace tarn
