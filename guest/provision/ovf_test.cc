// SPDX-License-Identifier: MIT
#include "provision/ovf.hh"

#include "base/base64.hh"
#include "base/strings.hh"

#include "provision/azure.hh"
#include "provision/run_fixture.hh"
#include "provision/xml.hh"
#include <gtest/gtest.h>

namespace tarn::guest {
namespace {

std::string problem_of(const std::string& xml) {
    const auto parsed = parse_ovf(xml);
    return parsed ? "none" : parsed.error().message;
}

Result<Settings> settings_of(const std::string& more) {
    auto ovf = parse_ovf(test_ovf(more));
    if (!ovf) {
        return fail(ovf.error());
    }
    return azure_settings({kTestVmId, std::move(*ovf), {}});
}

TEST(Ovf, ReadsWhatTheMediaSay) {
    const auto ovf =
        parse_ovf(test_ovf("<UserPassword>p&amp;w</UserPassword><CustomData>I2Nsb3VkLWNv\n"
                           "  bmZpZwo=</CustomData>",
                           "<PreprovisionedVmType>Running</PreprovisionedVmType>"));
    ASSERT_TRUE(ovf) << ovf.error().message;
    EXPECT_EQ(ovf->hostname, "web000003");
    EXPECT_EQ(ovf->user, "ops");
    EXPECT_EQ(ovf->password.reveal(), "p&w");
    EXPECT_EQ(ovf->disable_password_authentication, true);
    EXPECT_EQ(ovf->keys, std::vector<std::string>{kTestKey});
    EXPECT_EQ(ovf->custom_data, "#cloud-config\n");
    EXPECT_EQ(ovf->preprovisioned_type, "Running");  // in this case or another
}

TEST(Ovf, NamespacesAndCaseDoNotMatter) {
    const auto ovf = parse_ovf(
        "<o:environment xmlns:o='a'><PROVISIONINGSECTION><x:LinuxProvisioningConfigurationSet "
        "xmlns:x='b'><x:hostName> web </x:hostName></x:LinuxProvisioningConfigurationSet>"
        "</PROVISIONINGSECTION></o:environment>\0\0");
    ASSERT_TRUE(ovf) << ovf.error().message;
    EXPECT_EQ(ovf->hostname, "web");
    EXPECT_FALSE(ovf->disable_password_authentication);
}

TEST(Ovf, MistakesAreNamedWithTheirPlace) {
    const std::string set = "<Environment><ProvisioningSection><LinuxProvisioningConfigurationSet>";
    const std::string end =
        "</LinuxProvisioningConfigurationSet></ProvisioningSection></Environment>";
    const std::vector<std::pair<std::string, std::string>> cases = {
        {"", "ovf-env.xml:1:1: "},
        {"<a", "ovf-env.xml:1:"},
        {"<a></b>", "ovf-env.xml:1:"},
        {"<x/>", "ovf-env.xml:1:1: the document is not an <Environment>"},
        {"<Environment/>", "no <ProvisioningSection>"},
        {"<Environment><ProvisioningSection/></Environment>",
         "no <LinuxProvisioningConfigurationSet>"},
        {set + end, "no <HostName>"},
        {set + "<HostName>  </HostName>" + end, "no <HostName>"},
        {set + "<HostName>a</HostName><CustomData>%%</CustomData>" + end, "not base64"},
        {set + "<HostName>a</HostName><CustomData>" + base64(std::string(70'000, 'x')) +
             "</CustomData>" + end,
         "larger than 64 KiB"},
        {set + "<HostName>a</HostName><UserPassword>" + std::string(73, 'p') + "</UserPassword>" +
             end,
         "longer than 72 bytes"},
        {set + "<HostName>a</HostName><UserPassword>a\nb</UserPassword>" + end,
         "more than one line"},
        {set +
             "<HostName>a</HostName><DisableSshPasswordAuthentication>si</"
             "DisableSshPasswordAuthentication>" +
             end,
         "true or false, not `si`"},
        {"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", "document type declaration"},
        {std::string("<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>"), "document type declaration"},
    };
    for (const auto& [xml, words] : cases) {
        EXPECT_TRUE(contains(problem_of(xml), words)) << problem_of(xml);
    }
}

TEST(Ovf, HasLimits) {
    std::string deep;
    for (int i = 0; i < 1000; ++i) {
        deep += "<a>";
    }
    EXPECT_TRUE(contains(problem_of(deep), "nested deeper than 32"));
    std::string wide = "<Environment>";
    for (int i = 0; i < 5000; ++i) {
        wide += "<a/>";
    }
    EXPECT_TRUE(contains(problem_of(wide), "more than 4096 elements"));
    EXPECT_TRUE(contains(problem_of(std::string(2 << 20, ' ')), "larger than"));
}

TEST(Ovf, SecretsAreTakenOutBeforeItIsKept) {
    const auto kept = redact_ovf(test_ovf(
        "<wa:UserPassword>s3cret</wa:UserPassword><UserPassword/><CustomData>AAAA</CustomData>"));
    ASSERT_TRUE(kept) << kept.error().message;
    EXPECT_FALSE(contains(*kept, "s3cret"));
    EXPECT_FALSE(contains(*kept, "AAAA</CustomData>"));
    EXPECT_TRUE(contains(*kept, "<wa:UserPassword>REDACTED</wa:UserPassword><UserPassword/>"));
    const auto again = parse_ovf(*kept);
    ASSERT_TRUE(again) << again.error().message;
    EXPECT_EQ(again->hostname, "web000003");
    EXPECT_EQ(again->custom_data, "");
}

TEST(Ovf, ADocumentWhosePasswordIsNotFoundIsNotKept) {
    for (const char* xml : {"<UserPassword>s3cret",
                            "<UserPassword",
                            "<!-- UserPassword> -->x<UserPassword>s3cret</UserPassword>",
                            "<UserPassword>userpassword</UserPassword>"}) {
        EXPECT_FALSE(redact_ovf(xml)) << xml;
    }
}

TEST(AzureSettings, KeysAreCleanedAndOthersLeftOut) {
    const auto settings = settings_of("<SSH/><x/>");
    ASSERT_TRUE(settings);
    InstanceDocument document;
    document.public_keys = {std::string(kTestKey) + "\r\n",
                            "-----BEGIN CERTIFICATE-----\nMIIB\nMIIC\n-----END CERTIFICATE-----\n",
                            "ssh-dss AAAA x",
                            "rm -rf /",
                            ""};
    const auto merged = azure_settings({kTestVmId, {}, document});
    ASSERT_TRUE(merged) << merged.error().message;
    EXPECT_EQ(merged->ssh_keys, std::vector<std::string>{kTestKey});
    EXPECT_EQ(merged->warnings.size(), 3u);
    EXPECT_TRUE(contains(merged->warnings[0], "certificate")) << merged->warnings[0];
}

TEST(AzureSettings, HostileNamesAreFailures) {
    for (const char* user : {"../ops", "root", "-x", "a:b", "a b", "a/b"}) {
        InstanceDocument document;
        document.admin_user = user;
        const auto settings = azure_settings({kTestVmId, {}, document});
        ASSERT_FALSE(settings) << user;
        EXPECT_TRUE(contains(settings.error().message, "invalid user name"))
            << settings.error().message;
    }
    for (const std::string& host :
         {std::string("a b"), std::string("-a"), std::string("a\nb"), std::string(300, 'a')}) {
        InstanceDocument document;
        document.computer_name = host;
        EXPECT_FALSE(azure_settings({kTestVmId, {}, document})) << host;
    }
    InstanceDocument document;
    document.admin_user = std::string(256, 'u');
    EXPECT_FALSE(azure_settings({kTestVmId, {}, document}));
}

TEST(AzureSettings, APasswordIsUsedUnlessItIsSaidOtherwise) {
    const std::string ovf =
        "<Environment><ProvisioningSection><LinuxProvisioningConfigurationSet>"
        "<HostName>a</HostName>X</LinuxProvisioningConfigurationSet>"
        "</ProvisioningSection></Environment>";
    const auto with = [&](const std::string& text) {
        return azure_settings({kTestVmId, *parse_ovf(replace_all(ovf, "X", text)), {}});
    };
    EXPECT_TRUE(with("")->disable_password_authentication);
    EXPECT_FALSE(with("<UserPassword>p</UserPassword>")->disable_password_authentication);
    EXPECT_TRUE(with("<UserPassword>p</UserPassword><DisableSshPasswordAuthentication>true"
                     "</DisableSshPasswordAuthentication>")
                    ->disable_password_authentication);
    // What the metadata service says of it does not open what the media close.
    InstanceDocument document;
    document.disable_password_authentication = false;
    EXPECT_TRUE(
        azure_settings({kTestVmId, *parse_ovf(ovf), document})->disable_password_authentication);
}

TEST(AzureSettings, MetadataThatSpeaksOfAnotherMachineIsAWarning) {
    InstanceDocument document;
    document.vm_id = "11111111-2222-4333-8444-555555555555";
    const auto settings = azure_settings({kTestVmId, {}, document});
    ASSERT_TRUE(settings);
    EXPECT_EQ(settings->instance_id, kTestVmId);
    EXPECT_EQ(settings->warnings.size(), 1u);
    EXPECT_FALSE(azure_settings({"", {}, {}}));
}

TEST(Xml, EscapesAndDropsControlCharacters) {
    EXPECT_EQ(escape_xml("a<b>&\"\x01\x7f\n"), "a&lt;b&gt;&amp;&quot;\x7f\n");
}

}  // namespace
}  // namespace tarn::guest
