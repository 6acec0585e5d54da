// SPDX-License-Identifier: MIT
#include "project/model.hh"

namespace tarn {

const Distro* Project::distro(const DistroReference& reference) const {
    const auto found = distros.find(reference.name);
    return found == distros.end() ? nullptr : &found->second;
}

const DistroVersion* Project::version(const DistroReference& reference) const {
    const Distro* named = distro(reference);
    if (named == nullptr) {
        return nullptr;
    }
    const auto found = named->versions.find(reference.version.empty() ? named->default_version
                                                                      : reference.version);
    return found == named->versions.end() ? nullptr : &found->second;
}

}  // namespace tarn
