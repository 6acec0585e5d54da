// SPDX-License-Identifier: MIT
#include "emulator/detail/scenario_reader.hh"

#include "base/fs.hh"
#include "base/strings.hh"

#include <algorithm>
#include <functional>
#include <limits>
#include <set>

namespace tarn::emulator {

namespace {

using declaration::Entry;
using declaration::Value;
using declaration::ValueKind;

constexpr std::size_t kMaxInstances = 60'000;
constexpr std::uint64_t kMaxPayload = 64ULL << 10;  // of custom data and of user data

struct Reading {
    Diagnostics& diagnostics;
    const std::string& directory;

    bool is(const Entry& entry, ValueKind kind) const {
        if (entry.value.kind == kind) {
            return true;
        }
        diagnostics.error(entry.value.span,
                          fmt::format("`{}` is {}, but must be {}",
                                      entry.key,
                                      kind_name(entry.value.kind),
                                      kind_name(kind)));
        return false;
    }
    void wrong(const Entry& entry, const std::string& what, const std::string& help = {}) const {
        diagnostics.error(entry.value.span, fmt::format("`{}` {}", entry.key, what), help);
    }
};

template <class T>
struct Key {
    std::string name;
    std::function<void(const Reading&, const Entry&, T&)> read;
};

template <class T>
void read_table(const Reading& reading,
                const Value& table,
                const std::vector<Key<T>>& keys,
                T& out) {
    for (const Entry& entry : table.entries) {
        const auto key = std::ranges::find(keys, entry.key, &Key<T>::name);
        if (key != keys.end()) {
            key->read(reading, entry, out);
            continue;
        }
        std::vector<std::string> names;
        for (const Key<T>& each : keys) {
            names.push_back(each.name);
        }
        const std::string help = did_you_mean(entry.key, names);
        reading.diagnostics.error(entry.key_span,
                                  fmt::format("unknown key `{}`", entry.key),
                                  help.empty() ? "there are: " + join(names, ", ") : help);
    }
}

template <class T>
Key<T> text(std::string name, std::string T::* member) {
    return {std::move(name), [member](const Reading& reading, const Entry& entry, T& out) {
                if (reading.is(entry, ValueKind::kString)) {
                    out.*member = entry.value.text;
                }
            }};
}

template <class T>
Key<T> flag(std::string name, bool T::* member) {
    return {std::move(name), [member](const Reading& reading, const Entry& entry, T& out) {
                if (reading.is(entry, ValueKind::kBoolean)) {
                    out.*member = entry.value.boolean;
                }
            }};
}

template <class T, class N>
Key<T> number(std::string name, N T::* member, std::int64_t least, std::int64_t most) {
    return {std::move(name), [=](const Reading& reading, const Entry& entry, T& out) {
                if (!reading.is(entry, ValueKind::kInteger)) {
                    return;
                }
                if (entry.value.integer < least || entry.value.integer > most) {
                    reading.wrong(entry, fmt::format("is not between {} and {}", least, most));
                    return;
                }
                out.*member = static_cast<N>(entry.value.integer);
            }};
}

template <class T>
Key<T> texts(std::string name, std::vector<std::string> T::* member) {
    return {std::move(name), [member](const Reading& reading, const Entry& entry, T& out) {
                if (!reading.is(entry, ValueKind::kArray)) {
                    return;
                }
                (out.*member).clear();
                for (const Value& item : entry.value.items) {
                    if (reading.is({entry.key, item.span, item}, ValueKind::kString)) {
                        (out.*member).push_back(item.text);
                    }
                }
            }};
}

template <class T>
Key<T> text_map(std::string name, std::map<std::string, std::string> T::* member) {
    return {std::move(name), [member](const Reading& reading, const Entry& entry, T& out) {
                if (!reading.is(entry, ValueKind::kTable)) {
                    return;
                }
                for (const Entry& each : entry.value.entries) {
                    if (reading.is(each, ValueKind::kString)) {
                        (out.*member)[each.key] = each.value.text;
                    }
                }
            }};
}

template <class T, class U>
Key<T> tables(std::string name, std::vector<U> T::* member, const std::vector<Key<U>>& keys) {
    return {std::move(name), [member, &keys](const Reading& reading, const Entry& entry, T& out) {
                if (!reading.is(entry, ValueKind::kArray)) {
                    return;
                }
                (out.*member).clear();
                for (const Value& item : entry.value.items) {
                    if (reading.is({entry.key, item.span, item}, ValueKind::kTable)) {
                        U element{};
                        read_table(reading, item, keys, element);
                        (out.*member).push_back(std::move(element));
                    }
                }
            }};
}

// A text that `holds`, else "`key` `value` <is_no>".
template <class T>
Key<T> checked(std::string name,
               std::string T::* member,
               std::function<bool(const std::string&)> holds,
               std::string is_no) {
    return {std::move(name), [=](const Reading& reading, const Entry& entry, T& out) {
                if (!reading.is(entry, ValueKind::kString)) {
                    return;
                }
                if (!holds(entry.value.text)) {
                    reading.wrong(entry, is_no);
                    return;
                }
                out.*member = entry.value.text;
            }};
}

template <class T>
Key<T> word(std::string name, std::string T::* member, std::vector<std::string> words) {
    return {std::move(name), [=](const Reading& reading, const Entry& entry, T& out) {
                if (!reading.is(entry, ValueKind::kString)) {
                    return;
                }
                if (std::ranges::find(words, entry.value.text) == words.end()) {
                    const std::string help = did_you_mean(entry.value.text, words);
                    reading.wrong(entry,
                                  fmt::format("cannot be `{}`", entry.value.text),
                                  help.empty() ? "one of " + join(words, ", ") : help);
                    return;
                }
                out.*member = entry.value.text;
            }};
}

// The bytes of a file beside the scenario.
template <class T>
Key<T> file(std::string name, std::string T::* member) {
    return {std::move(name), [member](const Reading& reading, const Entry& entry, T& out) {
                if (!reading.is(entry, ValueKind::kString)) {
                    return;
                }
                auto bytes =
                    read_file(absolute_path(entry.value.text, reading.directory), kMaxPayload);
                if (!bytes) {
                    reading.wrong(entry, "cannot be read: " + bytes.error().message);
                    return;
                }
                out.*member = std::move(*bytes);
            }};
}

bool is_address(const std::string& text) {
    return parse_ipv4(text).has_value();
}

bool is_hex(std::string_view text) {
    return text.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
}

bool is_mac(const std::string& text) {
    return text.size() == 12 && is_hex(text);
}

bool is_uuid(const std::string& text) {
    if (text.size() != 36) {
        return false;
    }
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? text[i] != '-' : !is_hex(text.substr(i, 1))) {
            return false;
        }
    }
    return true;
}

