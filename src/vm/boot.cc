// SPDX-License-Identifier: MIT
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <thread>

#include "base/fs.hh"
#include "base/strings.hh"
#include "efi/variables.hh"
#include "vm/detail/console.hh"
#include "vm/detail/guest_checks.hh"
#include "vm/detail/machine.hh"
#include "vm/detail/provisioning.hh"
#include "vm/detail/results.hh"

namespace tarn {

namespace {

// QEMU's user-mode network: the guest sees the namespace's loopback as this address.
constexpr const char* kHostAddress = "10.0.2.2";
constexpr int kGoodPort = 8080;
constexpr int kBadPort = 8081;
constexpr std::uint64_t kMaxGuestOutput = 64ULL << 20;  // of each serial port

std::string self() {
    auto path = read_symlink("/proc/self/exe");
    return path ? *path : "tarn";
}

Command serve_command(const std::string& directory, int port) {
    Command command;
    command.argv = {self(), "repo", "serve", "--path", directory,
                    "--port", std::to_string(port), "--quiet"};
    return command;
}

Result<std::string> published_snapshot(const std::string& repository) {
    std::error_code problem;
    const auto path = std::filesystem::canonical(repository, problem);
    if (problem) {
        return fail(error(ErrorKind::kNotFound, "nothing is published in {}", repository)
                        .advise("`tarn repo publish` publishes the repository"));
    }
    return path.string();
}

// A copy of the snapshot, hard links but for one package with one byte changed.
Result<void> make_altered(const std::string& snapshot, const std::string& target,
                          const std::string& package) {
    namespace fs = std::filesystem;
    std::error_code problem;
    bool altered = false;
    for (auto each = fs::recursive_directory_iterator(snapshot, problem);
         !problem && each != fs::recursive_directory_iterator();
         each.increment(problem)) {
        const std::string relative = relative_to(each->path().string(), snapshot);
        const std::string to = join_path(target, relative);
        if (each->is_directory(problem)) {
            TARN_TRY(make_directories(to));
            continue;
        }
        TARN_TRY(make_directories(parent_path(to)));
        const std::string name = each->path().filename().string();
        const bool chosen = name.starts_with(package + "-") && name.ends_with(".rpm") &&
                            name.size() > package.size() + 1 &&
                            std::isdigit(static_cast<unsigned char>(name[package.size() + 1])) != 0;
        if (!chosen) {
            fs::create_hard_link(each->path(), to, problem);
            if (problem) {
                fs::copy_file(each->path(), to, problem);
            }
            if (problem) {
                return fail(ErrorKind::kSystem, "cannot copy {}: {}", name, problem.message());
            }
            continue;
        }
        std::string bytes = TARN_TRY(read_file(each->path().string()));
        bytes[bytes.size() - bytes.size() / 4] ^= 1;
        TARN_TRY(write_file_atomic(to, bytes));
        altered = true;
    }
    if (problem) {
        return fail(ErrorKind::kSystem, "cannot copy {}: {}", snapshot, problem.message());
    }
    if (!altered) {
        return fail(error(ErrorKind::kNotFound, "the repository has no package `{}` to install and to alter", package)
                        .advise("set `boot-install` of the image to a package that is published"));
    }
    return {};
}

struct Prepared {
    TempDir scratch;
    vm::Firmware firmware;
    vm::Machine machine;
    std::optional<vm::Provisioning> provisioning{};
};

// The emulated platform, in the machine's namespace, for as long as it lives.
Result<std::optional<Child>> start_platform(const Prepared& prepared,
                                            const vm::PrivateNetwork& network) {
    if (!prepared.provisioning) {
        return std::optional<Child>();
    }
    Command command = prepared.provisioning->emulator;
    const Fd log = TARN_TRY(open_file(prepared.provisioning->log, O_WRONLY | O_TRUNC));
    command.output_fd = log.get();
    network.enter(command);
    Child child = TARN_TRY(Child::start(command));
    TARN_TRY(vm::wait_for_emulator(prepared.provisioning->log));
    return std::optional<Child>(std::move(child));
}

Result<Prepared> prepare(const BootRequest& request, Accelerator accelerator) {
    if (!path_exists(request.disk)) {
        return fail(error(ErrorKind::kNotFound, "there is no image {}", request.disk)
                        .advise("`tarn image build` builds it"));
    }
    TARN_TRY(make_directories(request.work_dir));
    TempDir scratch = TARN_TRY(TempDir::make());
    vm::Firmware firmware = TARN_TRY(vm::find_firmware(
        !request.secure_boot_certificate.empty(), request.architecture));
    Prepared prepared{std::move(scratch), std::move(firmware), {}};
    prepared.provisioning =
        TARN_TRY(vm::prepare_provisioning(request, prepared.scratch.path(), self()));
    if (prepared.provisioning) {
        prepared.machine.uuid = prepared.provisioning->instance.vm_id;
        prepared.machine.asset_tag = vm::kAssetTag;
        prepared.machine.medium = prepared.provisioning->medium;
        prepared.machine.macs = vm::macs_of(prepared.provisioning->instance);
    }
    prepared.machine.architecture = request.architecture;
    prepared.machine.disk = request.disk;
    prepared.machine.memory_mib = request.memory_mib;
    prepared.machine.cpus = request.cpus;
    prepared.machine.accelerator = accelerator;
    prepared.machine.variables = prepared.scratch.path() + "/vars.fd";
    prepared.machine.secure_boot = !request.secure_boot_certificate.empty();
    std::string variables = TARN_TRY(read_file(prepared.firmware.variables));
    if (prepared.machine.secure_boot) {
        if (request.architecture == "aarch64") {  // comes unformatted
            variables = efi::blank_variable_store(efi::VariableFlash::kAavmf);
        }
        const efi::Certificate certificate =
            TARN_TRY(efi::Certificate::read(request.secure_boot_certificate));
        variables = TARN_TRY(efi::with_variables(
            variables, efi::enrolled_variables({certificate, certificate, {certificate}}, 0)));
    }
    TARN_TRY(write_file_atomic(prepared.machine.variables, variables));
    return prepared;
}

// Two tests at once would write one log.
Result<Fd> lock_logs(const std::string& directory) {
    TARN_TRY(make_directories(directory));
    Fd fd = TARN_TRY(open_file(join_path(directory, ".lock"), O_RDWR | O_CREAT, 0644));
    if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
        return fail(error(ErrorKind::kFailed, "another boot test writes to {}", directory)
                        .advise("wait until it has ended"));
    }
    return fd;
}

struct Run {
    ProcessResult process;
    double ready = 0;  // seconds from power-on to the guest's first word
    double power_on = 0;  // seconds since 1970
    std::vector<BootPhase> phases;
    bool kernel_seen = false, powered_down = false, panicked = false;
    vm::GuestResults guest;
};

Result<Run> run_machine(const BootRequest& request, const vm::Machine& machine,
                        const vm::Firmware& firmware, const vm::PrivateNetwork& network,
                        Reporter& reporter) {
    const std::string results_path = join_path(request.work_dir, "results.log");
    const std::string console_path = join_path(request.work_dir, "console.log");
    TARN_TRY(write_file_atomic(results_path, ""));
    vm::CappedLog console_log(
        TARN_TRY(open_file(console_path, O_WRONLY | O_CREAT | O_TRUNC, 0644)), kMaxGuestOutput);

    Command command;
    command.argv = vm::qemu_command(machine, firmware);
    command.merge_error = true;
    command.timeout = std::chrono::seconds(request.timeout_seconds);
    network.enter(command);

    std::stop_source give_up;
    const std::stop_callback on_stop(request.stop, [&] { give_up.request_stop(); });
    command.stop = give_up.get_token();
    const auto power_on = vm::Console::Clock::now();
    vm::Console console(power_on);
    Run result;
    result.power_on =
        std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
    const auto elapsed = [&] {
        return std::chrono::duration<double>(vm::Console::Clock::now() - power_on).count();
    };
    command.on_output = [&](std::string_view bytes) {
        console.feed(bytes);
        console_log.write(bytes);
        reporter.advance(static_cast<std::uint64_t>(elapsed()), "");
    };
    bool flooded = false;
    std::jthread watcher([&](const std::stop_token& done) {
        flooded = vm::watch_results(
            results_path, kMaxGuestOutput, done, [&] { result.ready = elapsed(); });
        if (flooded) {
            give_up.request_stop();
        }
    });
    auto process = run(command);
    watcher.request_stop();
    watcher.join();
    if (flooded) {
        return fail(error(ErrorKind::kFailed,
                          "the guest wrote more than {} MiB to its second serial port",
                          kMaxGuestOutput >> 20)
                        .advise("see " + results_path));
    }
    result.process = TARN_TRY(std::move(process));
    result.phases = console.phases(result.ready);
    result.kernel_seen = console.kernel_seen();
    result.powered_down = console.powered_down();
    result.panicked = console.panicked();
    const std::string text = TARN_TRY(read_file(results_path, kMaxGuestOutput));
    result.guest = vm::parse_results(text);
    return result;
}

BootReport make_report(const BootRequest& request, const AcceleratorProbe& probe, const Run& run,
                       const Manifest& manifest) {
    BootReport report;
    report.accelerator = probe;
    report.phases = run.phases;
    report.ready_seconds = run.ready;
    report.console_log = join_path(request.work_dir, "console.log");
    const auto add = [&](std::string name, bool passed, std::string detail) {
        report.checks.push_back({std::move(name), passed, false, std::move(detail)});
    };
    add("booted",
        run.guest.begun,
        run.guest.begun        ? fmt::format("ready after {:.1f} s", run.ready)
        : run.panicked         ? "kernel panic; see " + report.console_log
        : run.process.timed_out ? "not ready in time; see " + report.console_log
                               : "QEMU ended early; see " + report.console_log);
    if (run.guest.begun) {
        for (const BootCheck& check : run.guest.checks) {
            report.checks.push_back(check);
        }
        for (BootCheck& check : vm::host_checks(run.guest, manifest, *request.image)) {
            report.checks.push_back(std::move(check));
        }
        add("checks-complete", run.guest.ended, run.guest.ended ? "all ran" : "the guest stopped early");
        const bool clean = run.powered_down && run.process.exit_code == 0 && !run.process.timed_out;
        add("clean-power-off",
            clean,
            clean ? "the machine powered itself off"
                  : fmt::format("QEMU ended with {}", run.process.exit_code));
    }
    return report;
}

// Whether this image provisions itself.
bool provisions(const Manifest& manifest) {
    return std::ranges::any_of(manifest.packages, [](const ManifestPackage& package) {
        return package.nevra.name == "tarn-provision";
    });
}

std::optional<vm::Provisioned> wanted_of(const Prepared& prepared, const Manifest& manifest) {
    if (!prepared.provisioning || !provisions(manifest)) {
        return std::nullopt;
    }
    const emulator::Instance& instance = prepared.provisioning->instance;
    return vm::Provisioned{instance.admin_user, instance.computer_name, !instance.password.empty(),
                           prepared.provisioning->key.private_text};
}

// What the platform was told; an image that provisions itself must have told that it is ready.
Result<void> add_told(BootReport& report, const Prepared& prepared, const Manifest& manifest,
                      const Run& run) {
    if (!prepared.provisioning) {
        return {};
    }
    const vm::Told told = vm::parse_told(TARN_TRY(read_file(prepared.provisioning->log)));
    if (told.ready) {
        report.provisioned_seconds = told.at - run.power_on;
    }
    if (provisions(manifest)) {
        report.checks.push_back(
            {"provision-reported", told.ready, false,
             told.ready ? fmt::format("{} after {:.1f} s", told.last, report.provisioned_seconds)
             : told.last.empty() ? "nothing was reported"
                                 : told.last});
    }
    return {};
}

}  // namespace

