// SPDX-License-Identifier: MIT
#include "image/detail/library_cache.hh"

#include "base/fs.hh"
#include "base/strings.hh"
#include "image/detail/bytes.hh"
#include "image/detail/overlay.hh"
#include "rpm/elf.hh"

#include <elf.h>
#include <fnmatch.h>

#include <algorithm>
#include <map>
#include <set>

namespace tarn::image {
namespace {

constexpr std::size_t kMaxIncludes = 1000;
constexpr std::size_t kHeaderSize = 48;
constexpr std::size_t kEntrySize = 24;
constexpr char kLittleEndian = 2;

struct Machine {
    std::string_view architecture;
    unsigned elf;
    std::uint32_t flags;  // of every entry: the architecture and "linked with glibc"
};
constexpr Machine kMachines[] = {
    {"x86_64", EM_X86_64, 0x0303},
    {"aarch64", EM_AARCH64, 0x0a03},
};

const Machine* machine_of(std::string_view architecture) {
    const auto* found = std::ranges::find(kMachines, architecture, &Machine::architecture);
    return found == std::end(kMachines) ? nullptr : found;
}

// The order the dynamic linker searches in: runs of digits count as numbers.
int compare_names(std::string_view a, std::string_view b) {
    const auto digit = [](std::string_view text, std::size_t i) {
        return i < text.size() && text[i] >= '0' && text[i] <= '9';
    };
    const auto number = [&](std::string_view text, std::size_t& i) {
        std::uint32_t value = 0;  // wraps as glibc's does
        for (; digit(text, i); ++i) {
            value = value * 10 + static_cast<std::uint32_t>(text[i] - '0');
        }
        return static_cast<std::int32_t>(value);
    };
    std::size_t i = 0;
    std::size_t j = 0;
    while (i < a.size()) {
        if (digit(a, i) != digit(b, j)) {
            return digit(a, i) ? 1 : -1;
        }
        if (digit(a, i)) {
            const std::int32_t left = number(a, i);
            const std::int32_t right = number(b, j);
            if (left != right) {
                return left < right ? -1 : 1;
            }
            continue;
        }
        const int left = a[i];
        const int right = j < b.size() ? b[j] : 0;
        if (left != right) {
            return left - right;
        }
        ++i;
        ++j;
    }
    return j < b.size() ? -1 : 0;
}

class Configuration {
  public:
    Configuration(const Store& store, const Tree& tree) : store_(store), tree_(tree) {}

    Result<std::vector<std::string>> directories(std::string_view architecture) {
        if (resolve_links(tree_, "etc/ld.so.conf") != nullptr) {
            TARN_TRY(read("etc/ld.so.conf"));
        }
        const std::string multiarch = fmt::format("/{}-linux-gnu", architecture);
        for (const char* directory : {"/lib", "/usr/lib"}) {
            add(directory + multiarch);
        }
        add("/lib");
        add("/usr/lib");
        return std::move(directories_);
    }

  private:
    Result<void> read(const std::string& path) {
        if (!read_.insert(path).second || read_.size() > kMaxIncludes) {
            return {};
        }
        const std::string text = TARN_TRY(read_tree_file(store_, tree_, path));
        for (const std::string_view raw : split_lines(text)) {
            const std::vector<std::string_view> words =
                split_words(raw.substr(0, raw.find('#')));
            if (words.empty() || words.front() == "hwcap") {
                continue;
            }
            if (words.front() != "include") {
                // "/dir=libc6" of old.
                add(std::string(words.front().substr(0, words.front().find('='))));
                continue;
            }
            for (std::size_t i = 1; i < words.size(); ++i) {
                TARN_TRY(include(absolute_path(std::string(words[i]), "/" + parent_path(path))));
            }
        }
        return {};
    }

    Result<void> include(const std::string& pattern) {
        const std::string directory = parent_path(pattern);
        for (const TreeEntry* const entry : tree_.below(directory.substr(1))) {
            const std::string path = "/" + entry->path;
            if (entry->kind != EntryKind::kDirectory && parent_path(path) == directory &&
                ::fnmatch(pattern.c_str(), path.c_str(), FNM_PATHNAME | FNM_PERIOD) == 0) {
                TARN_TRY(read(entry->path));
            }
        }
        return {};
    }

    void add(std::string directory) {
        while (directory.size() > 1 && directory.ends_with('/')) {
            directory.pop_back();
        }
        if (!directory.starts_with('/')) {
            return;  // as ldconfig: need an absolute one
        }
        const TreeEntry* const entry = resolve_links(tree_, directory.substr(1));
        if (entry != nullptr && entry->kind == EntryKind::kDirectory &&
            found_.insert(entry->path).second) {
            directories_.push_back(std::move(directory));
        }
    }

