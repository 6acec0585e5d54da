// SPDX-License-Identifier: MIT
// A project in a directory of its own, for this room's tests.
#pragma once

#include "base/fs.hh"
#include "project/model.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tarn {

class Loaded {
  public:
    Loaded() : directory_(TempDir::make().value()), diagnostics_(sources_) {}

    Loaded& file(const std::string& name, std::string_view text) {
        const std::string path = join_path(directory_.path(), name);
        EXPECT_TRUE(make_directories(parent_path(path)).has_value());
        EXPECT_TRUE(write_file_atomic(path, text).has_value());
        return *this;
    }
    Loaded& load(LoadOptions options = {}) { return load_from(directory_.path(), options); }
    Loaded& load_from(const std::string& directory, LoadOptions options = {}) {
        options.start = directory;
        options.shown_from = directory;
        auto project = load_project(options, sources_, diagnostics_);
        loaded_ = project.has_value();
        if (project) {
            project_ = std::move(*project);
        } else {
            message_ = project.error().message;
        }
        return *this;
    }
    const Project& project() const {
        EXPECT_TRUE(loaded_) << said();
        return project_;
    }
    bool loaded() const { return loaded_; }
    std::string said() const { return diagnostics_.draw(100) + message_; }
    std::string path(const std::string& name) const { return join_path(directory_.path(), name); }
    const SourceMap& sources() const { return sources_; }
    const Component& component(const std::string& name) const {
        return project().components.at(name);
    }

  private:
    TempDir directory_;
    SourceMap sources_{};
    Diagnostics diagnostics_;
    Project project_{};
    std::string message_{};
    bool loaded_ = false;
};

}  // namespace tarn
