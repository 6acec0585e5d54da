// SPDX-License-Identifier: MIT
// One step of putting a rule right. Everything is written so that it can be undone.
#pragma once

#include "baseline/detail/parsers.hh"
#include "baseline/rule.hh"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tarn::guest::baseline {

struct Change {
    enum class Kind {
        kLine,     // `value` is a line of the drop-in `path`; it takes the place of `key`'s line
        kSetting,  // key and value of `path`, in its own format
        kRuntime,  // `value` is written to `path` below /proc/sys
        kMode,     // at most `mode`, and the owner, of `path`
        kMask,     // `path`, a unit's place in /etc, becomes a link to /dev/null
    };
    Kind kind = Kind::kLine;
    std::string path;
    std::string key{}, value{};
    SettingFormat format = SettingFormat::kIni;
    std::string section{};
    std::uint32_t mode = 0644;  // of a new file, or what kMode leaves
    std::uint32_t uid = 0, gid = 0;
    bool reboot = false;                               // takes effect with the next boot
    std::vector<std::string> check{};                  // must end with 0, or all is taken back
    std::vector<std::vector<std::string>> activate{};  // run when all is written
};

// The value to write for an expectation; empty when it names none.
std::string preferred(const Rule& rule);
// `text` with the setting changed where it is said last, or added; comments stay.
std::string with_setting(std::string_view text, const Change& change);
// `text` with the line whose first words are `key` replaced, or added.
std::string with_line(std::string_view text, const Change& change);

}  // namespace tarn::guest::baseline
