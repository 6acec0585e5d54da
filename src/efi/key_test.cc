// SPDX-License-Identifier: MIT
#include "base/strings.hh"
#include "efi/detail/testing.hh"
#include "efi/signer.hh"

#include <sys/stat.h>

namespace tarn::efi {
namespace {

using testing::Made;
using testing::make_key;
using testing::run_tool;
using testing::small_program;

TEST(Key, NewOnesArePrivateAndAreNotOverwritten) {
    const TempDir directory = std::move(*TempDir::make());
    const auto made = create_key(directory.path(), "sb", "Tarn Secure Boot", 1700000000);
    ASSERT_TRUE(made.has_value());
    EXPECT_EQ(made->subject, "CN=Tarn Secure Boot");
    EXPECT_EQ(made->rsa_bits, 2048u);
    struct stat info{};
    ASSERT_EQ(stat((directory.path() + "/sb.key").c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777u, 0600u);
    EXPECT_EQ(create_key(directory.path(), "sb", "Other", 0).error().kind, ErrorKind::kUsage);
    EXPECT_EQ(*Certificate::read(directory.path() + "/sb.crt"), *made);
    EXPECT_EQ(*Certificate::parse(made->der), *made);
}

TEST(Key, FilesThatOthersCanReadOrThatHoldNoKeyAreRefused) {
    const Made made = make_key();
    ASSERT_EQ(chmod(made.key_path().c_str(), 0640), 0);
    const auto open = open_key_file(made.key_path());
    ASSERT_FALSE(open.has_value());
    EXPECT_EQ(open.error().help.at(0), "chmod 600 " + made.key_path());
    const std::string path = made.directory.path() + "/none.key";
    EXPECT_EQ(open_key_file(path).error().kind, ErrorKind::kNotFound);
    ASSERT_TRUE(write_file_atomic(path, "no key", 0600).has_value());
    EXPECT_EQ(open_key_file(path).error().kind, ErrorKind::kCorrupt);
}

TEST(Key, CertificatesThatFirmwareCannotUseAreRefused) {
    TARN_NEED_TOOL("openssl");
    const TempDir directory = std::move(*TempDir::make());
    const std::string path = directory.path() + "/ec.crt";
    const auto made = run_tool({"openssl",
                                "req",
                                "-x509",
                                "-newkey",
                                "ec",
                                "-pkeyopt",
                                "ec_paramgen_curve:P-256",
                                "-nodes",
                                "-subj",
                                "/CN=ec",
                                "-keyout",
                                directory.path() + "/ec.key",
                                "-out",
                                path});
    ASSERT_EQ(made.exit_code, 0) << made.text;
    const auto read = Certificate::read(path);
    ASSERT_FALSE(read.has_value());
    EXPECT_NE(read.error().message.find("CN=ec"), std::string::npos);
    EXPECT_FALSE(Certificate::parse("").has_value());
    EXPECT_FALSE(Certificate::parse("-----BEGIN CERTIFICATE-----\nAAAA\n").has_value());
}

TEST(Key, ACommandSignsWhatItReads) {
    TARN_NEED_TOOL("openssl");
    const Made made = make_key();
    for (const char* tail : {"", " | base64"}) {
        const auto key = open_command_key(
            {"sh",
             "-c",
             "test $TARN_SIGN_ALGORITHM = rsa-pkcs1-sha256 && openssl dgst -sha256 -sign " +
                 made.key_path() + tail},
            made.certificate);
        ASSERT_TRUE(key.has_value());
        const auto signature = (*key)->sign("bytes");
        ASSERT_TRUE(signature.has_value()) << signature.error().message;
        EXPECT_EQ(*signature, *made.key->sign("bytes"));
    }
}

TEST(Key, ACommandThatFailsOrWritesNonsenseIsAnError) {
    const Made made = make_key();
    const auto failing =
        open_command_key({"sh", "-c", "echo no token >&2; exit 3"}, made.certificate);
    const auto refused = (*failing)->sign("bytes");
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().message, "the signing program sh ended with 3");
    EXPECT_EQ(refused.error().notes.at(0), "no token");
    const auto chatty = open_command_key({"sh", "-c", "echo done"}, made.certificate);
    EXPECT_FALSE((*chatty)->sign("bytes").has_value());
    EXPECT_FALSE(open_command_key({}, made.certificate).has_value());
    const auto absent = open_command_key({"/nowhere/sign"}, made.certificate);
    EXPECT_FALSE((*absent)->sign("bytes").has_value());
}

// A token in software, with the key imported.
struct Token {
    Made made = make_key();
    std::string configuration = made.directory.path() + "/softhsm2.conf";
    bool ready = false;

    Token() {
        const std::string directory = made.directory.path() + "/tokens";
        EXPECT_TRUE(make_directories(directory).has_value());
        EXPECT_TRUE(write_file_atomic(configuration,
                                      "directories.tokendir = " + directory +
                                          "\nobjectstore.backend = file\nlog.level = ERROR\n")
                        .has_value());
        EXPECT_TRUE(write_file_atomic(made.directory.path() + "/pin", "1234", 0600).has_value());
        setenv("SOFTHSM2_CONF", configuration.c_str(), 1);
        const auto made_token = run_tool({"softhsm2-util",
                                          "--init-token",
                                          "--free",
                                          "--label",
                                          "tarn",
                                          "--pin",
                                          "1234",
                                          "--so-pin",
                                          "5678"});
        const auto imported = run_tool({"softhsm2-util",
                                        "--import",
                                        made.key_path(),
                                        "--token",
                                        "tarn",
                                        "--label",
                                        "secure-boot",
                                        "--id",
                                        "01",
                                        "--pin",
                                        "1234"});
        ready = made_token.exit_code == 0 && imported.exit_code == 0;
        EXPECT_TRUE(ready) << made_token.text << imported.text;
    }
    ~Token() { unsetenv("SOFTHSM2_CONF"); }
};

TEST(Key, ATokenSigns) {
    TARN_NEED_TOOL("softhsm2-util");
    const std::string module = "/usr/lib/softhsm/libsofthsm2.so";
    if (!path_exists(module)) {
        GTEST_SKIP() << module << " is not installed here";
    }
    const Token token;
    ASSERT_TRUE(token.ready);
    const std::string uri = "pkcs11:token=tarn;object=secure-boot;type=private";
    const std::string query =
        "?module-path=" + module + "&pin-source=file:" + token.made.directory.path() + "/pin";
    const auto key = open_pkcs11_key(uri + query);
    if (!key && contains(key.error().message, "could not load")) {
        GTEST_SKIP() << "OpenSSL's pkcs11 engine is not installed here";
    }
    ASSERT_TRUE(key.has_value()) << key.error().message;
    const std::string program = small_program();
    const auto signature = make_signature(program, **key, token.made.certificate);
    ASSERT_TRUE(signature.has_value()) << signature.error().message;
    EXPECT_EQ(*signature, *make_signature(program, *token.made.key, token.made.certificate));
    EXPECT_FALSE(open_pkcs11_key("pkcs11:token=tarn;object=other" + query).has_value());
    EXPECT_FALSE(open_pkcs11_key("file:/x").has_value());
}

}  // namespace
}  // namespace tarn::efi
