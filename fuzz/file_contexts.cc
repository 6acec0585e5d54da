// rooms: selinux store base
// SPDX-License-Identifier: MIT
// file_contexts come out of packages. Whatever parses answers every path, and the same twice: the
// second time expressions may run as machine code.
#include "selinux/selinux.hh"

#include <cstddef>
#include <cstdint>
#include <string_view>

using namespace tarn;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    // The part behind a form feed is read as substitutions and as a path.
    const std::size_t cut = text.find('\f');
    const std::string_view rest = cut == std::string_view::npos ? "" : text.substr(cut + 1);
    FileContextsSources sources;
    sources.main = {"file_contexts", std::string(text.substr(0, cut))};
    sources.local = {"file_contexts.local", "/etc(/.*)?\tu:object_r:etc_t:s0\n"};
    sources.subs_dist = {"file_contexts.subs_dist", std::string(rest)};
    const auto contexts = FileContexts::parse(std::move(sources));
    if (!contexts) {
        return 0;
    }
    const std::string odd = "/" + std::string(rest.substr(0, 200));
    for (const std::string_view path : {std::string_view("/"),
                                        std::string_view("/etc/passwd"),
                                        std::string_view("/usr/lib/a"),
                                        std::string_view(odd)}) {
        const auto first = contexts->lookup(path, EntryKind::kFile);
        for (int i = 0; i < 60; ++i) {
            const auto again = contexts->lookup(path, EntryKind::kFile);
            TARN_CHECK(again.has_value() == first.has_value());
            TARN_CHECK(!first || *again == *first);
            if (!again) {
                break;
            }
        }
    }
    const auto tree = Tree::parse("");
    if (tree) {
        static_cast<void>(label_tree(*contexts, *tree, 0));
    }
    return 0;
}
