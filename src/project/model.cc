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

std::vector<const RpmRepo*> Project::repos(const std::vector<InputReference>& inputs) const {
    std::vector<const RpmRepo*> found;
    const auto add = [&](const std::map<std::string, RpmRepo>& in, const std::string& wanted) {
        const auto repo = in.find(wanted);
        if (repo != in.end()) {
            found.push_back(&repo->second);
        }
    };
    for (const InputReference& input : inputs) {
        add(resources.repos, input.repo);
        const auto members = resources.set_members.find(input.set);
        if (members != resources.set_members.end()) {
            for (const std::string& member : members->second) {
                add(resources.expanded, member);
            }
        }
    }
    return found;
}

}  // namespace tarn
