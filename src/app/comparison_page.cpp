// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "app/evaluation_page.hpp"
#include "app/evaluation_page_style.hpp"
#include "app/page_parts.hpp"

namespace imago::app {
namespace {

using evaluate::Answer;

constexpr std::size_t kPageImages = 24;
constexpr std::size_t kRowsOfAColumn = 30;

std::string percent(double share) { return fmt::format("{:.2f} %", 100.0 * share); }

std::string changed_images(const data::Repository& repository, const pipeline::ModelComparison& compared,
                           const std::vector<std::size_t>& images, const std::string& title) {
  if (images.empty()) return "";
  std::string html = fmt::format("<section><h2>{}: {}</h2><div class=\"gallery\">", title, images.size());
  const auto label = [&](int index) { return escape(compared.manifest.labels[static_cast<std::size_t>(index)]); };
  for (std::size_t i = 0; i < std::min(kPageImages, images.size()); ++i) {
    const Answer& a = compared.answers_a[images[i]];
    const Answer& b = compared.answers_b[images[i]];
    html += image_figure(repository, compared.manifest.entries[a.entry],
                         fmt::format("<strong>{}</strong><span class=\"said\">{} &rarr; {}</span>", label(a.truth),
                                     label(a.predicted), label(b.predicted)));
  }
  html += "</div>";
  if (images.size() > kPageImages) html += "<p class=\"soft\">The surest first; all are in the JSON.</p>";
  return html + "</section>";
}

std::string changes(const evaluate::Comparison& comparison) {
  std::string html =
      "<section><h2>What changed where</h2><p class=\"soft\">Classes first; in each column the greatest loss first. "
      "Marked: more than chance at 5 % over all rows together (McNemar, Holm).</p><div "
      "class=\"scroll\"><table><tr><th>Part</th><th></th><th class=\"n\">Before</th><th class=\"n\">After</th><th "
      "class=\"n\">Points</th><th class=\"n\">p</th><th class=\"n\">Fixed</th><th class=\"n\">Broken</th><th "
      "class=\"n\">Images</th></tr>";
  for (const auto& change : evaluate::head_of_each_column(comparison.changes, kRowsOfAColumn)) {
    const char* mark = !change.significant ? "" : change.counts.difference() < 0 ? " bad" : " note";
    html += fmt::format(
        "<tr><td>{}</td><td>{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n{}\">{:+.2f}</td><td "
        "class=\"n\">{:.2g}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td></tr>",
        escape(change.column), escape(change.value), percent(change.accuracy_a), percent(change.accuracy_b), mark,
        100 * change.counts.difference(), change.p, change.counts.fixed, change.counts.broken, change.counts.n());
  }
  return html + "</table></div></section>";
}

}  // namespace

std::string comparison_page(const data::Repository& repository, const pipeline::ModelComparison& compared) {
  const auto& comparison = compared.comparison;
  return evaluation_head(fmt::format("{} and {}", compared.model_a, compared.model_b)) +
         fmt::format(
             "<h1>{} and {} on {}, {} split</h1><p class=\"soft\">the same {} images</p><section><p "
             "class=\"lead\">{}</p></section>",
             escape(compared.model_a), escape(compared.model_b), escape(compared.dataset),
             data::to_string(compared.split), comparison.counts.n(), escape(compared.verdict)) +
         changed_images(repository, compared, comparison.broken, "Broken") +
         changed_images(repository, compared, comparison.fixed, "Fixed") + changes(comparison) + "</body></html>\n";
}

}  // namespace imago::app
