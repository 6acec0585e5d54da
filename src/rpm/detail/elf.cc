// SPDX-License-Identifier: MIT
#include "rpm/elf.hh"

#include <elf.h>

#include <cstring>
#include <type_traits>

namespace tarn::rpm {

namespace {

constexpr std::size_t kMaxEntries = 65536;  // of a table; more is no real file
constexpr std::size_t kMaxName = 4096;

Failure malformed(std::string_view what) {
    return fail(ErrorKind::kCorrupt, "malformed ELF file: {}", what);
}

struct Elf32 {
    using Header = Elf32_Ehdr;
    using Segment = Elf32_Phdr;
    using Dynamic = Elf32_Dyn;
};
struct Elf64 {
    using Header = Elf64_Ehdr;
    using Segment = Elf64_Phdr;
    using Dynamic = Elf64_Dyn;
};

// Both classes have the same version structures.
static_assert(sizeof(Elf32_Verdef) == sizeof(Elf64_Verdef) &&
              sizeof(Elf32_Verneed) == sizeof(Elf64_Verneed) &&
              sizeof(Elf32_Vernaux) == sizeof(Elf64_Vernaux) &&
              sizeof(Elf32_Verdaux) == sizeof(Elf64_Verdaux));

template <class Class>
class Reader {
  public:
    explicit Reader(std::string_view bytes) : bytes_(bytes) {}

    Result<std::optional<ElfFacts>> read() {
        const auto header = TARN_TRY(at<typename Class::Header>(0));
        if (header.e_type != ET_DYN && header.e_type != ET_EXEC) {
            return std::optional<ElfFacts>();
        }
        TARN_TRY(read_segments(header));
        if (dynamic_.empty()) {
            return std::optional<ElfFacts>();
        }
        facts_.machine = header.e_machine;
        facts_.is_64bit = std::is_same_v<Class, Elf64>;
        TARN_TRY(read_strings());
        TARN_TRY(read_dynamic());
        facts_.is_library = header.e_type == ET_DYN && !has_debug_ && !is_pie_;
        TARN_TRY(read_definitions());
        TARN_TRY(read_needs());
        return std::optional(std::move(facts_));
    }

  private:
    using Segment = typename Class::Segment;
    using Dynamic = typename Class::Dynamic;

    // The bytes may lie anywhere: copied out, never pointed at.
    template <class T>
    Result<T> at(std::uint64_t offset) const {
        if (offset > bytes_.size() || bytes_.size() - offset < sizeof(T)) {
            return malformed("a structure lies outside");
        }
        T value;
        std::memcpy(&value, bytes_.data() + offset, sizeof value);
        return value;
    }

    Result<std::uint64_t> offset_of(std::uint64_t address) const {
        for (const Segment& segment : loads_) {
            if (address >= segment.p_vaddr && address - segment.p_vaddr < segment.p_filesz) {
                return segment.p_offset + (address - segment.p_vaddr);
            }
        }
        return malformed("an address lies outside");
    }

    Result<void> read_segments(const typename Class::Header& header) {
        Segment dynamic{};
        for (std::size_t i = 0; i < header.e_phnum; ++i) {
            const auto segment =
                TARN_TRY(at<Segment>(header.e_phoff + i * std::uint64_t{header.e_phentsize}));
            if (segment.p_type == PT_LOAD) {
                loads_.push_back(segment);
            } else if (segment.p_type == PT_DYNAMIC) {
                dynamic = segment;
            }
        }
        for (std::size_t i = 0; (i + 1) * sizeof(Dynamic) <= dynamic.p_filesz; ++i) {
            const auto entry =
                TARN_TRY(at<Dynamic>(dynamic.p_offset + i * std::uint64_t{sizeof(Dynamic)}));
            if (entry.d_tag == DT_NULL) {
                break;
            }
            if (i == kMaxEntries) {
                return malformed("too many dynamic entries");
            }
            dynamic_.push_back(entry);
        }
        return {};
    }

    Result<void> read_strings() {
        std::uint64_t address = 0;
        std::uint64_t size = 0;
        for (const Dynamic& entry : dynamic_) {
            if (entry.d_tag == DT_STRTAB) {
                address = entry.d_un.d_val;
            } else if (entry.d_tag == DT_STRSZ) {
                size = entry.d_un.d_val;
            }
        }
        if (size == 0) {
            return {};
        }
        const std::uint64_t offset = TARN_TRY(offset_of(address));
        if (offset > bytes_.size() || size > bytes_.size() - offset) {
            return malformed("the string table lies outside");
        }
        strings_ = bytes_.substr(offset, size);
        return {};
    }

