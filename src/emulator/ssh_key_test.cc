// SPDX-License-Identifier: MIT
#include "emulator/ssh_key.hh"

#include "base/fs.hh"
#include "base/process.hh"
#include "base/strings.hh"

#include <gtest/gtest.h>

namespace tarn::emulator {
namespace {

TEST(SshKey, OpensshReadsIt) {
    if (!find_program("ssh-keygen")) {
        GTEST_SKIP() << "ssh-keygen is not installed";
    }
    const TempDir scratch = TempDir::make().value();
    const SshKey key = SshKey::make("ops").value();
    const std::string path = scratch.path() + "/key";
    ASSERT_TRUE(write_file_atomic(path, key.private_text, 0600));
    Command command;
    command.argv = {"ssh-keygen", "-y", "-f", path};
    const auto result = run(command);
    ASSERT_TRUE(result);
    EXPECT_EQ(trim(result->output), key.public_line) << result->errors;
    EXPECT_NE(SshKey::make("ops")->public_line, key.public_line);
}

}  // namespace
}  // namespace tarn::emulator
