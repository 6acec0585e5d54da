// SPDX-License-Identifier: MIT
// Golden cases of one file each, tests/golden/<room>/<case>.txt: what is given, and what is said.
//
//     What the case is about.
//     key: value                     a setting of the case; what keys there are, the test says
//     -- tarn.toml --                a file that is given
//     [project]
//     -- said --                     what a person reads
//     ...
//
// TARN_ACCEPT=1 writes what stands behind "-- said --".
#pragma once

#include "base/fs.hh"
#include "base/strings.hh"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

namespace tarn::golden {

inline std::string directory_of(const std::string& room) {
    return std::string(TARN_SOURCE_DIR) + "/tests/golden/" + room;
}

// Names of the cases, without ".txt".
inline std::vector<std::string> cases(const std::string& room) {
    std::vector<std::string> names;
    for (const std::string& file :
         list_directory(directory_of(room)).value_or(std::vector<std::string>())) {
        if (file.ends_with(".txt")) {
            names.push_back(file.substr(0, file.size() - 4));
        }
    }
    return names;
}

// For INSTANTIATE_TEST_SUITE_P, which wants identifiers.
inline std::string test_name(const testing::TestParamInfo<std::string>& each) {
    std::string name = each.param;
    std::replace(name.begin(), name.end(), '-', '_');
    return name;
}

// An error as the command line prints it.
inline std::string printed(const Error& error) {
    std::string text = error.rendered + (error.rendered.empty() ? "error: " : "");
    text += error.message + "\n";
    for (const std::string& note : error.notes) {
        text += "  " + note + "\n";
    }
    for (const std::string& help : error.help) {
        text += "  = help: " + help + "\n";
    }
    return text;
}

class Case {
  public:
    struct File {
        std::string name, text;
    };

    Case(const std::string& room, const std::string& name)
        : path_(directory_of(room) + "/" + name + ".txt") {
        const std::string text = read_file(path_).value_or("");
        bool said = false;
        for (std::string_view line : split_lines(text)) {
            if (line.starts_with("-- ") && line.ends_with(" --") && line.size() > 6) {
                said = line == kSaid;
                if (!said) {
                    files_.push_back({std::string(line.substr(3, line.size() - 6)), ""});
                }
            } else {
                (said ? said_ : files_.empty() ? head_ : files_.back().text) +=
                    std::string(line) + "\n";
            }
            given_ += said ? "" : std::string(line) + "\n";
        }
        EXPECT_FALSE(files_.empty() && head_.empty()) << path_ << " cannot be read";
    }

    const std::vector<File>& files() const { return files_; }
    std::string file(const std::string& name) const {
        for (const File& each : files_) {
            if (each.name == name) {
                return each.text;
            }
        }
        return {};
    }
    std::vector<std::string> settings(const std::string& key) const {
        std::vector<std::string> values;
        for (std::string_view line : split_lines(head_)) {
            if (line.starts_with(key + ": ")) {
                values.emplace_back(line.substr(key.size() + 2));
            }
        }
        return values;
    }
    std::string setting(const std::string& key) const {
        const auto values = settings(key);
        return values.empty() ? std::string() : values.front();
    }
    // Writes the files below `directory`, but for members of archives ("x.tar/a"); "link: a -> b"
    // are links.
    void write_to(const std::string& directory) const {
        for (const File& each : files_) {
            if (contains(each.name, ".tar/")) {
                continue;
            }
            const std::string path = join_path(directory, each.name);
            EXPECT_TRUE(make_directories(parent_path(path)).has_value());
            EXPECT_TRUE(write_file_atomic(path, each.text).has_value());
        }
        for (const std::string& link : settings("link")) {
            const std::size_t arrow = link.find(" -> ");
            EXPECT_TRUE(make_symlink(link.substr(arrow + 4),
                                     join_path(directory, link.substr(0, arrow)))
                            .has_value());
        }
    }
    // `directory`, where the case was tried, reads "DIR".
    void expect(std::string actual, const std::string& directory) const {
        actual = replace_all(std::move(actual), directory, "DIR");
        EXPECT_FALSE(actual.empty()) << path_ << ": nothing is said";
        EXPECT_FALSE(contains(actual, TARN_SOURCE_DIR)) << "a path of this machine";
        if (std::getenv("TARN_ACCEPT") != nullptr) {
            const std::string text = given_ + std::string(kSaid) + "\n" + actual;
            ASSERT_TRUE(write_file_atomic(path_, text).has_value());
            return;
        }
        EXPECT_EQ(actual, said_) << path_ << "; accept it with TARN_ACCEPT=1";
    }

  private:
    static constexpr std::string_view kSaid = "-- said --";
    std::string path_;
    std::string head_{}, given_{}, said_{};
    std::vector<File> files_{};
};

}  // namespace tarn::golden
