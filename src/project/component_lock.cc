// SPDX-License-Identifier: MIT
#include "project/component_lock.hh"

#include "base/fs.hh"
#include "base/strings.hh"
#include "project/toml.hh"

#include <algorithm>
#include <limits>

namespace tarn {
namespace {

using declaration::Entry;
using declaration::Value;
using declaration::ValueKind;

constexpr std::uint64_t kLockLimit = 64 << 10;
constexpr std::string_view kSuffix = ".lock";
// Writing it anew would lose what only it knows.
constexpr std::string_view kRestore =
    "restore it from git: its import commit and bumps are nowhere else";
constexpr std::string_view kHashPrefix = "sha256:";

bool is_hex(std::string_view text) {
    return text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}
bool is_commit(std::string_view text) {
    return text.empty() || (text.size() >= 7 && text.size() <= 64 && is_hex(text));
}
bool is_sha256(std::string_view text) {
    return text.empty() || (text.starts_with(kHashPrefix) &&
                            text.size() == kHashPrefix.size() + 64 &&
                            is_hex(text.substr(kHashPrefix.size())));
}

struct TextKey {
    std::string_view key;
    std::string ComponentLock::* member;
    bool (*valid)(std::string_view);
    std::string_view expected;
};

// In the order of the file; manual-bump stands between the commits and the hashes.
constexpr TextKey kCommits[] = {
    {"import-commit", &ComponentLock::import_commit, is_commit, "a commit in hexadecimal digits"},
    {"upstream-commit",
     &ComponentLock::upstream_commit,
     is_commit,
     "a commit in hexadecimal digits"},
};
constexpr TextKey kHashes[] = {
    {"input-fingerprint",
     &ComponentLock::input_fingerprint,
     is_sha256,
     "\"sha256:\" and 64 hexadecimal digits"},
    {"resolution-input-hash",
     &ComponentLock::resolution_input_hash,
     is_sha256,
     "\"sha256:\" and 64 hexadecimal digits"},
};

class LockReader {
  public:
    explicit LockReader(Diagnostics& diagnostics) : diagnostics_(diagnostics) {}

    ComponentLock read(const Value& document) {
        ComponentLock lock;
        for (const Entry& entry : document.entries) {
            if (!read_text_key(entry, kCommits, lock) && !read_text_key(entry, kHashes, lock)) {
                read_number(entry, lock);
            }
        }
        if (document.find("version") == nullptr) {
            diagnostics_.error({document.span.begin, 1}, "a component's lock needs `version = 1`");
        }
        return lock;
    }

  private:
    template <std::size_t N>
    bool read_text_key(const Entry& entry, const TextKey (&keys)[N], ComponentLock& lock) {
        const auto* key = std::find_if(std::begin(keys), std::end(keys), [&](const TextKey& each) {
            return each.key == entry.key;
        });
        if (key == std::end(keys)) {
            return false;
        }
        if (entry.value.kind != ValueKind::kString || !key->valid(entry.value.text)) {
            diagnostics_.error(entry.value.span,
                               fmt::format("`{}` must be {}", entry.key, key->expected));
        } else {
            lock.*(key->member) = entry.value.text;
        }
        return true;
    }

    void read_number(const Entry& entry, ComponentLock& lock) {
        const Value& value = entry.value;
        if (entry.key == "version") {
            if (value.kind != ValueKind::kInteger || value.integer != 1) {
                diagnostics_.error(value.span,
                                   "this version of a component's lock is not known; expected 1",
                                   "if a newer tool wrote it, use that");
            }
        } else if (entry.key == "manual-bump") {
            constexpr std::int64_t kMost = std::numeric_limits<std::int32_t>::max();
            if (value.kind != ValueKind::kInteger || value.integer < 0 || value.integer > kMost) {
                diagnostics_.error(value.span, "`manual-bump` must be an integer from 0");
            } else {
                lock.manual_bump = static_cast<unsigned>(value.integer);
            }
        } else {
            diagnostics_.error(entry.key_span,
                               fmt::format("unknown key `{}` in a component's lock", entry.key),
                               did_you_mean(entry.key,
                                            {"version",
                                             "import-commit",
                                             "upstream-commit",
                                             "manual-bump",
                                             "input-fingerprint",
                                             "resolution-input-hash"}));
        }
    }

    Diagnostics& diagnostics_;
};

void print_text(std::string& out, std::string_view key, const std::string& value) {
    if (!value.empty()) {
        out += fmt::format("{} = '{}'\n", key, value);
    }
}

// <lock-dir>/debian.lock may be the lock of a Debian archive, which is JSON.
bool is_archive_lock(const std::string& path) {
    const auto text = read_file(path);
    return text && trim(*text).starts_with('{');
}

}  // namespace

Result<ComponentLock> ComponentLock::parse(std::string_view text, const std::string& file_name) {
    SourceMap sources;
    Diagnostics diagnostics(sources);
    ComponentLock lock;
    if (text.size() > kLockLimit) {
        return fail(error(ErrorKind::kCorrupt,
                          "{}:1:1: a component's lock has at most 64 KiB; this has {}",
                          file_name,
                          human_size(text.size()))
                        .advise(std::string(kRestore)));
    }
    const SourceMap::File& file = sources.add(file_name, std::string(text));
    if (const auto document = declaration::parse_toml(sources, file, diagnostics)) {
        lock = LockReader(diagnostics).read(*document);
    }
    auto fine = diagnostics.checkpoint(ErrorKind::kCorrupt);
    if (!fine) {
        return fail(std::move(fine.error()).advise(std::string(kRestore)));
    }
    return lock;
}

std::string ComponentLock::print(std::string_view header) const {
    std::string out;
    if (!header.empty()) {
        out = fmt::format("{}\n", header);
    }
    out += "version = 1\n";
    for (const TextKey& key : kCommits) {
        print_text(out, key.key, this->*(key.member));
    }
    if (manual_bump != 0) {
        out += fmt::format("manual-bump = {}\n", manual_bump);
    }
    for (const TextKey& key : kHashes) {
        print_text(out, key.key, this->*(key.member));
    }
    return out;
}

std::string component_lock_path(const Project& project, const std::string& component) {
    return join_path(project.lock_dir, component + std::string(kSuffix));
}

Result<ComponentLock> read_component_lock(const Project& project, const std::string& component) {
    const std::string path = component_lock_path(project, component);
    const std::string text = TARN_TRY(read_file(path, kLockLimit));
    return ComponentLock::parse(text, relative_to(path, current_directory()));
}

Result<std::vector<std::string>> locked_components(const Project& project) {
    std::vector<std::string> names;
    if (!path_exists(project.lock_dir)) {
        return names;
    }
    for (const std::string& file : TARN_TRY(list_directory(project.lock_dir))) {
        const bool hidden = file.starts_with('.');
        if (hidden || !file.ends_with(kSuffix) || file.size() == kSuffix.size()) {
            continue;
        }
        std::string name = file.substr(0, file.size() - kSuffix.size());
        if (name != "debian" || !is_archive_lock(join_path(project.lock_dir, file))) {
            names.push_back(std::move(name));
        }
    }
    return names;
}

}  // namespace tarn
