// SPDX-License-Identifier: MIT
// Where the bytes of an image are: by package and, inside each, by directory; as text and as a
// picture. Hard links count once.
#pragma once

#include "inspect/facts.hh"

namespace tarn::inspect {

struct SizeNode {
    std::string name;
    std::uint64_t bytes = 0;
    std::uint64_t files = 0;
    std::vector<SizeNode> children;  // by size, largest first, then by name
};

// Root: the image. Below it packages, and "(not from a package)"; below each its directories to
// `depth` parts of a path.
SizeNode size_tree(const System& system, std::size_t depth = 4);
// Of those a size tree has, without "(not from a package)".
std::size_t package_count(const SizeNode& packages);
// The same without packages: directories alone.
SizeNode directory_tree(const Tree& tree, std::string name, std::size_t depth = 4);

// Bars, `top` packages with `inner` directories each, and `top` directories.
std::string size_text(const SizeNode& packages,
                      const SizeNode& directories,
                      std::size_t top,
                      std::size_t inner);
std::string size_json(const SizeNode& packages);

// A squarified treemap (Bruls, Huizing, van Wijk 2000) of two levels; self-contained. The page
// follows the reader's dark or light setting.
std::string size_svg(const SizeNode& packages);
std::string size_html(const SizeNode& packages);

}  // namespace tarn::inspect
