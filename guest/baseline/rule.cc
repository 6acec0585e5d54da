// SPDX-License-Identifier: MIT
// toml++ asserts on some malformed text before it reports it: a report is what is wanted.
#define TOML_ASSERT(expression) static_cast<void>(0)
#include "baseline/rule.hh"

#include "base/fs.hh"
#include "base/strings.hh"

#include "baseline/detail/procedure.hh"
#include "baseline/live_target.hh"
#include <toml++/toml.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>

namespace tarn::guest::baseline {
namespace {

constexpr std::size_t kFileLimit = 1u << 20;
constexpr std::size_t kRuleLimit = 4096;

using Defaults = std::map<std::string, const toml::node*>;

// Reads one table key by key; the first thing wrong is kept.
class Reader {
  public:
    Reader(std::string_view file, const toml::table& table) : file_(file), table_(table) {}

    std::optional<Error> problem;

    Failure failure() { return fail(std::move(*problem)); }
    std::string place(const toml::node& node) const {
        const auto& at = node.source().begin;
        return fmt::format("{}:{}:{}", file_, at.line, at.column);
    }
    void wrong(const toml::node& node, std::string_view text, std::string help = {}) {
        if (!problem) {
            problem = error(ErrorKind::kUsage, "{}: {}", place(node), text);
            if (!help.empty()) {
                problem->help.push_back(std::move(help));
            }
        }
    }
    const toml::node* take(const char* key) {
        known_.emplace_back(key);
        return table_.get(key);
    }
    void text(const char* key, std::string& out, bool required = false) {
        const toml::node* node = take(key);
        if (node == nullptr) {
            if (required) {
                wrong(table_, fmt::format("`{}` is missing", key));
            }
        } else if (const auto* value = node->as_string()) {
            out = value->get();
            if (required && out.empty()) {
                wrong(*node, fmt::format("`{}` is empty", key));
            }
        } else {
            wrong(*node, fmt::format("`{}` must be a string", key));
        }
    }
    void flag(const char* key, bool& out) {
        if (const toml::node* node = take(key)) {
            if (const auto* value = node->as_boolean()) {
                out = value->get();
            } else {
                wrong(*node, fmt::format("`{}` must be true or false", key));
            }
        }
    }
    // A string, or an array of strings.
    void texts(const char* key, std::vector<std::string>& out, bool required = false) {
        const toml::node* node = take(key);
        if (node == nullptr) {
            if (required) {
                wrong(table_, fmt::format("`{}` is missing", key));
            }
            return;
        }
        values(key, *node, out);
    }
    void values(std::string_view key, const toml::node& node, std::vector<std::string>& out) {
        out.clear();
        if (const auto* value = node.as_string()) {
            out.push_back(value->get());
        } else if (const auto* number = node.as_integer()) {
            out.push_back(fmt::to_string(number->get()));
        } else if (const auto* truth = node.as_boolean()) {
            out.emplace_back(truth->get() ? "true" : "false");
        } else if (const auto* array = node.as_array()) {
            for (const toml::node& one : *array) {
                if (const auto* item = one.as_string()) {
                    out.push_back(item->get());
                } else {
                    wrong(one, fmt::format("`{}` must hold strings", key));
                }
            }
        } else {
            wrong(node, fmt::format("`{}` must be a string or an array of strings", key));
        }
    }
    template <class T, std::size_t N>
    void word(const char* key, T& out, const T (&all)[N]) {
        std::string given;
        const toml::node* node = table_.get(key);
        text(key, given);
        if (given.empty()) {
            return;
        }
        std::vector<std::string> names;
        for (const T one : all) {
            if (to_string(one) == given) {
                out = one;
                return;
            }
            names.emplace_back(to_string(one));
        }
        wrong(*node, fmt::format("`{}` is no {}", given, key), did_you_mean(given, names));
    }
    // Everything that was not asked for.
    void no_more(std::string_view what) {
        for (const auto& [key, node] : table_) {
            const std::string name(key.str());
            if (std::ranges::find(known_, name) == known_.end()) {
                wrong(node,
                      fmt::format("`{}` is no key of {}", name, what),
                      did_you_mean(name, known_));
            }
        }
    }

