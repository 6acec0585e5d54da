// SPDX-License-Identifier: MIT
// in-toto Statement v1 with an SLSA provenance v1 predicate.
#include "evidence/detail/document.hh"
#include "evidence/evidence.hh"

#include "base/strings.hh"

namespace tarn::evidence {
namespace {

constexpr std::size_t kMaxSubjects = 10'000;

Json digests(const std::vector<std::pair<std::string, std::string>>& files) {
    Json out = Json::array();
    for (const auto& [name, sum] : files) {
        out.push_back({{"name", name}, {"digest", {{"sha256", sum}}}});
    }
    return out;
}

Failure malformed(std::string_view what) {
    return fail(ErrorKind::kCorrupt, "the provenance is no in-toto statement: {}", what);
}

std::string text_at(const Json& json, const char* key) {
    const auto found = json.find(key);
    return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
}

}  // namespace

Result<std::string> provenance_statement(const Provenance& provenance) {
    Json parameters = Json::parse(provenance.parameters_json, nullptr, false);
    if (!parameters.is_object()) {
        return fail(ErrorKind::kUsage, "the definition of the image is no JSON object");
    }
    Json dependencies = Json::array();
    for (const Resource& resource : provenance.dependencies) {
        Json one = {{"name", resource.name}};
        if (!resource.uri.empty()) {
            one["uri"] = resource.uri;
        }
        one["digest"] = {{"sha256", resource.sha256}};
        dependencies.push_back(std::move(one));
    }
    Json definition;
    definition["buildType"] = kBuildType;
    definition["externalParameters"] = {{"image", std::move(parameters)}};
    definition["internalParameters"] = Json(provenance.internal);
    definition["resolvedDependencies"] = std::move(dependencies);

    const std::vector<std::string_view> words = split_words(provenance.tool);
    Json builder = {{"id", kBuilder}};
    if (words.size() > 1) {
        builder["version"] = {{std::string(words[0]), words[1]}};
    }
    Json run;
    run["builder"] = std::move(builder);
    if (!provenance.byproducts.empty()) {
        run["byproducts"] = digests(provenance.byproducts);
    }
    Json out;
    out["_type"] = kStatementType;
    out["subject"] = digests(provenance.subjects);
    out["predicateType"] = kPredicateType;
    out["predicate"] = {{"buildDefinition", std::move(definition)}, {"runDetails", std::move(run)}};
    return out.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<Statement> parse_statement(const std::string& payload) {
    const Json json = Json::parse(payload, nullptr, false);
    if (!json.is_object() || text_at(json, "_type") != kStatementType) {
        return malformed(fmt::format("`_type` is not {}", kStatementType));
    }
    const auto subjects = json.find("subject");
    if (subjects == json.end() || !subjects->is_array() || subjects->size() > kMaxSubjects) {
        return malformed("`subject` is no list");
    }
    Statement out;
    for (const Json& subject : *subjects) {
        const auto digest = subject.is_object() ? subject.find("digest") : subject.end();
        if (!subject.is_object() || digest == subject.end() || !digest->is_object()) {
            return malformed("a subject has no digest");
        }
        out.subjects.emplace_back(text_at(subject, "name"), text_at(*digest, "sha256"));
        if (out.subjects.back().second.size() != 64) {
            return malformed("a subject has no sha256");
        }
    }
    out.predicate_type = text_at(json, "predicateType");
    if (out.predicate_type != kPredicateType) {
        return malformed(fmt::format("`predicateType` is not {}", kPredicateType));
    }
    const auto predicate = json.find("predicate");
    if (predicate == json.end() || !predicate->is_object() ||
        !predicate->contains("buildDefinition") || !(*predicate)["buildDefinition"].is_object()) {
        return malformed("there is no `buildDefinition`");
    }
    const Json& definition = (*predicate)["buildDefinition"];
    out.build_type = text_at(definition, "buildType");
    if (const auto list = definition.find("resolvedDependencies");
        list != definition.end() && list->is_array()) {
        out.dependencies = list->size();
    }
    if (const auto run = predicate->find("runDetails"); run != predicate->end() &&
                                                        run->is_object() &&
                                                        run->contains("builder") &&
                                                        (*run)["builder"].is_object()) {
        out.builder = text_at((*run)["builder"], "id");
    }
    return out;
}

}  // namespace tarn::evidence
