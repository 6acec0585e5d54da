// SPDX-License-Identifier: MIT
// For tests: the smallest programs, keys that are made once, tools of others.
#pragma once

#include "base/fs.hh"
#include "base/process.hh"
#include "efi/authenticode.hh"
#include "efi/detail/bytes.hh"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

namespace tarn::efi::testing {

struct ToolOutput {
    int exit_code = 0;
    std::string text;  // stdout and stderr
};

inline ToolOutput run_tool(std::vector<std::string> argv,
                           std::map<std::string, std::string> environment = {}) {
    Command command;
    command.argv = std::move(argv);
    command.merge_error = true;
    if (!environment.empty()) {
        environment["PATH"] = "/usr/local/bin:/usr/bin:/bin";
        command.environment = std::move(environment);
    }
    auto result = run(command);
    return result ? ToolOutput{result->exit_code, result->output}
                  : ToolOutput{-1, result.error().message};
}

// A PE32+ application with two sections; `tail` bytes follow them.
inline std::string small_program(std::size_t tail = 0) {
    std::string pe(0x800, '\0');
    pe.replace(0, 2, "MZ");
    put_le(pe, 0x3c, 0x80, 4);
    pe.replace(0x80, 2, "PE");
    const std::size_t coff = 0x84;
    put_le(pe, coff, 0x8664, 2);
    put_le(pe, coff + 2, 2, 2);
    put_le(pe, coff + 16, 240, 2);
    put_le(pe, coff + 18, 0x22e, 2);
    const std::size_t optional = coff + 20;
    put_le(pe, optional, 0x20b, 2);
    put_le(pe, optional + 16, 0x1000, 4);
    put_le(pe, optional + 32, 4096, 4);
    put_le(pe, optional + 36, 512, 4);
    put_le(pe, optional + 56, 0x3000, 4);
    put_le(pe, optional + 60, 0x400, 4);
    put_le(pe, optional + 68, 10, 2);
    put_le(pe, optional + 108, 16, 4);
    for (std::size_t i = 0; i < 2; ++i) {
        const std::size_t at = optional + 240 + i * 40;
        pe.replace(at, 5, i == 0 ? ".text" : ".data");
        put_le(pe, at + 8, 0x200, 4);
        put_le(pe, at + 12, 0x1000 * (i + 1), 4);
        put_le(pe, at + 16, 0x200, 4);
        put_le(pe, at + 20, 0x400 + 0x200 * i, 4);
        put_le(pe, at + 36, 0x60000020, 4);
    }
    for (std::size_t i = 0x400; i < pe.size(); ++i) {
        pe[i] = static_cast<char>(i * 7);
    }
    return pe + std::string(tail, 'x');
}

struct Made {
    TempDir directory;
    Certificate certificate;
    std::unique_ptr<Key> key;
    std::string key_path() const { return directory.path() + "/sb.key"; }
    std::string certificate_path() const { return directory.path() + "/sb.crt"; }
};

// Making a key takes a while: each name's is made once, and copied.
inline Made make_key(const std::string& name = "Test Secure Boot") {
    static std::map<std::string, TempDir> made;
    if (!made.contains(name)) {
        auto first = TempDir::make();
        EXPECT_TRUE(first.has_value());
        EXPECT_TRUE(create_key(first->path(), "sb", name, 1700000000).has_value());
        made.emplace(name, std::move(*first));
    }
    auto directory = TempDir::make();
    EXPECT_TRUE(directory.has_value());
    for (const char* file : {"/sb.key", "/sb.crt"}) {
        const auto bytes = read_file(made.at(name).path() + file);
        EXPECT_TRUE(write_file_atomic(directory->path() + file, *bytes, 0600).has_value());
    }
    auto certificate = Certificate::read(directory->path() + "/sb.crt");
    auto key = open_key_file(directory->path() + "/sb.key");
    EXPECT_TRUE(certificate.has_value() && key.has_value());
    return {std::move(*directory), std::move(*certificate), std::move(*key)};
}

}  // namespace tarn::efi::testing

#define TARN_NEED_TOOL(name)                                \
    if (!::tarn::find_program(name)) {                      \
        GTEST_SKIP() << (name) << " is not installed here"; \
    }                                                       \
    static_assert(true)
