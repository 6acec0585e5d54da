// SPDX-License-Identifier: MIT
// A target in memory, for tests and fuzzing.
#pragma once

#include "base/fs.hh"
#include "base/strings.hh"

#include "baseline/target.hh"

#include <map>
#include <string>
#include <vector>

namespace tarn::guest::baseline {

class FakeTarget final : public Target {
  public:
    struct Entry {
        FileInfo info;
        std::string content;  // or the link's target
        bool denied = false;  // reading it is EACCES
    };
    bool is_live = true;
    std::map<std::string, Entry> entries;
    std::vector<Package> package_list;
    bool has_packages = true;
    std::string verify_output;
    AuditState audit_state;
    bool has_audit = true;
    std::vector<std::string> policies;
    std::string arguments;
    std::string platform_document;

    FakeTarget& file(const std::string& path,
                     std::string content,
                     unsigned mode = 0644,
                     unsigned uid = 0,
                     unsigned gid = 0) {
        directories(path);
        FileInfo info{FileKind::kFile, mode, uid, gid, content.size()};
        entries[path] = {info, std::move(content)};
        return *this;
    }
    FakeTarget& directory(const std::string& path, unsigned mode = 0755, unsigned uid = 0) {
        directories(path);
        entries[path] = {{FileKind::kDirectory, mode, uid, 0, 0}, {}};
        return *this;
    }
    FakeTarget& symlink(const std::string& path, const std::string& target) {
        directories(path);
        entries[path] = {{FileKind::kLink, 0777, 0, 0, 0}, target};
        return *this;
    }
    FakeTarget& deny(const std::string& path) {
        file(path, "");
        entries[path].denied = true;
        return *this;
    }

    bool live() const override { return is_live; }
    std::string name() const override { return "fake"; }
    Result<std::string> read(const std::string& path, std::uint64_t limit) const override {
        const Entry* entry = resolve(path, 0);
        if (entry == nullptr) {
            return fail(ErrorKind::kNotFound, "cannot open {}: No such file or directory", path);
        }
        if (entry->denied) {
            return fail(ErrorKind::kSystem, "cannot open {}: Permission denied", path);
        }
        if (entry->info.kind != FileKind::kFile || entry->content.size() > limit) {
            return fail(ErrorKind::kCorrupt, "{} is no file or too large", path);
        }
        return entry->content;
    }
    Result<FileInfo> info(const std::string& path, Follow follow) const override {
        const auto found = entries.find(path);
        const Entry* entry = follow == Follow::kYes   ? resolve(path, 0)
                             : found == entries.end() ? nullptr
                                                      : &found->second;
        if (entry == nullptr) {
            return fail(ErrorKind::kNotFound, "cannot open {}: No such file or directory", path);
        }
        return entry->info;
    }
    Result<std::vector<std::string>> list(const std::string& path) const override {
        const std::string prefix = path == "/" ? path : path + "/";
        std::vector<std::string> names;
        for (auto at = entries.lower_bound(prefix); at != entries.end(); ++at) {
            if (!at->first.starts_with(prefix)) {
                break;
            }
            const std::string rest = at->first.substr(prefix.size());
            if (!rest.empty() && rest.find('/') == std::string::npos) {
                names.push_back(rest);
            }
        }
        if (names.empty() && !entries.contains(path)) {
            return fail(ErrorKind::kNotFound, "cannot open {}: No such file or directory", path);
        }
        return names;
    }
    Result<std::string> link(const std::string& path) const override {
        const auto found = entries.find(path);
        if (found == entries.end() || found->second.info.kind != FileKind::kLink) {
            return fail(ErrorKind::kNotFound, "{} is no link", path);
        }
        return found->second.content;
    }
    Result<std::string> attribute(const std::string& path, const std::string&) const override {
        return fail(ErrorKind::kNotFound, "{} has no such attribute", path);
    }
    Result<void> walk(const Visit& visit) const override {
        for (const auto& [path, entry] : entries) {
            visit(path, entry.info);
        }
        return {};
    }
    Result<std::vector<Package>> packages() const override {
        if (!has_packages) {
            return fail(ErrorKind::kNotFound, "no rpm database");
        }
        return package_list;
    }
    Result<std::string> verify_packages(const std::vector<std::string>&) const override {
        return verify_output;
    }
    Result<AuditState> audit() const override {
        if (!is_live || !has_audit) {
            return fail(ErrorKind::kNotFound, "not a live machine");
        }
        return audit_state;
    }
    Result<std::vector<std::string>> input_policies() const override {
        if (!is_live) {
            return fail(ErrorKind::kNotFound, "not a live machine");
        }
        return policies;
    }
    Result<std::string> platform() const override {
        if (platform_document.empty()) {
            return fail(ErrorKind::kNotFound, "no metadata broker");
        }
        return platform_document;
    }
    Result<std::string> command_line() const override { return arguments; }

  private:
    void directories(const std::string& path) {
        for (std::size_t at = path.rfind('/'); at != std::string::npos && at > 0;
             at = path.rfind('/', at - 1)) {
            entries.try_emplace(path.substr(0, at),
                                Entry{{FileKind::kDirectory, 0755, 0, 0, 0}, {}});
        }
    }
    const Entry* resolve(const std::string& path, int depth) const {
        const auto found = entries.find(path);
        if (found == entries.end() || depth > 8) {
            return nullptr;
        }
        if (found->second.info.kind != FileKind::kLink) {
            return &found->second;
        }
        return resolve(absolute_path(found->second.content, parent_path(path)), depth + 1);
    }
};

}  // namespace tarn::guest::baseline
