// SPDX-License-Identifier: MIT
#include "base/fs.hh"
#include "base/strings.hh"
#include "exec/detail/advice.hh"
#include "exec/sandbox.hh"

namespace tarn {

namespace {

// The switches by which kernels and distributions forbid user namespaces, and how to turn them.
struct Switch {
    const char* file;       // below /proc
    const char* forbidden;  // its text then
    const char* help;
};
constexpr Switch kSwitches[] = {
    {"sys/kernel/unprivileged_userns_clone",
     "0",
     "as root: sysctl -w kernel.unprivileged_userns_clone=1"},
    {"sys/user/max_user_namespaces", "0", "as root: sysctl -w user.max_user_namespaces=65536"},
    {"sys/kernel/apparmor_restrict_unprivileged_userns",
     "1",
     "as root: sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"},
};

std::string_view last_line(std::string_view text) {
    std::string_view last;
    for (const std::string_view line : split_lines(text)) {
        if (!trim(line).empty()) {
            last = trim(line);
        }
    }
    return last;
}

}  // namespace

namespace detail {

Error bubblewrap_missing() {
    return error(ErrorKind::kNotFound,
                 "bubblewrap (`bwrap`) is not installed: builds run in its sandboxes")
        .advise("as root: apt-get install bubblewrap");
}

Error setup_failed(const std::string& proc, std::string_view said) {
    const std::string_view line = last_line(said);
    Error result = error(ErrorKind::kFailed,
                         "cannot set up a sandbox: {}",
                         line.empty() ? "bubblewrap failed without a word" : line);
    for (const Switch& entry : kSwitches) {
        const Result<std::string> text = read_file(join_path(proc, entry.file), 64);
        if (text && trim(*text) == entry.forbidden) {
            result.notes.push_back(fmt::format("/proc/{} is {}", entry.file, entry.forbidden));
            result.help.emplace_back(entry.help);
        }
    }
    const bool denied = contains(line, "ermission") || contains(line, "not permitted");
    if (result.help.empty() && denied) {
        result.help.emplace_back(
            "namespaces are forbidden here; in a container, start it with --privileged, or with "
            "--security-opt seccomp=unconfined --security-opt systempaths=unconfined");
    }
    return result;
}

}  // namespace detail

Result<void> probe_sandbox() {
    const std::optional<std::string> bwrap = find_program("bwrap");
    if (!bwrap) {
        return fail(detail::bubblewrap_missing());
    }
    // The payload is bubblewrap itself: the one program that is sure to be there.
    Command command;
    command.argv = {*bwrap,    "--unshare-all", "--uid",      "0",         "--gid",
                    "0",       "--hostname",    "tarn",       "--ro-bind", "/",
                    "/",       "--proc",        "/proc",      "--dev",     "/dev",
                    "--tmpfs", "/tmp",          "--cap-drop", "ALL",       "--",
                    *bwrap,    "--version"};
    command.merge_error = true;
    command.timeout = std::chrono::seconds(20);
    const ProcessResult result = TARN_TRY(run(command));
    if (result.exit_code != 0) {
        return fail(detail::setup_failed("/proc", result.output));
    }
    return {};
}

}  // namespace tarn
