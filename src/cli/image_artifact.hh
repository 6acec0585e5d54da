// SPDX-License-Identifier: MIT
// What "IMAGE" on the command line means: an image of the project by name (of --arch), an output
// directory, or an artifact's file.
#pragma once

#include "cli/command.hh"
#include "inspect/facts.hh"

namespace tarn::cli {

struct ImagePlace {
    std::string shown;      // what the user wrote
    std::string artifact;   // the file or OCI layout to read
    std::string directory;  // that holds its manifest.json; empty when there is none
    std::string name;       // of the image, as the manifest says; else `shown`
};
Result<ImagePlace> find_image(Context& context, const std::string& given);

// Read back and examined.
Result<inspect::System> open_image(Context& context, const ImagePlace& place);

}  // namespace tarn::cli
