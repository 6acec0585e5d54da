// SPDX-License-Identifier: MIT
#include "project/model.hh"

#include "base/strings.hh"

namespace tarn {

bool works_on_archive(const Overlay& overlay, std::string_view archive) {
    if (!overlay.archive.empty() || overlay.type < OverlayType::kFilePrependLines ||
        overlay.type == OverlayType::kUnknown) {
        return false;
    }
    const bool becomes = overlay.type == OverlayType::kFileRename && overlay.replacement == archive;
    if (overlay.file == archive || becomes) {
        return true;
    }
    const std::size_t ending = archive.rfind(".t");
    const std::string stem(archive.substr(0, ending));
    return glob_match(overlay.file, archive) && !glob_match(overlay.file, stem) &&
           !glob_match(overlay.file, stem + ".other");
}

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
        add(resources.expanded, input.repo);
        const auto members = resources.set_members.find(input.set);
        if (members != resources.set_members.end()) {
            for (const std::string& member : members->second) {
                add(resources.expanded, member);
            }
        }
    }
    return found;
}

const std::string& Image::kind_or_disk() const {
    static const std::string disk = "disk";
    return kind.empty() ? disk : kind;
}

std::string Project::release_ver(const Component& component) const {
    const DistroVersion* named = version(component.upstream);
    return named == nullptr ? std::string() : named->release_ver;
}

}  // namespace tarn