    const Store& store_;
    const Tree& tree_;
    std::set<std::string> read_, found_;
    std::vector<std::string> directories_;
};

bool is_library_name(std::string_view name) {
    const bool known = name.starts_with("lib") || name.starts_with("ld-") ||
                       name.starts_with("ld.so") || name.starts_with("ld64.so");
    return known && name.find(".so") != std::string_view::npos && !name.ends_with("-gdb.py");
}

struct Candidate {
    std::string name;
    bool is_link = false;
};

// A link by another name than the soname counts as a file, unless it is what a linker looks for.
bool stays_link(std::string_view name, std::string_view soname) {
    return name == soname || (name.ends_with(".so") && soname.starts_with(name));
}

// The libraries of one directory: of those with one soname a file wins over a link, then the newest.
Result<void> search_directory(const Store& store,
                              const Tree& tree,
                              const std::string& directory,
                              const Machine& machine,
                              std::vector<CachedLibrary>& out) {
    const std::string real = resolve_links(tree, directory.substr(1))->path;
    std::map<std::string, Candidate> best;  // by soname
    for (const TreeEntry* const entry : tree.below(real)) {
        const std::string name = file_name(entry->path);
        if (parent_path(entry->path) != real || !is_library_name(name)) {
            continue;
        }
        const TreeEntry* const file = resolve_links(tree, entry->path);
        if (file == nullptr || file->kind != EntryKind::kFile) {
            continue;
        }
        const MemoryMap map = TARN_TRY(store.map(file->content));
        if (!rpm::is_elf(map.bytes())) {
            continue;  // a linker script
        }
        const auto facts = rpm::read_elf(map.bytes());
        if (!facts || !*facts || !(*facts)->is_64bit || (*facts)->machine != machine.elf ||
            !(*facts)->is_library) {
            continue;
        }
        std::string soname = (*facts)->soname.empty() ? name : (*facts)->soname;
        Candidate made{name, entry->kind == EntryKind::kSymlink && stays_link(name, soname)};
        if (made.is_link) {
            soname = name;
        }
        const auto [place, fresh] = best.try_emplace(soname, made);
        Candidate& known = place->second;
        if (!fresh && ((!made.is_link && known.is_link) ||
                       (made.is_link == known.is_link &&
                        compare_names(known.name, made.name) < 0))) {
            known = std::move(made);
        }
    }
    for (const auto& [soname, candidate] : best) {
        out.push_back({soname, directory + "/" + soname});
    }
    return {};
}

// Strings that end alike share their end, as in ELF string tables.
class StringTable {
  public:
    explicit StringTable(const std::vector<CachedLibrary>& libraries) {
        std::set<std::string_view> all;
        for (const CachedLibrary& library : libraries) {
            all.insert(library.soname);
            all.insert(library.path);
        }
        std::vector<std::string_view> sorted(all.begin(), all.end());
        std::ranges::sort(sorted, [](std::string_view a, std::string_view b) {
            const auto [left, right] = std::mismatch(
                a.rbegin(), a.rend(), b.rbegin(), b.rend());
            if (left == a.rend() || right == b.rend()) {
                return a.size() > b.size();
            }
            return static_cast<unsigned char>(*left) > static_cast<unsigned char>(*right);
        });
        std::string_view previous;
        for (const std::string_view text : sorted) {
            if (!previous.empty() && previous.ends_with(text)) {
                offsets_[text] = offsets_[previous] + previous.size() - text.size();
            } else {
                offsets_[text] = bytes_.size();
                bytes_.append(text).push_back('\0');
            }
            previous = text;
        }
    }
    std::size_t offset(std::string_view text) const { return offsets_.at(text); }
    const std::string& bytes() const { return bytes_; }

  private:
    std::map<std::string_view, std::size_t> offsets_;
    std::string bytes_;
};

void put32(std::string& out, std::uint64_t value) {
    out.resize(out.size() + 4);
    put_le(out, out.size() - 4, value, 4);
}

}  // namespace

bool has_library_cache(std::string_view architecture) {
    return architecture == "aarch64";
}

Result<std::vector<std::string>> library_directories(const Store& store,
                                                     const Tree& tree,
                                                     std::string_view architecture) {
    return Configuration(store, tree).directories(architecture);
}

Result<std::vector<CachedLibrary>> find_libraries(const Store& store,
                                                  const Tree& tree,
                                                  std::string_view architecture) {
    const Machine* const machine = machine_of(architecture);
    if (machine == nullptr) {
        return fail(error(ErrorKind::kUsage, "no library cache for `{}`", architecture)
                        .advise("architectures are `x86_64` and `aarch64`"));
    }
    std::vector<CachedLibrary> out;
    for (const std::string& directory : TARN_TRY(library_directories(store, tree, architecture))) {
        TARN_TRY(search_directory(store, tree, directory, *machine, out));
    }
    std::ranges::stable_sort(out, [](const CachedLibrary& a, const CachedLibrary& b) {
        return compare_names(a.soname, b.soname) > 0;
    });
    return out;
}

std::string library_cache(const std::vector<CachedLibrary>& libraries,
                          std::string_view architecture) {
    const Machine* const machine = machine_of(architecture);
    TARN_CHECK(machine != nullptr);
    const StringTable strings(libraries);
    const std::size_t base = kHeaderSize + libraries.size() * kEntrySize;
    std::string out = "glibc-ld.so.cache1.1";
    put32(out, libraries.size());
    put32(out, strings.bytes().size());
    out.push_back(kLittleEndian);
    out.resize(kHeaderSize, '\0');  // padding, no extensions, unused
    for (const CachedLibrary& library : libraries) {
        put32(out, machine->flags);
        put32(out, base + strings.offset(library.soname));
        put32(out, base + strings.offset(library.path));
        out.append(4 + 8, '\0');  // osversion, which nobody reads, and hwcap
    }
    return out + strings.bytes();
}

}  // namespace tarn::image