  private:
    std::string_view file_;
    const toml::table& table_;
    std::vector<std::string> known_;
};

constexpr Severity kSeverities[] = {
    Severity::kLow, Severity::kMedium, Severity::kHigh, Severity::kCritical};
constexpr Risk kRisks[] = {Risk::kSafe, Risk::kRestart, Risk::kLockOut};

void check_words(Reader& reader, const toml::table& table, const Rule& rule) {
    for (const std::string& profile : rule.profiles) {
        if (std::ranges::find(kProfiles, profile) == std::end(kProfiles)) {
            const std::vector<std::string> names(std::begin(kProfiles), std::end(kProfiles));
            reader.wrong(
                table, fmt::format("`{}` is no profile", profile), did_you_mean(profile, names));
        }
    }
    if (rule.id.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-.") != std::string::npos ||
        rule.id.size() > 80) {
        reader.wrong(table, "`id` may have a-z, 0-9, - and ., at most 80");
    }
}

void read_parameters(Reader& reader, const toml::table& table, Rule& rule) {
    const Procedure* procedure = find_procedure(rule.procedure);
    if (procedure == nullptr) {
        std::vector<std::string> names;
        for (const Procedure& one : procedures()) {
            names.emplace_back(one.name);
        }
        reader.wrong(table,
                     fmt::format("`{}` is no procedure", rule.procedure),
                     did_you_mean(rule.procedure, names));
        return;
    }
    for (const Parameter& parameter : procedure->parameters) {
        std::vector<std::string> values;
        const std::string name(parameter.name);
        reader.texts(name.c_str(), values, parameter.required);
        const toml::node* node = table.get(name);
        if (node != nullptr && !parameter.list && values.size() != 1) {
            reader.wrong(*node, fmt::format("`{}` must be one value", name));
        }
        if (node != nullptr) {
            rule.parameters.emplace_back(name, std::move(values));
        }
    }
    if (procedure->needs_expect && rule.expect.text.empty()) {
        reader.wrong(table, "`expect` is missing");
    }
}

Result<Rule> read_rule(const toml::table& table, std::string_view file) {
    Reader reader(file, table);
    Rule rule;
    reader.text("id", rule.id, true);
    reader.text("title", rule.title, true);
    reader.text("section", rule.section, true);
    reader.texts("references", rule.references);
    reader.word("severity", rule.severity, kSeverities);
    reader.word("risk", rule.risk, kRisks);
    reader.text("procedure", rule.procedure, true);
    reader.texts("profiles", rule.profiles);
    reader.texts("only-roles", rule.only_roles);
    reader.texts("unless-roles", rule.unless_roles);
    reader.texts("needs", rule.needs);
    reader.flag("informational", rule.informational);
    reader.flag("slow", rule.slow);
    reader.text("why", rule.why);
    reader.text("remedy", rule.remedy);
    std::string expect;
    std::vector<std::string> expect_values;
    if (const toml::node* node = reader.take("expect")) {
        reader.values("expect", *node, expect_values);
        if (expect_values.size() != 1) {
            reader.wrong(*node, "`expect` must be one value");
        } else if (auto parsed = parse_expectation(expect_values[0])) {
            rule.expect = std::move(*parsed);
        } else {
            reader.wrong(*node, parsed.error().message, parsed.error().help.at(0));
        }
    }
    check_words(reader, table, rule);
    if (!reader.problem) {
        read_parameters(reader, table, rule);
        reader.no_more("a rule of procedure `" + rule.procedure + "`");
    }
    if (reader.problem) {
        return reader.failure();
    }
    rule.where = fmt::format("{}:{}", file, table.source().begin.line);
    return rule;
}

Result<toml::table> parse_toml(std::string_view text, std::string_view file) {
    if (text.size() > kFileLimit) {
        return fail(ErrorKind::kUsage, "{}: larger than {} bytes", file, kFileLimit);
    }
    try {
        return toml::parse(text, file);
    } catch (const toml::parse_error& e) {
        const auto& at = e.source().begin;
        return fail(ErrorKind::kUsage, "{}:{}:{}: {}", file, at.line, at.column, e.description());
    } catch (const std::exception& e) {
        return fail(ErrorKind::kUsage, "{}: {}", file, e.what());
    }
}

Result<Exception> read_exception(const toml::table& table, std::string_view file) {
    Reader reader(file, table);
    Exception out;
    reader.text("rule", out.rule, true);
    reader.text("reason", out.reason, true);
    reader.text("who", out.who, true);
    reader.text("expires", out.expires, true);
    const std::string& day = out.expires;
    bool good = day.size() == 10 && day[4] == '-' && day[7] == '-';
    for (std::size_t i = 0; good && i < day.size(); ++i) {
        good = i == 4 || i == 7 || (day[i] >= '0' && day[i] <= '9');
    }
    if (!reader.problem && !good) {
        reader.wrong(*table.get("expires"), "`expires` must be a day, \"2027-01-31\"");
    }
    reader.no_more("an exception");
    if (reader.problem) {
        return reader.failure();
    }
    out.where = fmt::format("{}:{}", file, table.source().begin.line);
    return out;
}

}  // namespace

std::string_view to_string(Severity severity) {
    constexpr std::string_view kNames[] = {"low", "medium", "high", "critical"};
    return kNames[static_cast<std::size_t>(severity)];
}

std::string_view to_string(Risk risk) {
    constexpr std::string_view kNames[] = {"safe", "restart", "lock-out"};
    return kNames[static_cast<std::size_t>(risk)];
}

const std::vector<std::string>& Rule::list(std::string_view name) const {
    static const std::vector<std::string> kNone;
    for (const auto& [key, values] : parameters) {
        if (key == name) {
            return values;
        }
    }
    return kNone;
}

std::string Rule::text(std::string_view name, std::string_view otherwise) const {
    const auto& values = list(name);
    return values.empty() ? std::string(otherwise) : values[0];
}

bool Rule::flag(std::string_view name) const {
    return text(name) == "true";
}

Result<std::vector<Rule>> parse_rules(std::string_view text, std::string_view file) {
    toml::table root = TARN_TRY(parse_toml(text, file));
    Reader top(file, root);
    const toml::node* list = top.take("rule");
    const toml::node* given = top.take("defaults");
    top.no_more("a file of rules");
    const toml::array* array = list == nullptr ? nullptr : list->as_array();
    if (!top.problem && array == nullptr) {
        top.wrong(root, "expected [[rule]]");
    }
    if (!top.problem && given != nullptr && !given->is_table()) {
        top.wrong(*given, "`defaults` must be a table");
    }
    if (!top.problem && array->size() > kRuleLimit) {
        top.wrong(*list, "too many rules");
    }
    if (top.problem) {
        return top.failure();
    }
    std::vector<Rule> out;
    for (toml::node& node : *root.get("rule")->as_array()) {
        toml::table* table = node.as_table();
        if (table == nullptr) {
            top.wrong(node, "expected [[rule]]");
            return top.failure();
        }
        if (given != nullptr) {
            for (const auto& [key, value] : *given->as_table()) {
                if (!table->contains(key)) {
                    table->insert(key, value);
                }
            }
        }
        out.push_back(TARN_TRY(read_rule(*table, file)));
    }
    return out;
}

Result<std::vector<Rule>> load_rules(const Target& target, const std::string& directory) {
    std::vector<Rule> all;
    std::map<std::string, std::string> seen;
    for (const std::string& name : TARN_TRY(target.list(directory))) {
        if (!name.ends_with(".toml")) {
            continue;
        }
        const std::string text = TARN_TRY(target.read(directory + "/" + name, kFileLimit));
        std::vector<Rule> rules = TARN_TRY(parse_rules(text, name));
        for (Rule& rule : rules) {
            const auto [place, is_new] = seen.emplace(rule.id, rule.where);
            if (!is_new) {
                return fail(ErrorKind::kUsage,
                            "{}: rule `{}` is declared at {} already",
                            rule.where,
                            rule.id,
                            place->second);
            }
            all.push_back(std::move(rule));
        }
    }
    if (all.empty()) {
        return fail(error(ErrorKind::kNotFound, "no rules in {}", directory)
                        .advise("--rules names the directory that has them"));
    }
    return all;
}

Result<std::vector<Rule>> load_rules(const std::string& directory) {
    const LiveTarget here = TARN_TRY(LiveTarget::open("/"));
    return load_rules(here, absolute_path(directory, current_directory()));
}

Result<MachineConfig> parse_machine_config(std::string_view text, std::string_view file) {
    const toml::table root = TARN_TRY(parse_toml(text, file));
    Reader reader(file, root);
    MachineConfig out;
    reader.texts("roles", out.roles);
    reader.text("profile", out.profile);
    const toml::node* exceptions = reader.take("exception");
    reader.no_more("a baseline configuration");
    if (!reader.problem && exceptions != nullptr && !exceptions->is_array()) {
        reader.wrong(*exceptions, "expected [[exception]]");
    }
    if (reader.problem) {
        return reader.failure();
    }
    if (exceptions != nullptr) {
        for (const toml::node& node : *exceptions->as_array()) {
            if (!node.is_table()) {
                reader.wrong(node, "expected [[exception]]");
                return reader.failure();
            }
            out.exceptions.push_back(TARN_TRY(read_exception(*node.as_table(), file)));
        }
    }
    return out;
}

}  // namespace tarn::guest::baseline
