// SPDX-License-Identifier: MIT
#include "vm/detail/provisioning.hh"

#include "base/fs.hh"
#include "base/strings.hh"
#include "emulator/media.hh"

#include <fcntl.h>
#include <nlohmann/json.hpp>

#include <chrono>
#include <thread>

namespace tarn::vm {

namespace {

constexpr std::uint64_t kMaxLog = 16ULL << 20;

Result<emulator::Scenario> scenario_of(const BootRequest& request) {
    if (request.metadata_file.empty()) {
        emulator::Instance like;
        like.name = "tarn-boot";
        like.secure_boot = !request.secure_boot_certificate.empty();
        return emulator::Scenario::generated(1, "", like);
    }
    emulator::Scenario scenario = TARN_TRY(emulator::Scenario::read(request.metadata_file));
    if (scenario.instances.size() != 1 || !scenario.instances.front().source.empty()) {
        return fail(error(ErrorKind::kUsage,
                          "{}: a machine that boots is one instance without a source",
                          request.metadata_file)
                        .advise("declare one [instances.NAME] and no `source`"));
    }
    return scenario;
}

}  // namespace

Result<std::optional<Provisioning>> prepare_provisioning(const BootRequest& request,
                                                         const std::string& scratch,
                                                         const std::string& program) {
    if (!request.metadata) {
        return std::optional<Provisioning>();
    }
    emulator::Scenario scenario = TARN_TRY(scenario_of(request));
    Provisioning made{scenario.instances.front(),
                      TARN_TRY(emulator::SshKey::make("tarn-boot")),
                      join_path(request.work_dir, "ssh-key"),
                      "",
                      join_path(request.work_dir, "metadata.log"),
                      {}};
    made.instance.ssh_keys.push_back(made.key.public_line);
    TARN_TRY(write_file_atomic(made.key_file, made.key.private_text, 0600));
    TARN_TRY(write_file_atomic(made.key_file + ".pub", made.key.public_line + "\n"));
    TARN_TRY(write_file_atomic(made.log, ""));
    if (made.instance.media != emulator::MediaKind::kNone) {
        made.medium = scratch + "/medium";
        const std::string bytes =
            TARN_TRY(emulator::azure_medium(made.instance, made.instance.media));
        TARN_TRY(write_file_atomic(made.medium, bytes, 0600));
    }
    made.emulator.argv = {
        program, "vm", "metadata", "--here", "--quiet", "--ssh-key=" + made.key_file + ".pub"};
    made.emulator.argv.push_back(request.metadata_file.empty()
                                     ? "--name=" + made.instance.name
                                     : "--scenario=" + request.metadata_file);
    if (made.instance.secure_boot) {
        made.emulator.argv.emplace_back("--secure-boot");
    }
    return std::optional(std::move(made));
}

std::vector<std::string> macs_of(const emulator::Instance& instance) {
    std::vector<std::string> macs;
    for (const emulator::Nic& nic : instance.nics) {
        std::string mac;
        for (std::size_t i = 0; i < nic.mac.size(); i += 2) {
            mac += (mac.empty() ? "" : ":") + to_lower(nic.mac.substr(i, 2));
        }
        macs.push_back(std::move(mac));
    }
    return macs;
}

Result<void> wait_for_emulator(const std::string& log) {
    for (int i = 0; i < 600; ++i) {
        const std::string text = TARN_TRY(read_file(log, kMaxLog));
        if (contains(text, "\"event\":\"listening\"")) {
            return {};
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    return fail(error(ErrorKind::kFailed, "the emulated platform did not start")
                    .advise("--no-metadata boots without it"));
}

Told parse_told(std::string_view log) {
    Told told;
    for (const std::string_view line : split_lines(log)) {
        const auto event = nlohmann::json::parse(line, nullptr, false);
        if (!event.is_object() || event.value("event", "") != "health") {
            continue;
        }
        const std::string state = event.value("state", "");
        const std::string agent = event.value("agent", "");
        if (state == "Ready") {
            told.at = told.ready ? told.at : event.value("time", 0.0);
            told.ready = true;
            told.last = "Ready by " + (agent.empty() ? "somebody" : agent);
        } else {
            told.last = fmt::format(
                "{}: {}: {}", state, event.value("substatus", ""), event.value("description", ""));
        }
    }
    return told;
}

}  // namespace tarn::vm
