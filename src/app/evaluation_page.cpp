// SPDX-License-Identifier: Apache-2.0
#include "app/evaluation_page.hpp"

#include <algorithm>

#include "app/confusion_view.hpp"
#include "app/evaluation_page_style.hpp"
#include "app/page_head.hpp"
#include "app/page_parts.hpp"
#include "evaluate/evaluation_plots.hpp"

namespace imago::app {
namespace {

using evaluate::Answer;
using evaluate::Report;

constexpr std::size_t kErrorsShown = 24;
constexpr std::size_t kSlicesShown = 25;

std::string percent(double share) { return fmt::format("{:.2f} %", 100.0 * share); }

std::string number(const std::optional<double>& value) {
  return value ? fmt::format("{:.4f}", *value) : std::string("&ndash;");
}

std::string head(const std::string& title) {
  return fmt::format("{}{}<title>{}</title></head><body>", kPageHead, kEvaluationStyle, escape(title));
}

std::string plot(const image::Drawing& drawing) { return "<div class=\"plot\">" + image::to_svg(drawing) + "</div>"; }

/// An interval as a line, its estimate as a dot, the whole's as a thin mark.
std::string range(const evaluate::Interval& interval, double at, double whole) {
  const auto x = [](double share) { return 4 + 184 * share; };
  return fmt::format(
      "<svg class=\"range\" viewBox=\"0 0 192 16\" role=\"img\" aria-label=\"{:.1f} to {:.1f} %\"><line "
      "class=\"whole\" "
      "x1=\"{:.1f}\" x2=\"{:.1f}\" y1=\"0\" y2=\"16\"/><line x1=\"{:.1f}\" x2=\"{:.1f}\" y1=\"8\" y2=\"8\"/><circle "
      "class=\"{}\" cx=\"{:.1f}\" cy=\"8\" r=\"4\"/></svg>",
      100 * interval.low, 100 * interval.high, x(whole), x(whole), x(interval.low), x(interval.high),
      interval.high < whole ? "low" : "high", x(at));
}

std::string opening(const Report& report) {
  std::string html = fmt::format(
      "<h1>{} on {}, {} split</h1><p class=\"soft\">{} images, measured {} through "
      "{}</p><section><h2>Accuracy</h2><div "
      "class=\"large\">{}</div><p class=\"soft\">95 % interval {:.2f} to {:.2f} % (Wilson)</p>",
      escape(report.name()), escape(report.dataset), data::to_string(report.split), report.metrics.n,
      escape(report.measured_at), report.via == "package" ? "the package" : "the server at " + escape(report.via),
      percent(report.metrics.accuracy), 100 * report.metrics.accuracy_interval.low,
      100 * report.metrics.accuracy_interval.high);
  if (const auto weak = evaluate::weakness(report); !weak.empty())
    html += fmt::format("<p class=\"lead\">{}</p>", escape(weak));
  html += "<dl class=\"figures\">";
  const auto figures = evaluate::figures(report);
  for (std::size_t i = 1; i < figures.size(); ++i)
    html += fmt::format("<div><dt>{}</dt><dd>{}</dd></div>", escape(figures[i].first), escape(figures[i].second));
  return html + "</dl></section>";
}

std::string classes(const evaluate::Metrics& metrics) {
  std::string html =
      "<section><h2>Classes</h2><div class=\"scroll\"><table><tr><th>Class</th><th class=\"n\">Precision</th><th "
      "class=\"n\">Recall</th><th class=\"n\">F1</th><th class=\"n\">ROC-AUC</th><th class=\"n\">PR-AUC</th><th "
      "class=\"n\">Images</th></tr>";
  for (const auto& one : metrics.classes) {
    html += fmt::format(
        "<tr><td>{}</td><td class=\"n\">{:.4f}</td><td class=\"n share\" style=\"background-size: {:.1f}% "
        "3px\">{:.4f}</td><td class=\"n\">{:.4f}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td "
        "class=\"n\">{}</td></tr>",
        escape(one.label), one.precision, 100 * one.recall, one.recall, one.f1, number(one.roc_auc),
        number(one.average_precision), one.support);
  }
  return html + "</table></div></section>";
}

std::string errors(const data::Repository& repository, const Report& report) {
  const auto worst = evaluate::worst_errors(report.answers, kErrorsShown);
  std::string html = "<section><h2>Wrong, and sure of it</h2>";
  if (worst.empty()) return html + "<p>Every answer is right.</p></section>";
  html +=
      "<p class=\"soft\">Look for labels that are wrong themselves, and for what these have in common.</p><div "
      "class=\"gallery\">";
  for (const std::size_t i : worst) {
    const Answer& answer = report.answers[i];
    html += image_figure(repository, report.entry(answer),
                         fmt::format("<strong>{}</strong><span class=\"said\">said: {} {:.0f} %</span>",
                                     escape(report.label(answer.truth)), escape(report.label(answer.predicted)),
                                     100 * answer.confidence));
  }
  return html + "</div></section>";
}

std::string slices(const Report& report) {
  if (report.slices.empty()) return "";
  std::string html =
      "<section><h2>Slices, worst first</h2><p class=\"soft\">Red: worse than the whole by more than chance explains "
      "(95 % "
      "interval). The thin mark is the accuracy of all images.</p><div "
      "class=\"scroll\"><table><tr><th>Slice</th><th></th>"
      "<th class=\"n\">Accuracy</th><th>0 to 100 %</th><th class=\"n\">Images</th></tr>";
  const std::size_t shown = std::min(kSlicesShown, report.slices.size());
  for (std::size_t i = 0; i < shown; ++i) {
    const auto& slice = report.slices[i];
    html += fmt::format("<tr><td>{}</td><td>{}</td><td class=\"n\">{}</td><td>{}</td><td class=\"n\">{}</td></tr>",
                        escape(slice.column), escape(slice.value), percent(slice.accuracy),
                        range(slice.interval, slice.accuracy, report.metrics.accuracy), slice.n);
  }
  html += "</table></div>";
  if (shown < report.slices.size())
    html +=
        fmt::format("<p class=\"soft\">and {} that are better: all are in the JSON</p>", report.slices.size() - shown);
  return html + "</section>";
}

std::string plots(const Report& report) {
  std::string html =
      "<section><h2>Confidence</h2><p class=\"soft\">Where bars reach the diagonal, confidence means what "
      "it says.</p><div class=\"plots\">";
  html += plot(evaluate::reliability_drawing(report.metrics.calibration)) + "</div></section>";
  html += "<section><h2>Each class against the rest</h2><div class=\"plots\">";
  for (const auto& panel : evaluate::ranking_panels(report.curves, report.metrics.classes))
    html += plot(evaluate::curves_drawing({panel}, ""));
  html += "</div></section>";
  const auto training = evaluate::curve_panels(report.history);
  if (training.empty()) return html;
  html += "<section><h2>Training</h2><div class=\"plots\">";
  for (const auto& panel : training) html += plot(evaluate::curves_drawing({panel}, "epoch"));
  return html + "</div></section>";
}

std::string origin(const Report& report) {
  std::string html = "<section><h2>Where it comes from</h2><table>";
  const auto row = [&](std::string_view name, const std::string& value) {
    html += fmt::format("<tr><td>{}</td><td><code>{}</code></td></tr>", name, escape(value));
  };
  row("model", report.name());
  row("digest", report.digest);
  row("data set", fmt::format("{}, {} split", report.dataset, data::to_string(report.split)));
  row("temperature", fmt::format("{:.4f}", report.temperature));
  return html + fmt::format("</table><details><summary>Lineage</summary><pre>{}</pre></details></section>",
                            escape(json::dump_pretty(report.lineage)));
}

}  // namespace

std::string evaluation_page(const data::Repository& repository, const Report& report) {
  return head(fmt::format("{} on {}", report.name(), report.dataset)) + opening(report) +
         confusion_view(repository, report) + errors(repository, report) + slices(report) + classes(report.metrics) +
         plots(report) + origin(report) + "</body></html>\n";
}

namespace {

std::string changed_images(const data::Repository& repository, const pipeline::ModelComparison& compared,
                           const std::vector<std::size_t>& images, const std::string& title) {
  if (images.empty()) return "";
  std::string html = fmt::format("<section><h2>{}: {}</h2><div class=\"gallery\">", title, images.size());
  const auto label = [&](int index) { return escape(compared.manifest.labels[static_cast<std::size_t>(index)]); };
  for (std::size_t i = 0; i < std::min(kErrorsShown, images.size()); ++i) {
    const Answer& a = compared.answers_a[images[i]];
    const Answer& b = compared.answers_b[images[i]];
    html += image_figure(repository, compared.manifest.entries[a.entry],
                         fmt::format("<strong>{}</strong><span class=\"said\">{} &rarr; {}</span>", label(a.truth),
                                     label(a.predicted), label(b.predicted)));
  }
  html += "</div>";
  if (images.size() > kErrorsShown) html += "<p class=\"soft\">The surest first; all are in the JSON.</p>";
  return html + "</section>";
}

std::string changes(const evaluate::Comparison& comparison) {
  std::string html =
      "<section><h2>What changed where</h2><p class=\"soft\">Classes first; in each column the greatest loss first. "
      "Marked: more than chance at 5 % over all rows together (McNemar, Holm).</p><div "
      "class=\"scroll\"><table><tr><th>Part</th><th></th><th class=\"n\">Before</th><th class=\"n\">After</th><th "
      "class=\"n\">Points</th><th class=\"n\">p</th><th class=\"n\">Fixed</th><th class=\"n\">Broken</th><th "
      "class=\"n\">Images</th></tr>";
  for (const auto& change : comparison.changes) {
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
  return head(fmt::format("{} and {}", compared.model_a, compared.model_b)) +
         fmt::format(
             "<h1>{} and {} on {}, {} split</h1><p class=\"soft\">the same {} images</p><section><p "
             "class=\"lead\">{}</p></section>",
             escape(compared.model_a), escape(compared.model_b), escape(compared.dataset),
             data::to_string(compared.split), comparison.counts.n(), escape(compared.verdict)) +
         changed_images(repository, compared, comparison.broken, "Broken") +
         changed_images(repository, compared, comparison.fixed, "Fixed") + changes(comparison) + "</body></html>\n";
}

}  // namespace imago::app
