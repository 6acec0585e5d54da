// SPDX-License-Identifier: MIT
#include "provision/schema.hh"

#include "base/strings.hh"

#include <fmt/ranges.h>

#include <algorithm>
#include <set>
#include <vector>

namespace tarn::guest {
namespace {

constexpr std::string_view kTrueWords[] = {"true", "1", "on", "yes"};
constexpr std::string_view kFalseWords[] = {"false", "0", "off", "no"};

bool is_word(const Node& node, std::span<const std::string_view> words) {
    const std::string text = to_lower(trim(node.text));
    return std::find(words.begin(), words.end(), text) != words.end();
}

bool takes(const Key& key, const Node& node) {
    const auto has = [&](unsigned bit) { return (key.takes & bit) != 0; };
    switch (node.kind) {
        case Node::Kind::kNull:
            return true;
        case Node::Kind::kBool:
            return has(kTakesBool);
        case Node::Kind::kInt:
            return has(kTakesInt) || (has(kTakesBool) && (node.text == "0" || node.text == "1"));
        case Node::Kind::kText:
            return has(kTakesText) ||
                   (has(kTakesBool) && (is_word(node, kTrueWords) || is_word(node, kFalseWords)));
        case Node::Kind::kList:
            return has(kTakesList);
        case Node::Kind::kMap:
            return has(kTakesMap);
        case Node::Kind::kFloat:
        case Node::Kind::kDate:
            break;
    }
    return false;
}

std::string expected(const Key& key) {
    std::vector<std::string> kinds;
    const auto add = [&](unsigned bit, const char* name) {
        if ((key.takes & bit) != 0) {
            kinds.emplace_back(name);
        }
    };
    add(kTakesBool, "true or false");
    add(kTakesInt, "a number");
    add(kTakesText, "text");
    add(kTakesList, "a list");
    add(kTakesMap, "a mapping");
    return join(kinds, " or ");
}

bool is_choice(std::string_view choices, std::string_view text) {
    const auto all = split(choices, '|');
    return std::find(all.begin(), all.end(), text) != all.end();
}

class Checker {
  public:
    explicit Checker(Problems& problems) : problems_(problems) {}

    void value(const Node& node, const Key& key, const std::string& path, bool secret) {
        secret = secret || key.secret;
        if ((key.takes & kTakesAnything) != 0 || node.is_null()) {
            return;
        }
        if (!takes(key, node)) {
            wrong_kind(node, key, path, secret);
            return;
        }
        if (node.kind == Node::Kind::kText && !key.choices.empty() &&
            !is_choice(key.choices, node.text) &&
            !((key.takes & kTakesBool) != 0 &&
              (is_word(node, kTrueWords) || is_word(node, kFalseWords)))) {
            const auto choices = split(key.choices, '|');
            add(node.mark,
                node.text.size(),
                fmt::format("`{}` must be one of {}", path, fmt::join(choices, ", ")),
                did_you_mean(node.text, {choices.begin(), choices.end()}),
                secret);
        }
        if (node.kind == Node::Kind::kMap && !key.members.empty()) {
            members(node, key.members, path, secret);
        }
        if (node.kind == Node::Kind::kMap && key.each != nullptr) {
            for (const auto& [name, member] : node.members) {
                value(member, *key.each, path + "." + name, secret);
            }
        }
        if (node.kind == Node::Kind::kList && key.item != nullptr) {
            for (std::size_t i = 0; i < node.items.size(); ++i) {
                item(node.items[i], *key.item, fmt::format("{}[{}]", path, i), secret);
            }
        }
    }

    void members(const Node& map, std::span<const Key> keys, const std::string& path, bool secret) {
        for (std::size_t i = 0; i < map.members.size(); ++i) {
            const auto& [name, node] = map.members[i];
            const auto key = std::find_if(
                keys.begin(), keys.end(), [&](const Key& each) { return each.name == name; });
            const std::string place = path.empty() ? name : path + "." + name;
            if (name == "<<") {
                continue;  // the reader of YAML has told
            }
            if (key == keys.end()) {
                unknown(map.member_marks[i], name, keys, path, secret);
            } else if (key->handling == Handling::kHandOver) {
                add(map.member_marks[i],
                    name.size(),
                    fmt::format("`{}` is not applied natively", place),
                    {},
                    secret);
            } else {
                value(node, *key, place, secret);
            }
        }
    }

