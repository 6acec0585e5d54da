// SPDX-License-Identifier: MIT
#include "base/fs.hh"
#include "base/process.hh"
#include "base/strings.hh"
#include "cli/output.hh"
#include "emulator/media.hh"
#include "emulator/network.hh"
#include "emulator/server.hh"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <thread>

namespace tarn::cli {

namespace {

using emulator::Listener;
using emulator::Role;
using emulator::Scenario;
using emulator::Subnet;

constexpr std::uint16_t kControlPort = 8169;
// Addresses that connections may come from in the namespace.
constexpr const char* kOwnNetwork = "10.0.0.0/8";

Result<std::uint64_t> number_option(const Given& given,
                                    const std::string& name,
                                    std::uint64_t otherwise,
                                    std::uint64_t most) {
    if (!given.has(name)) {
        return otherwise;
    }
    const auto value = parse_u64(given.value(name));
    if (!value || *value == 0 || *value > most) {
        return fail(ErrorKind::kUsage,
                    "--{}: `{}` is no number from 1 to {}",
                    name,
                    given.value(name),
                    most);
    }
    return *value;
}

Result<Scenario> chosen_scenario(const Given& given) {
    const bool generated = given.has("count") || given.has("subnet") || given.has("name");
    if (given.has("scenario") && generated) {
        return fail(
            error(ErrorKind::kUsage, "--scenario says what instances there are")
                .advise("leave --count, --subnet and --name out; a scenario has [generate]"));
    }
    Scenario scenario;
    if (given.has("scenario")) {
        scenario = TARN_TRY(Scenario::read(given.value("scenario")));
    } else {
        emulator::Instance like;
        like.name = given.value("name");
        const std::uint64_t count = TARN_TRY(number_option(given, "count", 1, 60'000));
        scenario = TARN_TRY(Scenario::generated(count, given.value("subnet"), like));
    }
    for (const std::string& path : given.all("ssh-key")) {
        const std::string key = TARN_TRY(read_file(path, 64U << 10));
        for (emulator::Instance& instance : scenario.instances) {
            instance.ssh_keys.emplace_back(trim(key));
        }
    }
    if (given.has("secure-boot")) {
        for (emulator::Instance& instance : scenario.instances) {
            instance.secure_boot = true;
        }
    }
    if (given.has("no-rate-limits")) {
        scenario.rate_limits = false;
    }
    return scenario;
}

Result<ExitCode> write_media(const Given& given, const Scenario& scenario) {
    const std::string name = given.value("instance", scenario.instances.front().name);
    const auto instance = std::ranges::find(scenario.instances, name, &emulator::Instance::name);
    if (instance == scenario.instances.end()) {
        std::vector<std::string> names;
        for (std::size_t i = 0; i < scenario.instances.size() && i < 1000; ++i) {
            names.push_back(scenario.instances[i].name);
        }
        return fail(error(ErrorKind::kUsage, "there is no instance `{}`", name)
                        .advise(did_you_mean(name, names)));
    }
    const std::string kind = given.value("kind");
    std::string bytes;
    if (kind == "nocloud") {
        bytes = TARN_TRY(emulator::nocloud_medium(*instance));
    } else {
        bytes = TARN_TRY(emulator::azure_medium(*instance,
                                                kind == "iso"   ? emulator::MediaKind::kIso
                                                : kind == "udf" ? emulator::MediaKind::kUdf
                                                                : instance->media));
    }
    // The password is in it.
    TARN_TRY(write_file_atomic(given.value("write-media"), bytes, 0600));
    return ExitCode::kDone;
}

Result<std::vector<Listener>> chosen_listeners(const Given& given) {
    std::vector<Listener> listeners;
    for (const std::string& text : given.all("listen")) {
        listeners.push_back(TARN_TRY(Listener::parse(text)));
    }
    if (listeners.empty()) {
        listeners = {{emulator::kMetadataAddress, 80, Role::kMetadata},
                     {emulator::kWireserverAddress, 80, Role::kWireserver},
                     {"127.0.0.1", kControlPort, Role::kAll}};
    }
    return listeners;
}

Result<ExitCode> serve_here(Context& context, Scenario scenario) {
    const Given& given = context.given();
    emulator::ServerOptions options;
    const std::size_t count = scenario.instances.size();
    options.scenario = std::move(scenario);
    options.listeners = TARN_TRY(chosen_listeners(given));
    options.on_event = [](const std::string& line) {
        print(line + "\n");
        std::fflush(stdout);
    };
    if (given.has("verbose")) {
        options.on_request = [](const std::string& line) { talk(line + "\n"); };
    }
    auto server = TARN_TRY(emulator::Server::start(std::move(options)));
    if (given.has("ca-file")) {
        TARN_TRY(write_file_atomic(given.value("ca-file"), server.root_certificate()));
    }
    std::vector<std::string> places;
    for (const Listener& each : server.listeners()) {
        places.push_back(fmt::format("{}:{}", each.address, each.port));
    }
    print(fmt::format("{{\"event\":\"listening\",\"process\":{},\"listeners\":[\"{}\"]}}\n",
                      ::getpid(),
                      join(places, "\",\"")));
    std::fflush(stdout);
    talk(fmt::format("ready: {} {} on {} (process {})\n",
                     count,
                     count == 1 ? "instance" : "instances",
                     join(places, ", "),
                     ::getpid()));
    TARN_TRY(server.run(context.stop()));
    return ExitCode::kDone;
}

// This same command again, as a process that begins in a network namespace: of this process only
// one thread could.
Result<ExitCode> serve_in_namespace(Context& context) {
    const Given& given = context.given();
    Command command;
    command.argv = {TARN_TRY(read_symlink("/proc/self/exe")), "vm", "metadata", "--here"};
    for (const char* name :
         {"scenario", "count", "subnet", "name", "ssh-key", "ca-file", "color"}) {
        for (const std::string& value : given.all(name)) {
            command.argv.push_back(fmt::format("--{}={}", name, value));
        }
    }
    for (const char* name : {"secure-boot", "no-rate-limits", "verbose", "quiet"}) {
        if (given.has(name)) {
            command.argv.push_back(std::string("--") + name);
        }
    }
    command.inherit_terminal = true;
    TARN_TRY(chosen_scenario(given));  // its mistakes are told before there is a namespace
    const Subnet own = Subnet::parse(given.value("subnet", kOwnNetwork)).value();
    if (given.has("namespace")) {
        const std::uint64_t process = TARN_TRY(number_option(given, "namespace", 1, 1U << 30));
        emulator::enter_network_of(command, static_cast<int>(process));
        command.before_exec = [enter = command.before_exec, own] {
            const int problem = enter();
            return problem != 0 ? problem : emulator::prepare_loopback(own.first, own.prefix);
        };
    } else {
        command.before_exec = [own, parent = ::getpid()] {
            const int problem = emulator::unshare_network(own.first, own.prefix);
            return problem != 0 ? problem : emulator::end_with_parent(parent);
        };
    }
    auto child = Child::start(command);
    if (!child) {
        return fail(
            std::move(child.error())
                .context("cannot enter a network namespace")
                .advise("user namespaces must be permitted, or run as root; --listen needs none"));
    }
    const std::stop_callback on_stop(context.stop(),
                                     [pid = child->pid()] { ::kill(pid, SIGTERM); });
    const int code = TARN_TRY(child->wait());
    return code == 0 ? ExitCode::kDone : ExitCode::kFailed;
}

}  // namespace

CommandSpec vm_metadata() {
    CommandSpec spec;
    spec.path = "vm metadata";
    spec.summary = "Be the platform's metadata service, wireserver and provisioning media";
    spec.details =
        "Serves 169.254.169.254 and 168.63.129.16 in a network namespace of its own, for one "
        "instance or\n"
        "for thousands, until SIGTERM; `nsenter -n -t PROCESS` runs programs beside it. What "
        "instances\n"
        "report is written to standard output, one JSON object a line, and told by\n"
        "http://127.0.0.1:8169/emulator/instances[/NAME]. Without --scenario there is one "
        "instance.";
    spec.options = {
        {"--scenario", "FILE", "instances, faults and events (TOML)"},
        {"--count", "N", "so many instances, called NAME-1 and so on (1)"},
        {"--subnet", "NETWORK", "their connections come from its addresses, as 10.7.0.0/16"},
        {"--name", "NAME", "what instances are called (node)"},
        {"--ssh-key", "FILE", "give every instance this public key", {}, true},
        {"--secure-boot", "", "tell every instance that it started with Secure Boot"},
        {"--listen",
         "ADDRESS:PORT",
         "listen here and make no namespace; port 0 is a free one",
         {},
         true},
        {"--namespace", "PROCESS", "serve in the network namespace of this process"},
        {"--here", "", "serve where the command is started, on the platform's addresses"},
        {"--no-rate-limits", "", "answer however often an instance asks"},
        {"--ca-file", "FILE", "write the certificate that attested documents are trusted by"},
        {"--write-media", "FILE", "write a provisioning medium instead of serving"},
        {"--kind", "KIND", "what kind of medium (the instance's)", {"udf", "iso", "nocloud"}},
        {"--instance", "NAME", "whose medium (the first one's)"}};
    spec.run = [](Context& context) -> Result<ExitCode> {
        const Given& given = context.given();
        const int places = (given.has("listen") ? 1 : 0) + (given.has("namespace") ? 1 : 0) +
                           (given.has("here") ? 1 : 0);
        if (places > 1) {
            return fail(ErrorKind::kUsage, "only one of --listen, --namespace and --here can be");
        }
        if (!given.has("write-media") && !given.has("listen") && !given.has("here")) {
            return serve_in_namespace(context);
        }
        Scenario scenario = TARN_TRY(chosen_scenario(given));
        return given.has("write-media") ? write_media(given, scenario)
                                        : serve_here(context, std::move(scenario));
    };
    return spec;
}

}  // namespace tarn::cli
