// SPDX-License-Identifier: MIT
#include "oci/oci.hh"

#include "oci/detail/fixture.hh"

#include <algorithm>

namespace tarn::oci {
namespace {

using testing::kTime;
using testing::run_tool;

class Oci : public testing::StoreTest {
  protected:
    std::vector<WrittenLayer> two_layers(Compression compression = Compression::kZstd) {
        LayerOptions options;
        options.compression = compression;
        options.time = kTime;
        TreeEntry tool = file("usr/bin/tool", std::string(9000, 't'), 0755);
        TreeEntry link = tool;
        link.path = "usr/bin/tool-2";
        link.hardlink = tool.path;
        const Tree lower = tree({symlink("bin", "usr/bin"), tool, link});
        const Tree upper = tree({file("etc/os-release", "ID=tarn\n"), file("etc/motd", "hi\n")});
        std::vector<WrittenLayer> out;
        for (const auto& [title, one] :
             {std::pair("packages 1 of 1", &lower), {"system", &upper}}) {
            auto layer = write_layer(store_, title, *one, options);
            EXPECT_TRUE(layer.has_value()) << layer.error().message;
            out.push_back(std::move(*layer));
        }
        return out;
    }
    static ImageConfig config() {
        ImageConfig out;
        out.entrypoint = {"/usr/bin/tool"};
        out.command = {"--serve"};
        out.environment = {"PATH=/usr/bin"};
        out.user = "1000:1000";
        out.working_dir = "/srv";
        out.stop_signal = "SIGINT";
        out.exposed_ports = {"8080/tcp"};
        out.volumes = {"/data"};
        out.labels = {{"org.example", "yes"}};
        out.created = kTime;
        return out;
    }
    std::string written(Layout& layout, std::string name = "image.oci") {
        const std::string path = directory_.path() + "/" + name;
        const auto files = layout.tree();
        EXPECT_TRUE(files.has_value());
        EXPECT_TRUE(write_tree(store_, *files, path).has_value());
        return path;
    }
    std::string one_image(Compression compression = Compression::kZstd) {
        Layout layout(store_, kTime);
        const auto image = layout.add_image(
            config(), two_layers(compression), {{"org.opencontainers.image.title", "one"}});
        EXPECT_TRUE(image.has_value());
        layout.tag(*image, "1.0");
        return written(layout);
    }
    std::string problem(const std::string& path, const ReadOptions& options = {}) {
        const auto read = read_image(store_, path, options);
        return read ? "(read)"
                    : read.error().message.substr(
                          std::min(read.error().message.size(), path.size()));
    }
    static std::string only_blob_with(const std::string& path, std::string_view text) {
        const std::vector<std::string> names = *list_directory(path + "/blobs/sha256");
        for (const std::string& name : names) {
            const auto bytes = read_file(path + "/blobs/sha256/" + name);
            if (bytes && bytes->find(text) != std::string::npos) {
                return path + "/blobs/sha256/" + name;
            }
        }
        return {};
    }
};

TEST_F(Oci, WhatIsWrittenIsReadAgain) {
    for (const Compression kind : {Compression::kNone, Compression::kGzip, Compression::kZstd}) {
        const std::string path = one_image(kind);
        const auto read = read_image(store_, path, {.tag = "1.0"});
        ASSERT_TRUE(read.has_value()) << read.error().message;
        EXPECT_EQ(read->config.entrypoint, config().entrypoint);
        EXPECT_EQ(read->config.command, config().command);
        EXPECT_EQ(read->config.environment, config().environment);
        EXPECT_EQ(read->config.user, "1000:1000");
        EXPECT_EQ(read->config.working_dir, "/srv");
        EXPECT_EQ(read->config.stop_signal, "SIGINT");
        EXPECT_EQ(read->config.exposed_ports, config().exposed_ports);
        EXPECT_EQ(read->config.volumes, config().volumes);
        EXPECT_EQ(read->config.labels, config().labels);
        EXPECT_EQ(read->config.created, kTime);
        EXPECT_EQ(read->config.platform, Platform{});
        EXPECT_EQ(read->annotations.at("org.opencontainers.image.title"), "one");
        EXPECT_EQ(paths(read->tree),
                  (std::vector<std::string>{"bin",
                                            "etc",
                                            "etc/motd",
                                            "etc/os-release",
                                            "usr",
                                            "usr/bin",
                                            "usr/bin/tool",
                                            "usr/bin/tool-2"}));
        EXPECT_EQ(read->tree.find("usr/bin/tool-2")->hardlink, "usr/bin/tool");
        EXPECT_EQ(text(read->tree, "etc/motd"), "hi\n");
        ASSERT_TRUE(remove_tree(path).has_value());
    }
}

TEST_F(Oci, CompressionDoesNotChangeDiffIds) {
    const auto plain = two_layers(Compression::kNone);
    const auto gzip = two_layers(Compression::kGzip);
    const auto zstd = two_layers(Compression::kZstd);
    EXPECT_EQ(plain[0].blob, plain[0].diff);
    EXPECT_EQ(gzip[0].diff, plain[0].diff);
    EXPECT_EQ(zstd[0].diff, plain[0].diff);
    EXPECT_EQ(chain_id(gzip), chain_id(zstd));
    EXPECT_EQ(chain_id({plain[0]}), "sha256:" + plain[0].diff.hex());
    EXPECT_EQ(zstd[0].media_type, "application/vnd.oci.image.layer.v1.tar+zstd");
    // The second time it comes from the store.
    EXPECT_EQ(two_layers(Compression::kZstd)[1].blob, zstd[1].blob);
}

TEST_F(Oci, SkopeoAndUmociReadIt) {
    TARN_NEED_TOOL("skopeo");
    const std::string path = one_image();
    const auto inspected = run_tool({"skopeo", "inspect", "oci:" + path + ":1.0"});
    EXPECT_EQ(inspected.exit_code, 0) << inspected.text;
    EXPECT_NE(inspected.text.find("\"Architecture\": \"amd64\""), std::string::npos)
        << inspected.text;
    const std::string copy = directory_.path() + "/copy";
    const auto copied = run_tool({"skopeo", "copy", "-q", "oci:" + path + ":1.0", "dir:" + copy});
    EXPECT_EQ(copied.exit_code, 0) << copied.text;
    TARN_NEED_TOOL("umoci");
    const std::string gzip = (static_cast<void>(remove_tree(path)), one_image(Compression::kGzip));
    const auto unpacked = run_tool(
        {"umoci", "unpack", "--rootless", "--image", gzip + ":1.0", directory_.path() + "/bundle"});
    EXPECT_EQ(unpacked.exit_code, 0) << unpacked.text;
    EXPECT_EQ(read_file(directory_.path() + "/bundle/rootfs/etc/motd").value_or("(none)"), "hi\n");
}

TEST_F(Oci, DockerArchivesAreWrittenAndRead) {
    Layout layout(store_, kTime);
    const auto image = layout.add_image(config(), two_layers(), {});
    ASSERT_TRUE(image.has_value());
    layout.tag(*image, "1.0");
    const auto files = layout.docker_tree("tarn/one");
    ASSERT_TRUE(files.has_value());
    const std::string path = directory_.path() + "/one.docker.tar";
    ASSERT_TRUE(write_file_atomic(path, tar_of(*files)).has_value());
    const auto read = read_image(store_, path, {.tag = "1.0"});
    ASSERT_TRUE(read.has_value()) << read.error().message;
    EXPECT_EQ(read->layers.size(), 2u);
    // Without the layout in it, as Docker itself used to write it.
    const Tree old =
        files->filter([](const TreeEntry& entry) { return entry.path != "oci-layout"; });
    ASSERT_TRUE(write_file_atomic(path, tar_of(old)).has_value());
    for (const char* tag : {"1.0", "tarn/one:1.0", ""}) {
        const auto docker = read_image(store_, path, {.tag = tag});
        ASSERT_TRUE(docker.has_value()) << docker.error().message;
        EXPECT_EQ(docker->tree.digest(), read->tree.digest());
    }
    EXPECT_EQ(problem(path, {.tag = "2.0"}), " has no image `2.0`");
    TARN_NEED_TOOL("skopeo");
    const auto seen = run_tool({"skopeo", "inspect", "docker-archive:" + path});
    EXPECT_EQ(seen.exit_code, 0) << seen.text;
}

TEST_F(Oci, WhatIsAttachedRefersToItsImage) {
    Layout layout(store_, kTime);
    const auto image = layout.add_image(config(), two_layers(), {});
    ASSERT_TRUE(image.has_value());
    layout.tag(*image, "1.0");
    ASSERT_TRUE(
        layout.add_artifact(*image, {"application/spdx+json", "one.spdx.json", "{\"spdx\":1}", {}})
            .has_value());
    const std::string path = written(layout);
    const auto read = read_image(store_, path, {});
    ASSERT_TRUE(read.has_value()) << read.error().message;
    ASSERT_EQ(read->referrers.size(), 1u);
    EXPECT_EQ(read->referrers[0].artifact_type, "application/spdx+json");
    const auto index = parse_index(*read_file(path + "/index.json"));
    ASSERT_TRUE(index.has_value());
    ASSERT_EQ(index->size(), 3u);
    EXPECT_EQ((*index)[2].annotations.at(std::string(kTagAnnotation)),
              "sha256-" + read->manifest.digest.hex());
    const auto fallback =
        parse_index(*read_file(path + "/blobs/sha256/" + (*index)[2].digest.hex()));
    ASSERT_TRUE(fallback.has_value());
    EXPECT_EQ(fallback->front().digest, read->referrers[0].digest);
    const std::string manifest =
        *read_file(path + "/blobs/sha256/" + fallback->front().digest.hex());
    EXPECT_NE(
        manifest.find("\"subject\":{\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\""),
        std::string::npos)
        << manifest;
}

TEST_F(Oci, AnIndexChoosesByArchitecture) {
    Layout layout(store_, kTime);
    std::vector<Descriptor> images;
    for (const char* architecture : {"x86_64", "aarch64"}) {
        ImageConfig one = config();
        one.platform = platform_of(architecture);
        images.push_back(*layout.add_image(one, two_layers(), {{"arch", architecture}}));
    }
    layout.tag(*layout.add_index(images, {}), "1.0");
    const std::string path = written(layout);
    const auto arm = read_image(store_, path, {.tag = "1.0", .architecture = "arm64"});
    ASSERT_TRUE(arm.has_value()) << arm.error().message;
    EXPECT_EQ(arm->annotations.at("arch"), "aarch64");
    EXPECT_EQ(arm->config.platform.variant, "v8");
    EXPECT_EQ(problem(path, {.architecture = "s390x"}), " has no image for s390x");
    TARN_NEED_TOOL("skopeo");
    const auto seen =
        run_tool({"skopeo", "--override-arch=arm64", "inspect", "oci:" + path + ":1.0"});
    EXPECT_NE(seen.text.find("\"Architecture\": \"arm64\""), std::string::npos) << seen.text;
}

TEST_F(Oci, DamageIsFound) {
    const std::string path = one_image(Compression::kNone);
    const std::string layer = only_blob_with(path, "etc/motd");
    const std::string sound = *read_file(layer);
    std::string other = sound;
    other[600] = static_cast<char>(other[600] ^ 1);
    ASSERT_TRUE(write_file_atomic(layer, other).has_value());
    EXPECT_TRUE(problem(path).ends_with("is not what its name says")) << problem(path);
    ASSERT_TRUE(write_file_atomic(layer, sound + "x").has_value());
    EXPECT_TRUE(problem(path).ends_with("is not what its name says")) << problem(path);
    ASSERT_TRUE(remove_tree(layer).has_value());
    EXPECT_TRUE(problem(path).ends_with("is missing")) << problem(path);
    ASSERT_TRUE(write_file_atomic(layer, sound).has_value());
    EXPECT_EQ(problem(path), "(read)");
    EXPECT_EQ(problem(path, {.limits = {.layer_bytes = 2000}}).substr(0, 2), ": ");
    const auto many = read_image(store_, path, {.limits = {.layers = 1}});
    ASSERT_FALSE(many.has_value());
    EXPECT_EQ(many.error().message, "the image manifest: 2 layers, more than 1");
    EXPECT_EQ(problem(path, {.tag = "1.1"}), " has no image `1.1`");
    ASSERT_TRUE(
        write_file_atomic(path + "/oci-layout", "{\"imageLayoutVersion\":\"2\"}").has_value());
    EXPECT_EQ(problem(path), ": oci-layout: a version that is not 1.0.0");
    ASSERT_TRUE(remove_tree(path + "/oci-layout").has_value());
    EXPECT_EQ(problem(path), ": no container image");
    EXPECT_EQ(read_image(store_, directory_.path() + "/nothing", {}).error().kind,
              ErrorKind::kNotFound);
}

TEST_F(Oci, ADiffIdThatDoesNotFitIsFound) {
    auto layers = two_layers();
    layers[1].diff.sha256[0] ^= 1;
    Layout layout(store_, kTime);
    layout.tag(*layout.add_image(config(), layers, {}), "x");
    EXPECT_EQ(problem(written(layout)), ": layer 2: not what the configuration says");
}

TEST_F(Oci, ABombIsRefused) {
    LayerOptions options;
    options.time = kTime;
    const auto layer =
        write_layer(store_, "bomb", tree({file("zeros", std::string(20 << 20, '\0'))}), options);
    ASSERT_TRUE(layer.has_value());
    EXPECT_LT(layer->blob.size, 20'000u);
    Layout layout(store_, kTime);
    layout.tag(*layout.add_image(config(), {*layer}, {}), "x");
    const std::string path = written(layout);
    EXPECT_EQ(problem(path, {.limits = {.layer_bytes = 10 << 20}}),
              ": layer 1: decompresses to more than 10485760 bytes");
    EXPECT_NE(
        problem(path, {.limits = {.tar = {.content_bytes = 1000}}}).find("more than 1000 bytes"),
        std::string::npos);
}

TEST(OciJson, WhatIsNotOfTheFormatIsSaid) {
    const std::string digest = "\"digest\":\"sha256:" + std::string(64, 'a') + "\",\"size\":1";
    const auto why = [](const auto& result) {
        return result ? std::string("(read)") : result.error().message;
    };
    EXPECT_EQ(why(parse_index("[]")), "the image index: not a JSON object");
    EXPECT_EQ(why(parse_index("{")), "the image index: not a JSON object");
    EXPECT_EQ(why(parse_index("{}")), "the image index: `schemaVersion` is not 2");
    EXPECT_EQ(why(parse_index(R"({"schemaVersion":2})")),
              "the image index: `manifests` is not a list");
    EXPECT_EQ(why(parse_index(R"({"schemaVersion":2,"manifests":[1]})")),
              "the image index: a descriptor is not an object");
    EXPECT_EQ(why(parse_index(R"({"schemaVersion":2,"manifests":[{"size":-1}]})")),
              "the image index: a descriptor without a size");
    EXPECT_EQ(
        why(parse_index(R"({"schemaVersion":2,"manifests":[{"size":1,"digest":"sha256:xy"}]})")),
        "the image index: `sha256:xy` is no sha256 digest");
    EXPECT_EQ(
        why(parse_index(R"({"schemaVersion":2,"manifests":[{"size":1,"digest":"md5:../.."}]})")),
        "the image index: `md5:../..` is no sha256 digest");
    EXPECT_EQ(why(parse_index(R"({"schemaVersion":2,"manifests":[{"mediaType":7}]})")),
              "the image index: `mediaType` is not a string");
    EXPECT_EQ(why(parse_index("{\"schemaVersion\":2,\"manifests\":[{" + digest + "}]}")), "(read)");
    EXPECT_EQ(why(parse_index("{\"a\":" + std::string(100, '[') + std::string(100, ']') + "}")),
              "the image index: nested deeper than 64");
    EXPECT_EQ(why(parse_index(std::string(100, ' '), {.json_bytes = 50})),
              "the image index: 100 bytes, more than 50");
    EXPECT_EQ(why(parse_manifest(R"({"schemaVersion":2})")),
              "the image manifest: `config` is missing");
    EXPECT_EQ(
        why(parse_manifest("{\"schemaVersion\":2,\"config\":{" + digest + "},\"layers\":{}}")),
        "the image manifest: `layers` is not a list");
    EXPECT_EQ(why(parse_manifest("{\"schemaVersion\":2,\"config\":{" + digest + "},\"layers\":[{" +
                                     digest + "},{" + digest + "}]}",
                                 {.layers = 1})),
              "the image manifest: 2 layers, more than 1");
    EXPECT_EQ(why(parse_config(R"({"created":"yesterday"})")),
              "the image configuration: `created` is `yesterday`");
    EXPECT_EQ(why(parse_config(R"({"config":{"Env":"PATH"}})")),
              "the image configuration: `Env` is not a list");
    EXPECT_EQ(why(parse_config(R"({"config":{"Env":[1]}})")),
              "the image configuration: `Env` is not a list of strings");
    EXPECT_EQ(why(parse_config(R"({"rootfs":{"diff_ids":["x"]}})")),
              "the image configuration: `x` is no diff id");
    const auto zoned = parse_config(R"({"created":"2026-11-01T02:00:00.5+02:00"})");
    ASSERT_TRUE(zoned.has_value());
    EXPECT_EQ(zoned->config.created, kTime);
}

// ---- layers upon each other -------------------------------------------------------------------

class Stack : public testing::StoreTest {
  protected:
    Result<Tree> applied_tars(const std::vector<std::string>& layers) {
        LayerStack stack([this](std::string_view bytes) { return store_.put(bytes); });
        for (const std::string& layer : layers) {
            TARN_TRY(stack.apply(layer, "layer"));
        }
        return stack.tree();
    }
    Result<Tree> applied(const std::vector<Tree>& layers) {
        std::vector<std::string> tars;
        for (const Tree& layer : layers) {
            tars.push_back(tar_of(layer));
        }
        return applied_tars(tars);
    }
    // A file in a directory that the layer itself does not have.
    std::string bare(std::string path) {
        return tar_of(tree({file(std::move(path), "x")})).substr(512);
    }
    std::vector<std::string> left(const std::vector<Tree>& layers) {
        const auto out = applied(layers);
        EXPECT_TRUE(out.has_value()) << out.error().message;
        return out ? paths(*out) : std::vector<std::string>();
    }
    using Paths = std::vector<std::string>;
};

TEST_F(Stack, WhiteoutsHideWhatLowerLayersHave) {
    const Tree lower = tree({file("a/b/c", "1"), file("a/d", "2"), file("e", "3")});
    EXPECT_EQ(left({lower, tree({file("a/.wh.b", "")})}), (Paths{"a", "a/d", "e"}));
    EXPECT_EQ(left({lower, tree({file(".wh.e", ""), file("a/.wh.nothing", "")})}),
              (Paths{"a", "a/b", "a/b/c", "a/d"}));
    // Of its own layer it hides nothing, wherever it stands.
    EXPECT_EQ(left({lower, tree({file(".wh.a", ""), file("a/new", "")})}),
              (Paths{"a", "a/new", "e"}));
    EXPECT_EQ(left({lower, tree({file(".wh.z", ""), file("z", "")})}),
              (Paths{"a", "a/b", "a/b/c", "a/d", "e", "z"}));
}

TEST_F(Stack, AnOpaqueDirectoryBeginsAnew) {
    const Tree lower = tree({file("a/b/c", "1"), file("a/d", "2"), file("e", "3")});
    EXPECT_EQ(left({lower, tree({file("a/.wh..wh..opq", ""), file("a/new", "")})}),
              (Paths{"a", "a/new", "e"}));
    EXPECT_EQ(left({lower, tree({file(".wh..wh..opq", ""), file("f", "")})}), (Paths{"f"}));
}

TEST_F(Stack, KindsReplaceEachOther) {
    const Tree directory = tree({file("a/b", "1")});
    EXPECT_EQ(left({directory, tree({file("a", "now a file")})}), (Paths{"a"}));
    EXPECT_EQ(left({tree({file("a", "file")}), tree({of_kind("a", EntryKind::kDirectory, 0755)})}),
              (Paths{"a"}));
    EXPECT_EQ(left({directory, tree({of_kind("a", EntryKind::kDirectory, 0700)})}),
              (Paths{"a", "a/b"}));
}

TEST_F(Stack, LinksAreFollowedWithinTheTree) {
    const auto upon = [&](const Tree& lower, std::string path) {
        const auto out = applied_tars({tar_of(lower), bare(std::move(path))});
        return out ? paths(*out) : Paths{out.error().message};
    };
    const Tree lower = tree({symlink("lib", "usr/lib"), file("usr/lib/x", "1")});
    EXPECT_EQ(upon(lower, "lib/y"), (Paths{"lib", "usr", "usr/lib", "usr/lib/x", "usr/lib/y"}));
    EXPECT_EQ(upon(tree({symlink("out", "../../../etc")}), "out/passwd"),
              (Paths{"etc/passwd", "out"}));
    EXPECT_EQ(upon(tree({symlink("a", "b"), symlink("b", "a")}), "a/x"),
              (Paths{"layer: a/x: too many links"}));
    EXPECT_EQ(upon(tree({file("a", "")}), "a/x"), (Paths{"layer: a/x: /a is no directory"}));
}

TEST_F(Stack, HardLinksKeepTheirInode) {
    TreeEntry one = file("one", "1");
    TreeEntry two = one;
    two.path = "two";
    two.hardlink = "one";
    const auto both = applied({tree({one, two})});
    ASSERT_TRUE(both.has_value());
    EXPECT_EQ(both->find("two")->hardlink, "one");
    const auto changed = applied({tree({one, two}), tree({file("one", "other")})});
    ASSERT_TRUE(changed.has_value());
    EXPECT_EQ(changed->find("two")->hardlink, "");
    EXPECT_EQ(text(*changed, "two"), "1");
    EXPECT_EQ(text(*changed, "one"), "other");
}

TEST_F(Stack, WhatLeadsOutIsRefused) {
    // A Tree cannot hold such names: they are put into the archive afterwards.
    const auto altered = [&](std::string tar, std::size_t at, std::size_t field, std::string to) {
        tar.replace(at + field, to.size(), to);
        tar.replace(at + 148, 8, "        ");
        unsigned sum = 0;
        for (std::size_t i = at; i < at + 512; ++i) {
            sum += static_cast<unsigned char>(tar[i]);
        }
        tar.replace(at + 148, 7, fmt::format("{:06o}", sum) + std::string(1, '\0'));
        return tar;
    };
    const auto renamed = [&](const std::string& from, const std::string& to) {
        const std::string tar = tar_of(tree({file(from, "x")}));
        return altered(tar, tar.find(from), 0, to);
    };
    const auto why = [&](const std::string& tar, const TarLimits& limits = {}) {
        LayerStack stack([this](std::string_view bytes) { return store_.put(bytes); }, limits);
        const auto done = stack.apply(tar, "layer");
        return done ? std::string("(applied)") : done.error().message;
    };
    EXPECT_EQ(why(renamed("aabbb", "../bb")), "layer: ../bb: leads out of its directory");
    EXPECT_EQ(why(renamed("aabbbb", "b/../b")), "layer: b/../b: leads out of its directory");
    EXPECT_EQ(why(renamed("abbb", "/bbb")), "(applied)");
    EXPECT_EQ(why(tar_of(tree({file("a/b/c", "")})), {.depth = 2}),
              "layer: a/b/c: more than 2 directories deep");
    TreeEntry one = file("one", "1");
    TreeEntry two = one;
    two.path = "two";
    two.hardlink = "one";
    const std::string tar = tar_of(tree({one, two}));
    EXPECT_EQ(why(tar.substr(1024)), "layer: two is a hard link to one, which is no file");
    EXPECT_EQ(why(tar_of(tree({file("f", "")})), {}), "(applied)");
    const std::string linked = tar_of(tree({symlink("linking", "t")}));
    EXPECT_EQ(why(altered(linked, linked.find("linking"), 157, std::string(1, '\0'))),
              "layer: linking is a link with an empty, too long or broken target");
}

}  // namespace
}  // namespace tarn::oci
