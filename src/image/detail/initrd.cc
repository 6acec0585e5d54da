// SPDX-License-Identifier: MIT
#include "image/detail/initrd.hh"

#include "base/compress.hh"
#include "image/detail/cache.hh"
#include "image/detail/cpio.hh"

namespace tarn::image {
namespace {

constexpr int kInitrdVersion = 1;
// Decompression speed is the same at every level; beyond this the build gets slower for 2 %.
constexpr int kZstdLevel = 6;
constexpr std::uint64_t kModuleLimit = 256ULL << 20;

Result<std::string> read_table(const Store& store,
                               const Tree& root,
                               const std::string& path,
                               bool required) {
    const TreeEntry* entry = root.find(path);
    if (entry == nullptr || entry->kind != EntryKind::kFile) {
        if (!required) {
            return std::string();
        }
        return fail(error(ErrorKind::kNotFound, "the image has no /{}", path)
                        .advise("the tools tree must have depmod (kmod)"));
    }
    return store.read(entry->content);
}

struct Chosen {
    std::vector<ModuleChoice> modules;
    std::vector<Digest> files;
    std::string aliases;
};

Result<Chosen> choose_modules(const Store& store, const InitrdInput& input) {
    const std::string directory = "usr/lib/modules/" + input.kernel_version + "/";
    const auto table = [&](const char* name, bool required) {
        return read_table(store, *input.root, directory + name, required);
    };
    const std::string dependencies = TARN_TRY(table("modules.dep", true));
    const std::string aliases = TARN_TRY(table("modules.alias", true));
    const std::string soft = TARN_TRY(table("modules.softdep", false));
    const std::string builtin = TARN_TRY(table("modules.builtin", false));
    const KernelModules kernel =
        TARN_TRY(KernelModules::parse({dependencies, aliases, soft, builtin}));
    Chosen out;
    out.modules = TARN_TRY(kernel.closure(input.modules));
    out.aliases = kernel.aliases_of(out.modules);
    for (const ModuleChoice& module : out.modules) {
        const TreeEntry* entry = input.root->find(directory + module.path);
        if (entry == nullptr || entry->kind != EntryKind::kFile) {
            return fail(ErrorKind::kNotFound,
                        "modules.dep names {}{}, which is not in the image",
                        directory,
                        module.path);
        }
        out.files.push_back(entry->content);
    }
    return out;
}

std::string list_text(const std::vector<ModuleChoice>& modules) {
    std::string out;
    for (const ModuleChoice& module : modules) {
        out += module.name;
        for (const std::string& need : module.needs) {
            out.append(" ").append(need);
        }
        out += '\n';
    }
    return out;
}

Result<std::string> write_archive(const Store& store,
                                  const InitrdInput& input,
                                  const Chosen& chosen) {
    CpioWriter out(input.time);
    const std::string init = TARN_TRY(store.read(input.init));
    for (const char* directory : {"dev", "etc", "modules", "proc", "run", "sys", "sysroot"}) {
        TARN_TRY(out.directory(directory, 0755));
    }
    // The kernel opens this before init runs.
    TARN_TRY(out.character_device("dev/console", 0600, 5, 1));
    TARN_TRY(out.file("etc/initrd-release", 0644, input.release));
    TARN_TRY(out.file("init", 0755, init));
    TARN_TRY(out.file("modules/modules.list", 0644, list_text(chosen.modules)));
    TARN_TRY(out.file("modules/modules.alias", 0644, chosen.aliases));
    for (std::size_t i = 0; i < chosen.modules.size(); ++i) {
        const ModuleChoice& module = chosen.modules[i];
        const std::string packed = TARN_TRY(store.read(chosen.files[i]));
        auto plain = decompress(packed, detect_compression(packed), kModuleLimit);
        if (!plain) {
            return fail(std::move(plain.error()).context("kernel module " + module.path));
        }
        TARN_TRY(out.file("modules/" + module.name + ".ko", 0644, *plain));
    }
    return std::move(out).finish();
}

}  // namespace

Result<Initrd> make_initrd(const Store& store, const InitrdInput& input) {
    const Chosen chosen = TARN_TRY(choose_modules(store, input));
    Initrd out;
    KeyBuilder key("image-initrd", kInitrdVersion);
    key.field("init", input.init).field("release", input.release);
    key.field("time", fmt::format("{}", input.time)).field("list", list_text(chosen.modules));
    key.field("aliases", chosen.aliases);
    for (std::size_t i = 0; i < chosen.modules.size(); ++i) {
        out.modules.push_back(chosen.modules[i].name);
        key.field(chosen.modules[i].name, chosen.files[i]);
    }
    if (const auto kept = kept_blob(store, key.key())) {
        out.bytes = TARN_TRY(store.read(*kept));
        return out;
    }
    out.bytes = compress_zstd(TARN_TRY(write_archive(store, input, chosen)), kZstdLevel);
    TARN_TRY(keep_blob(store, key.key(), out.bytes));
    return out;
}

}  // namespace tarn::image
