// SPDX-License-Identifier: MIT
#include "provision/host_keys.hh"

namespace tarn::guest {
namespace {

constexpr const char* kDirectory = "/etc/ssh";
constexpr const char* kTrial = "/etc/ssh/.tarn-host-key";

std::string key_path(const std::string& type) {
    return fmt::format("{}/ssh_host_{}_key", kDirectory, type);
}

Result<void> delete_keys(const Machine& machine) {
    const auto names = machine.list(kDirectory);
    if (!names) {
        return {};
    }
    for (const std::string& name : *names) {
        if (name.starts_with("ssh_host_") &&
            (name.ends_with("_key") || name.ends_with("_key.pub") ||
             name.ends_with("_key-cert.pub"))) {
            TARN_TRY(machine.remove(fmt::format("{}/{}", kDirectory, name)));
        }
    }
    return {};
}

Result<void> generate(const Machine& machine, const Tools& tools, const std::string& type) {
    const std::string path = key_path(type);
    if (machine.exists(path) && machine.exists(path + ".pub")) {
        return {};
    }
    const std::string program = "/usr/bin/ssh-keygen";
    if (!machine.exists(program)) {
        return {};  // no OpenSSH, no keys
    }
    const std::string trial = kTrial;
    TARN_TRY(machine.remove(trial));
    TARN_TRY(machine.remove(trial + ".pub"));
    TARN_TRY(run_checked(tools,
                         machine,
                         {{program, "-q", "-t", type, "-N", "", "-C", "", "-f", trial},
                          {},
                          false,
                          std::chrono::minutes(5)}));
    auto secret = machine.read(trial, 65536);
    if (!secret) {
        return machine.is_live() ? fail(std::move(secret.error())) : Result<void>();
    }
    const Secret key(std::move(*secret));
    const std::string open_half = TARN_TRY(machine.read(trial + ".pub", 65536));
    // The public one first: a private key that is there is whole.
    TARN_TRY(machine.write(path + ".pub", open_half, 0644, Owner{}));
    TARN_TRY(machine.write(path, key.reveal(), 0600, Owner{}));
    TARN_TRY(machine.remove(trial));
    return machine.remove(trial + ".pub");
}

}  // namespace

Result<void> make_host_keys(const Machine& machine, const Tools& tools, const HostKeys& keys) {
    if (keys.delete_old) {
        TARN_TRY(delete_keys(machine));
    }
    for (const auto& [name, text] : keys.given) {
        const std::size_t end = name.find('_');
        const bool secret = name.ends_with("_private");
        std::string bytes = text.reveal();
        if (!bytes.ends_with('\n')) {
            bytes += '\n';
        }
        TARN_TRY(machine.make_directory(kDirectory, 0755, Owner{}));
        TARN_TRY(machine.write(key_path(name.substr(0, end)) + (secret ? "" : ".pub"),
                               bytes,
                               secret ? 0600 : 0644,
                               Owner{}));
    }
    if (!keys.given.empty()) {
        return {};
    }
    const std::vector<std::string> standard = {"ed25519", "ecdsa"};
    for (const std::string& type : keys.types.empty() ? standard : keys.types) {
        TARN_TRY(generate(machine, tools, type));
    }
    return {};
}

}  // namespace tarn::guest
