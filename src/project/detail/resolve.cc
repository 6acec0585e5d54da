// SPDX-License-Identifier: MIT
#include "project/detail/resolve.hh"

#include "base/fs.hh"
#include "base/strings.hh"

#include <unordered_map>

namespace tarn::declaration {

void Resolver::complain(Span where, std::string message, std::string help) {
    if (permissive_) {
        diagnostics_.warning(where, std::move(message), std::move(help));
    } else {
        diagnostics_.error(where, std::move(message), std::move(help));
    }
}

Project Resolver::resolve() {
    Collected& collected = files_.collected();
    project_ = std::move(collected.project);
    project_.name = project_.default_distro.name;
    distros();
    components();
    images();
    settle_channels();
    check_packages();
    resources();
    if (strict_) {
        warn_of_traps();
    }
    if (!files_.incomplete()) {
        check_names();
        check_reference(project_.default_distro);
        for (const DistroReference& reference : files_.distro_references()) {
            check_reference(reference);
        }
    }
    return std::move(project_);
}

// `channel` counts where rpm-channel is empty, after all layers are laid over each other.
void Resolver::settle_channels() {
    const auto settle = [](Publish& publish) {
        if (publish.rpm_channel.empty()) {
            publish.rpm_channel = publish.older_channel;
        }
    };
    settle(project_.default_publish);
    for (auto& [name, group] : project_.package_groups) {
        settle(group.publish);
    }
    for (auto& [name, component] : project_.components) {
        settle(component.publish);
        for (auto& [package, publish] : component.packages) {
            settle(publish);
        }
    }
}

void Resolver::distros() {
    for (auto& [name, config] : files_.collected().distros) {
        Distro distro = config;
        for (const auto& [version_name, version_config] : config.version_configs) {
            DistroVersion version = version_config;
            if (distro.kind == UpstreamKind::kDebian) {
                if (version.suite.empty()) {
                    version.suite = version_name;
                }
                if (version.components.empty()) {
                    version.components = {"main"};
                }
            }
            distro.versions.emplace(version_name, std::move(version));
        }
        project_.distros.emplace(name, std::move(distro));
    }
}

void Resolver::check_reference(const DistroReference& reference) {
    if (reference.name.empty()) {
        return;
    }
    const Distro* distro = project_.distro(reference);
    if (distro == nullptr) {
        if (reported_.try_emplace(reference.name_where.begin).second) {
            std::string help = did_you_mean(reference.name, keys_of(project_.distros));
            if (help.empty()) {
                help = fmt::format("define it as [distros.{}]", reference.name);
            }
            complain(reference.name_where,
                     fmt::format("distro `{}` is not defined", reference.name),
                     std::move(help));
        }
        return;
    }
    // A version that nobody gives is missed where the distro is named.
    const Span place =
        reference.version_where.begin ? reference.version_where : reference.name_where;
    if (project_.version(reference) != nullptr || !reported_.try_emplace(place.begin).second) {
        return;
    }
    if (reference.version.empty() && distro->default_version.empty()) {
        complain(reference.name_where,
                 fmt::format("which version of distro `{}`?", reference.name),
                 "give `version` here or `default-version` in the distro");
        return;
    }
    const std::string& wanted =
        reference.version.empty() ? distro->default_version : reference.version;
    std::string help = did_you_mean(wanted, keys_of(distro->versions));
    if (help.empty()) {
        help = fmt::format("define it as [distros.{}.versions.'{}']", reference.name, wanted);
    }
    complain(place,
             fmt::format("distro `{}` has no version `{}`", reference.name, wanted),
             std::move(help));
}

void Resolver::check_names() {
    const auto check = [&](const Reference& reference,
                           std::string_view what,
                           const auto& defined,
                           std::string_view table) {
        if (defined.find(reference.name) == defined.end()) {
            std::string help = did_you_mean(reference.name, keys_of(defined));
            if (help.empty()) {
                help = fmt::format("define it as [{}.{}]", table, reference.name);
            }
            complain(reference.where,
                     fmt::format("{} `{}` is not defined", what, reference.name),
                     std::move(help));
        }
    };
    for (const Reference& reference : files_.references()) {
        switch (reference.names) {
            case Names::kComponent:
                check(reference, "component", project_.components, "components");
                break;
            case Names::kPackageGroup:
                check(reference, "package group", project_.package_groups, "package-groups");
                break;
            case Names::kImage:
                check(reference, "image", project_.images, "images");
                break;
            case Names::kImagePart:
                check(reference, "image part", files_.collected().image_parts, "image-parts");
                break;
            case Names::kTestSuite:
                check(reference, "test suite", project_.test_suites, "test-suites");
                break;
            case Names::kDistro:
                check(reference, "distro", project_.distros, "distros");
                break;
        }
    }
}

// A package is in at most one package group, and once.
void Resolver::check_packages() {
    std::unordered_map<std::string_view, const PackageGroup*> group_of;
    for (const auto& [name, group] : project_.package_groups) {
        for (const std::string& package : group.packages) {
            const auto [place, fresh] = group_of.try_emplace(package, &group);
            if (fresh) {
                continue;
            }
            if (place->second == &group) {
                complain(group.where,
                         fmt::format("package group `{}` lists `{}` twice", name, package),
                         "take one of the two away");
            } else if (group.publish.rpm_channel != place->second->publish.rpm_channel ||
                       group.publish.debuginfo_channel !=
                           place->second->publish.debuginfo_channel) {
                complain(group.where,
                         fmt::format("package `{}` is in package group `{}` and in `{}`, which "
                                     "publish to different channels",
                                     package,
                                     place->second->name,
                                     name),
                         "a package can be in one of them only");
            }
        }
    }
}

// ---- images -----------------------------------------------------------------------------------

const ImageConfig* Resolver::image(const std::string& name, std::vector<std::string>& open) {
    const auto done = resolved_images_.find(name);
    if (done != resolved_images_.end()) {
        return &done->second;
    }
    const auto found = files_.collected().images.find(name);
    if (found == files_.collected().images.end()) {
        return nullptr;  // check_names reports it
    }
    const ImageConfig& own = found->second;
    ImageConfig made;
    open.push_back(name);
    if (std::find(open.begin(), open.end(), own.base) != open.end()) {
        Diagnostic diagnostic;
        diagnostic.message = fmt::format("image `{}` is based on itself", own.base);
        diagnostic.primary = own.base_where;
        diagnostic.notes.push_back(join(open, " -> ") + " -> " + own.base);
        diagnostics_.add(std::move(diagnostic));
    } else if (!own.base.empty()) {
        if (const ImageConfig* base = image(own.base, open)) {
            inherit(made, *base);
        }
    }
    open.pop_back();
    for (const std::string& include : own.includes) {
        const auto part = files_.collected().image_parts.find(include);
        if (part == files_.collected().image_parts.end()) {
            continue;  // check_names reports it
        }
        // A part with an architecture is for images of that one; it does not choose it.
        ImageConfig wanted = part->second;
        if (wanted.architecture.empty() || wanted.architecture == architecture_) {
            wanted.architecture.clear();
            inherit(made, wanted);
        }
    }
    inherit(made, own);
    return &resolved_images_.emplace(name, std::move(made)).first->second;
}

void Resolver::images() {
    for (const auto& [name, config] : files_.collected().images) {
        std::vector<std::string> open;
        const ImageConfig* made = image(name, open);
        Image result = *made;
        result.weak_dependencies = made->weak_given.value_or(false);
        project_.images.emplace(name, std::move(result));
    }
}

}  // namespace tarn::declaration
