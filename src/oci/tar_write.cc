// SPDX-License-Identifier: MIT
#include "base/fs.hh"
#include "oci/tar.hh"

#include <numeric>
#include <set>

namespace tarn::oci {
namespace {

constexpr std::size_t kBlock = 512;
constexpr std::uint64_t kOctal11 = 077777777777ULL;
constexpr std::uint64_t kOctal7 = 07777777ULL;

void put_bytes(std::string& header, std::size_t at, std::string_view bytes) {
    header.replace(at, bytes.size(), bytes);
}

void put_octal(std::string& header, std::size_t at, std::size_t digits, std::uint64_t value) {
    put_bytes(header, at, fmt::format("{:0{}o}", value, digits));
}

struct Item {
    std::string_view path, link;
    char type = '0';
    std::uint32_t mode = 0;
    std::uint64_t uid = 0, gid = 0, size = 0, major = 0, minor = 0;
    std::int64_t mtime = 0;
};

// A header block; what does not fit goes to `pax` as records.
std::string header_block(const Item& item, std::string& pax) {
    std::string out(kBlock, '\0');
    put_bytes(out, 0, item.path.substr(0, 100));
    if (item.path.size() > 100) {
        pax += pax_record("path", item.path);
    }
    put_bytes(out, 157, item.link.substr(0, 100));
    if (item.link.size() > 100) {
        pax += pax_record("linkpath", item.link);
    }
    put_octal(out, 100, 7, item.mode);
    put_octal(out, 108, 7, item.uid <= kOctal7 ? item.uid : 0);
    put_octal(out, 116, 7, item.gid <= kOctal7 ? item.gid : 0);
    put_octal(out, 124, 11, item.size <= kOctal11 ? item.size : 0);
    const bool plain_time = item.mtime >= 0 && static_cast<std::uint64_t>(item.mtime) <= kOctal11;
    put_octal(out, 136, 11, plain_time ? static_cast<std::uint64_t>(item.mtime) : 0);
    if (item.uid > kOctal7) {
        pax += pax_record("uid", fmt::format("{}", item.uid));
    }
    if (item.gid > kOctal7) {
        pax += pax_record("gid", fmt::format("{}", item.gid));
    }
    if (item.size > kOctal11) {
        pax += pax_record("size", fmt::format("{}", item.size));
    }
    if (!plain_time) {
        pax += pax_record("mtime", fmt::format("{}", item.mtime));
    }
    out[156] = item.type;
    put_bytes(out, 257, std::string_view("ustar\00000", 8));
    put_octal(out, 329, 7, item.major);
    put_octal(out, 337, 7, item.minor);
    put_bytes(out, 148, "        ");
    const auto sum = std::accumulate(out.begin(), out.end(), 0u, [](unsigned total, char c) {
        return total + static_cast<unsigned char>(c);
    });
    put_bytes(out, 148, fmt::format("{:06o}", sum));
    out[154] = '\0';
    return out;
}

class Writer {
  public:
    Writer(const Store& store, const TarOptions& options, const ByteSink& sink)
        : store_(store), options_(options), sink_(sink) {}

    Result<void> entry(const TreeEntry& entry);
    Result<void> finish() {
        buffer_.append(2 * kBlock, '\0');
        return flush();
    }

  private:
    Result<void> parents(std::string_view path);
    Result<void> header(const Item& item, std::string pax);
    Result<void> contents(const TreeEntry& entry);
    // The buffer itself need not begin on a block: what is counted are the member's bytes.
    void pad_after(std::uint64_t size) { buffer_.append((kBlock - size % kBlock) % kBlock, '\0'); }
    Result<void> flush() {
        auto done = buffer_.empty() ? Result<void>{} : sink_(buffer_);
        buffer_.clear();
        return done;
    }

