// SPDX-License-Identifier: MIT
#include "provision/keys.hh"

#include "base/base64.hh"
#include "base/strings.hh"

#include "provision/names.hh"
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace tarn::guest {
namespace {

constexpr std::size_t kLongest = 16384;
constexpr std::string_view kTypes[] = {
    "ssh-ed25519",
    "ssh-rsa",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "sk-ssh-ed25519@openssh.com",
    "sk-ecdsa-sha2-nistp256@openssh.com",
};

bool is_type(std::string_view word) {
    return std::find(std::begin(kTypes), std::end(kTypes), word) != std::end(kTypes);
}

// Words of a line; blanks within quotes belong to the word (options).
std::vector<std::string_view> words_of(std::string_view line) {
    std::vector<std::string_view> words;
    std::size_t begin = 0;
    bool quoted = false;
    for (std::size_t i = 0; i <= line.size(); ++i) {
        const bool end = i == line.size();
        if (!end && line[i] == '"' && (i == 0 || line[i - 1] != '\\')) {
            quoted = !quoted;
        }
        if (end || (!quoted && (line[i] == ' ' || line[i] == '\t'))) {
            if (i > begin) {
                words.push_back(line.substr(begin, i - begin));
            }
            begin = i + 1;
        }
    }
    return words;
}

// The blob begins with its type: four bytes of length, the name.
bool blob_says(std::string_view base64_text, std::string_view type) {
    const auto blob = from_base64(base64_text);
    if (!blob || blob->size() < 4 + type.size() + 4) {
        return false;
    }
    std::size_t length = 0;
    for (std::size_t i = 0; i < 4; ++i) {
        length = length << 8 | static_cast<unsigned char>((*blob)[i]);
    }
    return length == type.size() && blob->compare(4, length, type) == 0;
}

}  // namespace

Result<std::string> parse_public_key(std::string_view text) {
    const std::string_view line = trim(text);
    const auto no = [](std::string_view why) {
        return fail(ErrorKind::kUsage, "this is no OpenSSH public key: {}", why);
    };
    if (line.empty()) {
        return no("it is empty");
    }
    if (contains(line, "BEGIN CERTIFICATE") || line.starts_with("MII")) {
        return no("it is an X.509 certificate");
    }
    if (contains(line, "PRIVATE KEY")) {
        return no("it is a private key; it must be thought of as known to others from now on");
    }
    if (line.starts_with("---- BEGIN SSH2") || line.starts_with("-----BEGIN")) {
        return no("it is of another format; `ssh-keygen -i -f FILE` translates it");
    }
    if (line.size() > kLongest) {
        return no("it is too long");
    }
    if (!is_one_line(replace_all(std::string(line), "\t", " "))) {
        return no("it is more than one line or has control characters");
    }
    const auto words = words_of(line);
    for (std::size_t i = 0; i < std::min<std::size_t>(words.size(), 2); ++i) {
        if (words[i] == "ssh-dss") {
            return no("DSA keys are not taken by OpenSSH any more");
        }
        if (!is_type(words[i])) {
            continue;
        }
        if (i + 1 == words.size() || !blob_says(words[i + 1], words[i])) {
            return no(fmt::format("what follows `{}` is not such a key", words[i]));
        }
        return std::string(line);
    }
    return no("it does not begin with a type such as `ssh-ed25519`");
}

Result<void> add_authorized_keys(const Machine& machine,
                                 const std::string& home,
                                 Owner owner,
                                 const std::vector<std::string>& keys) {
    if (keys.empty()) {
        return {};
    }
    const std::string directory = (home == "/" ? "" : home) + "/.ssh";
    const std::string path = directory + "/authorized_keys";
    TARN_TRY(machine.make_directory(directory, 0700, owner, Links::kRefuse));
    const Fd opened = TARN_TRY(
        machine.open_path(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0, Links::kRefuse));
    if (::fchmod(opened.get(), 0700) != 0) {
        return fail(sys_error("set the mode of", directory));
    }
    if (::fchown(opened.get(), owner.uid, owner.gid) != 0 && ::geteuid() == 0) {
        return fail(sys_error("set the owner of", directory));
    }
    std::string text;
    auto file = machine.open_path(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0, Links::kRefuse);
    if (file) {
        struct stat info{};
        // It could be another name of a file that is not for the user's eyes.
        const bool readable =
            ::fstat(file->get(), &info) == 0 && S_ISREG(info.st_mode) && info.st_nlink == 1 &&
            info.st_size <= (1 << 20) &&
            (info.st_uid == owner.uid || (info.st_mode & 0004) != 0 || ::geteuid() != 0);
        if (!readable) {
            return fail(
                ErrorKind::kFailed, "{} is not a file of its owner, of at most 1 MiB", path);
        }
        text = TARN_TRY(pread_exact(file->get(), 0, static_cast<std::size_t>(info.st_size), path));
    } else if (file.error().kind != ErrorKind::kNotFound) {
        return fail(std::move(file.error()));
    }
    if (!text.empty() && text.back() != '\n') {
        text += '\n';
    }
    for (const std::string& key : keys) {
        const auto lines = split_lines(text);
        if (std::find(lines.begin(), lines.end(), key) == lines.end()) {
            text += key + "\n";
        }
    }
    return machine.write(path, text, 0600, owner, Links::kRefuse);
}

}  // namespace tarn::guest
