// SPDX-License-Identifier: MIT
#include "project/lock.hh"

#include "base/fs.hh"
#include "base/strings.hh"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <set>

namespace tarn {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kLockLimit = 64u << 20;
constexpr std::size_t kTextLimit = 4096;
constexpr int kFormat = 1;

std::string json_text(std::string_view text) {
    return Json(text).dump(-1, ' ', false, Json::error_handler_t::replace);
}

// ---- writing ----------------------------------------------------------------------------------

class Line {
  public:
    Line& field(std::string_view key, std::string_view value) {
        text_ += fmt::format("{}\"{}\": {}", text_.empty() ? "" : ", ", key, json_text(value));
        return *this;
    }
    Line& optional(std::string_view key, std::string_view value) {
        return value.empty() ? *this : field(key, value);
    }
    Line& list(std::string_view key, const std::vector<std::string>& values) {
        std::vector<std::string> parts;
        for (const std::string& value : values) {
            parts.push_back(json_text(value));
        }
        text_ += fmt::format(", \"{}\": [{}]", key, join(parts, ", "));
        return *this;
    }
    std::string done() const { return "{" + text_ + "}"; }

  private:
    std::string text_;
};

std::string file_line(const LockedFile& file) {
    Line line;
    line.field("suite", file.suite)
        .field("package", file.package)
        .field("version", file.version)
        .field("architecture", file.architecture)
        .field("path", file.path)
        .field("digest", file.digest.to_string());
    if (!file.groups.empty()) {
        line.list("groups", file.groups);
    }
    return line.optional("reason", file.reason).done();
}

std::string suite_line(const LockedSuite& suite) {
    return Line()
        .field("distro", suite.distro)
        .field("version", suite.version)
        .field("suite", suite.suite)
        .field("date", suite.date)
        .optional("valid-until", suite.valid_until)
        .field("release", suite.release.to_string())
        .field("signer", suite.signer)
        .optional("expired-reason", suite.expired_reason)
        .done();
}

bool file_before(const LockedFile& a, const LockedFile& b) {
    return std::tie(a.suite, a.package, a.architecture, a.path) <
           std::tie(b.suite, b.package, b.architecture, b.path);
}

std::string file_lines(std::vector<LockedFile> files) {
    std::sort(files.begin(), files.end(), file_before);
    std::string text;
    for (const LockedFile& file : files) {
        text += fmt::format("{}\n    {}", text.empty() ? "" : ",", file_line(file));
    }
    return text.empty() ? "[]" : "[" + text + "\n  ]";
}

// ---- reading ----------------------------------------------------------------------------------

// One damaged spot is enough to refuse the file, so the first one found is what is reported.
class Reader {
  public:
    explicit Reader(const std::string& name) : name_(name) {}

    Failure damaged(std::string_view where, std::string_view what) const {
        return fail(error(ErrorKind::kCorrupt, "lock {} is damaged: {} {}", name_, where, what)
                        .advise("take the committed version of the file, or lock again"));
    }

    Result<void> known_keys(const Json& object,
                            std::string_view where,
                            const std::vector<std::string>& keys) const {
        if (!object.is_object()) {
            return damaged(where, "must be an object");
        }
        for (const auto& [key, value] : object.items()) {
            if (std::find(keys.begin(), keys.end(), key) == keys.end()) {
                return damaged(where, fmt::format("has the unknown key {}", json_text(key)));
            }
        }
        return {};
    }

    Result<std::string> text(const Json& object,
                             std::string_view where,
                             const char* key,
                             bool required) const {
        const auto found = object.find(key);
        if (found == object.end()) {
            if (required) {
                return damaged(where, fmt::format("needs \"{}\"", key));
            }
            return std::string();
        }
        if (!found->is_string()) {
            return damaged(where, fmt::format("\"{}\" must be a string", key));
        }
        auto value = found->get<std::string>();
        TARN_TRY(plain(value, where, key));
        if (required && value.empty()) {
            return damaged(where, fmt::format("\"{}\" is empty", key));
        }
        return value;
    }

    Result<void> plain(const std::string& value, std::string_view where, const char* key) const {
        const bool clean = std::all_of(value.begin(), value.end(), [](char c) {
            // A reason may have several lines.
            return c == '\n' || c == '\t' || (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f);
        });
        if (!clean || value.size() > kTextLimit) {
            return damaged(where, fmt::format("\"{}\" is not a plain text", key));
        }
        return {};
    }

    Result<Digest> digest(const Json& object, std::string_view where, const char* key) const {
        const std::string value = TARN_TRY(text(object, where, key, true));
        const auto parsed = Digest::parse(value);
        if (!parsed) {
            return damaged(where, fmt::format("\"{}\" is not a digest: {}", key, json_text(value)));
        }
        return *parsed;
    }

    Result<std::vector<std::string>> texts(const Json& object,
                                           std::string_view where,
                                           const char* key) const {
        std::vector<std::string> result;
        const auto found = object.find(key);
        if (found == object.end()) {
            return result;
        }
        if (!found->is_array()) {
            return damaged(where, fmt::format("\"{}\" must be an array", key));
        }
        for (const Json& item : *found) {
            if (!item.is_string()) {
                return damaged(where, fmt::format("\"{}\" must hold strings", key));
            }
            result.push_back(item.get<std::string>());
            TARN_TRY(plain(result.back(), where, key));
        }
        return result;
    }

