// SPDX-License-Identifier: MIT
#include "provision/state.hh"

#include "base/fs.hh"
#include "base/strings.hh"

#include "provision/text.hh"
#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>

namespace tarn::guest {

namespace {

constexpr Owner kRoot{0, 0};

std::string entry_of(std::string_view name, std::string_view inputs) {
    return fmt::format("{:016x} {}", fnv64(inputs), one_line(name));
}

}  // namespace

Result<Journal> Journal::open(const Machine& machine, const std::string& path) {
    Journal journal;
    journal.path_ = path;
    std::string text;
    if (machine.exists(path)) {
        text = TARN_TRY(machine.read(path, 4u << 20));
    }
    journal.fd_ = TARN_TRY(machine.open_path(path, O_WRONLY | O_APPEND | O_CREAT, 0600));
    journal.torn_ = !text.empty() && text.back() != '\n';
    for (const std::string_view line : split_lines(text)) {
        const std::size_t space = line.find(' ');
        if (space == std::string_view::npos) {
            continue;
        }
        const std::string_view entry = line.substr(space + 1);
        if (line.substr(0, space) == fmt::format("{:016x}", fnv64(entry))) {
            journal.entries_.emplace(entry);
        }
    }
    return journal;
}

bool Journal::has(std::string_view name, std::string_view inputs) const {
    return entries_.contains(entry_of(name, inputs));
}

bool Journal::has_any(std::string_view name) const {
    const std::string end = " " + one_line(name);
    for (const std::string& entry : entries_) {
        if (entry.size() == 16 + end.size() && entry.ends_with(end)) {
            return true;
        }
    }
    return false;
}

Result<void> Journal::add(std::string_view name, std::string_view inputs) {
    const std::string entry = entry_of(name, inputs);
    const std::string line = fmt::format("{}{:016x} {}\n", torn_ ? "\n" : "", fnv64(entry), entry);
    TARN_TRY(write_all(fd_.get(), line, path_));
    torn_ = false;
    if (::fdatasync(fd_.get()) != 0) {
        return fail(sys_error("write", path_));
    }
    entries_.insert(entry);
    return {};
}

Result<Fd> lock_machine(const Machine& machine, std::chrono::milliseconds limit) {
    TARN_TRY(machine.make_directory(kRunDirectory, 0755, kRoot));
    const std::string path = std::string(kRunDirectory) + "/lock";
    Fd fd = TARN_TRY(machine.open_path(path, O_RDWR | O_CREAT, 0600));
    const auto end = std::chrono::steady_clock::now() + limit;
    while (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK && errno != EINTR) {
            return fail(sys_error("lock", path));
        }
        if (std::chrono::steady_clock::now() >= end) {
            return fail(ErrorKind::kFailed, "another tarn-provision is at work on this machine");
        }
        ::poll(nullptr, 0, 20);
    }
    return fd;
}

Result<State> State::open(const Machine& machine, const std::string& instance_id) {
    TARN_TRY(machine.make_directory("/var/lib", 0755, kRoot));
    TARN_TRY(machine.make_directory("/var/lib/tarn", 0755, kRoot));
    TARN_TRY(machine.make_directory(kStateDirectory, 0700, kRoot));
    const std::string marker = std::string(kStateDirectory) + "/instance";
    std::string remembered;
    if (machine.exists(marker)) {
        remembered = std::string(trim(TARN_TRY(machine.read(marker, 4096))));
    }
    const bool same = same_instance(remembered, instance_id);
    State state(machine, same ? remembered : instance_id);
    const std::string name = directory_name(state.instance_id_);
    state.directory_ = std::string(kStateDirectory) + "/" + name;
    TARN_TRY(machine.make_directory(state.directory_, 0700, kRoot));
    if (!same) {
        for (const std::string& other : TARN_TRY(machine.list(kStateDirectory))) {
            if (other != name && other != "instance" &&
                machine.open_path(std::string(kStateDirectory) + "/" + other,
                                  O_PATH | O_DIRECTORY,
                                  0,
                                  Links::kRefuse)) {
                TARN_TRY(remove_tree(machine.root() + kStateDirectory + "/" + other));
            }
        }
        // Last: a kill before this finds a new instance again.
        TARN_TRY(machine.write(marker, state.instance_id_ + "\n", 0600, kRoot));
    }
    state.journal_ = TARN_TRY(Journal::open(machine, state.path("journal")));
    TARN_TRY(machine.make_directory(kRunDirectory, 0755, kRoot));
    state.boot_journal_ = TARN_TRY(Journal::open(machine, std::string(kRunDirectory) + "/journal"));
    return state;
}

Result<void> State::save(const std::string& name, std::string_view bytes) const {
    return machine_->write(path(name), bytes, 0600, kRoot);
}

Result<std::optional<std::string>> State::load(const std::string& name) const {
    if (!machine_->exists(path(name))) {
        return std::optional<std::string>();
    }
    return std::optional<std::string>(TARN_TRY(machine_->read(path(name))));
}

std::optional<Status> current_status(const Machine& machine) {
    const auto text = machine.read(std::string(kRunDirectory) + "/status.json", 1u << 20);
    auto status = text ? parse_status(*text) : Result<Status>(fail(text.error()));
    return status ? std::optional<Status>(std::move(*status)) : std::nullopt;
}

std::optional<Told> current_told(const Machine& machine) {
    const auto text = machine.read(std::string(kRunDirectory) + "/report.json", 1u << 20);
    return text ? parse_told(*text) : std::nullopt;
}

Result<void> write_told(const Machine& machine, const Told& told) {
    return machine.write(std::string(kRunDirectory) + "/report.json", told_json(told), 0644, kRoot);
}

Result<void> write_status(const Machine& machine, const Status& status) {
    TARN_TRY(machine.make_directory(kRunDirectory, 0755, kRoot));
    return machine.write(
        std::string(kRunDirectory) + "/status.json", status_json(status), 0644, kRoot);
}

}  // namespace tarn::guest
