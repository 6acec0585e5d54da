// SPDX-License-Identifier: MIT
// Typed reading of TOML tables. A TableKind<T> lists the keys a kind of table may have and how each
// fills a T; read_table does the rest: unknown keys, wrong types, missing keys, places.
//
// Filling an object that already has values overrides field by field, as the format wants it:
// non-empty strings win, lists append, maps merge by key.
#pragma once

#include "project/detail/shape.hh"
#include "project/toml.hh"
#include "project/model.hh"

#include <algorithm>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace tarn::declaration {

enum class Names : std::uint8_t {
    kDistro,
    kComponent,
    kPackageGroup,
    kImage,
    kImagePart,
    kTestSuite
};

// A name somewhere that must be defined by the end of the load.
struct Reference {
    Names names = Names::kDistro;
    std::string name;
    Span where{};
};

// What is known while one file is read.
struct Reading {
    Diagnostics& diagnostics;
    std::string directory;  // of the file: paths are relative to it
    bool permissive = false;
    std::vector<Reference>& references;
    std::vector<DistroReference>& distro_references;
    bool strict = false;
    bool defaults = false;  // inside without_rules()

    void error(Span where, std::string message, std::string help = {}) {
        diagnostics.error(where, std::move(message), std::move(help));
    }
    // What --permissive-config turns into a warning: unknown keys and broken rules.
    void unknown(Span where, std::string message, std::string help = {});
    void broken_rule(Span where, std::string message, std::string help = {});
    // A known trap of the format: a warning of --strict.
    void trap(Span where, std::string message, std::string help = {});
    void duplicate(std::string message,
                   Span second,
                   Span first,
                   Severity severity = Severity::kError);
    Severity severity_of_rules() const {
        return permissive || defaults ? Severity::kWarning : Severity::kError;
    }
};

// These report and return nullptr or false when the value has another type.
const std::string* expect_string(Reading& reading, const Entry& entry);
bool expect_kind(Reading& reading, std::string_view key, const Value& value, ValueKind wanted);
// The place of a key's value, or `otherwise` without the key.
Span place_of(const Value& table, std::string_view key, Span otherwise);
// Calls `use` for every string of an array.
void each_string(Reading& reading,
                 const Entry& entry,
                 const std::function<void(const Value&)>& use);
std::string path_value(const Reading& reading, std::string_view text);
// "4 GiB", "512 MiB", "10 GB" or a plain integer of bytes.
std::optional<std::uint64_t> parse_size(std::string_view text);

// "possible values: a, b"; empty when any is.
std::string possible_values(std::vector<std::string> words);
void report_unknown_key(Reading& reading,
                        const Entry& entry,
                        std::string_view table_kind,
                        const std::vector<std::string>& known);

enum class Need : std::uint8_t { kOptional, kRequired };

// How one key is read, and what it may hold.
template <class T>
struct Reader {
    using Run = std::function<void(Reading&, const Entry&, T&)>;
    Run run;
    Shape shape{};

    template <class F>
        requires std::is_invocable_v<F&, Reading&, const Entry&, T&>
    Reader(F how, Shape what = {})  // NOLINT: a plain lambda is a reader of anything
        : run(std::move(how)), shape(std::move(what)) {}
    // What reads a base reads what derives from it.
    template <class U>
        requires(std::is_base_of_v<U, T> && !std::is_same_v<U, T>)
    Reader(Reader<U> base)  // NOLINT
        : run(std::move(base.run)), shape(std::move(base.shape)) {}
    void operator()(Reading& reading, const Entry& entry, T& out) const {
        run(reading, entry, out);
    }
};

template <class T>
struct Field {
    std::string_view key;
    Reader<T> read;
    Need need = Need::kOptional;
};

template <class T>
struct TableKind {
    std::string_view what;  // "overlay", for messages
    std::vector<Field<T>> fields;
    // Rules between keys; runs after all keys were read.
    void (*check)(Reading&, const Value&, T&) = nullptr;
};

template <class T>
TableShape shape_of(const TableKind<T>& kind) {
    TableShape shape{kind.what, {}};
    for (const Field<T>& field : kind.fields) {
        shape.keys.push_back({field.key, field.need == Need::kRequired, field.read.shape});
    }
    return shape;
}
template <class T>
Shape table_shape(ShapeKind shape, const TableKind<T>& kind) {
    return {shape, {}, [&kind] { return shape_of(kind); }};
}

// The same reader, whose broken rules are warnings: azldev does not check them there.
template <class T>
Reader<T> without_rules(Reader<T> read) {
    Shape shape = read.shape;
    return {[read = std::move(read)](Reading& reading, const Entry& entry, T& out) {
                const bool before = reading.defaults;
                reading.defaults = true;
                read(reading, entry, out);
                reading.defaults = before;
            },
            std::move(shape)};
}

