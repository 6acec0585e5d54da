// SPDX-License-Identifier: MIT
#include "provision/sshd.hh"

namespace tarn::guest {

Result<void> configure_sshd(const Machine& machine,
                            const Tools& tools,
                            const SshdSettings& settings) {
    const char* passwords = settings.password_authentication ? "yes" : "no";
    std::string text = "# Written by tarn-provision. A drop-in with a lower number wins.\n";
    text += fmt::format("PasswordAuthentication {}\n", passwords);
    text += fmt::format("KbdInteractiveAuthentication {}\n", passwords);
    if (settings.root_with_keys) {
        text += "PermitRootLogin prohibit-password\n";
    }
    if (machine.read(kSshdDropIn).value_or("") == text) {
        return {};
    }
    TARN_TRY(machine.make_directory("/etc/ssh/sshd_config.d", 0755, Owner{}));
    TARN_TRY(machine.write(kSshdDropIn, text, 0600, Owner{}));
    // `ssh.service` is Debian's name. Not running, or not there: nothing to tell.
    const std::string systemctl = "/usr/bin/systemctl";
    if (machine.exists(systemctl)) {
        for (const char* unit : {"sshd.service", "ssh.service"}) {
            static_cast<void>(
                tools.run(machine,
                          {{systemctl, "--no-block", "--quiet", "try-reload-or-restart", unit},
                           {},
                           false,
                           {}}));
        }
    }
    return {};
}

}  // namespace tarn::guest
