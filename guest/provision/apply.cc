// SPDX-License-Identifier: MIT
#include "provision/apply.hh"

#include "base/strings.hh"

#include "provision/cloud_config.hh"
#include "provision/cloud_init.hh"
#include "provision/disks.hh"
#include "provision/files.hh"
#include "provision/host_keys.hh"
#include "provision/hostname.hh"
#include "provision/keys.hh"
#include "provision/markers.hh"
#include "provision/network.hh"
#include "provision/packages.hh"
#include "provision/payload.hh"
#include "provision/sshd.hh"
#include "provision/sudo.hh"
#include "provision/template.hh"
#include "provision/time_locale.hh"
#include "provision/tools.hh"
#include "provision/trust.hh"
#include "provision/work.hh"
#include "provision/workload.hh"

#include <algorithm>
#include <memory>

namespace tarn::guest {
namespace {

using Shared = std::shared_ptr<const Work>;

class Planner {
  public:
    Planner(std::shared_ptr<Work> work, const Machine& machine)
        : work_(work), shared_(work), machine_(machine) {}

    Result<Plan> make() {
        TARN_TRY(read_documents());
        const bool native = plan_.payload == PayloadKind::kNative;
        work_->administrator = administrator_of(*work_, machine_);
        TARN_TRY(check_settings(*work_));
        Problems problems;
        check_owners(*work_, machine_, problems);
        if (!problems.empty()) {
            return fail(problems_error(document_, text_, problems));
        }
        if (native) {
            before_accounts();
        }
        base();
        if (native) {
            after_accounts();
        }
        if (work_->settings.source == "azure") {
            add("waagent-markers", Phase::kEarly, false, false, waagent);
        }
        if (native) {
            workload();
        }
        ending();
        return std::move(plan_);
    }

  private:
    using Run = Result<void> (*)(const Work&, const Machine&);

    void add(std::string name, Phase phase, bool every_boot, bool from_payload, Run run) {
        plan_.steps.push_back(
            {std::move(name),
             phase,
             every_boot,
             [work = shared_, run](const Machine& machine) { return run(*work, machine); },
             from_payload});
    }
    void early(std::string name, Run run) { add(std::move(name), Phase::kEarly, false, true, run); }
    void late(std::string name, Run run) {
        add(std::move(name), Phase::kWorkload, false, true, run);
    }

    // The document that is not applied natively goes elsewhere whole, or nowhere.
    Result<void> hand_over(std::string_view document,
                           std::string_view text,
                           const Problems& problems) {
        Error problem = problems_error(document, text, problems);
        if (any_refused(problems)) {
            return fail(std::move(problem));
        }
        // Handed over on an earlier boot: that stays so.
        if (!has_cloud_init(machine_) && !machine_.exists(kHandedOver)) {
            return fail(
                std::move(problem).advise("only cloud-init could apply it, and it is not on this "
                                          "machine: nothing was applied"));
        }
        plan_.payload = PayloadKind::kCloudInit;
        plan_.why_cloud_init = problem.message;
        work_->config = CloudConfig();
        work_->scripts.clear();
        return {};
    }

    Result<void> read_documents() {
        const auto variables = template_variables(work_->settings);
        const Settings& settings = work_->settings;
        TARN_TRY(read_document("vendor-data", settings.vendor_data, variables));
        const bool custom = !settings.custom_data.empty();
        TARN_TRY(read_document(custom ? "custom-data" : "user-data",
                               custom ? settings.custom_data : settings.user_data,
                               variables));
        std::stable_sort(
            work_->scripts.begin(),
            work_->scripts.end(),
            [](const PayloadPart& a, const PayloadPart& b) { return a.file < b.file; });
        return {};
    }

    Result<void> read_document(const std::string& name,
                               const std::string& bytes,
                               const std::map<std::string, std::string>& variables) {
        if (bytes.empty() || plan_.payload == PayloadKind::kCloudInit) {
            return {};
        }
        const Payload payload = TARN_TRY(read_payload(name, bytes, variables));
        if (!payload.ignored.empty()) {
            plan_.notes.push_back(payload.ignored);
        }
        if (!payload.problems.empty()) {
            return hand_over(name, bytes, payload.problems);
        }
        for (const PayloadPart& part : payload.parts) {
            plan_.payload = PayloadKind::kNative;
            if (part.kind == PayloadPart::Kind::kScript) {
                work_->scripts.push_back(part);
                continue;
            }
            Problems problems;
            TARN_TRY(read_cloud_config(part.name, part.text, work_->config, problems));
            if (!problems.empty()) {
                return hand_over(part.name, part.text, problems);
            }
            if (document_.empty() || contains(part.text, "write_files")) {
                document_ = part.name;
                text_ = part.text;
            }
        }
        return {};
    }

