// SPDX-License-Identifier: MIT
#include <unistd.h>

#include "base/fs.hh"
#include "base/parallel.hh"
#include "base/strings.hh"
#include "cli/command.hh"

namespace tarn::cli {

const std::vector<CommandSpec>& commands() {
    static const std::vector<CommandSpec> all = {
        project_new(), project_init(), project_dump(), project_schema_command(),
        component_list(), component_show(), component_add(), component_update(),
        component_changed(), component_history_command(), component_explain(),
        component_render(), component_prepare_sources(), component_diff_sources(),
        component_build(), component_log(), component_shell(),
        package_list(), package_show(), lock_command(),
        repo_publish(),   repo_serve(),      image_list(),      image_build(),
        image_show(),     image_boot(),     image_diff(),      image_size(),      image_verify(),
        image_check(),    image_export_unsigned(), image_inject(), vm_metadata(), key_enroll(), key_new(), key_list(),
        store_stats_command(), store_verify(), store_gc(),      doctor(),
        completion(),     man_page()};
    return all;
}

const std::vector<Option>& global_options() {
    static const std::vector<Option> all = {
        {"-C,--directory,--project", "DIR", "work on the project found from DIR upwards"},
        {"--config-file", "FILE", "also read this file, after the project's own", {}, true},
        {"--permissive-config", "", "unknown keys and broken rules are warnings"},
        {"--no-default-config", "", "leave the defaults out that are compiled in"},
        {"--strict", "", "warn of what is known to go wrong"},
        {"--compat", "TOOL", "exit codes and selections as that tool has them", {"azldev"}},
        {"--store", "DIR", "where built things are kept (TARN_STORE)"},
        {"--mirror", "URL", "Debian mirror to use (TARN_DEBIAN_MIRROR, else apt's)"},
        {"-j,--jobs", "N", "how much to do at once (number of processors)"},
        {"--relock", "", "when the lock is stale, lock again and go on"},
        {"--network-retries", "N", "attempts of each transfer (3)"},
        {"--offline", "", "take only what was fetched before"},
        {"-O,--output,--output-format", "FORMAT", "how listings are written",
         {"table", "json", "csv", "markdown"}},
        {"-q,--quiet", "", "say only warnings and errors"},
        {"-v,--verbose", "", "say more"},
        {"--color", "WHEN", "colour on standard error", {"auto", "always", "never"}},
        {"-h,--help", "", "show this help"},
    };
    return all;
}

Result<Workspace*> Context::workspace() {
    if (!workspace_) {
        WorkspaceOptions options;
        options.directory =
            absolute_path(given_.value("directory", "."), current_directory());
        options.config_files = given_.all("config-file");
        options.permissive = given_.has("permissive-config");
        options.strict = given_.has("strict");
        options.default_config = !given_.has("no-default-config");
        options.offline = given_.has("offline");
        options.origins = origins_;
        const auto retries = parse_u64(given_.value("network-retries", "3"));
        if (!retries || *retries == 0 || *retries > 100) {
            return fail(ErrorKind::kUsage, "--network-retries: `{}` is no number from 1 to 100",
                        given_.value("network-retries"));
        }
        options.network_retries = static_cast<unsigned>(*retries);
        options.store_directory = given_.value("store");
        if (!options.store_directory.empty()) {
            options.store_directory = absolute_path(options.store_directory, current_directory());
        }
        options.mirror = given_.value("mirror");
        options.jobs = jobs();
        options.relock = given_.has("relock") ? Relock::kWhenStale : Relock::kNever;
        options.stop = stop_;
        workspace_ = std::make_unique<Workspace>(TARN_TRY(Workspace::open(options, reporter_)));
    }
    return workspace_.get();
}

Result<Store> Context::store() const {
    const std::string directory = given_.value("store", Store::default_directory());
    return Store::open(absolute_path(directory, current_directory()));
}

OutputFormat Context::format() const {
    const std::string name = given_.value("output", "table");
    return name == "json" ? OutputFormat::kJson
           : name == "csv" ? OutputFormat::kCsv
           : name == "markdown" ? OutputFormat::kMarkdown
                                : OutputFormat::kTable;
}

std::string Context::shown(const std::string& path) const {
    return relative_to(path, current_directory());
}

unsigned Context::jobs() const {
    const auto number = parse_u64(given_.value("jobs", "0"));
    return number && *number > 0 && *number <= 1024 ? static_cast<unsigned>(*number)
                                                    : processor_count();
}

}  // namespace tarn::cli
