// SPDX-License-Identifier: MIT
// The keys of Secure Boot: at hand, elsewhere, and on the machines that are to trust them.
#include "base/fs.hh"
#include "efi/variables.hh"
#include "workspace/detail/impl.hh"

namespace tarn {

efi::KeySource Workspace::boot_key_source() const {
    const SecureBoot& declared = impl_->project.secure_boot;
    efi::KeySource out;
    out.certificate = declared.certificate.empty() ? join_path(key_directory(), "secure-boot.crt")
                                                   : declared.certificate;
    out.key_file = declared.key;
    out.pkcs11 = declared.pkcs11;
    out.command = declared.command;
    out.signatures = declared.signatures;
    if (out.key_file.empty() && out.pkcs11.empty() && out.command.empty() &&
        out.signatures.empty()) {
        out.key_file = join_path(key_directory(), "secure-boot.key");
    }
    return out;
}

Result<std::size_t> Workspace::inject_signatures(const std::string& directory) const {
    const efi::KeySource source = boot_key_source();
    if (source.signatures.empty()) {
        return fail(error(ErrorKind::kUsage, "[secure-boot] signs with a key at hand")
                        .advise("set `signatures` to the directory signatures made elsewhere go "
                                "to, and no `key`, `pkcs11` or `command`"));
    }
    const efi::Certificate certificate = TARN_TRY(efi::Certificate::read(source.certificate));
    return efi::inject_signatures(directory, certificate, source.signatures);
}

Result<std::vector<std::string>> Workspace::export_enrollment(const std::string& directory) const {
    const efi::KeySource source = boot_key_source();
    const efi::Certificate certificate = TARN_TRY(efi::Certificate::read(source.certificate));
    const std::unique_ptr<efi::Key> key = TARN_TRY(efi::open_key(source, certificate));
    const std::vector<efi::Variable> variables = efi::enrolled_variables(
        {certificate, certificate, {certificate}}, impl_->project.source_date_epoch);
    std::vector<std::pair<std::string, std::string>> files;
    files.emplace_back("secure-boot.cer", certificate.der);
    files.emplace_back("OVMF_VARS_4M.fd",
                       TARN_TRY(efi::with_variables(efi::blank_variable_store(), variables)));
    for (const efi::Variable& variable : variables) {
        if ((variable.attributes & efi::kTimeBasedAuth) != 0) {
            files.emplace_back(variable.name + ".auth",
                               TARN_TRY(efi::signed_update(variable, *key, certificate)));
            files.emplace_back(variable.name + ".esl", variable.data);
        }
    }
    TARN_TRY(make_directories(directory));
    std::vector<std::string> names;
    for (const auto& [name, bytes] : files) {
        TARN_TRY(write_file_atomic(join_path(directory, name), bytes));
        names.push_back(name);
    }
    return names;
}

}  // namespace tarn