    Result<std::string> string(std::uint64_t index) const {
        if (index >= strings_.size()) {
            return malformed("a name lies outside");
        }
        const std::string_view rest = strings_.substr(index, kMaxName);
        const std::size_t end = rest.find('\0');
        if (end == std::string_view::npos) {
            return malformed("a name has no end");
        }
        return std::string(rest.substr(0, end));
    }

    Result<void> read_dynamic() {
        for (const Dynamic& entry : dynamic_) {
            switch (static_cast<std::int64_t>(entry.d_tag)) {
                case DT_NEEDED:
                    facts_.needed.push_back(TARN_TRY(string(entry.d_un.d_val)));
                    break;
                case DT_SONAME:
                    facts_.soname = TARN_TRY(string(entry.d_un.d_val));
                    break;
                case DT_HASH:
                    facts_.has_hash = true;
                    break;
                case DT_GNU_HASH:
                    facts_.has_gnu_hash = true;
                    break;
                case DT_DEBUG:
                    has_debug_ = true;
                    break;
                case DT_FLAGS_1:
                    is_pie_ = (entry.d_un.d_val & DF_1_PIE) != 0;
                    break;
                case DT_VERDEF:
                    definitions_ = entry.d_un.d_val;
                    break;
                case DT_VERDEFNUM:
                    definition_count_ = entry.d_un.d_val;
                    break;
                case DT_VERNEED:
                    needs_ = entry.d_un.d_val;
                    break;
                case DT_VERNEEDNUM:
                    need_count_ = entry.d_un.d_val;
                    break;
                default:
                    break;
            }
        }
        return {};
    }

    // The offsets to the next structure are 32 bits each and the counts are limited, so that the
    // sums stay far below 64 bits.
    Result<void> read_definitions() {
        if (definition_count_ == 0) {
            return {};
        }
        if (definition_count_ > kMaxEntries) {
            return malformed("too many version definitions");
        }
        std::string base;
        std::uint64_t offset = TARN_TRY(offset_of(definitions_));
        for (std::uint64_t i = 0; i < definition_count_; ++i) {
            const auto definition = TARN_TRY(at<Elf64_Verdef>(offset));
            const auto first = TARN_TRY(at<Elf64_Verdaux>(offset + definition.vd_aux));
            // What follows the first name are the versions it inherits from.
            std::string name = TARN_TRY(string(first.vda_name));
            if ((definition.vd_flags & VER_FLG_BASE) != 0) {
                base = std::move(name);
            } else {
                facts_.defined.push_back({base, std::move(name)});
            }
            offset += definition.vd_next;
        }
        return {};
    }

    Result<void> read_needs() {
        if (need_count_ == 0) {
            return {};
        }
        std::size_t total = 0;
        std::uint64_t offset = TARN_TRY(offset_of(needs_));
        for (std::uint64_t i = 0; i < need_count_; ++i) {
            const auto need = TARN_TRY(at<Elf64_Verneed>(offset));
            const std::string library = TARN_TRY(string(need.vn_file));
            std::uint64_t inner = offset + need.vn_aux;
            for (std::size_t j = 0; j < need.vn_cnt; ++j) {
                if (++total > kMaxEntries) {
                    return malformed("too many needed versions");
                }
                const auto version = TARN_TRY(at<Elf64_Vernaux>(inner));
                std::string name = TARN_TRY(string(version.vna_name));
                facts_.required.push_back({library, std::move(name)});
                inner += version.vna_next;
            }
            if (need.vn_next == 0) {
                break;
            }
            offset += need.vn_next;
        }
        return {};
    }

    std::string_view bytes_, strings_;
    std::vector<Segment> loads_;
    std::vector<Dynamic> dynamic_;
    std::uint64_t definitions_ = 0, definition_count_ = 0, needs_ = 0, need_count_ = 0;
    bool has_debug_ = false, is_pie_ = false;
    ElfFacts facts_;
};

}  // namespace

bool is_elf(std::string_view bytes) {
    return bytes.starts_with(std::string_view(ELFMAG, SELFMAG));
}

Result<std::optional<ElfFacts>> read_elf(std::string_view bytes) {
    if (bytes.size() < EI_NIDENT) {
        return malformed("it is too short");
    }
    if (bytes[EI_DATA] != ELFDATA2LSB) {
        return std::optional<ElfFacts>();
    }
    switch (bytes[EI_CLASS]) {
        case ELFCLASS32:
            return Reader<Elf32>(bytes).read();
        case ELFCLASS64:
            return Reader<Elf64>(bytes).read();
        default:
            return malformed("unknown class");
    }
}

}  // namespace tarn::rpm
