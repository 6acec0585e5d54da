// rooms: spec
// SPDX-License-Identifier: MIT
// A spec, and the same bytes as one text to expand: bounded, the same every time, and what is said
// to be complete holds no mark of something unknown.
#include "base/result.hh"
#include "spec/macros.hh"

using namespace tarn;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    MacroTable known;
    known.define("dist", {".tn1", {}});
    known.define_file(text);
    const Expansion once = known.expand(text);
    TARN_CHECK(once.text.size() <= (64U << 20U));
    TARN_CHECK(known.expand(text).text == once.text);
    known.condition(text);
    known.run(text);

    const SpecIncludes itself = [text](std::string_view file) -> std::optional<std::string> {
        return file.size() % 2 == 0 ? std::optional(std::string(text)) : std::nullopt;
    };
    MacroTable target;
    target.define("_target_cpu", {"x86_64", {}});
    const SpecFacts facts = read_spec_facts(text, target, itself);
    for (const SpecFile& file : facts.files) {
        TARN_CHECK(file.file.find('/') == std::string::npos);
        TARN_CHECK(!file.expanded.complete() || file.pattern == file.expanded.text);
    }
    const std::vector<std::string> present = {
        "README", "a", "a-1.tar.gz", std::string(text.substr(0, 40))};
    TARN_CHECK(referenced_files(facts, present).names.size() <= present.size());
    return 0;
}
