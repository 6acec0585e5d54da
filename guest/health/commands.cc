// SPDX-License-Identifier: MIT
#include "health/commands.hh"

#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <map>

#include "base/fs.hh"
#include "base/strings.hh"
#include "health/collect.hh"
#include "health/timeline.hh"

namespace tarn::guest {

namespace {

constexpr const char* kHelp = R"(usage: tarn-health COMMAND [OPTIONS]
Whether this machine may get work, and its numbers.

  status [-O json]     says it and why not
  metrics [--open]     prints the metrics (--open: OpenMetrics)
  serve                answers http: /health (Application Health, version 2), /ready and /live
                       (200 or 503), /metrics (Prometheus or OpenMetrics). systemd passes the socket.
        [--listen ADDRESS:PORT] [--idle SECONDS, 0: stay]
  boot-timeline [-O json] [--write]   where the time of this boot went; --write waits for its end
                       and keeps it in /var/log/tarn/boot-timeline.json

  --manager SOCKET     of the system manager (/run/systemd/io.systemd.Manager)
  -h, --help, --version
Exit code: 0 done, status: healthy; 1 failed, status: not healthy; 2 wrong usage.
)";

struct Arguments {
    std::string command;
    std::map<std::string, std::string> options;
    bool has(const std::string& name) const { return options.contains(name); }
    std::string value(const std::string& name, const std::string& otherwise = {}) const {
        const auto found = options.find(name);
        return found == options.end() ? otherwise : found->second;
    }
    bool json() const { return value("-O") == "json"; }
    std::string manager() const { return value("--manager", kManagerSocket); }
};

const std::vector<std::string> kCommands = {"status", "metrics", "serve", "boot-timeline"};

Result<Arguments> parse_arguments(const std::vector<std::string>& words) {
    // Whether an option has a value, and its command; empty: all.
    static const std::map<std::string, std::pair<bool, std::string>> kOptions = {
        {"-O", {true, ""}},
        {"--manager", {true, ""}},
        {"--open", {false, "metrics"}},
        {"--listen", {true, "serve"}},
        {"--idle", {true, "serve"}},
        {"--write", {false, "boot-timeline"}}};
    if (words.empty()) {
        return fail(ErrorKind::kUsage, "expected a command; see tarn-health --help");
    }
    Arguments out;
    out.command = words[0];
    bool known = false;
    for (const std::string& one : kCommands) {
        known = known || one == out.command;
    }
    if (!known) {
        return fail(ErrorKind::kUsage,
                    "unknown command `{}`; {}",
                    out.command,
                    did_you_mean(out.command, kCommands));
    }
    for (std::size_t at = 1; at < words.size(); ++at) {
        const std::size_t equals = words[at].find('=');
        const std::string name = words[at].substr(0, equals);
        const auto option = kOptions.find(name);
        if (option == kOptions.end() ||
            (!option->second.second.empty() && option->second.second != out.command)) {
            return fail(ErrorKind::kUsage, "`{}` takes no {}", out.command, name);
        }
        std::string value;
        if (option->second.first) {
            if (equals == std::string::npos && ++at == words.size()) {
                return fail(ErrorKind::kUsage, "{} needs a value", name);
            }
            value = equals == std::string::npos ? words[at] : words[at].substr(equals + 1);
        } else if (equals != std::string::npos) {
            return fail(ErrorKind::kUsage, "{} takes no value", name);
        }
        out.options[name] = value;
    }
    if (out.has("-O") && !out.json() && out.value("-O") != "text") {
        return fail(ErrorKind::kUsage, "-O is text or json");
    }
    return out;
}

void print(const std::string& text) {
    std::fwrite(text.data(), 1, text.size(), stdout);
}

Result<int> command_status(const Arguments& arguments) {
    const Health health = evaluate(read_inputs("/", arguments.manager()));
    if (arguments.json()) {
        print(verbose_body(health));
    } else {
        print(std::string(state_name(health.state)) + "\n");
        for (const std::string& why : health.reasons) {
            print("  " + why + "\n");
        }
    }
    return health.state == HealthState::kHealthy ? 0 : 1;
}

Result<int> command_metrics(const Arguments& arguments) {
    const Metrics metrics = collect("/", read_inputs("/", arguments.manager()));
    print(metrics_text(
        metrics, arguments.has("--open") ? Exposition::kOpenMetrics : Exposition::kPrometheus));
    return 0;
}

// Once the boot has ended, or after ten minutes; at once where nobody knows.
HealthInputs inputs_after_boot(const std::string& socket) {
    HealthInputs inputs = read_inputs("/", socket);
    for (int i = 0; i < 600 && inputs.manager && !inputs.manager->timestamps.contains("Finish");
         ++i) {
        sleep(1);
        inputs = read_inputs("/", socket);
    }
    return inputs;
}

Result<int> command_timeline(const Arguments& arguments) {
    const bool write = arguments.has("--write");
    Boot boot = make_boot(write ? inputs_after_boot(arguments.manager())
                                : read_inputs("/", arguments.manager()));
    boot.boot_id = trim(read_file("/proc/sys/kernel/random/boot_id", 4096).value_or(""));
    boot.kernel = trim(read_file("/proc/sys/kernel/osrelease", 4096).value_or(""));
    boot.time = std::time(nullptr);
    if (write) {
        const auto history = read_file(kTimelinePath, 4u << 20);
        TARN_TRY(make_directories(parent_path(kTimelinePath)));
        TARN_TRY(write_file_atomic(kTimelinePath, add_boot(history ? *history : "", boot)));
        return 0;
    }
    if (arguments.json()) {
        print(boot_text(boot));
        return 0;
    }
    for (const Phase& phase : boot.phases) {
        print(fmt::format("{:10.3f} s  {}\n", phase.seconds, phase.name));
    }
    print(fmt::format("{:10.3f} s  in all\n", boot.total));
    return 0;
}

Result<Fd> stop_signals() {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigprocmask(SIG_BLOCK, &set, nullptr);
    Fd fd(signalfd(-1, &set, SFD_CLOEXEC));
    if (!fd) {
        return fail(sys_error("wait for", "signals"));
    }
    return fd;
}

Result<Fd> listener_of(const Arguments& arguments) {
    const char* pid = std::getenv("LISTEN_PID");
    const char* count = std::getenv("LISTEN_FDS");
    if (pid != nullptr && count != nullptr && parse_u64(count) == 1U &&
        parse_u64(pid) == static_cast<std::uint64_t>(getpid())) {
        return Fd(3);
    }
    return listen_tcp(arguments.value("--listen", "127.0.0.1:8642"));
}

Result<int> command_serve(const Arguments& arguments) {
    using Clock = std::chrono::steady_clock;
    const Fd listener = TARN_TRY(listener_of(arguments));
    const Fd stop = TARN_TRY(stop_signals());
    ProbeLimits limits;
    const auto idle = parse_u64(arguments.value("--idle", "120"));
    if (!idle || *idle > 86'400) {
        return fail(ErrorKind::kUsage, "--idle is a number of seconds");
    }
    limits.exit_when_idle = std::chrono::seconds(*idle);
    // However many ask: the machine is looked at once a second.
    HealthInputs inputs;
    std::optional<Clock::time_point> looked;
    TARN_TRY(serve_probes(listener, stop.get(), limits, [&](const ProbeRequest& request) {
        if (!looked || Clock::now() - *looked >= std::chrono::seconds(1)) {
            inputs = read_inputs("/", arguments.manager());
            looked = Clock::now();
        }
        return answer_probe(request, "/", inputs);
    }));
    return 0;
}

}  // namespace