    void before_accounts() {
        const CloudConfig& config = work_->config;
        if (!config.bootcmd.empty()) {
            add("bootcmd", Phase::kEarly, true, true, [](const Work& work, const Machine& machine) {
                return run_script(machine,
                                  work.tools,
                                  work.state + "/scripts",
                                  "bootcmd",
                                  work.config.bootcmd,
                                  work.settings.instance_id);
            });
        }
        files(false);
        if (!config.ca_certificates.empty()) {
            early("ca-certs", [](const Work& work, const Machine& machine) {
                return trust_certificates(machine, work.tools, work.config.ca_certificates);
            });
        }
        if (!config.mounts.empty() || config.swap_size > 0) {
            early("mounts", [](const Work& work, const Machine& machine) {
                return set_up_mounts(machine, work.tools, work.config);
            });
        }
    }

    void files(bool deferred) {
        const auto& all = work_->config.files;
        for (std::size_t i = 0; i < all.size(); ++i) {
            if (all[i].defer != deferred) {
                continue;
            }
            plan_.steps.push_back({fmt::format("write-file:{}:{}", i, all[i].path),
                                   deferred ? Phase::kWorkload : Phase::kEarly,
                                   false,
                                   [work = shared_, i](const Machine& machine) {
                                       return write_file(
                                           machine, work->config.files[i], work->state, i);
                                   },
                                   true});
        }
    }

    void base_step(std::string name, Run run, std::string inputs, bool every_boot = false) {
        add(std::move(name), Phase::kEarly, every_boot, false, run);
        plan_.steps.back().inputs = std::move(inputs);
    }

    // What a login needs, in the order that leaves no door open: sshd's settings are last.
    void base() {
        names();
        if (!work_->config.groups.empty()) {
            early("groups", [](const Work& work, const Machine& machine) {
                return make_groups(machine, without_members(work.config.groups));
            });
        }
        if (work_->administrator) {
            base_step(
                "user:" + work_->administrator->name,
                [](const Work& work, const Machine& machine) {
                    return make_account(machine, work.tools, *work.administrator);
                },
                inputs_of(*work_->administrator));
        }
        users();
        login();
    }

    void names() {
        if (!work_->settings.nics.empty() || !work_->settings.network_config.empty()) {
            base_step("network", network, network_inputs(), true);
        }
        const HostName called = name_of(*work_);
        base_step("hostname", hostname, called.name + " " + called.fqdn);
        if (work_->config.manage_hosts) {
            base_step(
                "hosts",
                [](const Work& work, const Machine& machine) {
                    return manage_hosts(machine, name_of(work));
                },
                called.name + " " + called.fqdn,
                true);
        }
    }

    void login() {
        std::string rules;
        for (const auto& [name, lines] : sudo_rules(*work_)) {
            rules += name + " " + join(lines, ",") + "|";
        }
        base_step("sudoers", sudoers, rules);
        // New keys only where the document asks for others: known_hosts of users are at stake.
        std::string wish = join(work_->config.host_key_types, ",");
        for (const auto& [name, text] : work_->config.host_keys) {
            wish += "|" + name;
        }
        wish += work_->config.delete_host_keys ? "" : "|keep";
        base_step("host-keys", host_keys, wish);
        if (!work_->config.disable_root.value_or(true)) {
            early("root-keys", [](const Work& work, const Machine& machine) {
                return work.administrator ? add_authorized_keys(
                                                machine, "/root", Owner{}, work.administrator->keys)
                                          : Result<void>();
            });
        }
        if (!password_changes(*work_).empty()) {
            early("passwords", [](const Work& work, const Machine& machine) {
                return set_passwords(machine, password_changes(work), work.config.expire_passwords);
            });
        }
        const SshdSettings settings = sshd_settings(*work_);
        base_step(
            "sshd",
            [](const Work& work, const Machine& machine) {
                return configure_sshd(machine, work.tools, sshd_settings(work));
            },
            fmt::format("{} {}", settings.password_authentication, settings.root_with_keys));
    }

    void users() {
        const auto& all = work_->config.users;
        for (std::size_t i = 0; i < all.size(); ++i) {
            plan_.steps.push_back({fmt::format("users:{}:{}", i, all[i].name),
                                   Phase::kEarly,
                                   false,
                                   [work = shared_, i](const Machine& machine) {
                                       return make_account(
                                           machine, work->tools, work->config.users[i]);
                                   },
                                   true});
        }
        if (std::any_of(work_->config.groups.begin(),
                        work_->config.groups.end(),
                        [](const GroupWish& each) { return !each.members.empty(); })) {
            early("group-members", [](const Work& work, const Machine& machine) {
                return make_groups(machine, work.config.groups);
            });
        }
    }

