// SPDX-License-Identifier: MIT
#include <fcntl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/fs.hh"
#include "base/process.hh"
#include "base/strings.hh"
#include "cli/output.hh"
#include "exec/sandbox.hh"
#include "upstream/debian/archive.hh"
#include "upstream/fetch.hh"

namespace tarn::cli {

namespace {

struct Finding {
    std::string what;
    bool good = false;
    std::string seen;
    std::string mend;  // the command that mends it
};

std::string install(const std::string& package) {
    return (::geteuid() == 0 ? "apt-get install " : "sudo apt-get install ") + package;
}

Finding program(const std::string& name, const std::string& package) {
    const auto path = find_program(name);
    return {name, path.has_value(), path.value_or("not installed"), install(package)};
}

// Configured is not enough: it has to answer.
Finding mirror(const Context& context) {
    const auto chosen = debian::choose_mirror(context.given().value("mirror"), "/etc/apt");
    if (!chosen) {
        return {"mirror", false, chosen.error().message,
                chosen.error().help.empty() ? "" : chosen.error().help.front()};
    }
    FetchOptions options;
    options.retries = 1;
    options.stall_seconds = 10;
    options.stop = context.stop();
    const auto answer = fetch_text(*chosen + "/dists/stable/InRelease", 4U << 20U, options);
    if (!answer) {
        return {"mirror", false, answer.error().message, "name another one with --mirror"};
    }
    return {"mirror", true, *chosen + " answers", ""};
}

Finding from_result(const std::string& what, const Result<void>& result, const std::string& good) {
    if (result) {
        return {what, true, good, ""};
    }
    const Error& problem = result.error();
    return {what, false, problem.message, problem.help.empty() ? "" : problem.help.front()};
}

Finding firmware() {
    for (const char* path : {"/usr/share/OVMF/OVMF_CODE_4M.fd", "/usr/share/OVMF/OVMF_CODE.fd"}) {
        if (path_exists(path)) {
            return {"firmware", true, path, ""};
        }
    }
    return {"firmware", false, "no OVMF firmware", install("ovmf")};
}

Finding space(const std::string& directory) {
    constexpr std::uint64_t kWanted = 10ULL * 1000 * 1000 * 1000;
    struct statvfs info {};
    if (::statvfs(directory.c_str(), &info) != 0) {
        return {"space", false, "cannot look at " + directory, ""};
    }
    const std::uint64_t free = static_cast<std::uint64_t>(info.f_bavail) * info.f_frsize;
    return {"space",
            free >= kWanted,
            human_size(free) + " free for the store",
            "free some space, or name another place with --store"};
}

}  // namespace

CommandSpec doctor() {
    CommandSpec spec;
    spec.path = "doctor";
    spec.summary = "Say what this machine lacks, and the command that mends it";
    spec.run = [](Context& context) -> Result<ExitCode> {
        std::vector<Finding> findings;
        findings.push_back(program("bwrap", "bubblewrap"));
        findings.push_back(from_result("sandbox", probe_sandbox(), "works"));
        findings.push_back(program("qemu-system-x86_64", "qemu-system-x86"));
        findings.push_back(firmware());
        const std::string keyring = "/usr/share/keyrings/debian-archive-keyring.gpg";
        findings.push_back({"archive keys",
                            path_exists(keyring),
                            path_exists(keyring) ? keyring : "not installed",
                            install("debian-archive-keyring")});
        findings.push_back(program("git", "git"));
        findings.push_back(mirror(context));
        const Store store = TARN_TRY(context.store());
        findings.push_back(space(store.directory()));

        Table table("findings", {{"CHECK"}, {"STATE"}, {"SEEN"}, {"MEND"}});
        std::size_t bad = 0;
        for (const Finding& finding : findings) {
            bad += finding.good ? 0U : 1U;
            table.add({finding.what,
                       finding.good ? "ok" : "lacking",
                       finding.seen,
                       finding.good ? "" : finding.mend});
        }
        print(table, context.format());
        return bad == 0 ? ExitCode::kDone : ExitCode::kFailed;
    };
    return spec;
}

}  // namespace tarn::cli
