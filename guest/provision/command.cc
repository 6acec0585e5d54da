// SPDX-License-Identifier: MIT
#include "provision/command.hh"

#include "base/fs.hh"
#include "base/strings.hh"

#include "provision/markers.hh"
#include "provision/run.hh"
#include "provision/text.hh"
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>

namespace tarn::guest {

namespace {

constexpr const char* kHelp =
    R"(tarn-provision: makes this machine what its platform says it shall be

usage: tarn-provision early|network|workload [options]
       tarn-provision status [--wait] [-O json]
       tarn-provision report [-O json]
       tarn-provision clean

  early     before the network: media, host name, accounts, keys, host keys
  network   metadata, what is left of the above, the report to the platform
  workload  what the user's configuration runs: packages, commands, scripts
  status    how far it is; exit code 0 fine, 1 failed, 2 with warnings
  report    what the platform was told, and what each step took
  clean     forgets this instance, before the disk is captured as an image

options of the stages
  --root DIR                a machine's files below a directory (default /)
  --imds ADDRESS[:PORT]     the metadata service (default 169.254.169.254)
  --wireserver ADDRESS[:PORT]
                            where health is reported (default: DHCP option 245)
  --source ADDRESS          sends both from this address
  --no-dhcp                 does not wait for a DHCP lease
  --health xml|json         how health is reported (default xml)
  --timeout SECONDS         for lease, metadata and report each, at most

  -h, --help    -V, --version
)";

struct Arguments {
    std::string verb, root = "/";
    RunOptions run;
    bool wait = false, json = false;
};

int usage(const std::string& why) {
    fmt::print(
        stderr, "tarn-provision: {}\nhelp: `tarn-provision --help` shows how it is used\n", why);
    return 2;
}

void limit_all(RunOptions& run, std::chrono::milliseconds limit) {
    for (auto* each : {&run.lease,
                       &run.drive,
                       &run.online,
                       &run.imds_policy.total,
                       &run.imds_optional,
                       &run.health.total,
                       &run.failure_report,
                       &run.imds_policy.without_route,
                       &run.health.without_route}) {
        *each = std::min(*each, limit);
    }
}

// One option with its value; an error as text.
std::optional<std::string> take_value(Arguments& out,
                                      const std::string& name,
                                      const std::string& value) {
    if (name == "--root") {
        out.root = value;
    } else if (name == "--imds" || name == "--wireserver" || name == "--source") {
        const auto endpoint = Endpoint::parse(value);
        if (!endpoint) {
            return name + ": " + endpoint.error().message;
        }
        if (name == "--imds") {
            out.run.imds = *endpoint;
        } else if (name == "--wireserver") {
            out.run.wireserver = *endpoint;
        } else {
            out.run.source_address = endpoint->address;
        }
    } else if (name == "--health") {
        if (value != "xml" && value != "json") {
            return "--health is xml or json, not `" + value + "`";
        }
        out.run.health.json = value == "json";
    } else if (name == "--timeout") {
        const auto seconds = parse_u64(value);
        if (!seconds || *seconds > 86'400) {
            return "--timeout is a number of seconds, not `" + value + "`";
        }
        limit_all(out.run, std::chrono::seconds(*seconds));
    } else if (name == "-O") {
        if (value != "json" && value != "text") {
            return "-O is text or json, not `" + value + "`";
        }
        out.json = value == "json";
    }
    return std::nullopt;
}

std::optional<std::string> parse(const std::vector<std::string>& words, Arguments& out) {
    const std::vector<std::string> verbs = {
        "early", "network", "workload", "status", "report", "clean"};
    const std::vector<std::string> with_value = {
        "--root", "--imds", "--wireserver", "--source", "--health", "--timeout", "-O"};
    for (std::size_t i = 0; i < words.size(); ++i) {
        const std::string& word = words[i];
        const std::size_t equals = word.starts_with("--") ? word.find('=') : std::string::npos;
        const std::string name = word.substr(0, equals);
        if (std::find(with_value.begin(), with_value.end(), name) != with_value.end()) {
            if (equals == std::string::npos && i + 1 == words.size()) {
                return name + " needs a value";
            }
            const std::string value =
                equals == std::string::npos ? words[++i] : word.substr(equals + 1);
            if (auto problem = take_value(out, name, value)) {
                return problem;
            }
        } else if (word == "--wait") {
            out.wait = true;
        } else if (word == "--no-dhcp") {
            out.run.wait_for_dhcp = false;
        } else if (word.starts_with('-')) {
            auto known = with_value;
            known.insert(known.end(), {"--wait", "--no-dhcp", "--help", "--version"});
            const std::string hint = did_you_mean(word, known);
            return "there is no option `" + word + "`" + (hint.empty() ? "" : "; " + hint);
        } else if (!out.verb.empty()) {
            return "one command is expected, `" + word + "` is another";
        } else if (std::find(verbs.begin(), verbs.end(), word) == verbs.end()) {
            const std::string hint = did_you_mean(word, verbs);
            return "there is no command `" + word + "`" + (hint.empty() ? "" : "; " + hint);
        } else {
            out.verb = word;
        }
    }
    return out.verb.empty() ? std::optional<std::string>("a command is expected") : std::nullopt;
}

void print_error(const Error& error) {
    fmt::print(stderr, "tarn-provision: {}\n", error.message);
    for (const std::string& note : error.notes) {
        fmt::print(stderr, "  {}\n", note);
    }
    for (const std::string& help : error.help) {
        fmt::print(stderr, "help: {}\n", help);
    }
}

// systemd's sd_notify(3): what waits for this unit may start.
void notify_ready() {
    const char* path = std::getenv("NOTIFY_SOCKET");
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path == nullptr || std::strlen(path) >= sizeof address.sun_path) {
        return;
    }
    const std::size_t size = std::strlen(path);
    std::memcpy(address.sun_path, path, size);
    if (path[0] == '@') {
        address.sun_path[0] = '\0';
    }
    const Fd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    constexpr std::string_view kReady = "READY=1";
    static_cast<void>(::sendto(fd.get(),
                               kReady.data(),
                               kReady.size(),
                               MSG_NOSIGNAL,
                               reinterpret_cast<const sockaddr*>(&address),
                               static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + size)));
}

