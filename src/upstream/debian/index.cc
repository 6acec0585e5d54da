// SPDX-License-Identifier: MIT
// Packages and Sources indexes.
#include "base/fs.hh"
#include "base/strings.hh"
#include "upstream/debian/archive.hh"
#include "upstream/debian/detail/fields.hh"

#include <algorithm>
#include <array>
#include <set>

namespace tarn::debian {
namespace {

Failure bad(const std::string& name, std::size_t line, std::string_view what) {
    return fail(ErrorKind::kCorrupt, "{}:{}: {}", name, line, what);
}

// Relations span lines in some files; only the words count.
std::string one_line(std::string_view raw) {
    std::string value(trim(raw));
    std::replace(value.begin(), value.end(), '\n', ' ');
    return value;
}

struct PackageField {
    std::string_view name;
    std::string BinaryPackage::* member;
};
constexpr std::array kPackageFields = {
    PackageField{"Package", &BinaryPackage::package},
    PackageField{"Version", &BinaryPackage::version},
    PackageField{"Architecture", &BinaryPackage::architecture},
    PackageField{"Source", &BinaryPackage::source},
    PackageField{"Depends", &BinaryPackage::depends},
    PackageField{"Pre-Depends", &BinaryPackage::pre_depends},
    PackageField{"Conflicts", &BinaryPackage::conflicts},
    PackageField{"Breaks", &BinaryPackage::breaks},
    PackageField{"Provides", &BinaryPackage::provides},
    PackageField{"Replaces", &BinaryPackage::replaces},
    PackageField{"Essential", &BinaryPackage::essential},
    PackageField{"Priority", &BinaryPackage::priority},
    PackageField{"Filename", &BinaryPackage::filename},
};

class PackagesSink : public detail::FieldSink {
  public:
    explicit PackagesSink(const std::string& name) : name_(name) {}

    Result<void> field(std::string_view field, std::string_view value, std::size_t line) override {
        if (field == "SHA256") {
            sha256_ = trim(value);
        } else if (field == "Size") {
            const auto size = parse_u64(trim(value));
            if (!size) {
                return bad(name_, line, "Size is not a number");
            }
            size_ = *size;
            has_size_ = true;
        } else if (field == "Installed-Size") {
            package_.installed_kib = parse_u64(trim(value)).value_or(0);
        } else {
            for (const PackageField& known : kPackageFields) {
                if (known.name == field) {
                    std::string& member = package_.*known.member;
                    if (!member.empty()) {
                        return bad(name_, line, fmt::format("field `{}` is given twice", field));
                    }
                    member = one_line(value);
                }
            }
        }
        return {};
    }

    Result<void> end_of_paragraph(std::size_t line) override {
        for (const auto& [name, member] :
             {kPackageFields[0], kPackageFields[1], kPackageFields[2], kPackageFields[12]}) {
            if ((package_.*member).empty()) {
                return bad(name_, line, fmt::format("a package without `{}`", name));
            }
        }
        const auto digest = Digest::from_hex(sha256_, size_);
        if (!digest || !has_size_) {
            return bad(name_, line, fmt::format("{} has no SHA256 and Size", package_.package));
        }
        if (!safe_relative_path(package_.filename, Absolute::kRefuse)) {
            return bad(name_, line, fmt::format("{}: unsafe Filename", package_.package));
        }
        package_.digest = *digest;
        // "Source: name (version)"; absent when it is the package's own name.
        if (package_.source.empty()) {
            package_.source = package_.package;
        } else {
            package_.source = trim(package_.source.substr(0, package_.source.find('(')));
        }
        packages.push_back(std::exchange(package_, {}));
        sha256_ = {};
        size_ = 0;
        has_size_ = false;
        return {};
    }

    std::vector<BinaryPackage> packages;

  private:
    const std::string& name_;
    BinaryPackage package_;
    std::string_view sha256_;
    std::uint64_t size_ = 0;
    bool has_size_ = false;
};

class SourcesSink : public detail::FieldSink {
  public:
    SourcesSink(const std::string& name, const std::vector<std::string>& wanted)
        : name_(name), wanted_(wanted.begin(), wanted.end()) {}

    Result<void> field(std::string_view field, std::string_view value, std::size_t line) override {
        if (field == "Package") {
            package_ = trim(value);
        } else if (field == "Version") {
            version_ = trim(value);
        } else if (field == "Directory") {
            directory_ = trim(value);
        } else if (field == "Checksums-Sha256") {
            checksums_ = value;
            checksums_line_ = line;
        }
        return {};
    }

    Result<void> end_of_paragraph(std::size_t line) override {
        if (package_.empty()) {
            return bad(name_, line, "a source package without `Package`");
        }
        if (wanted_.contains(package_)) {
            TARN_TRY(take(line));
        }
        package_ = version_ = directory_ = checksums_ = {};
        return {};
    }

    std::vector<SourcePackage> packages;

  private:
    Result<void> take(std::size_t line) {
        SourcePackage source{
            std::string(package_), std::string(version_), std::string(directory_), {}};
        if (source.version.empty() || checksums_.empty() ||
            !safe_relative_path(source.directory, Absolute::kRefuse)) {
            return bad(name_,
                       line,
                       fmt::format("{} lacks Version, Directory or Checksums-Sha256", package_));
        }
        for (const std::string_view entry : split_lines(checksums_)) {
            const std::vector<std::string_view> words = split_words(entry);
            if (words.empty()) {
                continue;
            }
            const auto size = words.size() == 3 ? parse_u64(words[1]) : std::nullopt;
            const auto digest = size ? Digest::from_hex(words[0], *size) : std::nullopt;
            if (!digest || words[2].find('/') != std::string_view::npos ||
                !safe_relative_path(words[2], Absolute::kRefuse)) {
                return bad(name_,
                           checksums_line_,
                           fmt::format("{}: expected `<sha256> <size> <file name>`", package_));
            }
            source.files.emplace_back(std::string(words[2]), *digest);
        }
        packages.push_back(std::move(source));
        return {};
    }

    const std::string& name_;
    std::set<std::string, std::less<>> wanted_;
    std::string_view package_, version_, directory_, checksums_;
    std::size_t checksums_line_ = 0;
};

}  // namespace

Result<std::vector<BinaryPackage>> parse_packages(std::string_view text, const std::string& name) {
    PackagesSink sink(name);
    TARN_TRY(detail::scan_fields(text, name, sink));
    return std::move(sink.packages);
}

Result<std::vector<SourcePackage>> parse_sources(std::string_view text,
                                                 const std::string& name,
                                                 const std::vector<std::string>& wanted) {
    SourcesSink sink(name, wanted);
    TARN_TRY(detail::scan_fields(text, name, sink));
    return std::move(sink.packages);
}

}  // namespace tarn::debian
