// SPDX-License-Identifier: MIT
// A command as data: from this one table come parsing, --help, the man page and completion.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/events.hh"
#include "base/result.hh"
#include "workspace/workspace.hh"

namespace tarn::cli {

enum class ExitCode : int { kDone = 0, kFailed = 1, kUsage = 2, kPartial = 3, kInterrupted = 130 };

struct Option {
    std::string names;  // "-j,--jobs" or "--force"
    std::string value;  // "N"; empty for a switch
    std::string help;   // one sentence without a full stop
    std::vector<std::string> choices{};
    bool repeatable = false;
    std::string long_name() const;  // "jobs": the first long one; others are other spellings
};

struct Argument {
    std::string name;  // "IMAGE"
    std::string help;
    bool required = true;
    bool repeatable = false;
};

// What was given on the command line.
class Given {
  public:
    bool has(const std::string& name) const { return values_.contains(name); }
    std::string value(const std::string& name, const std::string& otherwise = {}) const;
    std::vector<std::string> all(const std::string& name) const;
    void add(const std::string& name, std::string value) { values_[name].push_back(std::move(value)); }

  private:
    std::map<std::string, std::vector<std::string>> values_;
};

enum class OutputFormat { kTable, kJson, kCsv, kMarkdown };

// What a command works with. The workspace is opened when it is first asked for.
class Context {
  public:
    Context(const Given& given, Reporter& reporter, std::stop_token stop, bool origins)
        : given_(given), reporter_(reporter), stop_(std::move(stop)), origins_(origins) {}
    const Given& given() const { return given_; }
    Reporter& reporter() const { return reporter_; }
    std::stop_token stop() const { return stop_; }
    Result<Workspace*> workspace();
    Result<Store> store() const;
    OutputFormat format() const;
    std::string shown(const std::string& path) const;  // relative to where the user stands
    unsigned jobs() const;
    // --compat azldev: its exit codes and its meaning of groups and of no selection.
    bool compatible() const { return given_.value("compat") == "azldev"; }

  private:
    const Given& given_;
    Reporter& reporter_;
    std::stop_token stop_;
    bool origins_;
    std::unique_ptr<Workspace> workspace_;
};

struct CommandSpec {
    std::string path;     // "image build"
    std::string summary;  // one line, no full stop
    std::string details;  // paragraphs; may be empty
    std::vector<Argument> arguments;
    std::vector<Option> options;
    std::function<Result<ExitCode>(Context&)> run;
    bool origins = false;  // it asks where values were written
};

// Every command, in the order of the help text.
const std::vector<CommandSpec>& commands();
// Options every command takes.
const std::vector<Option>& global_options();

// One function a file in commands/.
CommandSpec component_list();
CommandSpec component_show();
CommandSpec component_build();
CommandSpec component_log();
CommandSpec component_shell();
CommandSpec component_add();
CommandSpec component_changed();
CommandSpec component_diff_sources();
CommandSpec component_explain();
CommandSpec component_history_command();
CommandSpec component_prepare_sources();
CommandSpec component_render();
CommandSpec component_update();
CommandSpec project_new();
CommandSpec project_init();
CommandSpec project_dump();
CommandSpec project_schema_command();
CommandSpec package_list();
CommandSpec package_show();
CommandSpec lock_command();
CommandSpec repo_publish();
CommandSpec repo_serve();
CommandSpec image_list();
CommandSpec image_build();
CommandSpec image_check();
CommandSpec image_show();
CommandSpec image_boot();
CommandSpec image_diff();
CommandSpec image_size();
CommandSpec image_verify();
CommandSpec image_export_unsigned();
CommandSpec image_inject();
CommandSpec vm_metadata();
CommandSpec key_new();
CommandSpec key_enroll();
CommandSpec key_list();
CommandSpec store_stats_command();
CommandSpec store_verify();
CommandSpec store_gc();
CommandSpec doctor();
CommandSpec completion();
CommandSpec man_page();

// Parses; on success `given` is filled and the command returned. An Error of kind kUsage says what
// is wrong, with "did you mean". `help` is set when --help (or nothing) was asked for: the text.
struct Parsed {
    const CommandSpec* command = nullptr;
    Given given;
    std::string help;
};
Result<Parsed> parse(const std::vector<std::string>& arguments);

std::string help_text(const CommandSpec& command);
std::string overview_text(std::string_view noun);  // all commands, or those of a noun
std::string man_text();                            // troff
std::string bash_completion();

// The whole program but for main(): returns the exit code.
int run_tarn(const std::vector<std::string>& arguments);

}  // namespace tarn::cli
