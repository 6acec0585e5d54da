// SPDX-License-Identifier: MIT
#include "cli/output.hh"

namespace tarn::cli {

CommandSpec image_export_unsigned() {
    CommandSpec spec;
    spec.path = "image export-unsigned";
    spec.summary = "Write the boot programs of an image out, to be signed elsewhere";
    spec.details =
        "The directory gets the programs and unsigned.json, which lists them with their hashes.\n"
        "Sign the files in place, or put a PKCS#7 signature beside each as <file>.p7s; then\n"
        "`tarn image inject` takes the signatures back and `tarn image build` attaches them.";
    spec.arguments = {{"IMAGE", "its name"}, {"DIRECTORY", "a new or empty directory"}};
    spec.run = [](Context& context) -> Result<ExitCode> {
        Workspace* workspace = TARN_TRY(context.workspace());
        Table table("programs", {{"FILE"}, {"PLACE"}, {"IMAGE HASH"}});
        for (const efi::UnsignedImage& image :
             TARN_TRY(workspace->export_unsigned(context.given().value("IMAGE"),
                                                 context.given().value("DIRECTORY"),
                                                 context.reporter()))) {
            table.add({image.file, image.name, image.authenticode_sha256});
        }
        print(table, context.format());
        return ExitCode::kDone;
    };
    return spec;
}

}  // namespace tarn::cli
