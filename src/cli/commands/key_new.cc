// SPDX-License-Identifier: MIT
#include <ctime>

#include "base/fs.hh"
#include "cli/output.hh"

namespace tarn::cli {

namespace {

// The certificate is kept: what is signed with the key stays the same on every machine.
Result<ExitCode> new_boot_key(Context& context) {
    const Workspace* workspace = TARN_TRY(context.workspace());
    const std::string directory = workspace->key_directory();
    if (context.given().has("if-missing") &&
        path_exists(join_path(directory, "secure-boot.key"))) {
        return ExitCode::kDone;
    }
    const Project& project = workspace->project();
    const efi::Certificate made = TARN_TRY(efi::create_key(
        directory, "secure-boot", project.name + " Secure Boot", project.source_date_epoch));
    Table table("keys", {{"NAME"}, {"SUBJECT"}});
    table.add({"secure-boot", made.subject});
    print(table, context.format());
    context.reporter().info("the private key is in " + context.shown(directory) +
                            ": keep it safe, and out of version control");
    return ExitCode::kDone;
}

}  // namespace

CommandSpec key_new() {
    CommandSpec spec;
    spec.path = "key new";
    spec.summary = "Make the OpenPGP key that signs packages and repositories";
    spec.details = "The private part is written with mode 0600 into the project's key directory, which\n"
                   "does not belong into version control.";
    spec.options = {{"--algorithm", "NAME", "kind of key", {"ed25519", "rsa4096"}},
                    {"--secure-boot", "", "the key of boot programs instead: RSA-2048, with a certificate"},
                    {"--if-missing", "", "do nothing when there is a key already"}};
    spec.run = [](Context& context) -> Result<ExitCode> {
        if (context.given().has("secure-boot")) {
            return new_boot_key(context);
        }
        Workspace* workspace = TARN_TRY(context.workspace());
        if (context.given().has("if-missing") && workspace->key()) {
            return ExitCode::kDone;
        }
        const Signing& signing = workspace->project().signing;
        const std::string algorithm = context.given().value(
            "algorithm", signing.algorithm.empty() ? "ed25519" : signing.algorithm);
        const std::string user =
            signing.user_id.empty() ? workspace->project().name + " packages" : signing.user_id;
        const SigningKey key = TARN_TRY(SigningKey::create(
            workspace->key_directory(),
            workspace->key_name(),
            user,
            algorithm == "rsa4096" ? KeyAlgorithm::kRsa4096 : KeyAlgorithm::kEd25519,
            std::time(nullptr)));
        Table table("keys", {{"NAME"}, {"FINGERPRINT"}, {"USER"}});
        table.add({workspace->key_name(), key.info().fingerprint, key.info().user_id});
        print(table, context.format());
        context.reporter().info("the private key is in " + context.shown(workspace->key_directory()) +
                                ": keep it safe, and out of version control");
        return ExitCode::kDone;
    };
    return spec;
}

}  // namespace tarn::cli
