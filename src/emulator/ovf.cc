// SPDX-License-Identifier: MIT
#include "base/base64.hh"
#include "emulator/media.hh"

namespace tarn::emulator {

namespace {

std::string escape(std::string_view text) {
    std::string out;
    for (const char c : text) {
        switch (c) {
            case '&':
                out += "&amp;";
                break;
            case '<':
                out += "&lt;";
                break;
            case '>':
                out += "&gt;";
                break;
            case '\r':
                out += "&#13;";
                break;
            default:
                out += c;
        }
    }
    return out;
}

std::string element(std::string_view name, std::string_view text) {
    return fmt::format("<{}>{}</{}>", name, escape(text), name);
}

std::string quoted(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') {
            out += '\\';
        }
        if (c == '\n') {
            out += "\\n";
        } else {
            out += c;
        }
    }
    return out + "\"";
}

std::string ssh_section(const Instance& instance) {
    std::string keys;
    for (const std::string& key : instance.ssh_keys) {
        keys += "<PublicKey><Fingerprint/>" +
                element("Path", "/home/" + instance.admin_user + "/.ssh/authorized_keys") +
                element("Value", key) + "</PublicKey>";
    }
    return keys.empty() ? "" : "<SSH><PublicKeys>" + keys + "</PublicKeys></SSH>";
}

}  // namespace

std::string ovf_environment(const Instance& instance) {
    std::string out =
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n"
        "<Environment xmlns=\"http://schemas.dmtf.org/ovf/environment/1\""
        " xmlns:wa=\"http://schemas.microsoft.com/windowsazure\">\n"
        "<wa:ProvisioningSection><wa:Version>1.0</wa:Version>"
        "<LinuxProvisioningConfigurationSet xmlns=\"http://schemas.microsoft.com/windowsazure\">"
        "<ConfigurationSetType>LinuxProvisioningConfiguration</ConfigurationSetType>";
    out += element("HostName", instance.computer_name);
    out += element("UserName", instance.admin_user);
    if (!instance.password.empty()) {
        out += element("UserPassword", instance.password);
    }
    out += element("DisableSshPasswordAuthentication",
                   instance.disable_password_authentication ? "true" : "false");
    out += ssh_section(instance);
    if (!instance.custom_data.empty()) {
        out += element("CustomData", base64(instance.custom_data));
    }
    out +=
        "</LinuxProvisioningConfigurationSet></wa:ProvisioningSection>\n"
        "<wa:PlatformSettingsSection><wa:Version>1.0</wa:Version>"
        "<PlatformSettings xmlns=\"http://schemas.microsoft.com/windowsazure\">"
        "<KmsServerHostname>kms.core.windows.net</KmsServerHostname>"
        "<ProvisionGuestAgent>true</ProvisionGuestAgent>";
    out += element("PreprovisionedVm", instance.pps_type == "None" ? "false" : "true");
    out += element("PreprovisionedVMType", instance.pps_type);
    out +=
        "<ProvisionGuestProxyAgent>false</ProvisionGuestProxyAgent>"
        "</PlatformSettings></wa:PlatformSettingsSection>\n</Environment>\n";
    return out;
}

std::vector<MediaFile> azure_files(const Instance& instance) {
    std::vector<MediaFile> files{{"ovf-env.xml", ovf_environment(instance)}};
    if (!instance.custom_data.empty()) {
        files.push_back({"CustomData.bin", instance.custom_data});
    }
    return files;
}

std::vector<MediaFile> nocloud_files(const Instance& instance) {
    std::string meta = "instance-id: " + quoted(instance.vm_id) +
                       "\nlocal-hostname: " + quoted(instance.computer_name) + "\n";
    // NoCloud has no administrator of its own: it is what the configuration asks for.
    std::string user = instance.custom_data.empty() ? instance.user_data : instance.custom_data;
    if (user.empty()) {
        user = "#cloud-config\nusers:\n  - name: " + quoted(instance.admin_user) +
               "\n    sudo: \"ALL=(ALL) NOPASSWD:ALL\"\n";
        if (!instance.ssh_keys.empty()) {
            user += "    ssh_authorized_keys:\n";
            for (const std::string& key : instance.ssh_keys) {
                user += "      - " + quoted(key) + "\n";
            }
        }
    }
    return {{"meta-data", std::move(meta)}, {"user-data", std::move(user)}};
}

Result<std::string> azure_medium(const Instance& instance, MediaKind kind) {
    const std::string label = "rd_rdfe_stable";
    switch (kind) {
        case MediaKind::kUdf:
            return udf_image(label, azure_files(instance));
        case MediaKind::kIso:
            return iso_image(label, azure_files(instance));
        case MediaKind::kNone:
            break;
    }
    return fail(ErrorKind::kUsage, "`{}` has no provisioning medium", instance.name);
}

Result<std::string> nocloud_medium(const Instance& instance) {
    return iso_image("cidata", nocloud_files(instance));
}

}  // namespace tarn::emulator
