// SPDX-License-Identifier: MIT
#include "provision/packages.hh"

#include "base/strings.hh"

namespace tarn::guest {
namespace {

Program dnf(const std::string& program, std::vector<std::string> arguments) {
    std::vector<std::string> argv = {program};
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    return {std::move(argv), {}, true, std::chrono::hours(1)};
}

}  // namespace

Result<void> do_packages(const Machine& machine, const Tools& tools, const PackageWork& work) {
    if (!work.any()) {
        return {};
    }
    const std::string program = first_program(machine, {"/usr/bin/dnf5", "/usr/bin/dnf"});
    if (program.empty()) {
        return fail(error(ErrorKind::kFailed, "packages are asked for, but there is no dnf5 here")
                        .advise("use an image that has it, or put the packages into the image"));
    }
    if (work.update || work.upgrade) {
        TARN_TRY(run_checked(tools, machine, dnf(program, {"-y", "makecache", "--refresh"})));
    }
    if (work.upgrade) {
        TARN_TRY(run_checked(tools, machine, dnf(program, {"-y", "upgrade"})));
    }
    if (!work.install.empty()) {
        std::vector<std::string> arguments = {"-y", "install"};
        arguments.insert(arguments.end(), work.install.begin(), work.install.end());
        TARN_TRY(run_checked(tools, machine, dnf(program, std::move(arguments))));
    }
    if (work.reboot_if_required) {
        // 1: a restart is needed.
        const int code = TARN_TRY(tools.run(machine, dnf(program, {"needs-restarting", "-r"})));
        if (code == 1) {
            tools.say("an upgraded package asks for a restart");
            return run_checked(
                tools,
                machine,
                {{"/usr/sbin/shutdown", "-r", "+1", "package_reboot_if_required"}, {}, false, {}});
        }
    }
    return {};
}

Result<void> write_repository(const Machine& machine, const Repository& repository) {
    std::string text = fmt::format("[{}]\n", repository.id);
    bool named = false;
    for (const auto& [key, value] : repository.options) {
        text += fmt::format("{}={}\n", key, value);
        named = named || key == "name";
    }
    if (!named) {
        text += fmt::format("name={}\n", repository.id);
    }
    TARN_TRY(machine.make_directory("/etc/yum.repos.d", 0755, Owner{}));
    const std::string file = replace_all(repository.id, ":", "_");
    return machine.write(fmt::format("/etc/yum.repos.d/{}.repo", file), text, 0644, Owner{});
}

}  // namespace tarn::guest
