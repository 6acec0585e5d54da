// SPDX-License-Identifier: MIT
#include <fcntl.h>
#include <sys/statvfs.h>

#include "base/fs.hh"
#include "base/process.hh"
#include "base/strings.hh"
#include "cli/output.hh"
#include "exec/sandbox.hh"
#include "upstream/debian/archive.hh"

namespace tarn::cli {

namespace {

struct Finding {
    std::string what;
    bool good = false;
    std::string seen;
    std::string mend;  // the command that mends it
};

Finding program(const std::string& name, const std::string& package) {
    const auto path = find_program(name);
    return {name, path.has_value(), path.value_or("not installed"), "apt-get install " + package};
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
    return {"firmware", false, "no OVMF firmware", "apt-get install ovmf"};
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
                            "apt-get install debian-archive-keyring"});
        const auto mirror = debian::choose_mirror(context.given().value("mirror"), "/etc/apt");
        findings.push_back(from_result(
            "mirror", mirror ? Result<void>() : Result<void>(fail(mirror.error())), mirror.value_or("")));
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
