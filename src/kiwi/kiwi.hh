// SPDX-License-Identifier: MIT
// Image descriptions of kiwi-ng (schema 7 and 8), read as an Image of Tarn's own: the subset that
// image definitions of the declaration format use. docs/formats/kiwi.md lists what is read, what
// has no meaning here, and what is refused.
#pragma once

#include "base/result.hh"
#include "project/image.hh"

#include <string>
#include <vector>

namespace tarn::kiwi {

struct Selection {
    std::string profile;                  // empty: those with import="true"
    std::string architecture = "x86_64";  // for arch="..." conditions
};

struct Converted {
    Image image{};
    // What the description says that Tarn does otherwise or not at all, drawn with its line.
    std::vector<std::string> notes;
};

// Reads the file `path` and the overlay directory `root/` beside it, and lays what they say over
// `image`: lists grow, single values the image gives itself win. kNotFound, kCorrupt when it is no
// XML; kUsage lists everything that is refused, each with file:line. Never fetches anything: no
// DTD, no entity but XML's own five.
Result<Converted> read(const std::string& path, const Selection& selection, const Image& image);

// The same for a text; `path` names it and says where overlay files lie. For tests and fuzzing.
Result<Converted> read_text(const std::string& path,
                            std::string_view xml,
                            const Selection& selection,
                            const Image& image);

}  // namespace tarn::kiwi
