// SPDX-License-Identifier: MIT
#include "provision/run.hh"

#include "base/process.hh"
#include "base/strings.hh"

#include "provision/azure.hh"
#include "provision/nocloud.hh"
#include "provision/session.hh"
#include "provision/text.hh"

#include <algorithm>

namespace tarn::guest {

namespace {

constexpr const char* kProxyAgent = "azure-proxy-agent";

// The media: of the drive, else what was kept of it when the platform has taken it away.
Result<std::optional<OvfEnvironment>> read_media(Session& session) {
    auto media = TARN_TRY(find_azure_media(session.machine()));
    if (media) {
        session.log("provisioning media in " + media->device);
        OvfEnvironment ovf = TARN_TRY(parse_ovf(media->ovf));
        if (ovf.custom_data.empty() && media->custom_data) {
            ovf.custom_data = std::move(*media->custom_data);
        }
        // Kept for other agents; a document whose password cannot be found is not.
        if (auto kept = redact_ovf(media->ovf)) {
            TARN_TRY(session.state().save("ovf-env.xml", *kept));
        }
        return std::optional<OvfEnvironment>(std::move(ovf));
    }
    const auto kept = TARN_TRY(session.state().load("ovf-env.xml"));
    if (!kept) {
        return std::optional<OvfEnvironment>();
    }
    OvfEnvironment ovf = TARN_TRY(parse_ovf(*kept));
    if (ovf.password.reveal() == kRedacted) {
        return fail(ErrorKind::kFailed,
                    "the provisioning media is gone before the password was set from it");
    }
    if (const auto before = TARN_TRY(session.kept_settings())) {
        ovf.custom_data = before->custom_data;
    }
    return std::optional<OvfEnvironment>(std::move(ovf));
}

// The platform's proxy agent, when the media asks for it, comes before any call.
Result<void> wait_for_proxy_agent(Session& session) {
    Command command;
    command.argv = {kProxyAgent, "--status", "--wait", "120"};
    command.timeout = std::chrono::seconds(150);
    if (!session.machine().is_live() || !find_program(kProxyAgent)) {
        return fail(ErrorKind::kFailed,
                    "the media asks for the proxy agent: {} is not installed",
                    kProxyAgent);
    }
    const ProcessResult result = TARN_TRY(run(command));
    if (result.exit_code != 0) {
        return fail(ErrorKind::kFailed,
                    "{} failed with exit code {}: {}",
                    kProxyAgent,
                    result.exit_code,
                    one_line(cut_text(trim(result.errors), 200)));
    }
    return {};
}

Result<InstanceDocument> ask_metadata(Session& session, bool optional) {
    const RunOptions& options = session.options();
    RetryPolicy policy = options.imds_policy;
    if (optional) {
        policy.total = std::min(policy.total, options.imds_optional);
    }
    const std::string text =
        TARN_TRY(imds_get(options.imds,
                          kInstanceTarget,
                          kInstanceTargetOlder,
                          policy,
                          session.source_address(),
                          [&](const std::string& said) { session.log("metadata: " + said); }));
    return parse_instance(text);
}

Result<void> early_azure(Session& session) {
    wait_for_drive(session.machine(), session.options().drive);
    auto media = TARN_TRY(read_media(session));
    if (!media) {
        session.log("no provisioning media: the metadata service will say");
        return session.pending();
    }
    Settings settings = TARN_TRY(azure_settings({session.detection().vm_id, std::move(media), {}}));
    TARN_TRY(session.provision(std::move(settings)));
    return session.pending();
}

// What a host name that came too late for DHCP needs: the lease is renewed with it.
void renew_lease(Session& session, bool hostname_known_early) {
    if (hostname_known_early || !session.machine().is_live() || !session.lease()) {
        return;
    }
    Command command;
    command.argv = {"networkctl", "renew", session.lease()->interface};
    command.timeout = std::chrono::seconds(10);
    if (auto result = run(command); !result || result->exit_code != 0) {
        session.log("warning: networkctl renew failed: the DNS may not know the host name");
    }
}

Result<void> network_azure(Session& session) {
    auto media = TARN_TRY(read_media(session));
    const bool have_media = media.has_value();
    if (have_media && media->guest_proxy_agent) {
        TARN_TRY(wait_for_proxy_agent(session));
    }
    session.find_servers();
    auto metadata = ask_metadata(session, have_media);
    AzureSources sources{session.detection().vm_id, std::move(media), {}};
    if (metadata) {
        sources.metadata = std::move(*metadata);
    } else if (!have_media) {
        const bool no_lease = !session.lease() && session.options().wait_for_dhcp;
        return no_lease ? fail(std::move(metadata.error()).context("no DHCP lease"))
                        : fail(std::move(metadata.error()));
    } else {
        session.status().warnings.push_back("only the media says what to do: " +
                                            one_line(metadata.error().message));
    }
    Settings settings = TARN_TRY(azure_settings(sources));
    TARN_TRY(session.provision(std::move(settings)));
    renew_lease(session, have_media);
    return session.ready();
}

// A machine that was provisioned on an earlier boot: what may have changed since.
Result<void> refresh_azure(Session& session) {
    auto kept = TARN_TRY(session.kept_settings());
    if (!kept) {
        return {};
    }
    InstanceDocument metadata = TARN_TRY(ask_metadata(session, true));
    if (metadata.nics.empty()) {
        return {};
    }
    kept->nics = std::move(metadata.nics);
    TARN_TRY(session.state().save("settings.json", settings_json(*kept)));
    return session.apply_every_boot(*kept);
}

Result<void> every_boot(Session& session) {
    if (auto kept = TARN_TRY(session.kept_settings())) {
        TARN_TRY(session.apply_every_boot(*kept));
    }
    return session.pending();
}

Result<void> nocloud(Session& session, const NoCloudSeed& seed) {
    Settings settings = TARN_TRY(nocloud_settings(seed, session.detection().seed));
    TARN_TRY(session.open(settings.instance_id));
    if (session.is_applied()) {
        TARN_TRY(every_boot(session));
    } else {
        TARN_TRY(session.provision(std::move(settings)));
    }
    return session.ready();
}

Result<void> early(Session& session) {
    if (session.detection().platform == Platform::kAzure) {
        return session.is_applied() ? every_boot(session) : early_azure(session);
    }
    return session.seed() ? nocloud(session, *session.seed()) : session.pending();
}

Result<void> network(Session& session) {
    if (session.detection().platform == Platform::kAzure) {
        return session.is_applied() ? session.ready() : network_azure(session);
    }
    if (session.status().platform_ready) {
        session.options().applied();
        return {};  // the early stage did it
    }
    if (session.seed()) {  // its disk came later than the early stage
        return nocloud(session, *session.seed());
    }
    session.find_servers();
    const auto fetched = TARN_TRY(
        fetch_nocloud_seed(session.detection().seed.at("seedfrom"), session.options().imds_policy));
    return nocloud(session, fetched);
}

Result<void> workload(Session& session) {
    TARN_TRY(session.open(session.status().instance_id));
    if (auto kept = TARN_TRY(session.kept_settings())) {
        TARN_TRY(session.apply_workload(*kept));
    }
    if (const auto& failed = session.status().payload_errors; !failed.empty()) {
        return fail(ErrorKind::kFailed, "{}", failed.front());
    }
    return session.finished();
}

Result<void> run_stage(Session& session, Result<void> (*stage)(Session&)) {
    TARN_TRY(session.begin());
    auto found = session.identify();
    if (!found) {
        return session.give_up(std::move(found.error()));
    }
    if (!*found) {
        session.options().applied();
        return {};
    }
    auto done = stage(session);
    if (!done) {
        return session.give_up(std::move(done.error()));
    }
    return {};
}

}  // namespace

Result<void> run_early(const Machine& machine, const RunOptions& options) {
    Session session(machine, options, "early");
    return run_stage(session, early);
}

Result<void> run_network(const Machine& machine, const RunOptions& options) {
    Session session(machine, options, "network");
    TARN_TRY(run_stage(session, network));
    if (session.detection().platform != Platform::kAzure) {
        return {};
    }
    // The lock is given back: the workload goes on, and nothing from here on is in its way.
    if (!session.asked_servers()) {
        session.find_servers();
        if (auto refreshed = refresh_azure(session); !refreshed) {
            session.log("warning: " + refreshed.error().message);
        }
    }
    return session.is_reported() ? Result<void>() : session.report_ready();
}

Result<void> run_workload(const Machine& machine, const RunOptions& options) {
    Session session(machine, options, "workload");
    TARN_TRY(session.begin());
    if (session.status().status == "disabled") {
        return {};
    }
    if (!session.status().platform_ready) {
        return fail(ErrorKind::kFailed,
                    "the machine is not provisioned: `tarn-provision status` says why");
    }
    auto done = workload(session);
    if (!done) {
        return session.give_up(std::move(done.error()));
    }
    return {};
}

}  // namespace tarn::guest
