// SPDX-License-Identifier: MIT
#include "provision/sudo.hh"

namespace tarn::guest {

Result<void> write_sudoers(const Machine& machine, const Tools& tools, const SudoRules& rules) {
    std::string text = "# Written by tarn-provision; it is written anew for a new instance.\n";
    bool any = false;
    for (const auto& [name, lines] : rules) {
        for (const std::string& line : lines) {
            text += name + " " + line + "\n";
            any = true;
        }
    }
    if (!any) {
        return machine.remove(kSudoers);
    }
    TARN_TRY(machine.make_directory("/etc/sudoers.d", 0750, Owner{}));
    // sudo does not read names with a '.'.
    const std::string trial = std::string(kSudoers) + ".new";
    const std::string visudo = first_program(machine, {"/usr/sbin/visudo", "/usr/bin/visudo"});
    if (!visudo.empty()) {
        TARN_TRY(machine.write(trial, text, 0440, Owner{}));
        const int code =
            TARN_TRY(tools.run(machine, {{visudo, "-c", "-q", "-f", trial}, {}, false, {}}));
        TARN_TRY(machine.remove(trial));
        if (code != 0) {
            return fail(ErrorKind::kUsage, "sudo does not understand a rule of `users`");
        }
    }
    return machine.write(kSudoers, text, 0440, Owner{});
}

}  // namespace tarn::guest
