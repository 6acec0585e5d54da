// SPDX-License-Identifier: MIT
#include "project/dump.hh"

#include "project/loaded_test.hh"

#include <nlohmann/json.hpp>

namespace tarn {
namespace {

using testing::HasSubstr;
using Json = nlohmann::json;

// What JSON Schema says of the parts that ours uses.
std::string schema_mismatch(const Json& schema, const Json& value, const std::string& at) {
    if (schema.contains("anyOf")) {
        std::string all;
        for (const Json& each : schema["anyOf"]) {
            const std::string one = schema_mismatch(each, value, at);
            if (one.empty()) {
                return {};
            }
            all += one;
        }
        return all;
    }
    if (!schema.contains("type")) {
        return {};
    }
    const std::string type = value.is_number_integer() ? "integer" : value.type_name();
    const Json& wanted = schema["type"];
    const bool fits = wanted.is_array()
                          ? std::find(wanted.begin(), wanted.end(), type) != wanted.end()
                          : wanted == type;
    if (!fits) {
        return at + " is " + type + "; ";
    }
    std::string said;
    if (schema.contains("enum") &&
        std::find(schema["enum"].begin(), schema["enum"].end(), value) == schema["enum"].end()) {
        said += at + " cannot be " + value.dump() + "; ";
    }
    for (const Json& key : schema.value("required", Json::array())) {
        if (!value.contains(key.get<std::string>())) {
            said += at + " lacks " + key.get<std::string>() + "; ";
        }
    }
    if (value.is_object()) {
        for (const auto& [key, inner] : value.items()) {
            const Json& properties = schema.value("properties", Json::object());
            if (properties.contains(key)) {
                said += schema_mismatch(properties[key], inner, at + "." + key);
            } else if (schema["additionalProperties"] == false) {
                said += at + " has unknown " + key + "; ";
            } else {
                said += schema_mismatch(schema["additionalProperties"], inner, at + "." + key);
            }
        }
    }
    for (std::size_t index = 0; value.is_array() && index < value.size(); ++index) {
        said += schema_mismatch(schema["items"], value[index], fmt::format("{}[{}]", at, index));
    }
    return said;
}

constexpr std::string_view kProject = R"(
[project]
description = "a \"quoted\" word\u0001"
default-distro = { name = "own" }
[distros.own]
default-version = "4.0"
[distros.own.versions.'4.0'.default-component-config]
spec = { type = "upstream", upstream-distro = { name = "fedora", version = "43", snapshot = "2026-02-24T00:00:00-08:00" } }
build.without = ["docs"]
[distros.fedora]
lookaside-mirrors = ["https://a.example.org/$pkg", "https://b.example.org/$pkg"]
[distros.fedora.versions.43]
[component-groups.g]
components = ["bash"]
default-component-config.build.without = ["x11"]
[components.bash]
build = { without = ["nls"], defines = { "a.b" = "1" } }
render.overlay-view = "precise"
packages.'bash-doc'.publish.channel = "docs"
[[components.bash.overlays]]
type = "spec-search-replace"
regex = 'a\b'
replacement = ""
[[components.bash.overlays]]
type = "spec-append-lines"
lines = ["one\ntwo", "three"]
[components.'libxml++']
[package-groups.p]
packages = ["x", "y"]
default-package-config.publish.channel = "base"
)";

TEST(Dump, TomlIsTheResolvedProjectAndLoadsAsTheSame) {
    Loaded it;
    it.file("tarn.toml", kProject).load();
    const std::string text = dump_toml(it.project(), it.sources(), {});
    EXPECT_THAT(text, HasSubstr("without = [\"docs\", \"x11\", \"nls\"]"));
    EXPECT_THAT(text, HasSubstr("[components.\"libxml++\".spec]\ntype = \"upstream\""));
    Loaded again;
    LoadOptions permissive;  // components have a snapshot now
    permissive.permissive = true;
    again.file("tarn.toml", text).load(permissive);
    EXPECT_EQ(dump_toml(again.project(), again.sources(), {}), text);
}

TEST(Dump, JsonHasTheKeysOfTheFormat) {
    Loaded it;
    it.file("tarn.toml", kProject).load();
    const Json json = Json::parse(dump_json(it.project(), it.sources(), {}));
    EXPECT_EQ(json["project"]["description"], "a \"quoted\" word\u0001");
    const Json& bash = json["components"]["bash"];
    EXPECT_EQ(bash["spec"]["upstream-distro"]["version"], "43");
    EXPECT_EQ(bash["render"]["overlay-view"], "precise");
    EXPECT_EQ(bash["packages"]["bash-doc"]["publish"]["rpm-channel"], "docs");
    EXPECT_EQ(bash["overlays"][1]["lines"], Json::array({"one\ntwo", "three"}));
    EXPECT_EQ(bash["overlays"][0]["replacement"], "");
    EXPECT_EQ(json["distros"]["fedora"]["lookaside-mirrors"].size(), 2U);
}

TEST(Dump, SaysWhereEveryValueComesFrom) {
    Loaded it;
    LoadOptions load;
    load.origins = true;
    it.file("tarn.toml", kProject).load(load);
    DumpOptions options;
    options.origins = true;
    options.components = {"bash"};
    const Json json = Json::parse(dump_json(it.project(), it.sources(), options));
    EXPECT_EQ(json.size(), 1U);
    const Json& bash = json["components"]["bash"];
    EXPECT_EQ(bash["spec"]["type"], (Json{{"value", "upstream"}, {"origin", "tarn.toml:8"}}));
    EXPECT_EQ(bash["build"]["without"][0]["origin"], "tarn.toml:9");
    EXPECT_EQ(bash["build"]["without"][1]["origin"], "tarn.toml:15");
    EXPECT_EQ(bash["build"]["without"][2]["origin"], "tarn.toml:17");
    EXPECT_EQ(bash["build"]["defines"]["a.b"]["origin"], "tarn.toml:17");
    EXPECT_EQ(bash["release"]["calculation"]["origin"], "default");
    EXPECT_EQ(bash["overlays"][0]["regex"]["origin"], "tarn.toml:22");
    EXPECT_EQ(bash["packages"]["bash-doc"]["publish"]["rpm-channel"]["origin"], "tarn.toml:19");
    EXPECT_THAT(dump_toml(it.project(), it.sources(), options),
                HasSubstr("    \"x11\",  # tarn.toml:15\n"));
}

TEST(Dump, OriginsFollowFilesThatReplaceWholeTables) {
    Loaded it;
    it.file("tarn.toml", "includes = [\"more.toml\"]\n" + std::string(kProject))
        .file("more.toml", R"(
[distros.fedora.versions.43]
release-ver = "43"
[project]
description = "other"
)");
    LoadOptions load;
    load.origins = true;
    it.load(load);
    DumpOptions options;
    options.origins = true;
    const Json json = Json::parse(dump_json(it.project(), it.sources(), options));
    EXPECT_EQ(json["project"]["description"]["origin"], "more.toml:5");
    EXPECT_EQ(json["distros"]["fedora"]["versions"]["43"]["release-ver"]["origin"], "more.toml:3");
    EXPECT_EQ(json["package-groups"]["p"]["packages"][1]["origin"], "tarn.toml:30");
    const Json& templates = json["resources"]["rpm-repo-set-templates"];
    EXPECT_EQ(templates["koji-dist-repo"]["description"]["origin"], "<defaults>:14");
}

TEST(Schema, AcceptsTheReferenceDistributionAndWhatIsDumped) {
    const Json schema = Json::parse(project_schema());
    for (const bool reference : {true, false}) {
        Loaded it;
        it.file("tarn.toml", kProject);
        it.load_from(reference ? std::string(TARN_SOURCE_DIR) + "/distro" : it.path(""));
        const Json json = Json::parse(dump_json(it.project(), it.sources(), {}));
        EXPECT_EQ(schema_mismatch(schema, json, ""), "");
        EXPECT_GT(json["components"].size(), 0U);
    }
}

TEST(Schema, RefusesWhatTheLoaderRefuses) {
    const Json schema = Json::parse(project_schema());
    for (const std::string_view wrong : {R"({"projekt": {}})",
                                         R"({"components": {"a": {"spec": {"type": "x"}}}})",
                                         R"({"components": {"a": {"build": {"with": "x"}}}})",
                                         R"({"distros": {"a": {"repos": [{}]}}})"}) {
        EXPECT_NE(schema_mismatch(schema, Json::parse(wrong), ""), "") << wrong;
    }
    const Json document = Json::parse(overlay_document_schema());
    EXPECT_NE(schema_mismatch(document, Json::parse(R"({"overlays": []})"), ""), "");
    EXPECT_EQ(schema_mismatch(document,
                       Json::parse(R"({"metadata": {"category": "azl-pruning",
                           "upstream-status": "unknown"}, "overlays": [{"type": "file-remove",
                           "file": "x"}]})"),
                       ""),
              "");
}

TEST(Edit, AppendsComponentsAndChangesNothingElse) {
    EXPECT_EQ(append_components("", {"bash"}), "[components.bash]\n");
    EXPECT_EQ(append_components("# c\r\n[project]", {"bash", "libxml++"}),
              "# c\r\n[project]\n\n[components.bash]\n[components.\"libxml++\"]\n");
    EXPECT_EQ(append_components("[components.a]\n", {"b"}), "[components.a]\n[components.b]\n");
    EXPECT_EQ(append_components("x = 1\n\n", {"b"}), "x = 1\n\n[components.b]\n");
    EXPECT_EQ(append_components("x = 1\n", {}), "x = 1\n");
}

TEST(Edit, ANewProjectLoads) {
    Loaded it;
    it.file("tarn.toml", append_components(project_skeleton("my \"own\" distro"), {"bash"})).load();
    ASSERT_TRUE(it.loaded()) << it.said();
    EXPECT_EQ(it.component("bash").upstream.name, "fedora");
    EXPECT_NE(it.project().version(it.project().default_distro), nullptr);
    EXPECT_THAT(gitignore_skeleton(), HasSubstr("/out/\n"));
}

}  // namespace
}  // namespace tarn