    static constexpr std::size_t kFlushAt = 256 * 1024;
    const Store& store_;
    const TarOptions& options_;
    const ByteSink& sink_;
    std::set<std::string, std::less<>> directories_;
    std::string buffer_;
};

Result<void> Writer::header(const Item& item, std::string pax) {
    const std::string block = header_block(item, pax);
    if (!pax.empty()) {
        Item extended;
        extended.path = "pax";
        extended.type = 'x';
        extended.mode = 0644;
        extended.size = pax.size();
        std::string none;
        buffer_ += header_block(extended, none);
        buffer_ += pax;
        pad_after(pax.size());
    }
    buffer_ += block;
    return buffer_.size() >= kFlushAt ? flush() : Result<void>{};
}

Result<void> Writer::parents(std::string_view path) {
    for (std::size_t slash = path.find('/'); slash != std::string_view::npos;
         slash = path.find('/', slash + 1)) {
        const std::string directory(path.substr(0, slash));
        if (directories_.insert(directory).second) {
            const std::string name = directory + "/";
            Item item;
            item.path = name;
            item.type = '5';
            item.mode = 0755;
            item.mtime = options_.default_mtime;
            TARN_TRY(header(item, {}));
        }
    }
    return {};
}

Result<void> Writer::contents(const TreeEntry& entry) {
    if (entry.content.size == 0) {
        return {};
    }
    const MemoryMap map = TARN_TRY(store_.map(entry.content));
    if (map.bytes().size() < kFlushAt) {
        buffer_.append(map.bytes());
    } else {
        TARN_TRY(flush());
        TARN_TRY(sink_(map.bytes()));
    }
    pad_after(entry.content.size);
    return buffer_.size() >= kFlushAt ? flush() : Result<void>{};
}

Result<void> Writer::entry(const TreeEntry& entry) {
    TARN_TRY(parents(entry.path));
    std::string path = entry.path.empty() ? "." : entry.path;
    Item item;
    item.link = entry.target;
    item.mode = entry.mode & 07777u;
    item.uid = entry.uid;
    item.gid = entry.gid;
    item.mtime = entry.mtime;
    switch (entry.kind) {
        case EntryKind::kFile:
            item.size = entry.content.size;
            break;
        case EntryKind::kDirectory:
            directories_.insert(entry.path);
            path += '/';
            item.type = '5';
            break;
        case EntryKind::kSymlink:
            item.type = '2';
            break;
        case EntryKind::kCharDevice:
        case EntryKind::kBlockDevice:
            item.type = entry.kind == EntryKind::kCharDevice ? '3' : '4';
            item.major = entry.device_major;
            item.minor = entry.device_minor;
            break;
        case EntryKind::kFifo:
            item.type = '6';
            break;
    }
    item.path = path;
    if (!entry.hardlink.empty()) {
        item.type = '1';
        item.link = entry.hardlink;
        item.size = 0;
        return header(item, {});
    }
    std::string pax;
    for (const auto& [name, value] : entry.xattrs) {
        pax += pax_record("SCHILY.xattr." + name, value);
    }
    TARN_TRY(header(item, std::move(pax)));
    return entry.kind == EntryKind::kFile ? contents(entry) : Result<void>{};
}

}  // namespace

std::string pax_record(std::string_view key, std::string_view value) {
    const std::size_t rest = key.size() + value.size() + 3;
    std::size_t length = rest + 1;
    while (length != rest + fmt::formatted_size("{}", length)) {
        length = rest + fmt::formatted_size("{}", length);
    }
    std::string out = fmt::format("{} ", length);
    out.append(key).append("=").append(value).append("\n");
    return out;
}

Result<void> write_tar(const Store& store,
                       const Tree& tree,
                       const TarOptions& options,
                       const ByteSink& sink) {
    Writer writer(store, options, sink);
    for (const TreeEntry& entry : tree.entries()) {
        TARN_TRY(writer.entry(entry));
    }
    return writer.finish();
}

}  // namespace tarn::oci
