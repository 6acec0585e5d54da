// SPDX-License-Identifier: MIT
#include "distgit/detail/packs.hh"

#include "base/fs.hh"
#include "base/process.hh"
#include "base/strings.hh"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>

namespace tarn::distgit::detail {
namespace {

constexpr std::size_t kMostPacks = 64;
constexpr std::string_view kIndex = ".idx";

struct Pack {
    std::string stem;  // path without ".pack"
    std::uint64_t size = 0;
    bool promisor = false;
};

// An index is renamed into its place last and removed last: one without a pack is a rest.
std::vector<Pack> packs_of(const std::string& directory, const std::vector<std::string>& names) {
    std::vector<Pack> packs;
    for (const std::string& name : names) {
        if (!name.starts_with("pack-") || !name.ends_with(kIndex)) {
            continue;
        }
        Pack pack;
        pack.stem = join_path(directory, name.substr(0, name.size() - kIndex.size()));
        struct stat info{};
        if (::stat((pack.stem + ".pack").c_str(), &info) != 0) {
            ::unlink((pack.stem + ".idx").c_str());
            continue;
        }
        pack.size = static_cast<std::uint64_t>(info.st_size);
        pack.promisor = path_exists(pack.stem + ".promisor");
        packs.push_back(std::move(pack));
    }
    std::sort(packs.begin(), packs.end(), [](const Pack& a, const Pack& b) {
        return a.size != b.size ? a.size < b.size : a.stem < b.stem;
    });
    return packs;
}

// A pack at least twice as large as all smaller ones together is left alone.
void keep_large_ones(std::vector<Pack>& packs) {
    std::uint64_t below = 0;
    for (const Pack& pack : packs) {
        below += pack.size;
    }
    while (!packs.empty()) {
        below -= packs.back().size;
        if (packs.back().size < 2 * below) {
            return;
        }
        packs.pop_back();
    }
}

// The new pack's path without ".pack", in `aside`; empty when git cannot.
std::string write_pack(const std::string& host, const std::string& aside,
                       const std::vector<Pack>& packs, int lock) {
    Command command;
    command.argv = {"git", "--git-dir=" + host, "pack-objects", "--stdin-packs", "--window=0",
                    "--delta-base-offset", "--quiet", join_path(aside, "pack")};
    for (const Pack& pack : packs) {
        command.input += file_name(pack.stem) + ".pack\n";
    }
    command.environment = {{"PATH", "/usr/bin:/bin:/usr/local/bin"},
                           {"LC_ALL", "C"},
                           {"GIT_CONFIG_NOSYSTEM", "1"},
                           {"GIT_CONFIG_GLOBAL", "/dev/null"},
                           {"GIT_NO_LAZY_FETCH", "1"}};
    command.keep_fds = {lock};
    command.before_exec = [] { return ::prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 ? 0 : errno; };
    const auto done = run(command);
    const std::string stem =
        done ? join_path(aside, "pack-" + std::string(trim(done->output))) : std::string();
    return done && done->exit_code == 0 && path_exists(stem + ".idx") ? stem : std::string();
}

// Readers that hold an old pack go on; others find the new one.
void replace(const std::vector<Pack>& packs, const std::string& made, const std::string& place) {
    const bool promisor =
        std::any_of(packs.begin(), packs.end(), [](const Pack& pack) { return pack.promisor; });
    if (promisor && !write_file_atomic(place + ".promisor", "")) {
        return;
    }
    for (const char* end : {".pack", ".rev", ".idx"}) {
        if (path_exists(made + end) && !rename_path(made + end, place + end)) {
            return;
        }
    }
    // Earlier versions wrote an index over all packs.
    ::unlink(join_path(parent_path(place), "multi-pack-index").c_str());
    for (const Pack& pack : packs) {
        if (pack.stem != place) {
            for (const char* end : {".pack", ".rev", ".promisor", ".idx"}) {
                ::unlink((pack.stem + end).c_str());
            }
        }
    }
}

}  // namespace

void merge_packs(const std::string& host) {
    const std::string directory = join_path(host, "objects/pack");
    const auto names = list_directory(directory);
    const auto is_index = [](const std::string& name) { return name.ends_with(kIndex); };
    if (!names || static_cast<std::size_t>(
                      std::count_if(names->begin(), names->end(), is_index)) <= kMostPacks) {
        return;
    }
    const auto lock = open_file(join_path(host, "tarn/merge.lock"), O_RDWR | O_CREAT, 0644);
    if (!lock || ::flock(lock->get(), LOCK_EX | LOCK_NB) != 0) {
        return;
    }
    // Again: who held the lock may just have merged them.
    const auto now = list_directory(directory);
    std::vector<Pack> packs =
        packs_of(directory, now.value_or(std::vector<std::string>{}));
    if (packs.size() <= kMostPacks) {
        return;
    }
    keep_large_ones(packs);
    const std::string aside = join_path(host, "tarn/merge");
    if (packs.size() < 2 || !remove_tree(aside) || !make_directories(aside)) {
        return;
    }
    const std::string made = write_pack(host, aside, packs, lock->get());
    if (!made.empty()) {
        replace(packs, made, join_path(directory, file_name(made)));
    }
    static_cast<void>(remove_tree(aside));
}

}  // namespace tarn::distgit::detail
