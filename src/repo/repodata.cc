// SPDX-License-Identifier: MIT
// primary, filelists, other and the repomd.xml that names them by digest.
#include "base/compress.hh"
#include "base/hash.hh"
#include "base/parallel.hh"
#include "repo/detail/fragments.hh"

#include <algorithm>
#include <array>
#include <tuple>
#include <unordered_set>

namespace tarn {

namespace repo {

namespace {

constexpr int kZstdLevel = 12;

struct Document {
    std::string_view type, root, attributes;
    std::string Fragment::* body;
};

constexpr std::array<Document, 3> kDocuments{
    {{"primary",
      "metadata",
      "xmlns=\"http://linux.duke.edu/metadata/common\" "
      "xmlns:rpm=\"http://linux.duke.edu/metadata/rpm\"",
      &Fragment::primary},
     {"filelists",
      "filelists",
      "xmlns=\"http://linux.duke.edu/metadata/filelists\"",
      &Fragment::filelists},
     {"other", "otherdata", "xmlns=\"http://linux.duke.edu/metadata/other\"", &Fragment::other}}};

constexpr const char* kDeclaration = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";

struct Written {
    std::string name, bytes, open_sha256;
    std::uint64_t open_size = 0;
};

Written write_document(const Document& document, const std::vector<Fragment>& fragments) {
    std::string text = fmt::format("{}<{} {} packages=\"{}\">\n",
                                   kDeclaration,
                                   document.root,
                                   document.attributes,
                                   fragments.size());
    for (const Fragment& each : fragments) {
        text += each.*(document.body);
    }
    text += fmt::format("</{}>\n", document.root);
    Written out;
    out.open_sha256 = sha256_hex(text);
    out.open_size = text.size();
    out.bytes = compress_zstd(text, kZstdLevel);
    out.name = fmt::format("{}-{}.xml.zst", sha256_hex(out.bytes), document.type);
    return out;
}

std::string write_repomd(const std::array<Written, 3>& documents, std::int64_t revision) {
    std::string out = fmt::format(
        "{}<repomd xmlns=\"http://linux.duke.edu/metadata/repo\" "
        "xmlns:rpm=\"http://linux.duke.edu/metadata/rpm\">\n  <revision>{}</revision>\n",
        kDeclaration,
        revision);
    for (std::size_t i = 0; i < documents.size(); ++i) {
        const Written& each = documents[i];
        out += fmt::format(
            "  <data type=\"{}\">\n"
            "    <checksum type=\"sha256\">{}</checksum>\n"
            "    <open-checksum type=\"sha256\">{}</open-checksum>\n"
            "    <location href=\"repodata/{}\"/>\n"
            "    <timestamp>{}</timestamp>\n"
            "    <size>{}</size>\n"
            "    <open-size>{}</open-size>\n"
            "  </data>\n",
            kDocuments[i].type,
            sha256_hex(each.bytes),
            each.open_sha256,
            each.name,
            revision,
            each.bytes.size(),
            each.open_size);
    }
    return out + "</repomd>\n";
}

}  // namespace

Result<Repodata> assemble(std::vector<Fragment> fragments, std::int64_t revision, unsigned jobs) {
    std::sort(fragments.begin(), fragments.end(), [](const Fragment& a, const Fragment& b) {
        return std::tie(a.name, a.arch, a.evr, a.location) <
               std::tie(b.name, b.arch, b.evr, b.location);
    });
    std::unordered_set<std::string_view> locations;
    for (const Fragment& each : fragments) {
        if (!locations.insert(each.location).second) {
            return fail(ErrorKind::kFailed,
                        "two different packages are both {}: a repository can hold one of them",
                        each.location);
        }
    }
    std::array<Written, 3> documents;
    TARN_TRY(parallel_for(documents.size(), jobs, {}, [&](std::size_t i) -> Result<void> {
        documents[i] = write_document(kDocuments[i], fragments);
        return {};
    }));
    Repodata out;
    std::string repomd = write_repomd(documents, revision);
    for (Written& each : documents) {
        out.files.emplace_back(std::move(each.name), std::move(each.bytes));
    }
    out.files.emplace_back("repomd.xml", std::move(repomd));
    return out;
}

}  // namespace repo

Result<Repodata> make_repodata(const std::vector<RepoPackage>& packages,
                               std::int64_t revision,
                               unsigned jobs) {
    std::vector<repo::Fragment> fragments(packages.size());
    TARN_TRY(parallel_for(packages.size(), jobs, {}, [&](std::size_t i) -> Result<void> {
        fragments[i] = repo::make_fragment(packages[i]);
        return {};
    }));
    return repo::assemble(std::move(fragments), revision, jobs);
}

}  // namespace tarn
