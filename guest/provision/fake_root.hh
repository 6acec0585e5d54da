// SPDX-License-Identifier: MIT
// A machine below a temporary directory, for tests.
#pragma once

#include "base/fs.hh"
#include "base/strings.hh"

#include "provision/machine.hh"
#include "provision/tools.hh"
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>
#include <vector>

namespace tarn::guest {

class FakeRoot {
  public:
    FakeRoot()
        : directory_(std::move(*TempDir::make())), machine_(std::move(*Machine::open(path("")))) {
        put("/etc/passwd", "root:x:0:0:root:/root:/bin/bash\ndaemon:x:2:2::/:/usr/sbin/nologin\n");
        put("/etc/shadow", "root:*:20000:0:99999:7:::\ndaemon:!*:20000::::::\n", 0);
        put("/etc/group", "root:x:0:\nadm:x:4:\nwheel:x:10:\nusers:x:100:\n");
        put("/etc/gshadow", "root:*::\nadm:*::\nwheel:*::\nusers:*::\n", 0);
        put("/etc/login.defs", "UID_MIN 1000\nUID_MAX 60000\n# UID_MIN 5\nSUB_UID_MIN 100000\n");
        put("/etc/os-release", "NAME=Tarn\nID=tarn\n");
        put("/etc/skel/.bashrc", "# bashrc\n");
        put("/bin/bash", "", 0755);
        put("/home/.keep", "");
        put("/root/.keep", "");
    }
    FakeRoot(const FakeRoot&) = delete;
    FakeRoot& operator=(const FakeRoot&) = delete;

    const Machine& machine() const { return machine_; }
    std::string path(const std::string& inside) const { return directory_.path() + inside; }
    void put(const std::string& inside, const std::string& text, unsigned mode = 0644) const {
        ASSERT_TRUE(make_directories(parent_path(path(inside))).has_value());
        ASSERT_TRUE(write_file_atomic(path(inside), text, mode).has_value()) << inside;
    }
    std::string text(const std::string& inside) const {
        return read_file(path(inside)).value_or("(nothing)");
    }
    // The line of an account, without its name.
    std::string line(const std::string& inside, const std::string& name) const {
        const std::string all = text(inside);
        for (const std::string_view line : split_lines(all)) {
            if (line.starts_with(name + ":")) {
                return std::string(line.substr(name.size() + 1));
            }
        }
        return "(nothing)";
    }
    unsigned mode(const std::string& inside) const {
        struct stat info{};
        return ::lstat(path(inside).c_str(), &info) == 0 ? info.st_mode & 07777 : 0;
    }
    std::uint32_t uid(const std::string& inside) const {
        struct stat info{};
        return ::lstat(path(inside).c_str(), &info) == 0 ? info.st_uid : 0xffffffff;
    }

    // Programs that only write down that they were called; `answers` are their exit codes.
    Tools tools() {
        return {[this](const Machine&, const Program& program) -> Result<int> {
                    calls.push_back(join(program.argv, " "));
                    if (on_run) {
                        on_run(program);
                    }
                    return exit_code;
                },
                [this](const std::string& line) { said.push_back(line); }};
    }
    std::vector<std::string> calls, said;
    std::function<void(const Program&)> on_run;
    int exit_code = 0;

  private:
    TempDir directory_;
    Machine machine_;
};

inline constexpr const char* kKey =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f ops@example";
inline constexpr const char* kOtherKey =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIP/+/fz7+vn49/b19PPy8fDv7u3s6+rp6Ofm5eTj4uHg other";

}  // namespace tarn::guest
