// SPDX-License-Identifier: MIT
// For this room's tests: packages made on the spot, and an executor that plays rpm.
#pragma once

#include "base/fs.hh"
#include "base/strings.hh"
#include "build/build.hh"

#include <gtest/gtest.h>

#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace tarn::build::testing {

struct FakePackage {
    std::string name;
    std::vector<std::string> requires_{};
    std::vector<std::string> provides{};
    std::vector<std::string> files{};  // "usr/bin/x"
    std::string version = "1";
};

inline Result<Digest> write_fake(const Store& store, const FakePackage& fake) {
    rpm::PackageMeta meta;
    meta.nevra = {fake.name, {{}, fake.version, "1"}, "noarch"};
    meta.summary = meta.description = fake.name;
    meta.license = "MIT";
    meta.source_rpm = fake.name + "-1-1.src.rpm";
    meta.provides.push_back(rpm::Dependency::parse(fake.name + " = " + fake.version + "-1"));
    for (const auto& text : fake.provides) {
        meta.provides.push_back(rpm::Dependency::parse(text));
    }
    for (const auto& text : fake.requires_) {
        meta.requires_.push_back(rpm::Dependency::parse(text));
    }
    std::vector<TreeEntry> entries;
    for (const auto& path : fake.files) {
        TreeEntry entry;
        entry.path = path;
        entry.mode = 0644;
        entry.content = TARN_TRY(store.put(fake.name + ":" + path));
        entries.push_back(std::move(entry));
    }
    const Tree tree = TARN_TRY(Tree::make(std::move(entries)));
    return rpm::write_package(store, meta, tree, {}, {});
}

inline AvailablePackage available(const Store& store, const FakePackage& fake) {
    const auto rpm = write_fake(store, fake);
    EXPECT_TRUE(rpm) << rpm.error().message;
    auto info = rpm::read_package(store, *rpm);
    EXPECT_TRUE(info) << info.error().message;
    return {*rpm, *info};
}

// What a component does when it is built by the fake.
struct FakeComponent {
    std::vector<std::string> build_requires{};
    std::vector<FakePackage> packages{};
    std::string fails_with{};  // log of a build that fails
    std::string spec_error{};  // log of a query that fails
};

// Answers rpmspec and rpmbuild from a table; remembers which builds ran, and over which packages.
class FakeExecutor : public Executor {
  public:
    explicit FakeExecutor(const Store& store) : store_(store) {}

    std::map<std::string, FakeComponent> components;  // by spec name without ".spec"

    Result<ActionResult> run(const Action& action, const RunOptions& options) override {
        std::string name = file_name(action.argv.back());
        name.resize(name.size() - std::string_view(".spec").size());
        const FakeComponent& component = components.at(name);
        if (action.argv.front() == "rpmspec") {
            return query(action, component);
        }
        const std::lock_guard<std::mutex> lock(mutex_);
        built_.push_back(name);
        actions_.insert_or_assign(name, action);
        if (options.on_output) {
            options.on_output("Executing(%build): /bin/sh\n");
        }
        ActionResult result;
        result.wall_seconds = 1;
        result.exit_code = component.fails_with.empty() ? 0 : 1;
        result.log = TARN_TRY(store_.put(component.fails_with));
        std::vector<TreeEntry> outputs;
        for (const auto& package : component.packages) {
            TreeEntry entry;
            entry.path = "build/RPMS/noarch/" + package.name + "-1-1.noarch.rpm";
            entry.content = TARN_TRY(write_fake(store_, package));
            outputs.push_back(std::move(entry));
        }
        const Tree tree = TARN_TRY(Tree::make(std::move(outputs)));
        result.outputs = TARN_TRY(store_.put_tree(tree));
        return result;
    }

    std::vector<std::string> built() {
        const std::lock_guard<std::mutex> lock(mutex_);
        return built_;
    }
    // The content of a file of the root that a component was built in; empty when it is not there.
    std::string in_root_of(const std::string& component, const std::string& path) {
        const std::lock_guard<std::mutex> lock(mutex_);
        const auto tree = store_.read_tree(actions_.at(component).inputs.at(0).tree);
        const TreeEntry* entry = tree ? tree->find(path) : nullptr;
        return entry == nullptr ? std::string() : store_.read(entry->content).value_or("");
    }
    const Action& action_of(const std::string& component) { return actions_.at(component); }

  private:
    Result<ActionResult> query(const Action& action, const FakeComponent& component) const {
        const bool sources =
            std::find(action.argv.begin(), action.argv.end(), "--srpm") != action.argv.end();
        std::string text;
        if (sources) {
            for (const auto& dependency : component.build_requires) {
                text += "tarn-requires\t" + dependency + "\n";
            }
        } else if (action.argv.at(1) == "--query") {
            for (const auto& package : component.packages) {
                text += "tarn-package\t" + package.name + "\t\t" + package.version +
                        "\t1\tnoarch\ntarn-provides\t" + package.name + " = 1-1\n";
            }
        }
        ActionResult result;
        result.exit_code = component.spec_error.empty() ? 0 : 1;
        result.log =
            TARN_TRY(store_.put(component.spec_error.empty() ? text : component.spec_error));
        return result;
    }

    const Store& store_;
    std::mutex mutex_;
    std::vector<std::string> built_;
    std::map<std::string, Action> actions_;
};

}  // namespace tarn::build::testing
