// SPDX-License-Identifier: Apache-2.0
#include "app/confusion_view.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <utility>

#include "app/page_parts.hpp"

namespace imago::app {
namespace {

using evaluate::Report;

constexpr std::size_t kMostMatrixClasses = 30;
constexpr std::size_t kMostConfusions = 30;
constexpr std::size_t kImagesOfACell = 8;

using Cell = std::pair<int, int>;  // truth, said

/// Of each cell the answers that tell most: the surest of the wrong, the least sure of the right.
std::map<Cell, std::vector<std::size_t>> examples(const Report& report) {
  std::map<Cell, std::vector<std::size_t>> cells;
  for (std::size_t i = 0; i < report.answers.size(); ++i)
    cells[{report.answers[i].truth, report.answers[i].predicted}].push_back(i);
  for (auto& [cell, images] : cells) {
    const double sign = cell.first == cell.second ? 1.0 : -1.0;
    const std::size_t shown = std::min(kImagesOfACell, images.size());
    std::ranges::partial_sort(images, images.begin() + static_cast<std::ptrdiff_t>(shown), {},
                              [&](std::size_t i) { return sign * report.answers[i].confidence; });
    images.resize(shown);
  }
  return cells;
}

std::string count_at(const Report& report, const Cell& cell) {
  return std::to_string(
      report.metrics.confusion[static_cast<std::size_t>(cell.first)][static_cast<std::size_t>(cell.second)]);
}

/// Hidden until its cell is clicked: the address names it then.
std::string view(const data::Repository& repository, const Report& report, const Cell& cell,
                 const std::vector<std::size_t>& images) {
  const auto& [truth, said] = cell;
  std::string html = fmt::format(
      "<div class=\"view\" id=\"cell-{}-{}\"><strong>{}</strong> taken for <strong>{}</strong>: {}<span "
      "class=\"soft\">, {} "
      "first</span> <a href=\"#confusion\">close</a><div class=\"gallery\">",
      truth, said, escape(report.label(truth)), escape(report.label(said)), count_at(report, cell),
      truth == said ? "the least sure" : "the surest");
  for (const std::size_t i : images) {
    const auto& answer = report.answers[i];
    html += image_figure(repository, report.entry(answer), fmt::format("{:.1f}&nbsp;% sure", 100 * answer.confidence));
  }
  return html + "</div></div>";
}

std::string matrix(const Report& report) {
  const auto& classes = report.metrics.classes;
  std::string html = "<div class=\"scroll\"><table class=\"matrix\"><thead><tr><th>truth &darr; said &rarr;</th>";
  for (const auto& one : classes) html += fmt::format("<th><span>{}</span></th>", escape(one.label));
  html += "</tr></thead><tbody>";
  for (std::size_t truth = 0; truth < classes.size(); ++truth) {
    const auto& counts = report.metrics.confusion[truth];
    const auto total = std::max<std::int64_t>(1, std::accumulate(counts.begin(), counts.end(), std::int64_t{0}));
    html += fmt::format("<tr><th>{}</th>", escape(classes[truth].label));
    for (std::size_t said = 0; said < counts.size(); ++said) {
      // The root lets one in a hundred be seen beside ninety.
      const double shade = 85.0 * std::sqrt(static_cast<double>(counts[said]) / static_cast<double>(total));
      html += fmt::format("<td{} style=\"--s: {:.1f}%\">", truth == said ? " class=\"right\"" : "", shade);
      if (counts[said] > 0)
        html +=
            fmt::format("<a href=\"#cell-{}-{}\" title=\"{} of {} {} taken for {}\">{}</a>", truth, said, counts[said],
                        total, escape(classes[truth].label), escape(classes[said].label), counts[said]);
      html += "</td>";
    }
    html += "</tr>";
  }
  return html + "</tbody></table></div>";
}

std::string most_frequent(const Report& report, const std::vector<evaluate::Confusion>& confusions) {
  std::string html = R"(<table><tr><th>Truth</th><th>Said</th><th class="n">Images</th></tr>)";
  for (const auto& one : confusions) {
    html += fmt::format(R"(<tr><td>{}</td><td>{}</td><td class="n"><a href="#cell-{}-{}">{}</a></td></tr>)",
                        escape(report.label(one.truth)), escape(report.label(one.said)), one.truth, one.said, one.n);
  }
  return html + "</table>";
}

}  // namespace

std::string confusion_view(const data::Repository& repository, const Report& report) {
  const bool small = report.metrics.classes.size() <= kMostMatrixClasses;
  const auto frequent = evaluate::frequent_confusions(report.metrics, kMostConfusions);
  const auto is_shown = [&](const Cell& cell) {
    return small || std::ranges::any_of(frequent, [&](const auto& one) { return Cell{one.truth, one.said} == cell; });
  };
  std::string html =
      fmt::format(R"(<section id="confusion"><h2>{}</h2><p class="soft screen">Click a number to see images.</p>)",
                  small ? "Confusion matrix" : "Most frequent confusions");
  html += small ? matrix(report) : most_frequent(report, frequent);
  for (const auto& [cell, images] : examples(report)) {
    if (is_shown(cell)) html += view(repository, report, cell, images);
  }
  return html + "</section>";
}

}  // namespace imago::app