const std::vector<Key<Nic>>& nic_keys() {
    static const std::vector<Key<Nic>> keys = {
        checked<Nic>("mac", &Nic::mac, is_mac, "is no MAC address: 12 hex digits"),
        checked<Nic>("address", &Nic::address, is_address, "is no IPv4 address"),
        text("public-address", &Nic::public_address),
        texts("secondary", &Nic::secondary),
        texts("ipv6", &Nic::ipv6),
        number("prefix", &Nic::prefix, 8, 30),
    };
    return keys;
}

const std::vector<Key<Identity>>& identity_keys() {
    static const std::vector<Key<Identity>> keys = {
        checked<Identity>("client-id", &Identity::client_id, is_uuid, "is no UUID"),
        checked<Identity>("object-id", &Identity::object_id, is_uuid, "is no UUID"),
        text("resource-id", &Identity::resource_id),
    };
    return keys;
}

void read_media(const Reading& reading, const Entry& entry, Instance& out) {
    if (!reading.is(entry, ValueKind::kString)) {
        return;
    }
    const std::string& kind = entry.value.text;
    if (kind != "udf" && kind != "iso" && kind != "none") {
        reading.wrong(entry, fmt::format("cannot be `{}`", kind), "one of udf, iso, none");
        return;
    }
    out.media = kind == "udf"   ? MediaKind::kUdf
                : kind == "iso" ? MediaKind::kIso
                                : MediaKind::kNone;
}

const std::vector<Key<Instance>>& instance_keys() {
    static const std::vector<Key<Instance>> keys = {
        checked<Instance>("source", &Instance::source, is_address, "is no IPv4 address"),
        checked<Instance>("vm-id", &Instance::vm_id, is_uuid, "is no UUID"),
        text("computer-name", &Instance::computer_name),
        text("admin-user", &Instance::admin_user),
        text("password", &Instance::password),
        flag("disable-password-authentication", &Instance::disable_password_authentication),
        texts("ssh-keys", &Instance::ssh_keys),
        text("custom-data", &Instance::custom_data),
        file("custom-data-file", &Instance::custom_data),
        text("user-data", &Instance::user_data),
        file("user-data-file", &Instance::user_data),
        text("location", &Instance::location),
        text("zone", &Instance::zone),
        text("fault-domain", &Instance::fault_domain),
        text("vm-size", &Instance::vm_size),
        text("scale-set", &Instance::scale_set),
        word("priority", &Instance::priority, {"Regular", "Spot"}),
        word("pps-type",
             &Instance::pps_type,
             {"None", "Running", "Savable", "PreprovisionedOSDisk", "Unknown"}),
        flag("secure-boot", &Instance::secure_boot),
        flag("virtual-tpm", &Instance::virtual_tpm),
        text_map("tags", &Instance::tags),
        tables("nics", &Instance::nics, nic_keys()),
        flag("system-identity", &Instance::system_identity),
        tables("identities", &Instance::identities, identity_keys()),
        {"media", read_media},
    };
    return keys;
}

