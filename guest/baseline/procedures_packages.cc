// SPDX-License-Identifier: MIT
// package, signatures, verify, repositories, tpm.
#include "base/strings.hh"

#include "baseline/detail/facts.hh"
#include "baseline/detail/procedure.hh"

#include <algorithm>

namespace tarn::guest::baseline {
namespace {

Status passed(bool good) {
    return good ? Status::kPass : Status::kFail;
}

// ---- package: absent, programs | present, any-of files
// What a package is recognised by is its program: looking costs no run of rpm. Where the list of
// packages is at hand (an image), that is looked at too.

void judge_package(const Facts& facts, const Rule& rule, Judgement& out) {
    const auto& absent = rule.list("absent");
    const auto& present = rule.list("present");
    out.expect(absent.empty() ? "installed: " + join(present, " or ")
                              : "not installed: " + join(absent, ", "));
    const std::vector<Package> none;
    const auto* known = facts.target.live() ? nullptr : &facts.packages();
    const std::vector<Package>& packages = known != nullptr && *known ? **known : none;
    for (const std::string& name : absent) {
        const auto found = std::ranges::find(packages, name, &Package::name);
        if (found != packages.end()) {
            out.add(Status::kFail, name, "is installed: " + found->evr);
        }
    }
    bool is_there = false;
    for (const std::string& program : rule.list("programs")) {
        if (facts.target.exists(program)) {
            is_there = true;
            out.add(passed(absent.empty()),
                    absent.empty() ? join(present, " or ") : program,
                    "is there",
                    program);
        }
    }
    if (!absent.empty() && out.evidence.empty()) {
        out.add(Status::kPass, join(absent, ", "), "not installed");
    } else if (absent.empty() && !is_there) {
        out.add(Status::kFail, join(present, " or "), "is not installed");
    }
}

// ---- signatures

void judge_signatures(const Facts& facts, const Rule& rule, Judgement& out) {
    out.expect("every installed package is signed");
    if (!facts.target.live()) {
        out.add(Status::kNotChecked, "packages", "`tarn image verify` compares an image's");
        return;
    }
    const auto& packages = facts.packages();
    if (!packages) {
        out.add(status_of(packages.error(), Status::kNotApplicable),
                "packages",
                packages.error().message);
        return;
    }
    for (const Package& package : *packages) {
        const bool key = package.name == "gpg-pubkey";
        if (!key && package.signature.empty()) {
            out.add(Status::kFail, package.name + "-" + package.evr, "has no signature", "rpmdb");
        }
    }
    static_cast<void>(rule);
    if (out.evidence.empty()) {
        out.add(Status::kPass, "packages", fmt::format("{} signed", packages->size()), "rpmdb");
    }
}

// ---- verify: packages

void judge_verify(const Facts& facts, const Rule& rule, Judgement& out) {
    out.expect("files as their packages have them");
    if (!facts.target.live()) {
        out.add(Status::kNotChecked, "files", "`tarn image verify` compares an image's");
        return;
    }
    const auto lines = facts.target.verify_packages(rule.list("packages"));
    if (!lines) {
        out.add(status_of(lines.error(), Status::kNotApplicable), "rpm", lines.error().message);
        return;
    }
    for (const std::string_view line : split_lines(*lines)) {
        const auto words = split_words(line);
        // "S.5....T.  c /etc/x": configuration, documentation and what comes to be later may
        // differ.
        const bool may_differ = words.size() > 2 && words[1].size() == 1;
        if (words.size() < 2 || may_differ || !words.back().starts_with('/')) {
            continue;
        }
        out.add(Status::kFail, std::string(words.back()), std::string(words[0]), "rpmdb");
    }
    if (out.evidence.empty()) {
        out.add(Status::kPass, "files", "as packaged", "rpmdb");
    }
}

// ---- repositories: key, expect, main (also in dnf.conf) | url-scheme

using Sections = std::map<std::string, std::map<std::string, Setting>>;

void judge_url(const std::string& section,
               const std::map<std::string, Setting>& settings,
               Judgement& out) {
    for (const std::string name : {"baseurl", "mirrorlist", "metalink"}) {
        const auto url = settings.find(name);
        if (url != settings.end()) {
            const std::string& value = url->second.value;
            const bool good = value.starts_with("https://") || value.starts_with("file://");
            out.add(passed(good), section, value, url->second.where);
        }
    }
}

// What dnf takes for a repository that does not say.
std::string main_setting(const Facts& facts, const std::string& key, std::string given) {
    for (const std::string file :
         {"/usr/share/dnf5/libdnf.conf.d/20-default.conf", "/etc/dnf/dnf.conf"}) {
        const auto text = facts.target.read(file, 1u << 20);
        for (const Setting& one : parse_settings(text ? *text : "", SettingFormat::kIni, file)) {
            if (one.section == "main" && one.key == key) {
                given = one.value;
            }
        }
    }
    return given;
}

void judge_repositories(const Facts& facts, const Rule& rule, Judgement& out) {
    const std::string key = rule.text("key");
    out.expect(key + " " + rule.expect.text);
    const std::string given = main_setting(facts, key, rule.text("default"));
    std::vector<std::string> paths = expand(facts.target, "/etc/yum.repos.d/*.repo");
    for (std::string& path : expand(facts.target, "/usr/share/dnf5/repos.d/*.repo")) {
        paths.push_back(std::move(path));
    }
    for (const std::string& path : paths) {
        const auto text = facts.target.read(path, 1u << 20);
        if (!text) {
            out.add(Status::kError, path, text.error().message, path);
            continue;
        }
        Sections sections;
        for (Setting& one : parse_settings(*text, SettingFormat::kIni, path)) {
            const std::string name = one.key;
            sections[one.section][name] = std::move(one);
        }
        for (const auto& [section, settings] : sections) {
            const auto enabled = settings.find("enabled");
            if (enabled != settings.end() && enabled->second.value == "0") {
                continue;
            }
            if (key == "url") {
                judge_url(section, settings, out);
                continue;
            }
            const auto said = settings.find(key);
            const std::string value = said == settings.end() ? given : said->second.value;
            out.add(passed(rule.expect.met(value)),
                    section,
                    value.empty() ? "not set" : value,
                    said == settings.end() ? path : said->second.where);
        }
    }
}

}  // namespace

std::vector<Procedure> package_procedures() {
    return {
        {"package",
         {{"absent", false, true}, {"present", false, true}, {"programs", false, true}},
         judge_package},
        {"signatures", {}, judge_signatures},
        {"verify", {{"packages", true, true}}, judge_verify},
        {"repositories", {{"key", true}, {"default"}}, judge_repositories},
    };
}

const std::vector<Procedure>& procedures() {
    static const std::vector<Procedure> all = [] {
        std::vector<Procedure> out;
        for (auto part : {kernel_procedures(),
                          file_procedures(),
                          login_procedures(),
                          service_procedures(),
                          package_procedures(),
                          platform_procedures()}) {
            out.insert(out.end(), part.begin(), part.end());
        }
        return out;
    }();
    return all;
}

const Procedure* find_procedure(std::string_view name) {
    const auto found = std::ranges::find(procedures(), name, &Procedure::name);
    return found == procedures().end() ? nullptr : &*found;
}

}  // namespace tarn::guest::baseline
