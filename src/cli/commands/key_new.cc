// SPDX-License-Identifier: MIT
#include <ctime>

#include "cli/output.hh"

namespace tarn::cli {

CommandSpec key_new() {
    CommandSpec spec;
    spec.path = "key new";
    spec.summary = "Make the OpenPGP key that signs packages and repositories";
    spec.details = "The private part is written with mode 0600 into the project's key directory, which\n"
                   "does not belong into version control.";
    spec.options = {{"--algorithm", "NAME", "kind of key", {"ed25519", "rsa4096"}},
                    {"--if-missing", "", "do nothing when there is a key already"}};
    spec.run = [](Context& context) -> Result<ExitCode> {
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
