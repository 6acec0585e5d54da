// SPDX-License-Identifier: MIT
#include "provision/template.hh"

#include "base/strings.hh"

#include <algorithm>

namespace tarn::guest {
namespace {

bool is_name(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '_' || c == '.' || c == '-';
    });
}

std::string plain_name(std::string_view text) {
    return replace_all(std::string(text), "-", "_");
}

std::vector<std::string> names_of(const std::map<std::string, std::string>& variables) {
    std::vector<std::string> names;
    for (const auto& [name, value] : variables) {
        names.push_back(name);
    }
    return names;
}

}  // namespace

std::map<std::string, std::string> template_variables(const Settings& settings) {
    std::map<std::string, std::string> result;
    for (const auto& [name, value] : settings.metadata) {
        if (name == "state_directory" || name == "ovf_file") {
            continue;  // provisioning's own
        }
        result["ds.meta_data." + plain_name(name)] = value;
    }
    const auto metadata = [&](const std::string& a, const std::string& b) {
        const auto found = result.find("ds.meta_data." + a);
        const auto other = result.find("ds.meta_data." + b);
        return found != result.end()   ? found->second
               : other != result.end() ? other->second
                                       : std::string();
    };
    std::map<std::string, std::string> standard = {
        {"instance_id", settings.instance_id},
        {"local_hostname", settings.hostname},
        {"cloud_name", settings.source},
        {"platform", settings.source},
        {"region", metadata("region", "location")},
        {"availability_zone", metadata("availability_zone", "zone")},
    };
    for (const auto& [name, value] : standard) {
        if (value.empty()) {
            continue;
        }
        result["v1." + name] = value;
        result[name] = value;
        if (name == "instance_id" || name == "local_hostname") {
            result.emplace("ds.meta_data." + name, value);
        }
    }
    return result;
}

bool is_template(std::string_view text, std::string_view& body) {
    const std::string_view line = text.substr(0, text.find('\n'));
    const std::string compact = replace_all(to_lower(line), " ", "");
    if (!line.starts_with("##") || trim(compact) != "##template:jinja") {
        return false;
    }
    body = text.substr(std::min(line.size() + 1, text.size()));
    return true;
}

std::string fill_template(std::string_view body,
                          const std::map<std::string, std::string>& variables,
                          Problems& problems) {
    std::string result;
    unsigned line = 2;  // the first one was the header
    std::size_t line_start = 0;
    const auto problem = [&](std::size_t at, std::string text, std::string help = {}) {
        const auto column = static_cast<unsigned>(at - line_start + 1);
        problems.push_back({Problem::Weight::kHandOver,
                            {line, column},
                            2,
                            std::move(text),
                            std::move(help),
                            false});
    };
    for (std::size_t i = 0; i < body.size(); ++i) {
        if (body[i] == '\n') {
            ++line;
            line_start = i + 1;
        }
        if (body[i] != '{' || i + 1 == body.size() ||
            (body[i + 1] != '{' && body[i + 1] != '%' && body[i + 1] != '#')) {
            result += body[i];
            continue;
        }
        if (body[i + 1] != '{') {
            problem(i, fmt::format("`{}` is jinja that is not read natively", body.substr(i, 2)));
            return result;
        }
        const std::size_t end = body.find("}}", i);
        const std::string_view inside =
            end == std::string_view::npos ? std::string_view() : body.substr(i + 2, end - i - 2);
        const std::string name = plain_name(trim(inside));
        const auto found = variables.find(name);
        if (!is_name(name)) {
            problem(i, "only `{{ name }}` is filled in natively");
            return result;
        }
        if (found == variables.end()) {
            problem(i,
                    fmt::format("no variable `{}` is known", name),
                    did_you_mean(name, names_of(variables)));
        } else {
            result += found->second;
        }
        i = end + 1;
    }
    return result;
}

}  // namespace tarn::guest