  private:
    void add(Mark mark, std::size_t width, std::string text, std::string help, bool secret) {
        problems_.push_back({Problem::Weight::kHandOver,
                             mark,
                             static_cast<unsigned>(std::min<std::size_t>(width, 200)),
                             std::move(text),
                             std::move(help),
                             secret});
    }

    // An empty item of a list is a slip, not something that is not there.
    void item(const Node& node, const Key& key, const std::string& path, bool secret) {
        if (node.is_null() && key.takes != kTakesAnything) {
            add(node.mark, 1, fmt::format("`{}` is empty", path), {}, secret);
            return;
        }
        value(node, key, path, secret);
    }

    void wrong_kind(const Node& node, const Key& key, const std::string& path, bool secret) {
        std::string help;
        const bool scalar = node.is_scalar();
        if (scalar && node.kind != Node::Kind::kText && (key.takes & kTakesText) != 0) {
            help = "put it in quotes";
        } else if (scalar && key.takes == kTakesList) {
            help = "write `- ` in front of it";
        }
        add(node.mark,
            scalar ? std::max<std::size_t>(1, node.text.size()) : 1,
            fmt::format("`{}` must be {}, not {}", path, expected(key), kind_name(node.kind)),
            std::move(help),
            secret);
    }

    void unknown(Mark mark,
                 const std::string& name,
                 std::span<const Key> keys,
                 const std::string& path,
                 bool secret) {
        std::vector<std::string> names;
        for (const Key& each : keys) {
            names.emplace_back(each.name);
        }
        // A key may be a secret that slipped one level up.
        const bool plain = name.size() <= 40 && name.find_first_of("\r\n:$ ") == std::string::npos;
        add(mark,
            name.size(),
            fmt::format("{} is no key of {}",
                        plain ? "`" + name + "`" : std::string("this"),
                        path.empty() ? std::string("#cloud-config") : "`" + path + "`"),
            plain ? did_you_mean(name, names) : std::string(),
            secret || !plain);
    }

    Problems& problems_;
};

// What two keys share is printed under the first.
void reference_rows(std::span<const Key> keys,
                    const std::string& prefix,
                    std::set<const Key*>& printed,
                    std::string& out) {
    if (!keys.empty() && !printed.insert(keys.data()).second) {
        return;
    }
    for (const Key& key : keys) {
        if (key.handling == Handling::kHandOver) {
            continue;
        }
        const std::string name = prefix + std::string(key.name);
        std::string takes_text = (key.takes & kTakesAnything) != 0 ? "anything" : expected(key);
        if (!key.choices.empty()) {
            takes_text += ": " + replace_all(std::string(key.choices), "|", ", ");
        }
        out += fmt::format("| `{}` | {} | {} |\n", name, takes_text, key.about);
        reference_rows(key.members, name + ".", printed, out);
        if (key.each != nullptr) {
            reference_rows(key.each->members, name + ".ID.", printed, out);
        }
        for (const Key* item = key.item; item != nullptr; item = item->item) {
            reference_rows(item->members, name + "[].", printed, out);
        }
    }
}

}  // namespace

void check_document(const Node& root, std::span<const Key> keys, Problems& problems) {
    if (root.is_null()) {
        return;
    }
    if (root.kind != Node::Kind::kMap) {
        problems.push_back(
            {Problem::Weight::kRefused,
             root.mark,
             1,
             fmt::format("the document must be a mapping, not {}", kind_name(root.kind)),
             "write `key: value`",
             true});
        return;
    }
    Checker(problems).members(root, keys, "", false);
}

std::string reference(std::span<const Key> keys) {
    std::string out;
    std::set<const Key*> printed;
    reference_rows(keys, "", printed, out);
    std::vector<std::string> others;
    for (const Key& key : keys) {
        if (key.handling == Handling::kHandOver) {
            others.push_back(fmt::format("`{}`", key.name));
        }
    }
    out += fmt::format("\nHanded over: {}.\n", join(others, ", "));
    return out;
}

bool is_true(const Node& node) {
    return node.kind == Node::Kind::kBool ? node.boolean : is_word(node, kTrueWords);
}

}  // namespace tarn::guest
