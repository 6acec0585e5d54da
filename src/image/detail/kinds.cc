// SPDX-License-Identifier: MIT
#include "image/detail/kinds.hh"

#include "base/strings.hh"
#include "image/detail/container.hh"
#include "image/detail/disk.hh"
#include "image/detail/wsl.hh"

#include <algorithm>

namespace tarn::image {
namespace {

std::string quoted(const std::vector<std::string_view>& words) {
    std::string out;
    for (const std::string_view word : words) {
        out += fmt::format("{}`{}`", out.empty() ? "" : ", ", word);
    }
    return out;
}

}  // namespace

const std::vector<Kind>& kinds() {
    static const std::vector<Kind> all = {
        {"disk", {"raw", "vhd", "qcow2"}, true, plan_disk_image, write_disk_image},
        {"container", {"oci", "docker-archive"}, false, nullptr, write_container_image},
        {"wsl", {"wsl"}, false, nullptr, write_wsl_image},
    };
    return all;
}

const Kind& kind_of(const Image& image) {
    const auto found = std::ranges::find(kinds(), image.kind_or_disk(), &Kind::name);
    return found == kinds().end() ? kinds().front() : *found;
}

Result<void> check_formats(const Image& image) {
    const auto found = std::ranges::find(kinds(), image.kind_or_disk(), &Kind::name);
    if (found == kinds().end()) {
        return fail(ErrorKind::kUsage,
                    "the image `{}` is of the kind `{}`, which this Tarn does not write",
                    image.name,
                    image.kind);
    }
    for (const std::string& format : image.formats) {
        if (std::ranges::find(found->formats, format) == found->formats.end()) {
            return fail(
                error(ErrorKind::kUsage,
                      "the image `{}` asks for the format `{}`",
                      image.name,
                      format)
                    .advise(fmt::format(
                        "a {} image is written as {}", found->name, quoted(found->formats))));
        }
    }
    return {};
}

std::vector<std::string> formats_of(const Image& image) {
    std::vector<std::string> out;
    for (const std::string& format : image.formats) {
        if (std::ranges::find(out, format) == out.end()) {
            out.push_back(format);
        }
    }
    if (out.empty()) {
        out.emplace_back(kind_of(image).formats.front());
    }
    return out;
}

}  // namespace tarn::image
