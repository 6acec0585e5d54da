// SPDX-License-Identifier: MIT
#include "project/detail/dump_node.hh"

#include <algorithm>

namespace tarn::declaration {
namespace {

using Kind = Node::Kind;

std::string origin_of(Span where, const SourceMap& map) {
    const Location place = map.locate(where.begin);
    return place.file.empty() ? "default" : fmt::format("{}:{}", place.file, place.line);
}

// A text in double quotes: the escapes of JSON are those of TOML's basic strings.
std::string quoted(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        switch (c) {
            case '"':
                out += "\\\"";
                break;
            case '\\':
                out += "\\\\";
                break;
            case '\n':
                out += "\\n";
                break;
            case '\t':
                out += "\\t";
                break;
            case '\r':
                out += "\\r";
                break;
            default:
                if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
                    fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned>(c));
                } else {
                    out += c;
                }
        }
    }
    return out + '"';
}

std::string plain(const Node& node) {
    switch (node.kind) {
        case Kind::kText:
            return quoted(node.text);
        case Kind::kInteger:
            return std::to_string(node.integer);
        default:
            return node.flag ? "true" : "false";
    }
}

class JsonPrinter {
  public:
    JsonPrinter(const SourceMap& map, bool origins) : map_(map), origins_(origins) {}

    void print(const Node& node, std::size_t depth) {
        if (node.kind == Kind::kTable) {
            block('{', '}', node.entries, depth, [&](const auto& entry) {
                out_ += quoted(entry.first) + ": ";
                print(entry.second, depth + 1);
            });
        } else if (node.kind == Kind::kList) {
            block('[', ']', node.items, depth, [&](const Node& item) { print(item, depth + 1); });
        } else if (origins_) {
            out_ += fmt::format("{{\"value\": {}, \"origin\": {}}}",
                                plain(node),
                                quoted(origin_of(node.where, map_)));
        } else {
            out_ += plain(node);
        }
    }
    std::string finish() && { return std::move(out_) + "\n"; }

  private:
    template <class List, class Print>
    void block(char open, char close, const List& list, std::size_t depth, Print print_one) {
        out_ += open;
        bool first = true;
        for (const auto& each : list) {
            out_ += first ? "\n" : ",\n";
            first = false;
            out_.append(2 * (depth + 1), ' ');
            print_one(each);
        }
        if (!list.empty()) {
            out_ += '\n';
            out_.append(2 * depth, ' ');
        }
        out_ += close;
    }

    const SourceMap& map_;
    bool origins_;
    std::string out_{};
};

class TomlPrinter {
  public:
    TomlPrinter(const SourceMap& map, bool origins) : map_(map), origins_(origins) {}

    void table(const Node& node, const std::string& path) {
        for (const auto& [key, value] : node.entries) {
            if (!is_table(value)) {
                pair(key, value);
            }
        }
        for (const auto& [key, value] : node.entries) {
            if (!is_table(value)) {
                continue;
            }
            const std::string name = path.empty() ? toml_key(key) : path + "." + toml_key(key);
            if (value.kind == Kind::kTable) {
                if (value.entries.empty() || has_plain_values(value)) {
                    out_ += fmt::format("{}[{}]\n", out_.empty() ? "" : "\n", name);
                }
                table(value, name);
                continue;
            }
            for (const Node& item : value.items) {
                out_ += fmt::format("\n[[{}]]\n", name);
                table(item, name);
            }
        }
    }
    std::string finish() && { return std::move(out_); }

  private:
    static bool is_table(const Node& node) {
        return node.kind == Kind::kTable ||
               (node.kind == Kind::kList && !node.items.empty() &&
                node.items.front().kind == Kind::kTable);
    }
    static bool has_plain_values(const Node& node) {
        return std::any_of(node.entries.begin(), node.entries.end(), [](const auto& entry) {
            return !is_table(entry.second);
        });
    }
    std::string comment(const Node& node) const {
        return origins_ ? "  # " + origin_of(node.where, map_) : "";
    }

    void pair(const std::string& key, const Node& value) {
        if (value.kind != Kind::kList) {
            out_ += fmt::format("{} = {}{}\n", toml_key(key), plain(value), comment(value));
            return;
        }
        std::string line;
        for (const Node& item : value.items) {
            line += (line.empty() ? "" : ", ") + plain(item);
        }
        if (!origins_ && line.size() <= 80) {
            out_ += fmt::format("{} = [{}]\n", toml_key(key), line);
            return;
        }
        out_ += fmt::format("{} = [\n", toml_key(key));
        for (const Node& item : value.items) {
            out_ += fmt::format("    {},{}\n", plain(item), comment(item));
        }
        out_ += "]\n";
    }

    const SourceMap& map_;
    bool origins_;
    std::string out_{};
};

}  // namespace

Node Node::of_text(std::string text, Span where) {
    Node node;
    node.kind = Kind::kText;
    node.text = std::move(text);
    node.where = where;
    return node;
}

Node Node::of_integer(std::int64_t integer, Span where) {
    Node node;
    node.kind = Kind::kInteger;
    node.integer = integer;
    node.where = where;
    return node;
}

Node Node::of_flag(bool flag, Span where) {
    Node node;
    node.kind = Kind::kFlag;
    node.flag = flag;
    node.where = where;
    return node;
}

void Node::text_if(std::string key, const std::string& value, Span place) {
    if (!value.empty()) {
        add(std::move(key), of_text(value, place));
    }
}

void Node::table_if(std::string key, Node value) {
    if (!value.entries.empty()) {
        add(std::move(key), std::move(value));
    }
}

void Node::list_if(std::string key, std::vector<Node> values) {
    if (!values.empty()) {
        Node list;
        list.kind = Kind::kList;
        list.items = std::move(values);
        add(std::move(key), std::move(list));
    }
}

std::string to_json(const Node& node, const SourceMap& map, bool origins) {
    JsonPrinter printer(map, origins);
    printer.print(node, 0);
    return std::move(printer).finish();
}

std::string to_toml(const Node& node, const SourceMap& map, bool origins) {
    TomlPrinter printer(map, origins);
    printer.table(node, "");
    return std::move(printer).finish();
}

std::string toml_key(std::string_view key) {
    const bool bare = !key.empty() && std::all_of(key.begin(), key.end(), [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               c == '-' || c == '_';
    });
    return bare ? std::string(key) : quoted(key);
}

std::string toml_text(std::string_view text) {
    return quoted(text);
}

}  // namespace tarn::declaration
