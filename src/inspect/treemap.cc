// SPDX-License-Identifier: MIT
#include "base/hash.hh"
#include "base/strings.hh"
#include "inspect/size.hh"

#include <algorithm>

namespace tarn::inspect {
namespace {

constexpr double kWidth = 1200;
constexpr double kHeight = 760;
constexpr double kHead = 16;                        // of a package's name above its directories
constexpr double kSmall = 3;                        // what is narrower is not drawn
constexpr double kLetter = 6.2, kBoldLetter = 6.9;  // widths, of a font of 11 pixels

struct Box {
    double x = 0, y = 0, w = 0, h = 0;
};

// The row that is being filled along the shorter side, and how square its boxes are.
double worst(const std::vector<double>& row, double sum, double side) {
    const double largest = *std::ranges::max_element(row);
    const double smallest = *std::ranges::min_element(row);
    return std::max(side * side * largest / (sum * sum), sum * sum / (side * side * smallest));
}

// Boxes for areas that are sorted, largest first, and fill `box`.
std::vector<Box> squarify(const std::vector<double>& areas, Box box) {
    std::vector<Box> out;
    std::size_t next = 0;
    while (next < areas.size()) {
        const double side = std::min(box.w, box.h);
        std::vector<double> row = {areas[next]};
        double sum = areas[next];
        while (next + row.size() < areas.size()) {
            const double more = areas[next + row.size()];
            std::vector<double> longer = row;
            longer.push_back(more);
            if (worst(longer, sum + more, side) > worst(row, sum, side)) {
                break;
            }
            row = std::move(longer);
            sum += more;
        }
        const double thickness = side > 0 ? sum / side : 0;
        double at = 0;
        for (const double area : row) {
            const double length = thickness > 0 ? area / thickness : 0;
            out.push_back(box.w >= box.h ? Box{box.x, box.y + at, thickness, length}
                                         : Box{box.x + at, box.y, length, thickness});
            at += length;
        }
        if (box.w >= box.h) {
            box.x += thickness;
            box.w = std::max(0.0, box.w - thickness);
        } else {
            box.y += thickness;
            box.h = std::max(0.0, box.h - thickness);
        }
        next += row.size();
    }
    return out;
}

std::vector<Box> place(const std::vector<SizeNode>& nodes, Box box) {
    double whole = 0;
    for (const SizeNode& node : nodes) {
        whole += static_cast<double>(node.bytes);
    }
    std::vector<double> areas;
    for (const SizeNode& node : nodes) {
        if (node.bytes > 0) {
            areas.push_back(static_cast<double>(node.bytes) / whole * box.w * box.h);
        }
    }
    return squarify(areas, box);
}

// Text of an image as text of a page: markup escaped, what is no XML character left out.
std::string escaped(std::string_view text) {
    std::string out;
    for (const char c : text) {
        switch (c) {
            case '&':
                out += "&amp;";
                break;
            case '<':
                out += "&lt;";
                break;
            case '>':
                out += "&gt;";
                break;
            case '"':
                out += "&quot;";
                break;
            default:
                out += static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) >= 0x7f
                           ? '?'
                           : c;
        }
    }
    return out;
}

// The hue is the name's own, so that a package looks alike in every picture.
int hue_of(const std::string& name) {
    const auto sum = sha256(name);
    return (sum[0] * 256 + sum[1]) % 360;
}

// The first of the texts that fits, at so many pixels a letter, else the beginning of the last.
std::string label(const Box& box,
                  const std::vector<std::string>& texts,
                  const char* style,
                  double letter) {
    constexpr double kBase = 12;
    constexpr std::size_t kFewest = 5;
    const auto letters = static_cast<std::size_t>(std::max(0.0, (box.w - 8) / letter));
    if (box.h < kBase + 2) {
        return {};
    }
    const auto fits = std::ranges::find_if(
        texts, [&](const std::string& text) { return text.size() <= letters; });
    if (fits == texts.end() && letters < kFewest) {
        return {};
    }
    const std::string text =
        fits != texts.end() ? escaped(*fits) : escaped(texts.back().substr(0, letters - 1)) + "…";
    return fmt::format("<text class=\"{}\" x=\"{:.1f}\" y=\"{:.1f}\">{}</text>",
                       style,
                       box.x + 4,
                       box.y + kBase,
                       text);
}

// The colour is said twice: viewers of pictures that know no variables take the attribute.
std::string rectangle(const Box& box, const char* style, int hue, const std::string& title) {
    return fmt::format(
        "<rect class=\"{}\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" "
        "height=\"{:.1f}\" fill=\"hsl({},{})\" style=\"--h:{}\"><title>{}</title></rect>",
        style,
        box.x,
        box.y,
        box.w,
        box.h,
        hue,
        *style == 'p' ? "45%,78%" : "50%,86%",
        hue,
        escaped(title));
}

std::string draw_package(const SizeNode& node, const Box& box) {
    const int hue = hue_of(node.name);
    const std::string title =
        fmt::format("{}: {} in {} files", node.name, human_size(node.bytes), node.files);
    std::string out = "<g>" + rectangle(box, "p", hue, title);
    const bool headed = box.h > 2.5 * kHead && box.w > 40;
    if (headed && node.children.size() > 1) {
        const Box inner{box.x + 2, box.y + kHead, box.w - 4, box.h - kHead - 2};
        const auto boxes = place(node.children, inner);
        for (std::size_t i = 0; i < boxes.size(); ++i) {
            if (boxes[i].w < kSmall || boxes[i].h < kSmall) {
                continue;
            }
            const SizeNode& child = node.children[i];
            out += rectangle(boxes[i],
                             "d",
                             hue,
                             fmt::format("{} {}: {} in {} files",
                                         node.name,
                                         child.name,
                                         human_size(child.bytes),
                                         child.files));
            out += label(
                boxes[i], {child.name, child.name.substr(child.name.rfind('/') + 1)}, "s", kLetter);
        }
    }
    out += label(box, {node.name + "  " + human_size(node.bytes), node.name}, "n", kBoldLetter);
    return out + "</g>\n";
}

constexpr std::string_view kStyle =
    "text{font:11px system-ui,sans-serif;pointer-events:none;fill:#111}"
    ".n{font-weight:600}.s{opacity:.8}"
    "rect{stroke:#fff;stroke-width:1}"
    ".p{fill:hsl(var(--h) 45% 78%)}.d{fill:hsl(var(--h) 50% 86%)}"
    "rect:hover{stroke:#000;stroke-width:2}"
    "@media(prefers-color-scheme:dark){text{fill:#eee}rect{stroke:#16181d}"
    ".p{fill:hsl(var(--h) 32% 30%)}.d{fill:hsl(var(--h) 32% 38%)}rect:hover{stroke:#fff}}";

std::string picture(const SizeNode& packages) {
    std::string out = fmt::format(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {:.0f} {:.0f}\" role=\"img\" "
        "aria-label=\"{}\">\n<style>{}</style>\n",
        kWidth,
        kHeight,
        escaped(fmt::format(
            "{}: {} by package and directory", packages.name, human_size(packages.bytes))),
        kStyle);
    const auto boxes = place(packages.children, {0, 0, kWidth, kHeight});
    for (std::size_t i = 0; i < boxes.size(); ++i) {
        if (boxes[i].w >= 1 && boxes[i].h >= 1) {
            out += draw_package(packages.children[i], boxes[i]);
        }
    }
    return out + "</svg>\n";
}

std::string rows(const SizeNode& packages) {
    std::string out;
    for (const SizeNode& node : packages.children) {
        const std::uint64_t share = packages.bytes == 0 ? 0 : node.bytes * 1000 / packages.bytes;
        out += fmt::format("<tr><td>{}</td><td>{}</td><td>{}.{} %</td><td>{}</td></tr>\n",
                           escaped(node.name),
                           human_size(node.bytes),
                           share / 10,
                           share % 10,
                           node.files);
    }
    return out;
}

}  // namespace

std::string size_svg(const SizeNode& packages) {
    return picture(packages);
}

std::string size_html(const SizeNode& packages) {
    return fmt::format(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
        "<meta name=\"viewport\" content=\"width=device-width\">\n<title>{0}: size</title>\n"
        "<style>:root{{color-scheme:light dark}}body{{font:15px/1.5 system-ui,sans-serif;"
        "max-width:1200px;margin:1.5rem auto;padding:0 1rem;background:Canvas;color:CanvasText}}"
        "svg{{width:100%;height:auto}}table{{border-collapse:collapse}}td,th{{padding:.1rem .8rem "
        ".1rem 0;text-align:right}}td:first-child,th:first-child{{text-align:left}}</style>\n"
        "</head>\n<body>\n<h1>{0}</h1>\n<p>{1} in {2} files, {3} packages. Point at a box to read "
        "what it is.</p>\n{4}<table>\n<tr><th>Package</th><th>Size</th><th>Share</th>"
        "<th>Files</th></tr>\n{5}</table>\n</body>\n</html>\n",
        escaped(packages.name),
        human_size(packages.bytes),
        packages.files,
        package_count(packages),
        picture(packages),
        rows(packages));
}

}  // namespace tarn::inspect
