// SPDX-License-Identifier: MIT
#include "project/select.hh"

#include "base/fs.hh"
#include "base/strings.hh"
#include "project/detail/patterns.hh"

#include <algorithm>
#include <unordered_set>

namespace tarn {
namespace {

class Selector {
  public:
    explicit Selector(const Project& project) : project_(project) {}

    void spec_path(const std::string& text) {
        const std::string path = absolute_path(text, current_directory());
        bool found = false;
        for (const auto& [name, component] : project_.components) {
            if (!component.spec_path.empty() && component.spec_path == path) {
                add(component);
                found = true;
            }
        }
        if (!found) {
            std::vector<std::string> known;
            for (const auto& [name, component] : project_.components) {
                if (!component.spec_path.empty()) {
                    known.push_back(relative_to(component.spec_path, current_directory()));
                }
            }
            missing("component with the spec", text, known);
        }
    }

    void name(const std::string& text) {
        const auto exact = project_.components.find(text);
        if (exact != project_.components.end()) {
            add(exact->second);
        } else if (!declaration::may_match_nothing(text)) {
            missing("component", text, names_of(project_.components));
        } else if (const auto fault = declaration::pattern_fault(text); !fault.empty()) {
            problems_.push_back(fmt::format("\"{}\" is not a valid pattern: {}", text, fault));
        } else {
            pattern(text);
        }
    }

    void group(const std::string& text, bool listed_members) {
        const auto found = project_.component_groups.find(text);
        if (found == project_.component_groups.end()) {
            missing("component group", text, names_of(project_.component_groups));
            return;
        }
        const ComponentGroup& group = found->second;
        for (const std::string& member : listed_members ? group.members : group.found) {
            const auto component = project_.components.find(member);
            if (component != project_.components.end()) {
                add(component->second);
            }
        }
        const std::size_t listed = group.members.size() - group.found.size();
        if (!listed_members && listed != 0) {
            selected_.warnings.push_back(
                fmt::format("component group `{}` lists {} component{} not selected",
                            text,
                            listed,
                            listed == 1 ? ", which is" : "s, which are"));
        }
    }

    void all() {
        for (const auto& [name, component] : project_.components) {
            add(component);
        }
    }

    void warn(std::string text) { selected_.warnings.push_back(std::move(text)); }

    Result<Selected> finish() && {
        if (problems_.empty()) {
            return std::move(selected_);
        }
        std::sort(help_.begin(), help_.end());
        help_.erase(std::unique(help_.begin(), help_.end()), help_.end());
        Error made;
        made.kind = ErrorKind::kUsage;
        made.help = std::move(help_);
        made.message = problems_.size() == 1
                           ? problems_.front()
                           : fmt::format("{} of what was named is not there", problems_.size());
        if (problems_.size() > 1) {
            made.notes = std::move(problems_);
        }
        return fail(std::move(made));
    }

  private:
    template <class Map>
    static std::vector<std::string> names_of(const Map& map) {
        std::vector<std::string> names;
        for (const auto& [name, value] : map) {
            names.push_back(name);
        }
        return names;
    }

    void add(const Component& component) {
        if (seen_.insert(&component).second) {
            selected_.components.push_back(&component);
        }
    }

    void pattern(const std::string& text) {
        bool found = false;
        for (const auto& [component_name, component] : project_.components) {
            if (glob_match(text, component_name)) {
                add(component);
                found = true;
            }
        }
        if (!found) {
            warn(fmt::format("no component matches {}", text));
        }
    }

    void missing(std::string_view what,
                 const std::string& text,
                 const std::vector<std::string>& known) {
        problems_.push_back(fmt::format("there is no {} `{}`", what, text));
        std::string help = did_you_mean(text, known);
        if (!help.empty()) {
            help_.push_back(fmt::format("{}: {}", text, help));
        } else if (known.empty() && what == "component group") {
            help_.push_back(fmt::format("there is no {} at all", what));
        } else if (what != "component group") {
            help_.emplace_back("`tarn component list` lists what there is");
        }
    }

    const Project& project_;
    Selected selected_{};
    std::unordered_set<const Component*> seen_{};
    std::vector<std::string> problems_{};
    std::vector<std::string> help_{};
};

}  // namespace

Result<Selected> select_components(const Project& project, const Selection& selection) {
    Selector selector(project);
    for (const std::string& path : selection.spec_paths) {
        selector.spec_path(path);
    }
    for (const std::string& name : selection.names) {
        selector.name(name);
    }
    for (const std::string& group : selection.groups) {
        selector.group(group, selection.listed_members);
    }
    if (selection.all) {
        auto named = std::move(selector).finish();
        if (!named) {
            return fail(std::move(named.error()));
        }
        Selector everything(project);
        everything.all();
        return std::move(everything).finish();
    }
    if (selection.empty()) {
        selector.warn("no component was named: give names or patterns, -g GROUP, -s SPEC or -a");
    }
    return std::move(selector).finish();
}

}  // namespace tarn
