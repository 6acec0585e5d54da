// SPDX-License-Identifier: MIT
#include "provision/run_fixture.hh"

#include "provision/kvp.hh"
#include "provision/medium_fixture.hh"
#include <fcntl.h>
#include <gtest/gtest.h>

namespace tarn::guest {

std::string test_ovf(const std::string& more, const std::string& platform) {
    return R"(<?xml version="1.0" encoding="utf-8"?>
<Environment xmlns="http://schemas.dmtf.org/ovf/environment/1" xmlns:wa="http://schemas.microsoft.com/windowsazure">
 <wa:ProvisioningSection><wa:Version>1.0</wa:Version>
  <LinuxProvisioningConfigurationSet xmlns="http://schemas.microsoft.com/windowsazure">
   <ConfigurationSetType>LinuxProvisioningConfiguration</ConfigurationSetType><HostName>web000003</HostName>
   <UserName>ops</UserName><DisableSshPasswordAuthentication>true</DisableSshPasswordAuthentication>
   <SSH><PublicKeys><PublicKey><Fingerprint/><Path>/home/ops/.ssh/authorized_keys</Path><Value>)" +
           std::string(kTestKey) + R"(</Value></PublicKey></PublicKeys></SSH>
   )" + more +
           R"(</LinuxProvisioningConfigurationSet></wa:ProvisioningSection>
 <wa:PlatformSettingsSection><wa:Version>1.0</wa:Version><PlatformSettings xmlns="http://schemas.microsoft.com/windowsazure">
  <ProvisionGuestAgent>true</ProvisionGuestAgent>)" +
           platform +
           R"(</PlatformSettings></wa:PlatformSettingsSection></Environment>
)";
}

std::string test_instance(const std::string& more, const std::string& extended) {
    return R"({"compute":{"vmId":")" + std::string(kTestVmId) +
           R"(","location":"westeurope","osProfile":{"adminUsername":"ops","computerName":"web000003","disablePasswordAuthentication":"true"},"publicKeys":[{"keyData":")" +
           kTestKey + R"(\r\n"}])" + more + R"(},"extended":{"compute":{)" +
           (extended.empty() ? R"("hasCustomData":"false","ppsType":"None")" : extended) +
           R"(}},"network":{"interface":[{"macAddress":"000D3A112233","ipv4":{"ipAddress":[{"privateIpAddress":"10.1.0.7"}]}}]}})";
}

std::vector<std::string> TestPlatform::health() const {
    std::vector<std::string> bodies;
    for (const SeenRequest& request : seen()) {
        if (request.line().starts_with("POST ")) {
            bodies.push_back(request.body);
        }
    }
    return bodies;
}

TestServer::Answer TestPlatform::answer(const SeenRequest& request) {
    const std::string line = request.line();
    if (line.starts_with("GET /metadata/instance")) {
        return TestServer::reply(instance_status, instance);
    }
    if (line.starts_with("GET /machine/?comp=goalstate")) {
        return TestServer::reply(
            goal_status,
            !goal_state.empty()
                ? goal_state
                : "<GoalState><Version>2012-11-30</Version><Incarnation>7</Incarnation><Container>"
                  "<ContainerId>c-1</ContainerId><RoleInstanceList><RoleInstance><InstanceId>_web_3"
                  "</InstanceId></RoleInstance></RoleInstanceList></Container></GoalState>");
    }
    if (line.starts_with("POST /machine?comp=health")) {
        return TestServer::reply(health_status, "");
    }
    return TestServer::reply(line.starts_with("POST /provisioning/health") ? json_status : 404, "");
}

// Kills and failures are of processes, not of the power: memory is disk enough.
TestMachine::TestMachine()
    : dir_(std::move(*TempDir::make(is_directory("/dev/shm") ? "/dev/shm" : ""))) {
    put("/proc/cmdline", "root=/dev/vda2 quiet\n");
    put("/proc/stat", "cpu 1 2 3\nbtime 1000\n");
    put("/sys/class/block/vda/size", "8\n");
}

void TestMachine::put(const std::string& path, const std::string& bytes) const {
    TARN_CHECK(make_directories(std::string(parent_path(root() + path))).has_value());
    TARN_CHECK(write_file_atomic(root() + path, bytes).has_value());
}

std::string TestMachine::get(const std::string& path) const {
    return read_file(root() + path).value_or(std::string());
}

