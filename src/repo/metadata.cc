// SPDX-License-Identifier: MIT
#include "repo/detail/metadata.hh"

#include "base/fs.hh"
#include "base/strings.hh"
#include "repo/detail/xml_reader.hh"

namespace tarn::repo {

namespace {

using Event = XmlReader::Event;

constexpr std::size_t kMaxPackages = 500'000;
constexpr std::size_t kMaxEntries = 50'000'000;  // dependencies and files of all packages
constexpr std::uint64_t kMaxPackageSize = 1ULL << 40;

// A location, refused when it would leave the repository.
std::optional<std::string> safe_location(const std::optional<std::string>& href) {
    auto safe = href ? safe_relative_path(*href, Absolute::kRefuse) : std::nullopt;
    return safe && !safe->empty() ? safe : std::nullopt;
}

// One <data> of repomd.xml, as far as it was read.
struct PendingData {
    std::string type, checksum, open_checksum;
    std::optional<std::string> location;
    std::optional<std::uint64_t> size, open_size;
    bool sha256 = true;
};

Result<void> finish_data(const XmlReader& xml, PendingData& pending, Repomd& out) {
    const auto digest = Digest::from_hex(pending.checksum, pending.size.value_or(0));
    const auto open = Digest::from_hex(pending.open_checksum, pending.open_size.value_or(0));
    if (pending.type.empty() || !pending.sha256 || !digest || !open || !pending.size ||
        !pending.open_size || !pending.location) {
        return xml.malformed(fmt::format(
            "<data type=\"{}\"> lacks a SHA-256 checksum, a size or a location within the "
            "repository",
            pending.type));
    }
    if (!out.data.try_emplace(pending.type, DataFile{*pending.location, *digest, *open}).second) {
        return xml.malformed(fmt::format("<data type=\"{}\"> is given twice", pending.type));
    }
    pending = {};
    return {};
}

void take_data_text(const XmlReader& xml, PendingData& pending) {
    if (xml.element() == "checksum") {
        pending.checksum = trim(xml.text());
    } else if (xml.element() == "open-checksum") {
        pending.open_checksum = trim(xml.text());
    } else if (xml.element() == "size") {
        pending.size = parse_u64(trim(xml.text()));
    } else if (xml.element() == "open-size") {
        pending.open_size = parse_u64(trim(xml.text()));
    }
}

std::string_view operator_of(std::string_view flags) {
    if (flags == "LT") {
        return "<";
    }
    if (flags == "LE") {
        return "<=";
    }
    if (flags == "EQ") {
        return "=";
    }
    if (flags == "GE") {
        return ">=";
    }
    return flags == "GT" ? ">" : "";
}

// "name >= 1:2-3" from <rpm:entry>; empty when it has no name.
std::string entry_text(const XmlReader& xml) {
    std::string out = xml.attribute("name").value_or("");
    const std::string_view comparison = operator_of(xml.attribute("flags").value_or(""));
    const auto version = xml.attribute("ver");
    if (out.empty() || comparison.empty() || !version) {
        return out;
    }
    out += fmt::format(" {} ", comparison);
    const std::string epoch = xml.attribute("epoch").value_or("0");
    if (!epoch.empty() && epoch != "0") {
        out += epoch + ":";
    }
    out += *version;
    if (const auto release = xml.attribute("rel"); release && !release->empty()) {
        out += "-" + *release;
    }
    return out;
}

class PrimaryParser {
  public:
    PrimaryParser(std::string_view text, const std::string& name) : xml_(text, name) {}
    Result<std::vector<RepoIndex::Item>> run();

  private:
    Result<void> begin();
    Result<void> end();
    Result<void> begin_version();
    Result<void> finish_package();
    std::vector<std::string>* list_of(std::string_view element);

