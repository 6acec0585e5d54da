// SPDX-License-Identifier: MIT
#include "cli/output.hh"

namespace tarn::cli {

CommandSpec key_list() {
    CommandSpec spec;
    spec.path = "key list";
    spec.summary = "List the signing keys of the project";
    spec.run = [](Context& context) -> Result<ExitCode> {
        const Workspace* workspace = TARN_TRY(context.workspace());
        Table table("keys", {{"NAME"}, {"ALGORITHM"}, {"FINGERPRINT"}, {"USER"}, {"USED"}});
        for (const NamedKey& key : TARN_TRY(list_keys(workspace->key_directory()))) {
            table.add({key.name,
                       key.info.algorithm == KeyAlgorithm::kEd25519 ? "ed25519" : "rsa4096",
                       key.info.fingerprint,
                       key.info.user_id,
                       key.name == workspace->key_name() ? "signs" : ""});
        }
        print(table, context.format());
        return ExitCode::kDone;
    };
    return spec;
}

}  // namespace tarn::cli
