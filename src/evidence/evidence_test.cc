// SPDX-License-Identifier: MIT
#include "evidence/evidence.hh"

#include "base/fs.hh"
#include "base/process.hh"
#include "base/base64.hh"
#include "evidence/detail/testing.hh"

#include <gtest/gtest.h>

#include <cstdlib>
#include <set>

namespace tarn::evidence {
namespace {

using testing::sample;

void expect_golden(const std::string& name, const std::string& text) {
    const std::string path = std::string(TARN_SOURCE_DIR) + "/tests/golden/evidence/" + name;
    if (std::getenv("TARN_ACCEPT") != nullptr) {
        ASSERT_TRUE(write_file_atomic(path, text).has_value());
    }
    EXPECT_EQ(read_file(path).value_or("(missing)"), text) << "accept it with TARN_ACCEPT=1";
}

TEST(Purl, EscapesWhatTheSpecificationSays) {
    const Inventory inventory = sample();
    EXPECT_EQ(package_url(inventory.packages[0], inventory),
              "pkg:rpm/tarn/bash@5.3-4.tn1?arch=x86_64&distro=tarn-1.0&"
              "upstream=bash-5.3-4.tn1.src.rpm");
    EXPECT_EQ(package_url(inventory.packages[1], inventory),
              "pkg:rpm/tarn/libstdc%2B%2B@15.2.0-4%2Bb1.tn1?arch=x86_64&distro=tarn-1.0&epoch=1");
    EXPECT_EQ(make_purl("deb", "debian", "libc6", "1:2.43-7", {{"arch", ""}}),
              "pkg:deb/debian/libc6@1:2.43-7");
}

TEST(License, KeepsExpressionsAndWritesOperatorsInCapitals) {
    EXPECT_EQ(normalize_license("MIT").expression, "MIT");
    EXPECT_EQ(normalize_license(" GPL-2.0-or-later and (MIT or Zlib) ").expression,
              "GPL-2.0-or-later AND (MIT OR Zlib)");
    EXPECT_EQ(normalize_license("GPL-3.0-or-later WITH GCC-exception-3.1").expression,
              "GPL-3.0-or-later WITH GCC-exception-3.1");
    EXPECT_TRUE(normalize_license("MIT AND Zlib").references.empty());
    EXPECT_EQ(normalize_license("").expression, "NOASSERTION");
}

TEST(License, UnknownWordsBecomeReferences) {
    const License license = normalize_license("MIT AND GPLv2+ OR LicenseRef-Debian-x");
    EXPECT_EQ(license.expression, "MIT AND LicenseRef-GPLv2-cccc354a OR LicenseRef-Debian-x")
        << "a hash tells apart what was changed";
    EXPECT_EQ(license.references.at("LicenseRef-GPLv2-cccc354a"), "GPLv2+");
    EXPECT_EQ(license.references.at("LicenseRef-Debian-x"), "LicenseRef-Debian-x");
    const License exception = normalize_license("MIT WITH no-such-exception");
    EXPECT_EQ(exception.references.size(), 1U);
    EXPECT_TRUE(exception.expression.starts_with("LicenseRef-MIT-WITH-no-such-exception-"));
}

TEST(License, WhatIsNoExpressionIsOneReference) {
    for (const std::string text : {"Public domain, see README", "MIT AND", "(MIT", "MIT)", "AND",
                                   "()", "MIT WITH", "\xff\xfe"}) {
        const License license = normalize_license(text);
        EXPECT_EQ(license.references.size(), 1U) << text;
        EXPECT_TRUE(license.expression.starts_with("LicenseRef-")) << text;
        EXPECT_EQ(license.references.begin()->second, text);
    }
    const std::string deep(100'000, '(');
    EXPECT_TRUE(normalize_license(deep).expression.starts_with("LicenseRef-"));
    EXPECT_NE(normalize_license("a b").expression, normalize_license("a  b,").expression);
}

TEST(Documents, SayTheSameForTheSameInventory) {
    EXPECT_EQ(spdx_json(sample()), spdx_json(sample()));
    EXPECT_EQ(cyclonedx_json(sample()), cyclonedx_json(sample()));
    Inventory other = sample();
    other.packages[0].summary = "another";
    const auto name_of = [](const std::string& text) {
        return nlohmann::json::parse(text)["documentNamespace"];
    };
    EXPECT_NE(name_of(spdx_json(sample())), name_of(spdx_json(other)));
}

TEST(Documents, AreAsBefore) {
    expect_golden("sample.spdx.json", spdx_json(sample()));
    expect_golden("sample.cdx.json", cyclonedx_json(sample()));
    expect_golden("sample.licenses.json", licenses_json(sample()));
}

TEST(Documents, KeepTheStructureOfTheirFormats) {
    EXPECT_EQ(testing::spdx_faults(spdx_json(sample())), std::vector<std::string>());
    EXPECT_EQ(testing::cyclonedx_faults(cyclonedx_json(sample())), std::vector<std::string>());
    Inventory hostile = sample();
    hostile.packages[0].license = "odd \xff \"words\"\n";
    hostile.packages[0].summary = "\xc3\x28";
    hostile.packages[1].url = "javascript:alert(1)";
    EXPECT_EQ(testing::spdx_faults(spdx_json(hostile)), std::vector<std::string>());
    EXPECT_EQ(testing::cyclonedx_faults(cyclonedx_json(hostile)), std::vector<std::string>());
}

TEST(Documents, TheStructureCheckSeesWhatIsWrong) {
    auto json = nlohmann::ordered_json::parse(spdx_json(sample()));
    json["relationships"][1]["relatedSpdxElement"] = "SPDXRef-nobody";
    json["packages"][1].erase("downloadLocation");
    json["hasExtractedLicensingInfos"].clear();
    EXPECT_GE(testing::spdx_faults(json.dump()).size(), 3U);
    json = nlohmann::ordered_json::parse(cyclonedx_json(sample()));
    json["serialNumber"] = "urn:uuid:1";
    json["dependencies"][0]["dependsOn"].push_back("nobody");
    json["components"][1]["hashes"][0]["alg"] = "SHA256";
    EXPECT_GE(testing::cyclonedx_faults(json.dump()).size(), 3U);
}

// The published schemas, where TARN_SBOM_SCHEMAS names a directory that has them.
class Schemas : public ::testing::TestWithParam<std::pair<const char*, const char*>> {};

TEST_P(Schemas, AcceptTheDocument) {
    const char* directory = std::getenv("TARN_SBOM_SCHEMAS");
    if (directory == nullptr) {
        GTEST_SKIP() << "TARN_SBOM_SCHEMAS names no directory of the published schemas";
    }
    const auto [schema, document] = GetParam();
    Command command;
    command.argv = {"python3", "-c",
                    "import json,sys,jsonschema\n"
                    "d=sys.argv[1]\n"
                    "s=json.load(open(d+'/'+sys.argv[2]))\n"
                    "store={}\n"
                    "for n in ('spdx.schema.json','jsf-0.82.schema.json',"
                    "'cryptography-defs.schema.json'):\n"
                    "  try:\n    t=json.load(open(d+'/'+n)); store[t['$id']]=t\n"
                    "  except FileNotFoundError: pass\n"
                    "r=jsonschema.RefResolver.from_schema(s,store=store)\n"
                    "v=jsonschema.Draft7Validator(s,resolver=r)\n"
                    "e=[x.message for x in v.iter_errors(json.load(sys.stdin))]\n"
                    "print('\\n'.join(e[:9])); sys.exit(1 if e else 0)",
                    directory, schema};
    command.input = *read_file(std::string(TARN_SOURCE_DIR) + "/tests/golden/evidence/" + document);
    const auto result = run(command);
    ASSERT_TRUE(result.has_value()) << result.error().message;
    EXPECT_EQ(result->exit_code, 0) << result->output << result->errors;
}
INSTANTIATE_TEST_SUITE_P(Published,
                         Schemas,
                         ::testing::Values(std::pair("spdx-schema.json", "sample.spdx.json"),
                                           std::pair("bom-1.6.schema.json", "sample.cdx.json")));

TEST(Licenses, TableReadsBack) {
    const auto table = parse_licenses(licenses_json(sample()));
    ASSERT_TRUE(table.has_value());
    ASSERT_EQ(table->size(), 3U);
    EXPECT_EQ((*table)[0].name, "bash");
    EXPECT_EQ((*table)[0].license, "GPL-3.0-or-later");
    EXPECT_EQ((*table)[0].declared, "");
    EXPECT_EQ((*table)[2].declared, "Public domain, see README");
    for (const std::string text : {"", "[]", "{}", "{\"format\":1,\"packages\":[1]}",
                                   "{\"format\":1,\"packages\":[{}]}", "{\"format\":2}"}) {
        EXPECT_FALSE(parse_licenses(text).has_value()) << text;
    }
}

TEST(Base64, ReadsWhatItWroteAndRefusesTheRest) {
    for (const std::string text : {"", "f", "fo", "foo", "foob", "\xff\xfe\xfd"}) {
        EXPECT_EQ(from_base64(base64(text)), text);
    }
    EXPECT_EQ(base64("foobar"), "Zm9vYmFy");
    EXPECT_EQ(from_base64("__79"), "\xff\xfe\xfd");
    for (const std::string text : {"A", "A===", "Zm8", "Zm9", "Zh", "Zg=a", "Z g="}) {
        EXPECT_EQ(from_base64(text).has_value(), text == "Zm8") << text;
    }
}

}  // namespace
}  // namespace tarn::evidence
