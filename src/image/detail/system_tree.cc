// SPDX-License-Identifier: MIT
#include "image/detail/system_tree.hh"

#include "image/detail/accounts.hh"
#include "image/detail/cache.hh"
#include "image/detail/certificates.hh"
#include "image/detail/selinux.hh"
#include "image/detail/declared.hh"
#include "image/detail/immutable.hh"
#include "image/detail/library_cache.hh"
#include "image/detail/tmpfiles.hh"
#include "image/detail/wsl.hh"

namespace tarn::image {
namespace {

constexpr int kRpmdbVersion = 1;
constexpr std::int64_t kDay = 86400;

// The text of a file that may be missing.
Result<std::string> optional_file(const Store& store, const Tree& tree, std::string_view path) {
    auto text = read_tree_file(store, tree, path);
    if (!text && text.error().kind == ErrorKind::kNotFound && tree.find(path) == nullptr) {
        return std::string();
    }
    return text;
}

Result<std::string> first_of(const Store& store,
                             const Tree& tree,
                             std::initializer_list<std::string_view> paths) {
    for (const std::string_view path : paths) {
        std::string text = TARN_TRY(optional_file(store, tree, path));
        if (!text.empty()) {
            return text;
        }
    }
    return std::string();
}

// What sysusers is to add to.
Result<void> add_initial_accounts(const Store& store, const Tree& tree, Overlay& overlay) {
    const AccountFiles files = initial_accounts(
        TARN_TRY(first_of(store, tree, {"etc/passwd", "usr/share/base-passwd/passwd.master"})),
        TARN_TRY(first_of(store, tree, {"etc/group", "usr/share/base-passwd/group.master"})));
    TARN_TRY(overlay.file("etc/passwd", files.passwd));
    return overlay.file("etc/group", files.group);
}

Result<AccountFiles> finished_accounts(const Store& store, const Tree& tree, std::int64_t time) {
    AccountFiles files;
    files.passwd = TARN_TRY(optional_file(store, tree, "etc/passwd"));
    files.group = TARN_TRY(optional_file(store, tree, "etc/group"));
    files.shadow = TARN_TRY(optional_file(store, tree, "etc/shadow"));
    files.gshadow = TARN_TRY(optional_file(store, tree, "etc/gshadow"));
    return lock_accounts(std::move(files), time / kDay);
}

Result<void> add_accounts(const AccountFiles& files, const AccountIds& ids, Overlay& overlay) {
    // Who may check a password is in the group `shadow` where there is one.
    const bool shared = ids.groups.contains("shadow");
    const std::uint32_t mode = shared ? 0640 : 0600;
    const std::string_view group = shared ? "shadow" : "";
    TARN_TRY(overlay.file("etc/passwd", files.passwd));
    TARN_TRY(overlay.file("etc/group", files.group));
    TARN_TRY(overlay.file("etc/shadow", files.shadow, mode, group));
    return overlay.file("etc/gshadow", files.gshadow, mode, group);
}

Result<Digest> rpmdb_blob(const Store& store,
                          const std::vector<ResolvedPackage>& packages,
                          std::int64_t time) {
    std::vector<Digest> rpms;
    KeyBuilder key("image-rpmdb", kRpmdbVersion);
    key.field("time", fmt::format("{}", time));
    for (const ResolvedPackage& package : packages) {
        rpms.push_back(package.item->rpm);
        key.field("rpm", package.item->rpm);
    }
    if (const auto kept = kept_blob(store, key.key())) {
        return *kept;
    }
    return keep_blob(store, key.key(), TARN_TRY(rpm::make_rpmdb(store, rpms, time)));
}

Result<void> add_rpmdb(const Store& store,
                       const SystemInput& input,
                       const Tree& tree,
                       Overlay& overlay) {
    TreeEntry entry;
    entry.path = TARN_TRY(rpmdb_directory(store, tree)) + "/rpmdb.sqlite";
    entry.mode = 0644;
    entry.mtime = input.trigger.time;
    entry.content = TARN_TRY(rpmdb_blob(store, *input.packages, input.trigger.time));
    overlay.add(std::move(entry));
    return {};
}

// What systemd's ConditionNeedsUpdate=/etc asks (systemd-update-done.service(8)): accounts, ldconfig's
// cache and the hardware database are made already, so the first boot need not make them again.
Result<void> add_update_mark(Overlay& overlay) {
    return overlay.file("etc/.updated",
                        fmt::format("# /etc has been brought up to date with /usr as of this time.\n"
                                    "TIMESTAMP_NSEC={}000000000\n",
                                    overlay.time()));
}

Result<Tree> with_owners(const Tree& tree, const AccountIds& ids, const SystemInput& input) {
    return resolve_owners(tree, ids, [&](const TreeEntry& entry) {
        const auto owner = input.merged->owner.find(entry.path);
        return owner == input.merged->owner.end()
                   ? fmt::format("added by the image `{}`", input.image->name)
                   : "package " + (*input.packages)[owner->second].item->nevra.to_string();
    });
}

// Instead of ldconfig where that does not run here.
Result<void> add_library_cache(const Store& store,
                               const Image& image,
                               const Tree& tree,
                               Overlay& overlay) {
    const auto libraries = TARN_TRY(find_libraries(store, tree, image.architecture));
    return libraries.empty()
               ? Result<void>{}
               : overlay.file("etc/ld.so.cache", library_cache(libraries, image.architecture));
}

// After everything that adds files.
Result<Tree> labelled(const Store& store,
                      const SystemInput& input,
                      const Tree& tree,
                      StageLog& stages) {
    return stages.time("labels", [&] {
        return label_system(store, *input.image, tree, input.trigger.time, stages.reporter());
    });
}

}  // namespace

Result<SystemTree> make_system_tree(const Store& store,
                                    const SystemInput& input,
                                    StageLog& stages) {
    const std::int64_t time = input.trigger.time;
    const Tree& packages = input.merged->tree;
    SystemTree out;
    if (input.boots) {
        out.kernel = TARN_TRY(find_kernel(packages));
    }
    Overlay before(store, time);
    TARN_TRY(add_initial_accounts(store, packages, before));
    if (input.boots) {
        TARN_TRY(add_machine_configuration(*input.image, input.facts, before));
    }
    TARN_TRY(add_configuration(store, *input.image, packages, before));
    if (input.image->kind_or_disk() == "wsl") {
        TARN_TRY(add_wsl_configuration(*input.image, packages, before));
    }
    TARN_TRY(add_declared_settings(*input.image, packages, before));
    const Tree configured = TARN_TRY(before.over(packages));

    Overlay after(store, time);
    std::vector<Trigger> triggers = system_triggers(out.kernel ? out.kernel->version : "");
    triggers.push_back(sysusers_trigger());
    if (packages.find("usr/lib/systemd/systemd") == nullptr) {
        // Units without a systemd to start them are nobody's to enable.
        std::erase_if(triggers, [](const Trigger& one) { return one.name.starts_with("preset-all"); });
    }
    if (has_library_cache(input.image->architecture)) {
        std::erase_if(triggers, [](const Trigger& one) { return one.name == "ldconfig"; });
        TARN_TRY(stages.time("ldconfig", [&] {
            return add_library_cache(store, *input.image, configured, after);
        }));
    }
    TARN_TRY(stages.time("triggers",
                         [&] { return run_triggers(input.trigger, triggers, configured, after); }));
    const Tree triggered = TARN_TRY(after.over(configured));
    AccountFiles accounts = TARN_TRY(finished_accounts(store, triggered, time));
    accounts =
        TARN_TRY(add_declared_users(*input.image, triggered, std::move(accounts), time / kDay));
    const AccountIds ids = TARN_TRY(parse_ids(accounts));
    TARN_TRY(add_accounts(accounts, ids, after));
    TARN_TRY(add_homes(store, *input.image, triggered, after));
    if (!input.boots) {
        const Tree housed = TARN_TRY(after.over(configured));
        TARN_TRY(stages.time("tmpfiles", [&] { return add_tmpfiles(store, housed, ids, after); }));
    }
    if (input.boots) {
        TARN_TRY(add_update_mark(after));
    }
    TARN_TRY(add_certificates(store, configured, after));
    TARN_TRY(stages.time("rpmdb", [&] { return add_rpmdb(store, input, configured, after); }));
    const Tree complete = TARN_TRY(after.over(configured));
    out.tree = TARN_TRY(with_owners(complete, ids, input));
    if (const BootFacts& facts = input.facts; facts.verified) {
        out.tree = TARN_TRY(make_immutable(store,
                                           out.tree,
                                           {facts.image_id, facts.image_version},
                                           facts.files,
                                           facts.update_keyring,
                                           time));
    }
    if (input.boots) {
        out.tree = TARN_TRY(labelled(store, input, out.tree, stages));
    }
    return out;
}

}  // namespace tarn::image
