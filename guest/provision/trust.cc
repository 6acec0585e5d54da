// SPDX-License-Identifier: MIT
#include "provision/trust.hh"

namespace tarn::guest {

Result<void> trust_certificates(const Machine& machine,
                                const Tools& tools,
                                const std::vector<std::string>& certificates) {
    const std::string of_rpm =
        first_program(machine, {"/usr/bin/update-ca-trust", "/usr/sbin/update-ca-trust"});
    const std::string of_debian = first_program(machine, {"/usr/sbin/update-ca-certificates"});
    if (of_rpm.empty() && of_debian.empty()) {
        return fail(
            ErrorKind::kFailed,
            "`ca_certs` needs update-ca-trust or update-ca-certificates, and neither is here");
    }
    const std::string directory =
        of_rpm.empty() ? "/usr/local/share/ca-certificates" : "/etc/pki/ca-trust/source/anchors";
    TARN_TRY(machine.make_directory(directory, 0755, Owner{}));
    for (std::size_t i = 0; i < certificates.size(); ++i) {
        const std::string& text = certificates[i];
        TARN_TRY(machine.write(fmt::format("{}/tarn-provision-{}.crt", directory, i + 1),
                               text.ends_with('\n') ? text : text + "\n",
                               0644,
                               Owner{}));
    }
    return run_checked(
        tools, machine, {{of_rpm.empty() ? of_debian : of_rpm}, {}, true, std::chrono::minutes(5)});
}

}  // namespace tarn::guest
