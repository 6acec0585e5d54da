// SPDX-License-Identifier: MIT
// The figures of one spec: parsing and printing it, and ten overlays on it. bench_spec SPEC
#include "base/fs.hh"
#include "render/detail/prepare.hh"
#include "spec/document.hh"

#include <algorithm>
#include <chrono>
#include <iostream>

using namespace tarn;

namespace {

constexpr int kRuns = 201;

template <typename Work>
double median_seconds(const Work& work) {
    std::vector<double> times;
    for (int i = 0; i < kRuns; ++i) {
        const auto begin = std::chrono::steady_clock::now();
        work();
        times.push_back(
            std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
    }
    std::ranges::nth_element(times, times.begin() + kRuns / 2);
    return times[kRuns / 2];
}

std::vector<Overlay> ten_overlays() {
    std::vector<Overlay> out;
    for (int i = 0; i < 10; ++i) {
        Overlay one;
        if (i % 2 == 0) {
            one.type = OverlayType::kSpecSetTag;
            one.tag = "Summary";
            one.value = fmt::format("summary {}", i);
        } else {
            one.type = OverlayType::kSpecSearchReplace;
            one.regex = "^Summary: .*$";
            one.replacement = fmt::format("Summary: replaced {}", i);
        }
        out.push_back(std::move(one));
    }
    return out;
}

void apply_all(const std::string& text, const std::vector<Overlay>& overlays) {
    SourceSet sources;
    const std::string name = "x.spec";
    const SourceMap map;
    std::vector<std::string> warnings;
    sources.add(name, text, 0);
    for (const Overlay& one : overlays) {
        TARN_CHECK(overlay::apply({sources, name, map, false, &warnings}, one).has_value());
    }
}

}  // namespace

int main(int argc, char** argv) {
    const auto text = argc == 2 ? read_file(argv[1]) : Result<std::string>(std::string());
    if (!text || text->empty()) {
        std::cerr << "usage: bench_spec SPEC\n";
        return 2;
    }
    std::string many;
    while (many.size() < 8'000'000) {
        many += *text;
    }
    const double print =
        median_seconds([&] { TARN_CHECK(SpecDocument::parse(many).print() == many); });
    const std::vector<Overlay> overlays = ten_overlays();
    const double apply = median_seconds([&] { apply_all(*text, overlays); });
    std::cout << fmt::format("parse + print, {} bytes: {:.0f} MB/s\nten overlays, {} bytes: {:.3f} ms\n",
                             many.size(),
                             static_cast<double>(many.size()) / print / 1e6,
                             text->size(),
                             apply * 1e3);
    return 0;
}
