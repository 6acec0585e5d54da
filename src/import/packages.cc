// SPDX-License-Identifier: MIT
// All packages of a lock. Two passes: drafts, which need only the package itself and tell what it
// offers and mentions; then the packages, within the closure of all. Each pass is cached by itself,
// so that with nothing changed no .deb is opened.
#include "base/hash.hh"
#include "base/parallel.hh"
#include "base/strings.hh"
#include "import/detail/draft.hh"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <atomic>
#include <map>
#include <set>

namespace tarn {

namespace {

using import::Closure;
using import::Draft;
using import::Facts;
using nlohmann::json;

constexpr const char* kRoom = "import";
constexpr std::size_t kShownPackages = 20;

std::string text_of(const ImportPolicy& policy) {
    json out = {{"suffix", policy.release_suffix},
                {"exclude", policy.exclude_paths},
                {"keep", policy.keep_paths},
                {"never", json::array()},
                {"virtual", policy.virtual_packages},
                {"snippets", json::array()}};
    for (const NameReason& each : policy.never_import) {
        out["never"].push_back(each.name);
    }
    for (const SnippetCover& each : policy.script_snippets) {
        out["snippets"].push_back(each.generator);
    }
    return out.dump(-1, ' ', false, json::error_handler_t::replace);
}

// Reasons are left out: they say why, not what.
Result<std::string> text_of(const ImportRule& rule) {
    json out = {{"name", rule.name},
                {"add_requires", rule.add_requires},
                {"add_provides", rule.add_provides},
                {"add_conflicts", rule.add_conflicts},
                {"add_obsoletes", rule.add_obsoletes},
                {"exclude", rule.exclude_paths},
                {"keep", rule.keep_paths}};
    for (const NameReason& each : rule.drop_requires) {
        out["drop"].push_back(each.name);
    }
    for (const ImportLink& each : rule.links) {
        out["links"].push_back({each.path, each.target});
    }
    for (const ImportFile& each : rule.files) {
        std::string content = sha256_hex(each.content);
        if (!each.source.empty()) {
            content = TARN_TRY(hash_file_hex(HashKind::kSha256, each.source));
        }
        out["files"].push_back({each.path, content, each.mode, each.config});
    }
    for (const ImportAttribute& each : rule.attributes) {
        out["attributes"].push_back(
            {each.path, each.mode, each.user, each.group, each.capabilities});
    }
    for (const ScriptCover& each : rule.scripts) {
        out["scripts"].push_back({each.script, each.reviewed});
    }
    return out.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::optional<Facts> parse_facts(const std::string& text) {
    try {
        const json value = json::parse(text);
        return Facts{value.at("offers").get<std::vector<std::string>>(),
                     value.at("mentions").get<std::vector<std::string>>()};
    } catch (const json::exception&) {
        return std::nullopt;  // as if it were not there
    }
}

std::string facts_text(const Facts& facts) {
    return json{{"offers", facts.offers}, {"mentions", facts.mentions}}.dump(
        -1, ' ', false, json::error_handler_t::replace);
}

struct Outcome {
    rpm::Nevra nevra;
    Digest rpm{};
    std::vector<std::string> warnings, interpreters;
};

std::optional<Outcome> parse_outcome(const std::string& text) {
    try {
        const json value = json::parse(text);
        Outcome out;
        out.nevra.name = value.at("name");
        if (!value.at("epoch").is_null()) {
            out.nevra.evr.epoch = value.at("epoch").get<std::uint32_t>();
        }
        out.nevra.evr.version = value.at("version");
        out.nevra.evr.release = value.at("release");
        out.nevra.arch = value.at("arch");
        const auto digest = Digest::parse(value.at("rpm").get<std::string>());
        if (!digest) {
            return std::nullopt;
        }
        out.rpm = *digest;
        out.warnings = value.at("warnings").get<std::vector<std::string>>();
        out.interpreters = value.at("interpreters").get<std::vector<std::string>>();
        return out;
    } catch (const json::exception&) {
        return std::nullopt;
    }
}

std::string outcome_text(const Outcome& outcome) {
    const rpm::Evr& evr = outcome.nevra.evr;
    return json{{"name", outcome.nevra.name},
                {"epoch", evr.epoch ? json(*evr.epoch) : json()},
                {"version", evr.version},
                {"release", evr.release},
                {"arch", outcome.nevra.arch},
                {"rpm", outcome.rpm.to_string()},
                {"warnings", outcome.warnings},
                {"interpreters", outcome.interpreters}}
        .dump(-1, ' ', false, json::error_handler_t::replace);
}

// One package on its way.
struct Slot {
    const LockedFile* file = nullptr;
    Digest draft_key{};
    std::optional<Facts> facts;
    std::optional<Draft> draft;  // only when it had to be made
    std::optional<Outcome> outcome;
    bool cached = false;
    std::optional<Error> error;
};

bool is_fatal(const Error& error) {
    return error.kind == ErrorKind::kInterrupted || error.kind == ErrorKind::kNoSpace;
}

class Run {
  public:
    Run(const Store& store, const Project& project, const SourceMap& sources, Reporter& reporter)
        : store_(store),
          project_(project),
          sources_(sources),
          reporter_(reporter),
          policy_(text_of(project.import_policy)) {}

    Result<void> prepare(const Lock& lock);
    Result<void> make_drafts(unsigned jobs, std::stop_token stop);
    Result<void> make_packages(unsigned jobs, std::stop_token stop);
    void report_warnings() const;
    std::vector<ImportedPackage> take() const;

  private:
    using Step = Result<void> (Run::*)(Slot&);
    Result<void> each_slot(unsigned jobs, std::stop_token stop, std::string_view name, Step step);
    Result<void> find_facts(Slot& slot);
    Result<void> find_package(Slot& slot);
    Result<void> convert(Slot& slot, const Digest& key);
    Result<Draft> draft_of(const Slot& slot) const;
    Result<void> checkpoint() const;

    const Store& store_;
    const Project& project_;
    const SourceMap& sources_;
    Reporter& reporter_;
    std::string policy_;
    std::vector<Slot> slots_;
    std::optional<Closure> closure_;
};

std::string label(const LockedFile& file) {
    return fmt::format("{} {}", file.package, file.version);
}

Result<void> Run::prepare(const Lock& lock) {
    const Closure names(project_, {});
    std::map<std::string, const LockedFile*> taken;
    for (const LockedFile& each : lock.packages) {
        const std::string name = names.rpm_name(each.package);
        const auto [other, added] = taken.try_emplace(name, &each);
        if (!added) {
            return fail(error(ErrorKind::kUsage,
                              "`{}` ({}) and `{}` ({}) would both become the RPM package `{}`",
                              label(*other->second),
                              other->second->suite,
                              label(each),
                              each.suite,
                              name)
                            .advise(fmt::format("give one of them another name, or leave it out "
                                                "of its import group: exclude = [\"{}\"]",
                                                each.package)));
        }
        Slot slot;
        slot.file = &each;
        slots_.push_back(std::move(slot));
    }
    return {};
}

Result<void> Run::each_slot(unsigned jobs, std::stop_token stop, std::string_view name, Step step) {
    reporter_.begin(name, slots_.size(), "packages");
    std::atomic<std::uint64_t> done{0};
    auto result = parallel_for(slots_.size(), jobs, stop, [&](std::size_t i) -> Result<void> {
        Slot& slot = slots_[i];
        auto one = (this->*step)(slot);
        if (!one && is_fatal(one.error())) {
            return one;
        }
        if (!one) {
            slot.error = std::move(one.error());
        }
        reporter_.advance(done.fetch_add(1) + 1, slot.file->package);
        return {};
    });
    reporter_.end();
    TARN_TRY(std::move(result));
    return checkpoint();
}

Result<Draft> Run::draft_of(const Slot& slot) const {
    const debian::DebPackage deb =
        TARN_TRY(debian::read_deb(store_, slot.file->digest, label(*slot.file)));
    Draft draft = TARN_TRY(import::make_draft(store_, deb, project_, sources_));
    if (draft.package != slot.file->package || draft.version != slot.file->version) {
        return fail(ErrorKind::kCorrupt,
                    "{} calls itself {} {}, but the lock says {}",
                    slot.file->path,
                    draft.package,
                    draft.version,
                    label(*slot.file));
    }
    return draft;
}

Result<void> Run::find_facts(Slot& slot) {
    const std::string& package = slot.file->package;
    const std::string rule = TARN_TRY(text_of(import::rule_for(project_, package)));
    const Distro* distro = project_.distro(project_.default_distro);
    KeyBuilder key("import-draft", kImportVersion);
    key.field("package", package)
        .field("deb", slot.file->digest)
        .field("rule", rule)
        .field("policy", policy_)
        .field("epoch", std::to_string(project_.source_date_epoch))
        .field(
            "vendor",
            std::vector<std::string>{
                distro == nullptr ? "" : distro->description, project_.description, project_.name});
    slot.draft_key = key.key();
    if (const auto text = store_.result(kRoom, slot.draft_key)) {
        slot.facts = parse_facts(*text);
    }
    if (slot.facts) {
        return {};
    }
    slot.draft = TARN_TRY(draft_of(slot));
    slot.facts = import::facts_of(*slot.draft, project_);
    return store_.put_result(kRoom, slot.draft_key, facts_text(*slot.facts));
}

Result<void> Run::find_package(Slot& slot) {
    std::vector<std::string> names;
    for (const std::string& each : slot.facts->mentions) {
        names.push_back(closure_->describe(each));
    }
    KeyBuilder builder("import-package", kImportVersion);
    builder.field("draft", slot.draft_key).field("names", names);
    const Digest key = builder.key();
    if (const auto text = store_.result(kRoom, key)) {
        slot.outcome = parse_outcome(*text);
        slot.cached = slot.outcome && store_.has(slot.outcome->rpm);
    }
    return slot.cached ? Result<void>{} : convert(slot, key);
}

Result<void> Run::convert(Slot& slot, const Digest& key) {
    if (!slot.draft) {
        slot.draft = TARN_TRY(draft_of(slot));
    }
    Draft draft = std::move(*slot.draft);
    slot.draft.reset();
    import::Finished finished =
        TARN_TRY(import::finish_draft(std::move(draft), project_, *closure_, sources_));
    const Converted& converted = finished.converted;
    Outcome outcome;
    outcome.nevra = converted.meta.nevra;
    outcome.rpm =
        TARN_TRY(rpm::write_package(store_, converted.meta, converted.tree, converted.flags, {}));
    outcome.warnings = converted.warnings;
    outcome.interpreters = finished.interpreters;
    TARN_TRY(store_.put_result(kRoom, key, outcome_text(outcome)));
    slot.outcome = std::move(outcome);
    return {};
}

// All errors as one: what is drawn of the first packages, and a count.
Result<void> Run::checkpoint() const {
    Error all;
    std::size_t failed = 0;
    for (const Slot& slot : slots_) {
        if (!slot.error) {
            continue;
        }
        const Error& one = *slot.error;
        if (failed++ == 0 || one.kind == ErrorKind::kCorrupt) {
            all.kind = one.kind;
        }
        if (failed > kShownPackages) {
            continue;
        }
        if (!one.rendered.empty()) {
            all.rendered += one.rendered;
            continue;
        }
        Diagnostic diagnostic;
        diagnostic.message = one.message;
        diagnostic.notes = one.notes;
        diagnostic.help = one.help;
        all.rendered += draw(diagnostic, sources_);
    }
    if (failed == 0) {
        return {};
    }
    if (failed > kShownPackages) {
        all.notes.push_back(
            fmt::format("{} more packages with errors are not shown", failed - kShownPackages));
    }
    all.message = fmt::format("{} of {} packages cannot be imported", failed, slots_.size());
    return fail(std::move(all));
}

Result<void> Run::make_drafts(unsigned jobs, std::stop_token stop) {
    return each_slot(jobs, stop, "read packages", &Run::find_facts);
}

Result<void> Run::make_packages(unsigned jobs, std::stop_token stop) {
    std::set<std::string> offers;
    for (const Slot& slot : slots_) {
        offers.insert(slot.facts->offers.begin(), slot.facts->offers.end());
    }
    closure_.emplace(project_, std::vector<std::string>(offers.begin(), offers.end()));
    return each_slot(jobs, stop, "import packages", &Run::find_package);
}

void Run::report_warnings() const {
    std::set<std::string> interpreters;
    std::size_t dropped = 0;
    for (const Slot& slot : slots_) {
        for (const std::string& each : slot.outcome->warnings) {
            reporter_.warn(each);
        }
        dropped += slot.outcome->interpreters.size();
        interpreters.insert(slot.outcome->interpreters.begin(), slot.outcome->interpreters.end());
    }
    if (dropped > 0) {
        reporter_.info(
            fmt::format("{} requirements of scripts on {} were dropped: no imported package has {}",
                        dropped,
                        join({interpreters.begin(), interpreters.end()}, ", "),
                        interpreters.size() == 1 ? "it" : "them"));
    }
}

std::vector<ImportedPackage> Run::take() const {
    std::vector<ImportedPackage> out;
    out.reserve(slots_.size());
    for (const Slot& slot : slots_) {
        out.push_back({*slot.file, slot.outcome->nevra, slot.outcome->rpm, slot.cached});
    }
    return out;
}

}  // namespace

Result<std::vector<ImportedPackage>> import_packages(const Store& store,
                                                     const Project& project,
                                                     const Lock& lock,
                                                     const SourceMap& sources,
                                                     unsigned jobs,
                                                     std::stop_token stop,
                                                     Reporter& reporter) {
    Run run(store, project, sources, reporter);
    TARN_TRY(run.prepare(lock));
    TARN_TRY(run.make_drafts(jobs, stop));
    TARN_TRY(run.make_packages(jobs, stop));
    run.report_warnings();
    return run.take();
}

}  // namespace tarn