    Result<LockedSuite> suite(const Json& object, std::string_view where) const {
        TARN_TRY(known_keys(object,
                            where,
                            {"distro",
                             "version",
                             "suite",
                             "date",
                             "valid-until",
                             "release",
                             "signer",
                             "expired-reason"}));
        LockedSuite result;
        result.distro = TARN_TRY(text(object, where, "distro", true));
        result.version = TARN_TRY(text(object, where, "version", true));
        result.suite = TARN_TRY(text(object, where, "suite", true));
        result.date = TARN_TRY(text(object, where, "date", true));
        result.valid_until = TARN_TRY(text(object, where, "valid-until", false));
        result.release = TARN_TRY(digest(object, where, "release"));
        result.signer = TARN_TRY(text(object, where, "signer", true));
        result.expired_reason = TARN_TRY(text(object, where, "expired-reason", false));
        return result;
    }

    Result<LockedFile> file(const Json& object, std::string_view where) const {
        TARN_TRY(known_keys(
            object,
            where,
            {"suite", "package", "version", "architecture", "path", "digest", "groups", "reason"}));
        LockedFile result;
        result.suite = TARN_TRY(text(object, where, "suite", true));
        result.package = TARN_TRY(text(object, where, "package", true));
        result.version = TARN_TRY(text(object, where, "version", true));
        result.architecture = TARN_TRY(text(object, where, "architecture", true));
        result.path = TARN_TRY(text(object, where, "path", true));
        result.digest = TARN_TRY(digest(object, where, "digest"));
        result.groups = TARN_TRY(texts(object, where, "groups"));
        result.reason = TARN_TRY(text(object, where, "reason", false));
        if (safe_relative_path(result.path, Absolute::kRefuse) != result.path) {
            return damaged(where,
                           fmt::format("\"path\" leaves the archive: {}", json_text(result.path)));
        }
        return result;
    }

    Result<std::vector<LockedFile>> files(const Json& root,
                                          const char* key,
                                          const std::map<std::string, LockedSuite>& suites) const {
        const auto found = root.find(key);
        if (found == root.end() || !found->is_array()) {
            return damaged("it", fmt::format("needs the array \"{}\"", key));
        }
        std::vector<LockedFile> result;
        result.reserve(found->size());
        for (const Json& item : *found) {
            const std::string where = fmt::format("{}[{}]", key, result.size());
            result.push_back(TARN_TRY(file(item, where)));
            if (!suites.contains(result.back().suite)) {
                return damaged(where,
                               fmt::format("is of the suite {}, which is not locked",
                                           json_text(result.back().suite)));
            }
            if (result.size() > 1 && !file_before(result[result.size() - 2], result.back())) {
                return damaged(where, "is out of order or there twice");
            }
        }
        return result;
    }

  private:
    const std::string& name_;
};

Result<Lock> read_lock(const Json& root, const Reader& reader) {
    TARN_TRY(reader.known_keys(root, "it", {"format", "request", "suites", "packages", "sources"}));
    const auto format = root.find("format");
    if (format == root.end() || !format->is_number_integer()) {
        return reader.damaged("it", "needs the number \"format\"");
    }
    if (*format != kFormat) {
        return reader.damaged(
            "it", fmt::format("has format {}; this program knows {}", format->dump(), kFormat));
    }
    Lock lock;
    lock.request = TARN_TRY(reader.digest(root, "it", "request"));
    const auto suites = root.find("suites");
    if (suites == root.end() || !suites->is_object()) {
        return reader.damaged("it", "needs the object \"suites\"");
    }
    for (const auto& [key, value] : suites->items()) {
        const std::string where = fmt::format("suite {}", json_text(key));
        TARN_TRY(reader.plain(key, where, "suites"));
        if (!lock.suites.emplace(key, TARN_TRY(reader.suite(value, where))).second) {
            return reader.damaged(where, "is there twice");
        }
    }
    lock.packages = TARN_TRY(reader.files(root, "packages", lock.suites));
    lock.sources = TARN_TRY(reader.files(root, "sources", lock.suites));
    return lock;
}

}  // namespace

std::string Lock::serialize() const {
    std::string suite_lines;
    for (const auto& [key, suite] : suites) {
        suite_lines += fmt::format(
            "{}\n    {}: {}", suite_lines.empty() ? "" : ",", json_text(key), suite_line(suite));
    }
    return fmt::format(
        "{{\n  \"format\": {},\n  \"request\": \"{}\",\n  \"suites\": {},\n  \"packages\": {},\n"
        "  \"sources\": {}\n}}\n",
        format,
        request.to_string(),
        suite_lines.empty() ? "{}" : "{" + suite_lines + "\n  }",
        file_lines(packages),
        file_lines(sources));
}

Result<Lock> Lock::parse(const std::string& text, const std::string& name) {
    const Reader reader(name);
    if (text.size() > kLockLimit) {
        return reader.damaged("it", "is larger than 64 MiB");
    }
    try {
        // The format is five levels deep; deeper values are cut off instead of built.
        bool too_deep = false;
        const Json root = Json::parse(text, [&](int depth, Json::parse_event_t, Json&) {
            too_deep |= depth > 8;
            return depth <= 8;
        });
        if (too_deep) {
            return reader.damaged("it", "is nested too deeply");
        }
        return read_lock(root, reader);
    } catch (const nlohmann::json::parse_error& error) {
        const std::size_t end = std::min<std::size_t>(error.byte, text.size());
        const auto line =
            1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(end), '\n');
        return reader.damaged(fmt::format("line {}", line), "is not valid JSON");
    } catch (const std::exception& error) {
        return reader.damaged("it", fmt::format("cannot be read: {}", error.what()));
    }
}

}  // namespace tarn