// "component `bash`"
inline std::string table_title(std::string_view what, std::string_view name) {
    return name.empty() ? std::string(what) : fmt::format("{} `{}`", what, name);
}

// `where` is what to point at when something about the whole table is wrong; `name` is the table's
// own, where it has one.
template <class T>
void read_table(Reading& reading,
                const Value& table,
                Span where,
                const TableKind<T>& kind,
                T& out,
                std::string_view name = {}) {
    if constexpr (requires { out.where; }) {
        out.where = where;
    }
    for (const Entry& entry : table.entries) {
        const Field<T>* field = nullptr;
        for (const Field<T>& candidate : kind.fields) {
            if (candidate.key == entry.key) {
                field = &candidate;
                break;
            }
        }
        if (field == nullptr) {
            std::vector<std::string> known;
            for (const Field<T>& candidate : kind.fields) {
                known.emplace_back(candidate.key);
            }
            report_unknown_key(reading, entry, table_title(kind.what, name), known);
            continue;
        }
        if constexpr (requires { out.key_spans; }) {
            out.key_spans[entry.key] = entry.value.span;
        }
        field->read(reading, entry, out);
    }
    for (const Field<T>& field : kind.fields) {
        if (field.need == Need::kRequired) {
            const Entry* entry = table.find(field.key);
            const bool empty = entry != nullptr && entry->value.kind == ValueKind::kString &&
                               entry->value.text.empty();
            if (entry == nullptr || empty) {
                reading.broken_rule(
                    empty ? entry->value.span : where,
                    fmt::format("{} needs `{}`", table_title(kind.what, name), field.key),
                    possible_values(field.read.shape.words));
            }
        }
    }
    if (kind.check != nullptr) {
        kind.check(reading, table, out);
    }
}

// Ways to read one key into a member of T.
template <class T>
struct Keys {
    using Read = Reader<T>;

    static Read text(std::string T::* member) {
        return {[member](Reading& reading, const Entry& entry, T& out) {
            const std::string* value = expect_string(reading, entry);
            if (value != nullptr && !value->empty()) {
                out.*member = *value;
            }
        }, Shape{ShapeKind::kText}};
    }

    static Read path(std::string T::* member) {
        return {[member](Reading& reading, const Entry& entry, T& out) {
            const std::string* value = expect_string(reading, entry);
            if (value != nullptr && !value->empty()) {
                out.*member = path_value(reading, *value);
            }
        }, Shape{ShapeKind::kText}};
    }

    static Read flag(bool T::* member) {
        return {[member](Reading& reading, const Entry& entry, T& out) {
            if (expect_kind(reading, entry.key, entry.value, ValueKind::kBoolean)) {
                out.*member = entry.value.boolean;
            }
        }, Shape{ShapeKind::kFlag}};
    }

    // A boolean for which "not given" matters.
    static Read maybe_flag(std::optional<bool> T::* member) {
        return {[member](Reading& reading, const Entry& entry, T& out) {
            if (expect_kind(reading, entry.key, entry.value, ValueKind::kBoolean)) {
                out.*member = entry.value.boolean;
            }
        }, Shape{ShapeKind::kFlag}};
    }

    static Read integer(std::int64_t T::* member, std::int64_t least) {
        return {[member, least](Reading& reading, const Entry& entry, T& out) {
            if (!expect_kind(reading, entry.key, entry.value, ValueKind::kInteger)) {
                return;
            }
            if (entry.value.integer < least) {
                reading.broken_rule(entry.value.span,
                                    fmt::format("`{}` must be at least {}", entry.key, least));
                return;
            }
            out.*member = entry.value.integer;
        }, Shape{ShapeKind::kInteger}};
    }

    static Read size(std::uint64_t T::* member) {
        return {[member](Reading& reading, const Entry& entry, T& out) {
            std::optional<std::uint64_t> bytes;
            if (entry.value.kind == ValueKind::kInteger && entry.value.integer > 0) {
                bytes = static_cast<std::uint64_t>(entry.value.integer);
            } else if (entry.value.kind == ValueKind::kString) {
                bytes = parse_size(entry.value.text);
            }
            if (!bytes) {
                reading.error(entry.value.span,
                              fmt::format("`{}` must be a size", entry.key),
                              "write it as \"4 GiB\", \"512 MiB\" or a number of bytes");
                return;
            }
            out.*member = *bytes;
        }, Shape{ShapeKind::kSize}};
    }

    static Read texts(std::vector<std::string> T::* member) {
        return {[member](Reading& reading, const Entry& entry, T& out) {
            each_string(
                reading, entry, [&](const Value& value) { (out.*member).push_back(value.text); });
        }, Shape{ShapeKind::kTexts}};
    }

    // As texts, each one of a few words.
    static Read words(std::vector<std::string> T::* member, std::vector<std::string> allowed);