// What status.json and report.json say together.
struct Seen {
    std::optional<Status> status;
    std::optional<Told> told;

    bool ended() const {
        // What the early stage could not do, the next one tries again.
        return status && (status->status == "disabled" || status->status == "done" ||
                          (status->status == "error" && status->stage != "early"));
    }
    int exit_code() const {
        if (!status || status->status == "running") {
            return 0;
        }
        const bool untold = told && !told->ready;
        return status->status == "error" ? 1 : !status->warnings.empty() || untold ? 2 : 0;
    }
};

Seen look(const Machine& machine) {
    return {current_status(machine), current_told(machine)};
}

void print_status(const Seen& seen, bool json) {
    if (json) {
        Status none;
        none.status = "not run";
        fmt::print("{}", status_json(seen.status.value_or(none)));
        return;
    }
    if (!seen.status) {
        fmt::print("status: not run\n");
        return;
    }
    const Status& status = *seen.status;
    fmt::print("status: {}\nstage: {}\n", status.status, status.stage);
    if (!status.source.empty()) {
        fmt::print("source: {}\ninstance: {}\nplatform ready: {}\nworkload ready: {}\n",
                   status.source,
                   status.instance_id,
                   status.platform_ready ? "yes" : "no",
                   status.workload_ready ? "yes" : "no");
    }
    for (const std::string& error : status.errors) {
        fmt::print("error: {}\n", error);
    }
    for (const std::string& warning : status.warnings) {
        fmt::print("warning: {}\n", warning);
    }
    if (seen.told && !seen.told->ready) {
        fmt::print("warning: the platform was not told: {}\n", seen.told->error);
    }
}

// A document that was handed over is done when cloud-init says so.
bool cloud_init_works(const Machine& machine) {
    return machine.exists(kHandedOver) && !machine.exists("/run/cloud-init/result.json");
}

int show_status(const Machine& machine, const Arguments& arguments) {
    Seen seen = look(machine);
    while (arguments.wait && (!seen.ended() || cloud_init_works(machine))) {
        ::poll(nullptr, 0, 100);
        seen = look(machine);
    }
    print_status(seen, arguments.json);
    return seen.exit_code();
}

int show_report(const Machine& machine, const Arguments& arguments) {
    const Seen seen = look(machine);
    print_status(seen, arguments.json);
    if (!arguments.json && seen.status) {
        for (const DoneStep& step : seen.status->steps) {
            fmt::print("{:9.3f} s  {}\n", step.seconds, step.name);
        }
        fmt::print("login worked {:.1f} s after power-on\n", seen.status->ready_seconds);
        if (seen.told && seen.told->ready) {
            fmt::print("the platform was told {:.1f} s after power-on\n", seen.told->seconds);
        }
    }
    return seen.status ? 0 : 1;
}

Result<void> clean(const Machine& machine) {
    const std::string prefix = machine.is_live() ? std::string() : machine.root();
    for (const char* directory : {kStateDirectory, kRunDirectory}) {
        TARN_TRY(remove_tree(prefix + directory));
    }
    return {};
}

int run_verb(const Machine& machine, Arguments& arguments) {
    if (arguments.verb == "status") {
        return show_status(machine, arguments);
    }
    if (arguments.verb == "report") {
        return show_report(machine, arguments);
    }
    arguments.run.log = [](std::string_view text) { fmt::print(stderr, "{}\n", one_line(text)); };
    if (arguments.verb == "network") {
        arguments.run.applied = notify_ready;
    }
    const Result<void> done = arguments.verb == "early"      ? run_early(machine, arguments.run)
                              : arguments.verb == "network"  ? run_network(machine, arguments.run)
                              : arguments.verb == "workload" ? run_workload(machine, arguments.run)
                                                             : clean(machine);
    if (!done) {
        print_error(done.error());
        return 1;
    }
    return 0;
}

}  // namespace

int provision_main(const std::vector<std::string>& words) {
    for (const std::string& word : words) {
        if (word == "-h" || word == "--help") {
            fmt::print("{}", kHelp);
            return 0;
        }
        if (word == "-V" || word == "--version") {
            fmt::print("{}\n", replace_all(kAgent, "/", " "));
            return 0;
        }
    }
    Arguments arguments;
    if (const auto problem = parse(words, arguments)) {
        return usage(*problem);
    }
    ::signal(SIGPIPE, SIG_IGN);
    const auto machine = Machine::open(arguments.root);
    if (!machine) {
        print_error(machine.error());
        return 1;
    }
    return run_verb(*machine, arguments);
}

}  // namespace tarn::guest
