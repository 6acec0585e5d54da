// SPDX-License-Identifier: MIT
#include "provision/azure.hh"

#include "base/strings.hh"

#include "provision/keys.hh"
#include "provision/names.hh"
#include "provision/text.hh"

#include <algorithm>

namespace tarn::guest {

namespace {

// A key is often given with CRLF, at times several in one text, at times as a certificate.
void add_keys(const std::vector<std::string>& texts, std::string_view where, Settings& out) {
    for (const std::string& text : texts) {
        const std::string lines = replace_all(text, "\r", "\n");
        for (std::string_view line : split_lines(lines)) {
            line = trim(line);
            if (line.empty()) {
                continue;
            }
            auto key = parse_public_key(line);
            if (!key) {
                out.warnings.push_back(
                    fmt::format("a public key of {} is left out: {}", where, key.error().message));
                // The lines that follow belong to the same certificate.
                if (line.starts_with("-----BEGIN")) {
                    break;
                }
            } else if (std::find(out.ssh_keys.begin(), out.ssh_keys.end(), *key) ==
                       out.ssh_keys.end()) {
                out.ssh_keys.push_back(std::move(*key));
            }
        }
    }
}

bool is_pool(std::string_view type) {
    return !type.empty() && to_lower(type) != "none";
}

Failure pool(std::string_view type) {
    return fail(error(ErrorKind::kFailed,
                      "a machine of a pre-provisioned pool ({}) is not supported",
                      one_line(type))
                    .advise("create the machine with an image that is not used from a pool"));
}

Result<void> check_names(const Settings& settings) {
    if (!settings.hostname.empty()) {
        if (const std::string why = why_no_hostname(settings.hostname); !why.empty()) {
            return fail(ErrorKind::kFailed, "invalid host name: {}", why);
        }
    }
    if (!settings.user.empty()) {
        if (settings.user == "root") {
            return fail(ErrorKind::kFailed,
                        "invalid user name: `root` is no administrator to make");
        }
        if (const std::string why = why_no_account_name(settings.user); !why.empty()) {
            return fail(ErrorKind::kFailed, "invalid user name: {}", why);
        }
    }
    return {};
}

Result<void> take_media(const OvfEnvironment& media, Settings& out) {
    if (media.preprovisioned || is_pool(media.preprovisioned_type)) {
        return pool(media.preprovisioned_type.empty() ? "Unknown" : media.preprovisioned_type);
    }
    out.hostname = media.hostname;
    out.user = media.user;
    out.password = media.password;
    // Not said: a password that was given is meant to be used.
    out.disable_password_authentication =
        media.disable_password_authentication.value_or(media.password.empty());
    out.custom_data = media.custom_data;
    add_keys(media.keys, "the media", out);
    for (const std::string& print : media.fingerprints) {
        out.warnings.push_back(
            fmt::format("the public key {} of the media is left out: only its fingerprint is given",
                        one_line(cut_text(print, 100))));
    }
    return {};
}

Result<void> take_metadata(const InstanceDocument& metadata, bool have_media, Settings& out) {
    if (is_pool(metadata.pps_type)) {
        return pool(metadata.pps_type);
    }
    if (metadata.has_custom_data && out.custom_data.empty()) {
        return fail(ErrorKind::kFailed,
                    "hasCustomData=true but customData unreadable: {}",
                    have_media ? "the provisioning media has none" : "no provisioning media");
    }
    if (!have_media) {
        out.disable_password_authentication = metadata.disable_password_authentication;
    }
    if (out.hostname.empty()) {
        out.hostname = metadata.computer_name;
    }
    if (out.user.empty()) {
        out.user = metadata.admin_user;
    }
    out.user_data = metadata.user_data;
    out.nics = metadata.nics;
    add_keys(metadata.public_keys, "the metadata service", out);
    const std::pair<const char*, const std::string*> texts[] = {
        {"name", &metadata.name},
        {"location", &metadata.location},
        {"vm_size", &metadata.vm_size},
        {"scale_set", &metadata.scale_set},
        {"zone", &metadata.zone},
        {"fault_domain", &metadata.fault_domain},
        {"priority", &metadata.priority},
        {"environment", &metadata.environment},
        {"region", &metadata.location},
        {"availability_zone", &metadata.zone}};
    for (const auto& [key, value] : texts) {
        out.metadata[key] = *value;
    }
    return {};
}

}  // namespace

Result<Settings> azure_settings(const AzureSources& sources) {
    Settings out;
    out.source = "azure";
    out.instance_id = sources.vm_id;
    if (out.instance_id.empty() && sources.metadata) {
        out.instance_id = canonical_uuid(sources.metadata->vm_id);
    }
    if (out.instance_id.empty()) {
        return fail(ErrorKind::kFailed, "no VM id: the firmware's UUID cannot be read");
    }
    if (sources.metadata && !sources.metadata->vm_id.empty() &&
        !same_instance(sources.metadata->vm_id, out.instance_id)) {
        out.warnings.push_back(
            fmt::format("the metadata service calls this machine {}, its firmware {}",
                        one_line(sources.metadata->vm_id),
                        out.instance_id));
    }
    if (sources.media) {
        TARN_TRY(take_media(*sources.media, out));
    }
    if (sources.metadata) {
        TARN_TRY(take_metadata(*sources.metadata, sources.media.has_value(), out));
    }
    TARN_TRY(check_names(out));
    out.metadata["instance_id"] = out.metadata["instance-id"] = out.instance_id;
    out.metadata["local_hostname"] = out.metadata["local-hostname"] = out.hostname;
    out.metadata["cloud_name"] = "azure";
    return out;
}

}  // namespace tarn::guest