    void after_accounts() {
        const CloudConfig& config = work_->config;
        if (!config.locale.empty()) {
            early("locale", [](const Work& work, const Machine& machine) {
                return set_locale(machine, work.config.locale);
            });
        }
        if (!config.timezone.empty()) {
            early("timezone", [](const Work& work, const Machine& machine) {
                return set_timezone(machine, work.config.timezone);
            });
        }
        if (!config.repositories.empty()) {
            early("yum-repos", [](const Work& work, const Machine& machine) -> Result<void> {
                for (const Repository& each : work.config.repositories) {
                    TARN_TRY(write_repository(machine, each));
                }
                return {};
            });
        }
        if (config.has_ntp) {
            early("ntp", [](const Work& work, const Machine& machine) {
                return set_time_servers(
                    machine, work.tools, work.config.ntp_servers, work.config.ntp_pools);
            });
        }
    }

    void workload() {
        const CloudConfig& config = work_->config;
        if (package_work(*work_).any()) {
            late("packages", [](const Work& work, const Machine& machine) {
                return do_packages(machine, work.tools, package_work(work));
            });
        }
        files(true);
        // cloud-init runs what is in its directory of scripts by name; runcmd is one of them.
        std::vector<PayloadPart> scripts = work_->scripts;
        if (!config.runcmd.empty()) {
            scripts.push_back({PayloadPart::Kind::kScript, "runcmd", "runcmd", config.runcmd});
        }
        std::stable_sort(scripts.begin(), scripts.end(), [](const auto& a, const auto& b) {
            return a.file < b.file;
        });
        for (std::size_t i = 0; i < scripts.size(); ++i) {
            const std::string& file = scripts[i].file;
            plan_.steps.push_back({file == "runcmd" ? file : "script:" + file,
                                   Phase::kWorkload,
                                   false,
                                   [work = shared_, script = scripts[i]](const Machine& machine) {
                                       return run_script(machine,
                                                         work->tools,
                                                         work->state + "/scripts",
                                                         script.file,
                                                         script.text,
                                                         work->settings.instance_id);
                                   },
                                   true});
        }
        if (config.final_message) {
            late("final-message", [](const Work& work, const Machine& machine) {
                return say_final_message(
                    machine, work.tools, *work.config.final_message, work.settings.source);
            });
        }
        if (!config.power_mode.empty()) {
            late("power-state", [](const Work& work, const Machine& machine) {
                return change_power(machine,
                                    work.tools,
                                    work.config,
                                    work.state + "/scripts",
                                    work.settings.instance_id);
            });
        }
    }

    void ending() {
        if (plan_.payload == PayloadKind::kCloudInit) {
            add("cloud-init",
                Phase::kWorkload,
                true,
                true,
                [](const Work& work, const Machine& machine) {
                    return hand_over_to_cloud_init(machine, work.tools, work.settings);
                });
        }
    }

    std::string network_inputs() const {
        std::string inputs = work_->settings.network_config;
        for (const NetworkFile& file : network_files(work_->settings.nics, false)) {
            inputs += file.name + file.text;
        }
        return inputs;
    }

    static Result<void> host_keys(const Work& work, const Machine& machine) {
        const CloudConfig& config = work.config;
        return make_host_keys(machine,
                              work.tools,
                              {config.delete_host_keys, config.host_key_types, config.host_keys});
    }

    static Result<void> waagent(const Work& work, const Machine& machine) {
        const auto file = work.settings.metadata.find("ovf_file");
        const std::string text = file == work.settings.metadata.end()
                                     ? std::string()
                                     : machine.read(file->second, 1u << 20).value_or("");
        return write_waagent_markers(machine, text, work.settings.instance_id);
    }

    static Result<void> hostname(const Work& work, const Machine& machine) {
        return work.config.preserve_hostname ? Result<void>()
                                             : set_hostname(machine, name_of(work));
    }

    static Result<void> network(const Work& work, const Machine& machine) {
        const Settings& settings = work.settings;
        if (settings.network_config.empty()) {
            return write_network(
                machine, work.tools, network_files(settings.nics, settings.source == "azure"));
        }
        const auto files =
            TARN_TRY(parse_network_config("network-config", settings.network_config));
        return write_network(machine, work.tools, files);
    }

    static Result<void> sudoers(const Work& work, const Machine& machine) {
        return write_sudoers(machine, work.tools, sudo_rules(work));
    }

    std::shared_ptr<Work> work_;  // filled in here, then only read through shared_
    Shared shared_;
    const Machine& machine_;
    Plan plan_;
    std::string document_, text_;  // of the last cloud-config, for what is wrong with it
};

}  // namespace

Result<Plan> plan_with(const Tools& tools, const Settings& settings, const Machine& machine) {
    auto work = std::make_shared<Work>();
    work->settings = settings;
    work->tools = tools;
    const auto state = settings.metadata.find("state_directory");
    work->state =
        state == settings.metadata.end() ? instance_directory(settings.instance_id) : state->second;
    if (!settings.network_config.empty()) {
        TARN_TRY(parse_network_config("network-config", settings.network_config));
    }
    return Planner(std::move(work), machine).make();
}

Result<Plan> plan(const Settings& settings, const Machine& machine) {
    return plan_with(real_tools(), settings, machine);
}

}  // namespace tarn::guest