    // As texts, but what a later file gives replaces what an earlier one gave.
    static Read replacing_texts(std::vector<std::string> T::* member) {
        return {[member](Reading& reading, const Entry& entry, T& out) {
            (out.*member).clear();
            texts(member)(reading, entry, out);
        }, Shape{ShapeKind::kTexts}};
    }

    static Read paths(std::vector<std::string> T::* member) {
        return {[member](Reading& reading, const Entry& entry, T& out) {
            (out.*member).clear();
            each_string(reading, entry, [&](const Value& value) {
                (out.*member).push_back(path_value(reading, value.text));
            });
        }, Shape{ShapeKind::kTexts}};
    }

    // A string or an array of strings, kept as one string with ", " between.
    static Read joined(std::string T::* member) {
        return {[member](Reading& reading, const Entry& entry, T& out) {
            if (entry.value.kind != ValueKind::kArray) {
                text(member)(reading, entry, out);
                return;
            }
            std::string joined_text;
            each_string(reading, entry, [&](const Value& value) {
                joined_text += (joined_text.empty() ? "" : ", ") + value.text;
            });
            if (joined_text.empty()) {
                reading.broken_rule(entry.value.span, fmt::format("`{}` is empty", entry.key));
            }
            out.*member = joined_text;
        }, Shape{ShapeKind::kTextOrTexts}};
    }

    // Names that have to be defined elsewhere.
    static Read references(Names names, std::vector<std::string> T::* member) {
        return {[names, member](Reading& reading, const Entry& entry, T& out) {
            each_string(reading, entry, [&](const Value& value) {
                (out.*member).push_back(value.text);
                reading.references.push_back({names, value.text, value.span});
            });
        }, Shape{ShapeKind::kTexts}};
    }

    static Read reference(Names names, std::string T::* member) {
        return {[names, member](Reading& reading, const Entry& entry, T& out) {
            const std::string* value = expect_string(reading, entry);
            if (value != nullptr && !value->empty()) {
                out.*member = *value;
                reading.references.push_back({names, *value, entry.value.span});
            }
        }, Shape{ShapeKind::kText}};
    }

    static Read text_map(std::map<std::string, std::string> T::* member) {
        return {[member](Reading& reading, const Entry& entry, T& out) {
            if (!expect_kind(reading, entry.key, entry.value, ValueKind::kTable)) {
                return;
            }
            for (const Entry& item : entry.value.entries) {
                if (const std::string* value = expect_string(reading, item)) {
                    (out.*member)[item.key] = *value;
                }
            }
        }, Shape{ShapeKind::kTextMap}};
    }

    // One of a few words.
    template <class E>
    static Read word(E T::* member, std::vector<std::pair<std::string_view, E>> words);
    // A word that stays text; the empty one is "not given".
    static Read word_text(std::string T::* member, std::vector<std::string_view> words);

    // A table that fills the same object.
    static Read same(const TableKind<T>& kind) {
        return {[&kind](Reading& reading, const Entry& entry, T& out) {
            if (expect_kind(reading, entry.key, entry.value, ValueKind::kTable)) {
                if constexpr (requires { out.where; }) {
                    const Span before = out.where;
                    read_table(reading, entry.value, entry.key_span, kind, out);
                    out.where = before;
                } else {
                    read_table(reading, entry.value, entry.key_span, kind, out);
                }
            }
        }, table_shape(ShapeKind::kTable, kind)};
    }

    template <class U>
    static Read table(const TableKind<U>& kind, U T::* member) {
        return {[&kind, member](Reading& reading, const Entry& entry, T& out) {
            if (expect_kind(reading, entry.key, entry.value, ValueKind::kTable)) {
                read_table(reading, entry.value, entry.key_span, kind, out.*member);
            }
        }, table_shape(ShapeKind::kTable, kind)};
    }

    // An array of tables.
    template <class U>
    static Read list(const TableKind<U>& kind, std::vector<U> T::* member) {
        return {[&kind, member](Reading& reading, const Entry& entry, T& out) {
            if (!expect_kind(reading, entry.key, entry.value, ValueKind::kArray)) {
                return;
            }
            for (const Value& item : entry.value.items) {
                if (expect_kind(reading, fmt::format("{}[]", entry.key), item, ValueKind::kTable)) {
                    U element{};
                    read_table(reading, item, item.span, kind, element);
                    (out.*member).push_back(std::move(element));
                }
            }
        }, table_shape(ShapeKind::kTables, kind)};
    }

    // Tables by name; the same name again, from another file, replaces the whole entry.
    template <class U>
    static Read replacing_map(const TableKind<U>& kind, std::map<std::string, U> T::* member) {
        return {[&kind, member](Reading& reading, const Entry& entry, T& out) {
            each_named(reading, entry, [&](const Entry& item) {
                U element{};
                set_name(element, item.key);
                read_table(reading, item.value, item.key_span, kind, element, item.key);
                (out.*member).insert_or_assign(item.key, std::move(element));
            });
        }, table_shape(ShapeKind::kNamedTables, kind)};
    }

