// SPDX-License-Identifier: MIT
#include "base/hash.hh"
#include "base/strings.hh"
#include "inspect/verify.hh"

#include <nlohmann/json.hpp>

namespace tarn::inspect {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kMaxAdded = 1'000'000;
constexpr std::size_t kShown = 100;

Failure malformed(std::string_view what) {
    return fail(error(ErrorKind::kCorrupt, "manifest.json: {}", what)
                    .advise("build the image again with `--force`"));
}

std::string text_at(const Json& json, const char* key) {
    const auto found = json.find(key);
    return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::uint64_t number_at(const Json& json, const char* key) {
    const auto found = json.find(key);
    return found != json.end() && found->is_number_unsigned() ? found->get<std::uint64_t>() : 0;
}

Result<AddedFile> parse_added(const Json& json) {
    AddedFile out;
    TreeEntry& entry = out.entry;
    entry.path = text_at(json, "path");
    entry.mode = static_cast<std::uint32_t>(parse_u64(text_at(json, "mode"), 8).value_or(0));
    entry.uid = static_cast<std::uint32_t>(number_at(json, "uid"));
    entry.gid = static_cast<std::uint32_t>(number_at(json, "gid"));
    out.by = text_at(json, "by");
    const std::string kind = text_at(json, "kind");
    if (kind == "file") {
        const auto digest = Digest::from_hex(text_at(json, "sha256"), number_at(json, "size"));
        if (!digest) {
            return malformed("a file of `added` has no SHA-256");
        }
        entry.content = *digest;
    } else if (kind == "link") {
        entry.kind = EntryKind::kSymlink;
        entry.target = text_at(json, "target");
    } else if (kind == "directory") {
        entry.kind = EntryKind::kDirectory;
    } else if (kind == "fifo") {
        entry.kind = EntryKind::kFifo;
    } else if (kind == "character device" || kind == "block device") {
        entry.kind = kind[0] == 'c' ? EntryKind::kCharDevice : EntryKind::kBlockDevice;
    } else {
        return malformed("an entry of `added` is of no known kind");
    }
    if (std::string capability; from_hex(text_at(json, "capabilities"), capability)) {
        if (!capability.empty()) {
            entry.xattrs["security.capability"] = capability;
        }
    }
    return out;
}

}  // namespace

Result<Expected> parse_expected(const std::string& manifest_json) {
    const Json json = Json::parse(manifest_json, nullptr, false);
    if (!json.is_object()) {
        return malformed("not a JSON object");
    }
    Expected out;
    out.image = text_at(json, "image");
    const auto packages = json.find("packages");
    const auto added = json.find("added");
    if (packages == json.end() || !packages->is_array()) {
        return malformed("`packages` is not a list");
    }
    if (added == json.end() || !added->is_array() || added->size() > kMaxAdded) {
        return malformed("`added` is not a list: it was written before images could be verified");
    }
    for (const Json& package : *packages) {
        if (!package.is_object()) {
            return malformed("a package is not an object");
        }
        out.packages[text_at(package, "nevra")] = text_at(package, "sha256");
    }
    for (const Json& one : *added) {
        if (!one.is_object()) {
            return malformed("an entry of `added` is not an object");
        }
        AddedFile file = TARN_TRY(parse_added(one));
        std::string path = file.entry.path;
        if (file.by == "left-out") {
            out.left_out.insert(std::move(path));
        } else {
            out.added.emplace(std::move(path), std::move(file));
        }
    }
    return out;
}

std::string verify_text(const VerifyReport& report, const std::string& name, bool list_added) {
    std::string out;
    for (std::size_t i = 0; i < report.problems.size() && (i < kShown || list_added); ++i) {
        std::string line = fmt::format("{} {}", report.problems[i].path, report.problems[i].what);
        for (char& c : line) {
            c = static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
        }
        out += line + "\n";
    }
    if (!list_added && report.problems.size() > kShown) {
        out += fmt::format("... and {} more\n", report.problems.size() - kShown);
    }
    if (list_added) {
        for (const auto& [path, by] : report.added_files) {
            out += fmt::format("{} added: {}\n", path, by);
        }
    }
    out += fmt::format(
        "{}: {} files: {} of {} packages, {} added by the image, {} directories of "
        "theirs; {}\n",
        name,
        report.files,
        report.from_packages,
        report.packages,
        report.added,
        report.parents,
        report.good()
            ? "all as they should be"
            : fmt::format(
                  "{} problem{}", report.problems.size(), report.problems.size() == 1 ? "" : "s"));
    return out;
}

std::string verify_json(const VerifyReport& report, const std::string& name) {
    Json out = {{"version", 1}, {"image", name}, {"good", report.good()}};
    out["files"] = report.files;
    out["from-packages"] = report.from_packages;
    out["added"] = report.added;
    out["packages"] = report.packages;
    out["problems"] = Json::array();
    for (const VerifyProblem& problem : report.problems) {
        out["problems"].push_back({{"path", problem.path}, {"what", problem.what}});
    }
    out["added-files"] = Json::array();
    for (const auto& [path, by] : report.added_files) {
        out["added-files"].push_back({{"path", path}, {"by", by}});
    }
    return out.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace tarn::inspect
