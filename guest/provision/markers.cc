// SPDX-License-Identifier: MIT
#include "provision/markers.hh"

#include "provision/tools.hh"
#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <time.h>
#include <unistd.h>

namespace tarn::guest {
namespace {

std::string data_source(const std::string& source) {
    return source == "azure"     ? "DataSourceAzure"
           : source == "nocloud" ? "DataSourceNoCloud"
                                 : "DataSourceNone";
}

// A link in place of whatever was there, as cloud-init makes it.
Result<void> link_instance(const Machine& machine, const std::string& name) {
    const Fd directory =
        TARN_TRY(machine.open_path("/var/lib/cloud", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    const std::string target = "instances/" + name;
    const char* trial = ".instance.tarn";
    ::unlinkat(directory.get(), trial, 0);
    if (::symlinkat(target.c_str(), directory.get(), trial) != 0 ||
        ::renameat(directory.get(), trial, directory.get(), "instance") != 0) {
        return fail(sys_error("make the link", "/var/lib/cloud/instance"));
    }
    return {};
}

std::string dump(const nlohmann::json& value) {
    return value.dump(1, ' ', true, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace

Result<void> write_cloud_init_markers(const Machine& machine, const CloudInitMarkers& markers) {
    if (machine.exists(kHandedOver)) {
        return {};
    }
    const auto now = static_cast<double>(::time(nullptr));
    const std::string source = data_source(markers.source);
    const auto stage = [&](bool last) {
        nlohmann::json value = {{"errors", nlohmann::json::array()},
                                {"recoverable_errors", nlohmann::json::object()},
                                {"start", now},
                                {"finished", nullptr}};
        if (markers.finished) {
            value["finished"] = now;
        }
        if (last) {
            value["errors"] = markers.errors;
        }
        return value;
    };
    nlohmann::json status;
    status["v1"] = {{"datasource", source},
                    {"stage", markers.finished ? nlohmann::json() : nlohmann::json("init")},
                    {"init-local", stage(false)},
                    {"init", stage(false)},
                    {"modules-config", stage(false)},
                    {"modules-final", stage(true)}};
    const nlohmann::json result = {{"v1", {{"datasource", source}, {"errors", markers.errors}}}};
    const std::string name = instance_directory(markers.instance_id)
                                 .substr(instance_directory("").find_last_of('/') + 1);
    const std::string instance = "/var/lib/cloud/instances/" + name;
    TARN_TRY(machine.make_directory(instance, 0755, Owner{}));
    TARN_TRY(link_instance(machine, name));
    for (const std::string directory : {"/var/lib/cloud/data", "/run/cloud-init"}) {
        TARN_TRY(machine.make_directory(directory, 0755, Owner{}));
        TARN_TRY(machine.write(directory + "/status.json", dump(status), 0644, Owner{}));
        TARN_TRY(
            machine.write(directory + "/instance-id", markers.instance_id + "\n", 0644, Owner{}));
        if (markers.finished) {
            TARN_TRY(machine.write(directory + "/result.json", dump(result), 0644, Owner{}));
        }
    }
    if (!markers.finished) {
        return {};
    }
    return machine.write(instance + "/boot-finished",
                         fmt::format("{} tarn-provision ({})\n", ::time(nullptr), source),
                         0644,
                         Owner{});
}

Result<void> write_waagent_markers(const Machine& machine,
                                   std::string_view redacted_ovf_env,
                                   const std::string& instance_id) {
    TARN_TRY(machine.make_directory("/var/lib/waagent", 0700, Owner{}));
    if (!redacted_ovf_env.empty()) {
        TARN_TRY(machine.write("/var/lib/waagent/ovf-env.xml", redacted_ovf_env, 0600, Owner{}));
    }
    return machine.write("/var/lib/waagent/provisioned", instance_id, 0600, Owner{});
}

bool has_cloud_init(const Machine& machine) {
    return machine.exists("/usr/bin/cloud-init");
}

}  // namespace tarn::guest
