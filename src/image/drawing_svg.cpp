// SPDX-License-Identifier: Apache-2.0
#include "image/drawing.hpp"

namespace imago::image {
namespace {

std::string escaped(std::string_view text) {
  std::string safe;
  for (const char c : text) {
    switch (c) {
      case '<': safe += "&lt;"; break;
      case '>': safe += "&gt;"; break;
      case '&': safe += "&amp;"; break;
      case '"': safe += "&quot;"; break;
      default: safe += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
    }
  }
  return safe;
}

std::string css(Color color) { return fmt::format("rgb({},{},{})", color.r, color.g, color.b); }

struct SvgWriter {
  std::string svg;

  void operator()(const Lines& lines) {
    svg += "<path d=\"";
    for (const auto& stroke : lines.strokes) {
      for (std::size_t i = 0; i < stroke.size(); ++i)
        svg += fmt::format("{}{:.1f} {:.1f}", i == 0 ? 'M' : 'L', stroke[i].first, stroke[i].second);
    }
    svg += fmt::format("\" stroke=\"{}\" stroke-width=\"{:g}\" stroke-linejoin=\"round\" fill=\"none\"/>\n",
                       css(lines.color), lines.width);
  }

  void operator()(const Box& box) {
    svg += fmt::format("<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" fill=\"{}\"", box.x, box.y,
                       box.width, box.height, css(box.fill));
    svg += box.title.empty()
               ? "/>\n"
               : fmt::format(" stroke=\"#ddd\" stroke-width=\"0.5\"><title>{}</title></rect>\n", escaped(box.title));
  }

  void operator()(const Dots& dots) {
    if (dots.centers.empty()) return;
    svg += fmt::format("<g fill=\"{}\">", css(dots.color));
    for (const auto& [x, y] : dots.centers)
      svg += fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"{:g}\"/>", x, y, dots.radius);
    svg += "</g>\n";
  }

  void operator()(const Text& text) {
    const char* anchor = text.anchor == Anchor::Start ? "start" : text.anchor == Anchor::Middle ? "middle" : "end";
    svg += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\" font-size=\"{:g}\" fill=\"{}\"", text.x,
                       text.y, anchor, text.size, css(text.color));
    if (text.degrees != 0.0)
      svg += fmt::format(" transform=\"rotate({:g} {:.1f} {:.1f})\"", text.degrees, text.x, text.y);
    svg += fmt::format(">{}</text>\n", escaped(text.text));
  }
};

}  // namespace

std::string to_svg(const Drawing& drawing) {
  SvgWriter writer;
  writer.svg = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0:.0f}\" height=\"{1:.0f}\" viewBox=\"0 0 {0:.0f} {1:.0f}\" "
      "font-family=\"sans-serif\">\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n",
      drawing.width, drawing.height);
  for (const auto& shape : drawing.shapes) std::visit(writer, shape);
  return writer.svg + "</svg>\n";
}

}  // namespace imago::image