void TestMachine::make_azure(const std::string& uuid) const {
    put("/sys/class/dmi/id/chassis_asset_tag", "7783-7084-3265-9085-8269-3286-77\n");
    put("/sys/class/dmi/id/product_uuid", uuid + "\n");
    put("/sys/firmware/efi/x", "");
}

void TestMachine::insert_media(const std::string& ovf) const {
    put("/sys/class/block/sr0/size", "8\n");
    put("/dev/sr0", udf_image("rd_rdfe_stable", {{"ovf-env.xml", ovf}}));
}

void TestMachine::eject_media() const {
    TARN_CHECK(remove_tree(root() + "/dev/sr0").has_value());
}

void TestMachine::give_lease() const {
    put("/run/systemd/netif/leases/2",
        "# private\nADDRESS=10.1.0.7\nROUTER=10.1.0.1\nOPTION_245=a83f8110\n");
}

void TestMachine::reboot() const {
    TARN_CHECK(remove_tree(root() + "/run/tarn").has_value());
    TARN_CHECK(remove_tree(root() + "/run/cloud-init").has_value());
}

std::string TestMachine::report() const {
    for (const auto& [key, value] : parse_kvp(get(kKvpPool))) {
        if (key == kProvisioningReport) {
            return value;
        }
    }
    return {};
}

namespace {

Step step_of(const std::string& name,
             Phase phase,
             bool every_boot,
             const std::string& inputs,
             const std::string& text) {
    Step step;
    step.name = name;
    step.phase = phase;
    step.every_boot = every_boot;
    step.inputs = inputs;
    step.run = [name, text](const Machine& machine) -> Result<void> {
        if (contains(text, "FAIL")) {
            return fail(ErrorKind::kFailed, "it was told to fail");
        }
        TARN_TRY(machine.make_directory("/made", 0755, {}));
        TARN_TRY(machine.write("/made/" + name, text, 0600, {}));
        const Fd log = TARN_TRY(machine.open_path("/log", O_WRONLY | O_CREAT | O_APPEND, 0600));
        return write_all(log.get(), name + "\n", "/log");
    };
    return step;
}

}  // namespace

Result<Plan> test_plan(const Settings& settings, const Machine&) {
    const std::string& payload =
        settings.custom_data.empty() ? settings.user_data : settings.custom_data;
    if (contains(payload, "BROKEN")) {
        return fail(ErrorKind::kUsage, "custom-data:1:1: it is broken");
    }
    Plan plan;
    const std::string keys = join(settings.ssh_keys, "\n");
    plan.steps.push_back(
        step_of("hostname", Phase::kEarly, true, settings.hostname, settings.hostname));
    plan.steps.push_back(step_of("host-keys", Phase::kEarly, false, "", "keys"));
    if (!settings.user.empty()) {
        plan.steps.push_back(step_of("user:" + settings.user, Phase::kEarly, false, keys, keys));
    }
    if (!payload.empty()) {
        plan.payload = PayloadKind::kNative;
        plan.steps.push_back(step_of("payload", Phase::kEarly, false, payload, payload));
    }
    if (contains(payload, "MESS")) {
        plan.steps.push_back(step_of("bootcmd", Phase::kEarly, false, "", "FAIL"));
        plan.steps.back().from_payload = true;
    }
    plan.steps.push_back(step_of(
        "sshd", Phase::kEarly, false, "", settings.disable_password_authentication ? "no" : "yes"));
    plan.steps.push_back(
        step_of("runcmd", Phase::kWorkload, false, "", contains(payload, "WORK") ? "FAIL" : "run"));
    plan.steps.push_back(step_of("final", Phase::kWorkload, true, "", "final"));
    return plan;
}

RunOptions test_options(const TestPlatform& platform) {
    RunOptions options;
    options.imds = platform.endpoint();
    options.wireserver = platform.endpoint();
    options.source_address = "127.0.0.1";
    options.drive = std::chrono::milliseconds(0);
    options.lease = std::chrono::milliseconds(200);
    options.imds_policy.total = std::chrono::milliseconds(300);
    options.imds_policy.first_pause = options.imds_policy.longest_pause =
        std::chrono::milliseconds(5);
    options.imds_policy.after_5xx = std::chrono::milliseconds(5);
    options.health.total = options.failure_report = std::chrono::milliseconds(200);
    options.health.pause = options.health.longest_pause = std::chrono::milliseconds(5);
    options.planner = test_plan;
    return options;
}

}  // namespace tarn::guest
