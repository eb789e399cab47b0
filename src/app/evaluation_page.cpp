// SPDX-License-Identifier: Apache-2.0
#include "app/evaluation_page.hpp"

#include <algorithm>
#include <cmath>

#include "app/confusion_view.hpp"
#include "app/errors_view.hpp"
#include "app/evaluation_page_style.hpp"
#include "app/page_parts.hpp"
#include "evaluate/evaluation_plots.hpp"

namespace imago::app {
namespace {

using evaluate::Report;

constexpr std::size_t kPageSlices = 25;

std::string percent(double share) { return fmt::format("{:.2f} %", 100.0 * share); }

std::string number(const std::optional<double>& value) {
  return value ? fmt::format("{:.4f}", *value) : std::string("&ndash;");
}

std::string plot(const image::Drawing& drawing) { return "<div class=\"plot\">" + image::to_svg(drawing) + "</div>"; }

/// Where a row's picture begins: the tens of percent below every interval.
double scale_start(const std::vector<evaluate::Slice>& slices, std::size_t shown) {
  double low = 0.9;
  for (std::size_t i = 0; i < shown; ++i) low = std::min(low, slices[i].interval.low);
  return std::floor(10.0 * low) / 10.0;
}

/// An interval as a line, its estimate as a dot, the whole's as a thin mark; from `start` to 100 %.
std::string range(const evaluate::Slice& slice, double whole, double start) {
  const auto x = [start](double share) { return 4 + 184 * (share - start) / (1.0 - start); };
  return fmt::format(
      R"(<svg class="range" viewBox="0 0 192 16" role="img" aria-label="{:.1f} to {:.1f} %">)"
      R"(<line class="whole" x1="{:.1f}" x2="{:.1f}" y1="0" y2="16"/><line x1="{:.1f}" x2="{:.1f}" y1="8" y2="8"/>)"
      R"(<circle class="{}" cx="{:.1f}" cy="8" r="4"/></svg>)",
      100 * slice.interval.low, 100 * slice.interval.high, x(whole), x(whole), x(slice.interval.low),
      x(slice.interval.high), slice.interval.high < whole ? "low" : "high", x(slice.accuracy));
}

std::string opening(const Report& report) {
  std::string html =
      fmt::format(R"(<h1>{} on {}, {} split</h1><p class="soft">{} images, measured {} through {}</p>)"
                  R"(<section><h2>Accuracy</h2><div class="large">{}</div>)"
                  R"(<p class="soft">95 % interval {:.2f} to {:.2f} % (Wilson)</p>)",
                  escape(report.name()), escape(report.dataset), data::to_string(report.split), report.metrics.n,
                  escape(report.measured_at), escape(report.through()), percent(report.metrics.accuracy),
                  100 * report.metrics.accuracy_interval.low, 100 * report.metrics.accuracy_interval.high);
  if (!report.note.empty()) html += fmt::format("<p class=\"note\">{}.</p>", escape(report.note));
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

std::string slices(const Report& report) {
  if (report.slices.empty()) return "";
  const std::size_t shown = std::min(kPageSlices, report.slices.size());
  const double start = scale_start(report.slices, shown);
  std::string html = fmt::format(
      R"(<section><h2>Slices, worst first</h2><p class="soft">Red: the whole 95 % interval is below the accuracy of all )"
      R"(images, which is the thin mark.</p><div class="scroll"><table><tr><th>Slice</th><th></th>)"
      R"(<th class="n">Accuracy</th><th>{:.0f} to 100 %</th><th class="n">Images</th></tr>)",
      100.0 * start);
  for (std::size_t i = 0; i < shown; ++i) {
    const auto& slice = report.slices[i];
    html += fmt::format(R"(<tr><td>{}</td><td>{}</td><td class="n">{}</td><td>{}</td><td class="n">{}</td></tr>)",
                        escape(slice.column), escape(slice.value), percent(slice.accuracy),
                        range(slice, report.metrics.accuracy, start), slice.n);
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
  html += plot(evaluate::reliability_drawing(report.metrics.calibration));
  html += plot(evaluate::curves_drawing({evaluate::coverage_panel(report.coverage)}, "")) + "</div></section>";
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
  return evaluation_head(fmt::format("{} on {}", report.name(), report.dataset)) + opening(report) +
         confusion_view(repository, report) + errors_view(repository, report) + slices(report) +
         classes(report.metrics) + plots(report) + origin(report) + "</body></html>\n";
}

}  // namespace imago::app
