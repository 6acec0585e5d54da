// SPDX-License-Identifier: MIT
#include "provision/payload.hh"

#include "base/base64.hh"
#include "base/strings.hh"

#include "provision/mime.hh"
#include "provision/template.hh"
#include <gtest/gtest.h>
#include <zlib.h>

namespace tarn::guest {
namespace {

std::string gzip(std::string_view text) {
    z_stream stream{};
    EXPECT_EQ(::deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY), Z_OK);
    std::string out(::deflateBound(&stream, static_cast<uLong>(text.size())) + 64, '\0');
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
    stream.avail_in = static_cast<uInt>(text.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    EXPECT_EQ(::deflate(&stream, Z_FINISH), Z_STREAM_END);
    out.resize(out.size() - stream.avail_out);
    ::deflateEnd(&stream);
    return out;
}

const std::map<std::string, std::string> kNone;

Payload read(std::string_view bytes, const std::map<std::string, std::string>& variables = kNone) {
    auto payload = read_payload("user-data", bytes, variables);
    EXPECT_TRUE(payload.has_value()) << (payload ? "" : payload.error().message);
    return payload ? std::move(*payload) : Payload();
}

std::string why(std::string_view bytes) {
    const auto payload = read_payload("user-data", bytes, kNone);
    return payload ? "" : payload.error().message;
}

TEST(Payload, IsKnownByItsFirstBytes) {
    const Payload config = read("#cloud-config\nhostname: x\n");
    ASSERT_EQ(config.parts.size(), 1U);
    EXPECT_EQ(config.parts[0].kind, PayloadPart::Kind::kCloudConfig);
    const Payload script = read("#!/bin/sh\necho\n");
    ASSERT_EQ(script.parts.size(), 1U);
    EXPECT_EQ(script.parts[0].kind, PayloadPart::Kind::kScript);
    EXPECT_EQ(script.parts[0].file, "part-001");
    EXPECT_TRUE(read("").parts.empty());
    EXPECT_TRUE(read(" \n\n").parts.empty());
    EXPECT_EQ(read("\xef\xbb\xbf#cloud-config\n").parts.size(), 1U);
    EXPECT_EQ(read("#cloud-config\r\nhostname: x\r\n").parts.size(), 1U);
}

TEST(Payload, OtherKindsAreForCloudInit) {
    for (const char* text : {"#include\nhttp://x\n",
                             "#include-once\n",
                             "#cloud-boothook\n",
                             "#part-handler\n",
                             "#cloud-config-archive\n- a\n",
                             "#cloud-config-jsonp\n[]\n"}) {
        const Payload payload = read(text);
        EXPECT_TRUE(payload.parts.empty()) << text;
        ASSERT_EQ(payload.problems.size(), 1U) << text;
        EXPECT_FALSE(any_refused(payload.problems));
    }
}

TEST(Payload, DataOfAnApplicationIsLeftAlone) {
    const Payload payload = read(std::string("\x7f\x45LF\0\1binary", 12));
    EXPECT_TRUE(payload.parts.empty() && payload.problems.empty());
    EXPECT_TRUE(contains(payload.ignored, "left to applications"));
    EXPECT_FALSE(read("{\"my\": \"json\"}").ignored.empty());
}

TEST(Payload, ASlipInTheFirstLineIsTold) {
    for (const char* text : {"# cloud-config\na: 1\n",
                             "#Cloud-Config\n",
                             "#cloud_config\n",
                             "cloud-config\n",
                             "#clod-config\n",
                             "\n#cloud-config\n"}) {
        if (std::string_view(text).starts_with("\n")) {
            EXPECT_FALSE(read(text).ignored.empty()) << text;
        } else {
            EXPECT_TRUE(contains(why(text), "the first line is not `#cloud-config`")) << text;
        }
    }
}

TEST(Payload, GzipIsTakenAway) {
    const std::string once = gzip("#cloud-config\nhostname: x\n");
    EXPECT_EQ(read(once).parts.size(), 1U);
    EXPECT_EQ(read(gzip(once)).parts.size(), 1U);
    EXPECT_TRUE(contains(why(gzip(gzip(once))), "gzip within gzip"));
    // Members one after another are one text.
    EXPECT_EQ(read(gzip("#cloud-config\n") + gzip("hostname: x\n")).parts[0].text,
              "#cloud-config\nhostname: x\n");
}

TEST(Payload, GzipThatIsBrokenOrABombIsRefused) {
    const std::string whole = gzip("#cloud-config\nhostname: x\n");
    for (std::size_t size = 2; size + 1 < whole.size(); ++size) {
        EXPECT_TRUE(contains(why(whole.substr(0, size)), "broken or cut off")) << size;
    }
    std::string wrong = whole;
    wrong[wrong.size() - 6] = static_cast<char>(wrong[wrong.size() - 6] ^ 1);
    EXPECT_TRUE(contains(why(wrong), "broken"));
    EXPECT_TRUE(contains(why(gzip(std::string(64 << 20, 'x'))), "come out of"));
    EXPECT_TRUE(contains(why(std::string((1 << 20) + 1, 'x')), "at most 1048576"));
}

constexpr const char* kMime =
    "Content-Type: multipart/mixed; boundary=\"==B==\"\r\n"
    "MIME-Version: 1.0\r\n"
    "\r\n"
    "preamble\r\n"
    "--==B==\r\n"
    "Content-Type: text/cloud-config; charset=\"utf-8\"\r\n"
    "Content-Disposition: attachment; filename=\"a.cfg\"\r\n"
    "\r\n"
    "#cloud-config\r\n"
    "hostname: x\r\n"
    "--==B==\r\n"
    "Content-Type: multipart/mixed; boundary=inner\r\n"
    "\r\n"
    "--inner\r\n"
    "Content-Type: text/x-shellscript\r\n"
    "Content-Transfer-Encoding: base64\r\n"
    "Content-Disposition: attachment; filename=\"../../setup.sh\"\r\n"
    "\r\n"
    "IyEvYmluL3No\r\nCmVjaG8K\r\n"
    "--inner\r\n"
    "Content-Type: text/plain\r\n"
    "Content-Transfer-Encoding: quoted-printable\r\n"
    "\r\n"
    "#!/bin/sh=0Aecho =\r\nx=3Dy\r\n"
    "--inner--\r\n"
    "--==B==--\r\n"
    "epilogue\r\n";

TEST(Payload, MimeIsTakenApart) {
    const Payload payload = read(kMime);
    ASSERT_EQ(payload.parts.size(), 3U);
    EXPECT_EQ(payload.parts[0].kind, PayloadPart::Kind::kCloudConfig);
    EXPECT_EQ(payload.parts[0].text, "#cloud-config\r\nhostname: x");
    EXPECT_EQ(payload.parts[0].name, "user-data, part 1 (a.cfg)");
    EXPECT_EQ(payload.parts[1].text, "#!/bin/sh\necho\n");
    EXPECT_EQ(payload.parts[1].file, "setup.sh");  // no path of the sender's
    EXPECT_EQ(payload.parts[2].text, "#!/bin/sh\necho x=y");
    EXPECT_EQ(payload.parts[2].file, "part-003");
}

TEST(Payload, MimeInGzipAndGzipInMime) {
    EXPECT_EQ(read(gzip(kMime)).parts.size(), 3U);
    const std::string part =
        "Content-Type: multipart/mixed; boundary=b\n\n--b\n"
        "Content-Type: text/plain\nContent-Transfer-Encoding: base64\n\n" +
        base64(gzip("#cloud-config\n")) + "\n--b--\n";
    EXPECT_EQ(read(part).parts.size(), 1U);
}

TEST(Payload, MimePartsOnlyCloudInitReads) {
    const Payload payload = read(
        "Content-Type: multipart/mixed; boundary=b\n\n--b\n"
        "Content-Type: text/cloud-boothook\n\necho\n--b\n"
        "Content-Type: text/cloud-config\nX-Merge-Type: list(append)\n\n"
        "a: 1\n--b--\n");
    ASSERT_EQ(payload.problems.size(), 2U);
    EXPECT_TRUE(contains(payload.problems[0].text, "the type `text/cloud-boothook`"));
    EXPECT_TRUE(contains(payload.problems[1].text, "rules for merging"));
}

TEST(Payload, BrokenMimeSaysWhere) {
    EXPECT_TRUE(contains(why("Content-Type: multipart/mixed\n\nx\n"), "without a usable boundary"));
    EXPECT_TRUE(
        contains(why("Content-Type: multipart/mixed; boundary=b\n\nx\n"), "does not occur"));
    EXPECT_TRUE(contains(why("Content-Type: multipart/mixed; boundary=b\n\n--b\n\n#!x\n"),
                         "ends without its last boundary"));
    EXPECT_TRUE(contains(why("Content-Type: text/plain\nno header\n\nx"), "user-data:2:"));
    EXPECT_TRUE(
        contains(why("Content-Type: text/x-shellscript\nContent-Transfer-Encoding: base64\n\n"
                     "***\n"),
                 "is not base64"));
    EXPECT_TRUE(
        contains(why("Content-Type: text/x-shellscript\nContent-Transfer-Encoding: uu\n\nx\n"),
                 "`uu` is unknown"));
    EXPECT_TRUE(
        contains(why("Content-Type: text/x-shellscript\n\necho\n"), "does not begin with `#!`"));
    std::string deep = "#!/bin/sh\n";
    for (int i = 0; i < 7; ++i) {
        deep = fmt::format(
            "Content-Type: multipart/mixed; boundary=b{}\n\n--b{}\n{}\n--b{}--\n", i, i, deep, i);
    }
    EXPECT_TRUE(contains(why(deep), "nested deeper"));
    std::string many = "Content-Type: multipart/mixed; boundary=b\n\n";
    for (int i = 0; i < 150; ++i) {
        many += "--b\n\n#!x\n";
    }
    EXPECT_TRUE(contains(why(many + "--b--\n"), "more than 100 parts"));
    std::string headers = "Content-Type: text/plain\n";
    for (int i = 0; i < 150; ++i) {
        headers += "X: y\n";
    }
    EXPECT_TRUE(contains(why(headers + "\n#!x"), "more than 100 headers"));
}

TEST(Payload, BinaryInCloudConfigIsRefused) {
    EXPECT_TRUE(contains(why(std::string_view("#cloud-config\n\0", 15)), "binary bytes"));
}

TEST(Template, NamesAreFilledIn) {
    Settings settings;
    settings.instance_id = "i-1";
    settings.hostname = "web";
    settings.source = "azure";
    settings.metadata = {{"local-hostname", "web"}, {"region", "north"}};
    const auto variables = template_variables(settings);
    const Payload payload = read(
        "## template: jinja\n#cloud-config\nhostname: {{ ds.meta_data.local_hostname "
        "}}\nfqdn: {{v1.local_hostname}}.{{ v1.region }}\n# {{ instance_id }}\n",
        variables);
    ASSERT_EQ(payload.parts.size(), 1U);
    EXPECT_EQ(payload.parts[0].text, "#\n#cloud-config\nhostname: web\nfqdn: web.north\n# i-1\n");
    EXPECT_EQ(
        read("## template: jinja\n#!/bin/sh\necho {{ v1.cloud_name }}\n", variables).parts[0].text,
        "#!/bin/sh\necho azure\n");
}

TEST(Template, PlacesInAPartSayWhichPart) {
    const Payload payload = read(
        gzip("Content-Type: multipart/mixed; boundary=b\n\n--b\n"
             "Content-Type: text/jinja2\n\n#cloud-config\nhostname: {{ v1.nothing }}\n--b--\n"));
    ASSERT_EQ(payload.problems.size(), 1U);
    EXPECT_EQ(payload.problems[0].mark.line, 0U);
    EXPECT_TRUE(contains(payload.problems[0].text, "line 3: no variable `v1.nothing`"));
}

TEST(Template, WhatIsMoreThanANameIsForCloudInit) {
    const std::map<std::string, std::string> variables = {{"v1.region", "north"}};
    for (const char* text :
         {"{% if a %}", "{# c #}", "{{ v1.region | upper }}", "{{ v1.regoin }}", "{{ v1.region"}) {
        const Payload payload = read(
            std::string("## template: jinja\n#cloud-config\nhostname: ") + text + "\n", variables);
        ASSERT_EQ(payload.problems.size(), 1U) << text;
        EXPECT_EQ(payload.problems[0].mark.line, 3U) << text;
        EXPECT_EQ(payload.problems[0].mark.column, 11U) << text;
        EXPECT_TRUE(payload.parts.empty());
    }
    EXPECT_EQ(
        read("## template: jinja\n#cloud-config\na: {{ v1.regoin }}\n", variables).problems[0].help,
        "did you mean `v1.region`?");
}

}  // namespace
}  // namespace tarn::guest