ProbeAnswer answer_probe(const ProbeRequest& request,
                         const std::string& root,
                         const HealthInputs& inputs) {
    if (request.path == "/live") {
        return {200, "text/plain", "ok\n"};
    }
    if (request.path == "/metrics") {
        const Exposition form = negotiate(request.accept);
        return {200, std::string(content_type(form)), metrics_text(collect(root, inputs), form)};
    }
    if (request.path != "/health" && request.path != "/ready") {
        return {404, "text/plain", "there are /health, /ready, /live and /metrics\n"};
    }
    const Health health = evaluate(inputs);
    ProbeAnswer answer;
    answer.body = request.query == "verbose" ? verbose_body(health) : health_body(health);
    if (request.path == "/ready") {
        answer.status = health.state == HealthState::kHealthy ? 200 : 503;
    }
    return answer;
}

int run_health(const std::vector<std::string>& words) {
    if (!words.empty() && (words[0] == "--help" || words[0] == "-h" || words[0] == "--version")) {
        print(words[0] == "--version" ? "tarn-health 0.1.0\n" : kHelp);
        return 0;
    }
    using Run = Result<int> (*)(const Arguments&);
    static const std::map<std::string, Run> kRun = {{"status", command_status},
                                                    {"metrics", command_metrics},
                                                    {"serve", command_serve},
                                                    {"boot-timeline", command_timeline}};
    const auto arguments = parse_arguments(words);
    const auto done =
        arguments ? kRun.at(arguments->command)(*arguments) : Result<int>(fail(arguments.error()));
    if (done) {
        return std::fflush(stdout) == 0 ? *done : 1;
    }
    std::fprintf(stderr, "tarn-health: %s\n", done.error().message.c_str());
    return done.error().kind == ErrorKind::kUsage ? 2 : 1;
}

}  // namespace tarn::guest