    // Tables by name; the same name again fills the same object.
    template <class U>
    static Read merging_map(const TableKind<U>& kind, std::map<std::string, U> T::* member) {
        return {[&kind, member](Reading& reading, const Entry& entry, T& out) {
            each_named(reading, entry, [&](const Entry& item) {
                U& element = (out.*member)[item.key];
                set_name(element, item.key);
                read_table(reading, item.value, item.key_span, kind, element, item.key);
            });
        }, table_shape(ShapeKind::kNamedTables, kind)};
    }

    // Tables by name; the same name again is an error. `what` is "component".
    template <class U>
    static Read unique_map(std::string_view what,
                           const TableKind<U>& kind,
                           std::map<std::string, U> T::* member) {
        return {[what, &kind, member](Reading& reading, const Entry& entry, T& out) {
            each_named(reading, entry, [&](const Entry& item) {
                auto [place, fresh] = (out.*member).try_emplace(item.key);
                if (!fresh) {
                    reading.duplicate(fmt::format("{} `{}` is defined twice", what, item.key),
                                      item.key_span,
                                      place->second.where);
                    return;
                }
                set_name(place->second, item.key);
                read_table(reading, item.value, item.key_span, kind, place->second, item.key);
            });
        }, table_shape(ShapeKind::kNamedTables, kind)};
    }

    // Accepted and of no meaning here; only its type is checked.
    static Read ignored(ValueKind kind) {
        return {[kind](Reading& reading, const Entry& entry, T&) {
            expect_kind(reading, entry.key, entry.value, kind);
        }, Shape{kind == ValueKind::kString ? ShapeKind::kText : ShapeKind::kAny}};
    }

  private:
    template <class U>
    static void set_name(U& element, const std::string& name) {
        if constexpr (requires { element.package; }) {
            element.package = name;
        } else if constexpr (requires { element.name; }) {
            element.name = name;
        }
    }

    static void each_named(Reading& reading,
                           const Entry& entry,
                           const std::function<void(const Entry&)>& use) {
        if (!expect_kind(reading, entry.key, entry.value, ValueKind::kTable)) {
            return;
        }
        for (const Entry& item : entry.value.entries) {
            if (expect_kind(reading, item.key, item.value, ValueKind::kTable)) {
                use(item);
            }
        }
    }
};

// Reports a word that is none of those allowed.
void report_unknown_word(Reading& reading, const Entry& entry, std::vector<std::string> words);

template <class T>
template <class E>
typename Keys<T>::Read Keys<T>::word(E T::* member,
                                     std::vector<std::pair<std::string_view, E>> words) {
    Shape shape{ShapeKind::kText};
    for (const auto& each : words) {
        shape.words.emplace_back(each.first);
    }
    return {[member, words = std::move(words)](Reading& reading, const Entry& entry, T& out) {
        const std::string* value = expect_string(reading, entry);
        if (value == nullptr) {
            return;
        }
        std::vector<std::string> names;
        for (const auto& [name, meaning] : words) {
            if (name == *value) {
                out.*member = meaning;
                return;
            }
            names.emplace_back(name);
        }
        if (!value->empty()) {
            report_unknown_word(reading, entry, names);
        }
    }, std::move(shape)};
}

template <class T>
typename Keys<T>::Read Keys<T>::words(std::vector<std::string> T::* member,
                                      std::vector<std::string> allowed) {
    return {[member, allowed = std::move(allowed)](Reading& reading, const Entry& entry, T& out) {
        each_string(reading, entry, [&](const Value& value) {
            if (std::find(allowed.begin(), allowed.end(), value.text) != allowed.end()) {
                (out.*member).push_back(value.text);
                return;
            }
            Entry element;
            element.key = entry.key;
            element.value = value;
            report_unknown_word(reading, element, allowed);
        });
    }, Shape{ShapeKind::kTexts}};
}

template <class T>
typename Keys<T>::Read Keys<T>::word_text(std::string T::* member,
                                          std::vector<std::string_view> words) {
    Shape shape{ShapeKind::kText, {words.begin(), words.end()}};
    return {[member, words = std::move(words)](Reading& reading, const Entry& entry, T& out) {
        const std::string* value = expect_string(reading, entry);
        if (value == nullptr || value->empty()) {
            return;
        }
        std::vector<std::string> names(words.begin(), words.end());
        for (const std::string& name : names) {
            if (name == *value) {
                out.*member = name;
                return;
            }
        }
        report_unknown_word(reading, entry, names);
    }, std::move(shape)};
}

}  // namespace tarn::declaration
