// SPDX-License-Identifier: MIT
#include <ctime>

#include "base/strings.hh"
#include "cli/records.hh"
#include "cli/selection.hh"
#include "workspace/history.hh"

namespace tarn::cli {

namespace {

std::string day(std::int64_t seconds) {
    const std::time_t time = seconds;
    std::tm parts{};
    ::gmtime_r(&time, &parts);
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", parts.tm_year + 1900, parts.tm_mon + 1,
                       parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec);
}

std::string object(const std::vector<std::pair<std::string, std::string>>& members) {
    std::vector<std::string> parts;
    for (const auto& [key, value] : members) {
        parts.push_back("\"" + key + "\": " + value);
    }
    return "{" + join(parts, ", ") + "}";
}

std::string items_json(const ComponentHistory& history) {
    std::vector<std::string> items;
    for (const CustomizationItem& item : history.customizations) {
        items.push_back(object({{"kind", json_string(item.kind)},
                                {"value", json_string(item.value)},
                                {"description", json_string(item.description)}}));
    }
    return "[" + join(items, ", ") + "]";
}

std::string changes_json(const ComponentHistory& history) {
    std::vector<std::string> items;
    for (const FingerprintChange& change : history.fingerprint_changes) {
        items.push_back(object({{"commit", json_string(change.project_commit)},
                                {"author", json_string(change.author)},
                                {"email", json_string(change.email)},
                                {"date", json_string(day(change.time))},
                                {"subject", json_string(change.subject)},
                                {"upstreamCommit", json_string(change.upstream_commit)}}));
    }
    return "[" + join(items, ", ") + "]";
}

void print_card(const ComponentHistory& history) {
    const auto line = [](const char* key, const std::string& value) {
        print(fmt::format("  {:<20} {}\n", key, value));
    };
    print(history.name + "\n");
    line("declared in", history.toml_path + (history.shared_toml ? " (shared)" : ""));
    line("commits of that file", std::to_string(history.toml_commits));
    line("latest of them", history.latest_commit.empty() ? "none" : history.latest_commit.substr(0, 12));
    line("lock", history.has_lock ? fmt::format("yes, {} manual bump{}", history.manual_bump,
                                                history.manual_bump == 1 ? "" : "s")
                                  : "no");
    line("fingerprint changes", std::to_string(history.fingerprint_changes.size()));
    for (const FingerprintChange& change : history.fingerprint_changes) {
        print(fmt::format("    {} {} {}\n", day(change.time).substr(0, 10),
                          change.project_commit.substr(0, 12), change.subject));
    }
    line("customizations", std::to_string(history.customizations.size()));
    std::size_t number = 0;
    for (const CustomizationItem& item : history.customizations) {
        print(fmt::format("  {:>3}. {:<8} {}{}\n", ++number, item.kind, item.value,
                          item.description.empty() ? "" : ": " + item.description));
    }
    for (const std::string& warning : history.warnings) {
        line("warning", warning);
    }
}

void print_all(const std::vector<const ComponentHistory*>& all, OutputFormat format) {
    Records records({{"name", "COMPONENT"},
                     {"customizations", "CUSTOMIZATIONS", Align::kRight},
                     {"tomlCommits", "TOML COMMITS", Align::kRight},
                     {"sharedToml", "SHARED"},
                     {"tomlPath", "DECLARED IN"},
                     {"latestCommit", ""},
                     {"customizationItems", ""},
                     {"fingerprintChanges", "CHANGES", Align::kRight},
                     {"fingerprintChangeDetails", ""},
                     {"hasLock", "LOCK"},
                     {"hasImport", ""},
                     {"manualBump", "BUMPS", Align::kRight},
                     {"warnings", ""}});
    for (const ComponentHistory* history : all) {
        records.add({history->name, std::uint64_t{history->customizations.size()},
                     std::uint64_t{history->toml_commits}, history->shared_toml, history->toml_path,
                     history->latest_commit, Value::json(items_json(*history)),
                     std::uint64_t{history->fingerprint_changes.size()},
                     Value::json(changes_json(*history)), history->has_lock, history->has_import,
                     history->manual_bump, history->warnings});
    }
    records.print(format);
}

Result<ExitCode> run(Context& context) {
    const Given& given = context.given();
    const auto components = TARN_TRY(selected(context, Nothing::kAll));
    Workspace* workspace = TARN_TRY(context.workspace());
    const auto all = TARN_TRY(component_history(*workspace, components));
    if (components.size() == 1 && context.format() == OutputFormat::kTable) {
        print_card(all.front());
        return ExitCode::kDone;
    }
    const bool omit_shared = given.value("shared", "show") == "omit";
    std::vector<const ComponentHistory*> shown;
    for (const ComponentHistory& history : all) {
        const bool bare = history.bare() && !given.has("include-bare") && components.size() > 1;
        if (!bare && !(omit_shared && history.shared_toml)) {
            shown.push_back(&history);
        }
    }
    print_all(shown, context.format());
    return ExitCode::kDone;
}

}  // namespace

CommandSpec component_history_command() {
    CommandSpec spec;
    spec.path = "component history";
    spec.summary = "Show how far components are from their upstream, and since when";
    spec.details =
        "Most customised first. Components that change nothing are left out when several are asked for.";
    spec.arguments = {component_arguments()};
    spec.options = selection_options(false);
    const std::vector<Option> own = {
        {"--shared", "WHAT", "components declared in a file with others", {"show", "omit"}},
        {"--include-bare", "", "also components that change nothing"}};
    spec.options.insert(spec.options.end(), own.begin(), own.end());
    spec.run = run;
    return spec;
}

}  // namespace tarn::cli