void read_nth(const Reading& reading, const Entry& entry, Fault& out) {
    if (!reading.is(entry, ValueKind::kInteger)) {
        return;
    }
    if (entry.value.integer < 1) {
        reading.wrong(entry, "counts from 1");
        return;
    }
    out.first = out.last = static_cast<std::uint64_t>(entry.value.integer);
}

void read_share(const Reading& reading, const Entry& entry, Fault& out) {
    if (!reading.is(entry, ValueKind::kInteger)) {
        return;
    }
    if (entry.value.integer < 0 || entry.value.integer > 100) {
        reading.wrong(entry, "is not between 0 and 100");
        return;
    }
    out.share = static_cast<double>(entry.value.integer) / 100;
}

void read_cut(const Reading& reading, const Entry& entry, Fault& out) {
    if (reading.is(entry, ValueKind::kInteger)) {
        if (entry.value.integer < 0) {
            reading.wrong(entry, "is a number of bytes");
            return;
        }
        out.cut_after = static_cast<std::uint64_t>(entry.value.integer);
    }
}

const std::vector<Key<Fault>>& fault_keys() {
    constexpr std::int64_t kMost = std::numeric_limits<std::int32_t>::max();
    static const std::vector<Key<Fault>> keys = {
        text("path", &Fault::path),
        text("instance", &Fault::instance),
        {"nth", read_nth},
        number("first", &Fault::first, 1, kMost),
        number("last", &Fault::last, 0, kMost),
        number("every", &Fault::every, 1, kMost),
        {"percent", read_share},
        number("latency-ms", &Fault::latency_ms, 0, 3'600'000),
        number("status", &Fault::status, 200, 599),
        flag("drop", &Fault::drop),
        {"cut-after", read_cut},
        flag("garbage", &Fault::garbage),
        number("slow-pause-ms", &Fault::slow_pause_ms, 0, 60'000),
        number("slow-piece", &Fault::slow_piece, 1, 1 << 20),
        word("certificate",
             &Fault::certificate,
             {"wrong-name", "untrusted", "expired", "wrong-nonce", "wrong-vm-id", "altered"}),
        flag("reorder-nics", &Fault::reorder_nics),
        text_map("set", &Fault::set),
    };
    return keys;
}

Key<Event> seconds(std::string name, double Event::* member) {
    return {std::move(name), [member](const Reading& reading, const Entry& entry, Event& out) {
                if (!reading.is(entry, ValueKind::kInteger)) {
                    return;
                }
                if (entry.value.integer < 0 || entry.value.integer > 30 * 86400) {
                    reading.wrong(entry, "is not between 0 and 30 days");
                    return;
                }
                out.*member = static_cast<double>(entry.value.integer);
            }};
}

const std::vector<Key<Event>>& event_keys() {
    static const std::vector<Key<Event>> keys = {
        checked<Event>("id", &Event::id, is_uuid, "is no UUID"),
        word("type", &Event::type, {"Freeze", "Reboot", "Redeploy", "Preempt", "Terminate"}),
        text("instances", &Event::instances),
        seconds("after-seconds", &Event::after_seconds),
        seconds("notice-seconds", &Event::notice_seconds),
        seconds("lasts-seconds", &Event::lasts_seconds),
        text("description", &Event::description),
    };
    return keys;
}

struct Generate {
    std::uint64_t count = 0;
    std::string subnet;
    std::string name = "node";
};

const std::vector<Key<Generate>>& generate_keys() {
    static const std::vector<Key<Generate>> keys = {
        number("count", &Generate::count, 1, kMaxInstances),
        text("subnet", &Generate::subnet),
        text("name", &Generate::name),
    };
    return keys;
}

// What the root of the file gives, before instances have their defaults.
struct Document {
    Scenario scenario;
    std::int64_t compression = 100;
    Instance defaults;
    std::optional<Generate> generate;
    Span generate_span;
    const Value* instances = nullptr;
};

void read_generate(const Reading& reading, const Entry& entry, Document& out) {
    if (reading.is(entry, ValueKind::kTable)) {
        out.generate_span = entry.key_span;
        read_table(reading, entry.value, generate_keys(), out.generate.emplace());
    }
}

Key<Document> of_scenario(const Key<Scenario>& key) {
    return {key.name, [read = key.read](const Reading& reading, const Entry& entry, Document& out) {
                read(reading, entry, out.scenario);
            }};
}

const std::vector<Key<Document>>& root_keys() {
    static const std::vector<Key<Document>> keys = {
        of_scenario(flag("rate-limits", &Scenario::rate_limits)),
        number("compression", &Document::compression, 1, 1'000'000),
        of_scenario(number("token-seconds", &Scenario::token_seconds, 1, 30 * 86400)),
        of_scenario(number("seed", &Scenario::seed, 0, std::numeric_limits<std::int64_t>::max())),
        {"defaults",
         [](const Reading& reading, const Entry& entry, Document& out) {
             if (reading.is(entry, ValueKind::kTable)) {
                 read_table(reading, entry.value, instance_keys(), out.defaults);
             }
         }},
        {"generate", read_generate},
        {"instances",
         [](const Reading& reading, const Entry& entry, Document& out) {
             if (reading.is(entry, ValueKind::kTable)) {
                 out.instances = &entry.value;
             }
         }},
        of_scenario(tables("faults", &Scenario::faults, fault_keys())),
        of_scenario(tables("events", &Scenario::events, event_keys())),
    };
    return keys;
}

void read_instances(const Reading& reading, Document& document) {
    std::vector<Instance>& all = document.scenario.instances;
    if (document.generate && document.generate->count > 0) {
        Instance like = document.defaults;
        like.name = document.generate->name;
        auto made = Scenario::generated(document.generate->count, document.generate->subnet, like);
        if (!made) {
            reading.diagnostics.error({document.generate_span.begin, document.generate_span.length},
                                      made.error().message,
                                      made.error().help.empty() ? "" : made.error().help.front());
        } else {
            all = std::move(made->instances);
        }
    }
    if (document.instances == nullptr) {
        return;
    }
    for (const Entry& entry : document.instances->entries) {
        Instance instance = document.defaults;
        instance.name = entry.key;
        if (!reading.is(entry, ValueKind::kTable)) {
            continue;
        }
        if (entry.key.empty() || entry.key.size() > 64 ||
            entry.key.find('/') != std::string::npos) {
            reading.diagnostics.error(entry.key_span,
                                      "an instance has a name of 1 to 64 bytes without `/`");
            continue;
        }
        read_table(reading, entry.value, instance_keys(), instance);
        complete(instance, all.size());
        all.push_back(std::move(instance));
    }
}

// Who is asking must be clear.
void check_sources(const Reading& reading, const Document& document) {
    std::map<std::string, Span> places;
    if (document.instances != nullptr) {
        for (const Entry& each : document.instances->entries) {
            places[each.key] = each.key_span;
        }
    }
    const std::vector<Instance>& all = document.scenario.instances;
    std::set<std::string> sources, names;
    for (const Instance& instance : all) {
        const auto place = places.find(instance.name);
        const Span where = place != places.end() ? place->second : document.generate_span;
        if (!names.insert(instance.name).second) {
            reading.diagnostics.error(where,
                                      fmt::format("there are two instances `{}`", instance.name));
        } else if (all.size() > 1 && instance.source.empty()) {
            reading.diagnostics.error(
                where,
                fmt::format("`{}` has no `source`", instance.name),
                "of several instances each has the address its connections come from");
        } else if (!instance.source.empty() && !sources.insert(instance.source).second) {
            reading.diagnostics.error(
                where, fmt::format("two instances have the source {}", instance.source));
        }
    }
}

}  // namespace

Scenario read_scenario(const Value& root, const std::string& directory, Diagnostics& diagnostics) {
    const Reading reading{diagnostics, directory};
    Document document;
    read_table(reading, root, root_keys(), document);
    document.scenario.compression = static_cast<double>(document.compression);
    read_instances(reading, document);
    check_sources(reading, document);
    if (document.scenario.instances.empty() && diagnostics.errors() == 0) {
        Instance instance = document.defaults;
        instance.name = "node-1";
        complete(instance, 0);
        document.scenario.instances.push_back(std::move(instance));
    }
    return std::move(document.scenario);
}

}  // namespace tarn::emulator