Result<BootReport> boot_test(const BootRequest& request, Reporter& reporter) {
    const Fd held = TARN_TRY(lock_logs(request.work_dir));
    const std::string manifest_text = TARN_TRY(read_file(request.manifest, 256ULL << 20));
    const Manifest manifest = TARN_TRY(Manifest::parse(manifest_text));
    AcceleratorProbe probe = probe_accelerator(request.architecture);
    reporter.info(fmt::format("QEMU with {} ({})",
                              probe.accelerator == Accelerator::kKvm ? "KVM" : "TCG",
                              probe.why));
    Prepared prepared = TARN_TRY(prepare(request, probe.accelerator));
    const std::string altered = prepared.scratch.path() + "/altered";
    const std::string snapshot = TARN_TRY(published_snapshot(request.repository));
    if (!request.image->boot_install.empty()) {
        TARN_TRY(make_altered(snapshot, altered, request.image->boot_install));
    } else {
        TARN_TRY(make_directories(altered));
    }

    const vm::PrivateNetwork network =
        TARN_TRY(vm::PrivateNetwork::make(serve_command(snapshot, kGoodPort)));
    Command bad = serve_command(altered, kBadPort);
    network.enter(bad);
    const Child bad_server = TARN_TRY(Child::start(bad));

    const std::optional<Child> platform = TARN_TRY(start_platform(prepared, network));

    vm::GuestServers servers{fmt::format("http://{}:{}/", kHostAddress, kGoodPort),
                             fmt::format("http://{}:{}/", kHostAddress, kBadPort),
                             vm::results_port(request.architecture)};
    prepared.machine.credentials = vm::check_credentials(
        *request.image, servers, wanted_of(prepared, manifest));
    prepared.machine.results = "file,path=" + vm::option_value(join_path(request.work_dir, "results.log"));
    reporter.begin("booting", 0, "s");
    Run result = TARN_TRY(
        run_machine(request, prepared.machine, prepared.firmware, network, reporter));
    if (probe.accelerator == Accelerator::kKvm && !result.kernel_seen) {
        // A guest that small ran, a kernel does not: fall back to emulation.
        probe = {Accelerator::kTcg, "KVM present but unusable: no kernel came up"};
        reporter.warn(probe.why);
        prepared.machine.accelerator = Accelerator::kTcg;
        result = TARN_TRY(
            run_machine(request, prepared.machine, prepared.firmware, network, reporter));
    }
    reporter.end();
    BootReport report = make_report(request, probe, result, manifest);
    TARN_TRY(add_told(report, prepared, manifest, result));
    if (request.image->boot_install.empty()) {
        report.checks.push_back({"dnf-install", false, true, "the image names no boot-install"});
    }
    TARN_TRY(write_file_atomic(join_path(request.work_dir, "report.json"), report.to_json()));
    return report;
}

Result<int> boot_interactive(const BootRequest& request, Reporter& reporter) {
    const AcceleratorProbe probe = probe_accelerator(request.architecture);
    Prepared prepared = TARN_TRY(prepare(request, probe.accelerator));
    prepared.machine.console = "stdio,mux=on,signal=off";
    prepared.machine.credentials = vm::console_credentials();
    if (prepared.provisioning) {
        reporter.info(fmt::format("a machine that provisions itself is {} and lets {} in by the key {}",
                                  prepared.provisioning->instance.computer_name,
                                  prepared.provisioning->instance.admin_user,
                                  prepared.provisioning->key_file));
    }
    const std::string snapshot = TARN_TRY(published_snapshot(request.repository));
    const vm::PrivateNetwork network =
        TARN_TRY(vm::PrivateNetwork::make(serve_command(snapshot, kGoodPort)));
    const std::optional<Child> platform = TARN_TRY(start_platform(prepared, network));
    Command command;
    command.argv = vm::qemu_command(prepared.machine, prepared.firmware);
    command.inherit_terminal = true;
    command.stop = request.stop;
    network.enter(command);
    const ProcessResult result = TARN_TRY(run(command));
    return result.exit_code;
}

}  // namespace tarn