    XmlReader xml_;
    std::vector<RepoIndex::Item> items_;
    RepoIndex::Item item_;
    std::vector<std::string>* list_ = nullptr;  // where <rpm:entry> goes
    std::optional<std::uint64_t> size_;
    std::string checksum_;
    bool checksum_usable_ = false;
    std::size_t entries_ = 0;
};

std::vector<std::string>* PrimaryParser::list_of(std::string_view element) {
    if (element == "provides") {
        return &item_.provides;
    }
    if (element == "requires") {
        return &item_.requires_;
    }
    if (element == "conflicts") {
        return &item_.conflicts;
    }
    if (element == "obsoletes") {
        return &item_.obsoletes;
    }
    return element == "recommends" ? &item_.recommends : nullptr;
}

Result<void> PrimaryParser::begin_version() {
    rpm::Evr& evr = item_.nevra.evr;
    const auto epoch = parse_u64(xml_.attribute("epoch").value_or("0"));
    if (!epoch || *epoch > UINT32_MAX) {
        return xml_.malformed("an epoch that is no number");
    }
    if (*epoch > 0) {
        evr.epoch = static_cast<std::uint32_t>(*epoch);
    }
    evr.version = xml_.attribute("ver").value_or("");
    evr.release = xml_.attribute("rel").value_or("");
    return {};
}

Result<void> PrimaryParser::begin() {
    const std::string_view element = xml_.element();
    if (xml_.depth() == 2 && element == "package") {
        item_ = {};
        size_.reset();
        checksum_.clear();
        checksum_usable_ = false;
    } else if (xml_.depth() == 3 && element == "version") {
        return begin_version();
    } else if (xml_.depth() == 3 && element == "checksum") {
        checksum_usable_ = xml_.attribute("type") == "sha256";
    } else if (xml_.depth() == 3 && element == "size") {
        size_ = parse_u64(xml_.attribute("package").value_or(""));
        item_.installed_size = parse_u64(xml_.attribute("installed").value_or("")).value_or(0);
    } else if (xml_.depth() == 3 && element == "location") {
        const auto location = safe_location(xml_.attribute("href"));
        if (!location) {
            return xml_.malformed("a location that leaves the repository");
        }
        item_.location = *location;
    } else if (xml_.depth() == 4) {
        list_ = list_of(element);
    } else if (xml_.depth() == 5 && element == "entry" && list_ != nullptr) {
        std::string text = entry_text(xml_);
        if (text.empty() || ++entries_ > kMaxEntries) {
            return xml_.malformed("an entry without a name, or too many entries");
        }
        list_->push_back(std::move(text));
    }
    return {};
}

Result<void> PrimaryParser::end() {
    const std::string_view element = xml_.element();
    if (xml_.depth() == 2 && element == "package") {
        return finish_package();
    }
    if (xml_.depth() == 3 && element == "name") {
        item_.nevra.name = xml_.text();
    } else if (xml_.depth() == 3 && element == "arch") {
        item_.nevra.arch = xml_.text();
    } else if (xml_.depth() == 3 && element == "checksum") {
        checksum_ = trim(xml_.text());
    } else if (xml_.depth() == 4 && element == "sourcerpm") {
        item_.source_rpm = xml_.text();
    } else if (xml_.depth() == 4 && element == "file") {
        if (++entries_ > kMaxEntries) {
            return xml_.malformed("too many files");
        }
        item_.files.push_back(xml_.text());
    }
    return {};
}

Result<void> PrimaryParser::finish_package() {
    const auto digest = Digest::from_hex(checksum_, size_.value_or(0));
    const rpm::Nevra& nevra = item_.nevra;
    if (nevra.name.empty() || nevra.arch.empty() || nevra.evr.version.empty()) {
        return xml_.malformed("a package without a name, a version or an architecture");
    }
    if (!checksum_usable_ || !digest || !size_ || *size_ > kMaxPackageSize ||
        item_.location.empty()) {
        return xml_.malformed(fmt::format(
            "package {} lacks a SHA-256 checksum, a size or a location", nevra.to_string()));
    }
    item_.rpm = *digest;
    items_.push_back(std::move(item_));
    item_ = {};
    if (items_.size() > kMaxPackages) {
        return xml_.malformed("too many packages");
    }
    return {};
}

Result<std::vector<RepoIndex::Item>> PrimaryParser::run() {
    while (true) {
        const Event event = TARN_TRY(xml_.next());
        if (event == Event::kDone) {
            return std::move(items_);
        }
        if (event == Event::kStart && xml_.depth() == 1 && xml_.element() != "metadata") {
            return xml_.malformed("not a primary.xml: the root element is not <metadata>");
        }
        TARN_TRY(event == Event::kStart ? begin() : end());
    }
}

}  // namespace

Result<Repomd> parse_repomd(std::string_view text, const std::string& name) {
    XmlReader xml(text, name);
    Repomd out;
    PendingData pending;
    while (true) {
        const Event event = TARN_TRY(xml.next());
        if (event == Event::kDone) {
            return out;
        }
        if (event == Event::kStart && xml.depth() == 1 && xml.element() != "repomd") {
            return xml.malformed("not a repomd.xml: the root element is not <repomd>");
        }
        const bool in_data = xml.depth() == 3 && !pending.type.empty();
        if (event == Event::kStart && xml.depth() == 2 && xml.element() == "data") {
            pending = {};
            pending.type = xml.attribute("type").value_or("");
        } else if (event == Event::kStart && in_data && xml.element() == "location") {
            pending.location = safe_location(xml.attribute("href"));
        } else if (event == Event::kStart && in_data && xml.element().ends_with("checksum")) {
            pending.sha256 = pending.sha256 && xml.attribute("type") == "sha256";
        } else if (event == Event::kEnd && xml.depth() == 2 && xml.element() == "data") {
            TARN_TRY(finish_data(xml, pending, out));
        } else if (event == Event::kEnd && xml.depth() == 2 && xml.element() == "revision") {
            out.revision = trim(xml.text());
        } else if (event == Event::kEnd && in_data) {
            take_data_text(xml, pending);
        }
    }
}

Result<std::vector<RepoIndex::Item>> parse_primary(std::string_view text, const std::string& name) {
    return PrimaryParser(text, name).run();
}

Result<std::map<std::string, std::vector<std::string>>> parse_filelists(
    std::string_view text, const std::set<std::string>& wanted, const std::string& name) {
    XmlReader xml(text, name);
    std::map<std::string, std::vector<std::string>> out;
    std::string package;
    while (true) {
        const Event event = TARN_TRY(xml.next());
        if (event == Event::kDone) {
            return out;
        }
        if (event == Event::kStart && xml.depth() == 1 && xml.element() != "filelists") {
            return xml.malformed("not a filelists.xml: the root element is not <filelists>");
        }
        if (event == Event::kStart && xml.depth() == 2) {
            package = xml.attribute("pkgid").value_or("");
        } else if (event == Event::kEnd && xml.depth() == 3 && xml.element() == "file" &&
                   wanted.contains(xml.text())) {
            out[package].push_back(xml.text());
        }
    }
}

}  // namespace tarn::repo
