// rooms: build
// SPDX-License-Identifier: MIT
// What rpm and a build say: written by whoever wrote the spec and the software.
#include "build/detail/failure.hh"
#include "build/detail/graph.hh"
#include "build/detail/query.hh"

#include <cstddef>
#include <cstdint>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto verdict = tarn::build::read_log(text, "x.spec");
    if (verdict.section.empty() || verdict.tail.size() > tarn::build::kTailLines) {
        __builtin_trap();
    }
    static_cast<void>(tarn::build::section_started(text));
    static_cast<void>(
        tarn::build::missing_advice(text, [](std::string_view what) { return std::string(what); }));
    if (const auto query = tarn::build::parse_query(text, text, text)) {
        for (const auto& dependency : query->build_requires) {
            static_cast<void>(tarn::build::dependency_names(dependency));
            static_cast<void>(tarn::build::build_requires_place(text, "x.spec", dependency));
        }
        const tarn::build::GraphNode node{"x", &*query};
        if (!tarn::build::order_components({node})) {
            __builtin_trap();  // one component alone has no cycle
        }
    }
    return 0;
}
