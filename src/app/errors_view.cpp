// SPDX-License-Identifier: Apache-2.0
#include "app/errors_view.hpp"

#include <algorithm>

#include "app/page_parts.hpp"
#include "image/encode.hpp"

namespace imago::app {
namespace {

using evaluate::Answer;
using evaluate::LookedAt;
using evaluate::Report;

constexpr image::OverlayOptions kOverlay{.least_side = 96, .most_side = 192};

std::optional<Overlay> overlay_of(const image::Image& shown, const image::Heatmap& heatmap, std::string label) {
  const auto drawn = image::overlay(shown, heatmap, kOverlay);
  if (!drawn) return std::nullopt;
  auto jpeg = image::encode_jpeg(*drawn, 80);
  if (!jpeg) return std::nullopt;
  return Overlay{std::move(label), std::move(*jpeg)};
}

/// None of an image that cannot be read: its figure says so.
std::vector<Overlay> overlays_of(const data::Repository& repository, const Report& report, const LookedAt& looked) {
  const Answer& answer = report.answers[looked.answer];
  std::vector<Overlay> overlays;
  const auto bytes = repository.read_object(report.entry(answer).sha256);
  if (!bytes) return overlays;
  const auto whole = image::decode_for_display(as_bytes(*bytes));
  if (!whole) return overlays;
  const auto shown = image::visible_part(*whole, report.preprocess);
  if (auto said = overlay_of(shown, looked.predicted, "for " + report.label(answer.predicted)))
    overlays.push_back(std::move(*said));
  if (auto truth = overlay_of(shown, looked.truth, "for " + report.label(answer.truth)))
    overlays.push_back(std::move(*truth));
  return overlays;
}

std::string introduction(const Report& report) {
  std::string html =
      "<p class=\"soft\">Look for labels that are wrong themselves, and for what these have in common.</p>";
  if (!report.not_looked_at.empty())
    html += fmt::format("<p class=\"soft\">There are no heat maps: {}</p>", escape(report.not_looked_at));
  if (report.looked_at.empty()) return html;
  html +=
      "<p class=\"soft\">Heat maps (Grad-CAM): red is what spoke most for the class that was said, and for the true "
      "one; all blue, nothing did.</p>";
  if (const auto mean = evaluate::mean_faithfulness(report.looked_at))
    html += fmt::format(
        "<p class=\"soft\">How far to trust them: as pixels go in a map's order, the mean area under the said class's "
        "probability is {:.3f} (low is good), as they come {:.3f} (high is good).</p>",
        mean->deletion, mean->insertion);
  return html;
}

std::string caption(const Report& report, const Answer& answer, const LookedAt* looked) {
  std::string html =
      fmt::format("<strong>{}</strong><span class=\"said\">said: {} {:.0f}&nbsp;%</span>",
                  escape(report.label(answer.truth)), escape(report.label(answer.predicted)), 100 * answer.confidence);
  if (looked != nullptr && looked->faithfulness)
    html += fmt::format("<span class=\"said\">deletion {:.2f}, insertion {:.2f}</span>", looked->faithfulness->deletion,
                        looked->faithfulness->insertion);
  return html;
}

}  // namespace

Result<std::vector<LookedAt>> explain_errors(const serve::Explainer& explainer, const model::ModelSpec& spec,
                                             const data::Repository& repository, const Report& report,
                                             std::size_t most) {
  const auto worst = evaluate::worst_errors(report.answers, most);
  std::vector<serve::Question> questions;
  for (const std::size_t i : worst) {
    const Answer& answer = report.answers[i];
    TRY(const auto bytes, repository.read_object(report.entry(answer).sha256));
    TRY(auto pixels, image::decode_and_resize(as_bytes(bytes), spec.preprocess));
    questions.push_back({.pixels = pixels, .class_index = answer.predicted});
    questions.push_back({.pixels = std::move(pixels), .class_index = answer.truth, .scored = false});
  }
  std::vector<LookedAt> looked_at;
  if (questions.empty()) return looked_at;
  TRY(auto explanations, serve::explain(explainer, spec, questions));
  for (std::size_t k = 0; k < worst.size(); ++k) {
    serve::Explanation& said = explanations[2 * k];
    looked_at.push_back({.answer = worst[k],
                         .predicted = std::move(said.heatmap),
                         .truth = std::move(explanations[2 * k + 1].heatmap),
                         .faithfulness = said.faithfulness});
  }
  return looked_at;
}

std::string errors_view(const data::Repository& repository, const Report& report) {
  const auto worst = evaluate::worst_errors(report.answers, std::max(kErrorsShown, report.looked_at.size()));
  std::string html = "<section id=\"errors\"><h2>Wrong, and sure of it</h2>";
  if (worst.empty()) return html + "<p>Every answer is right.</p></section>";
  html += introduction(report) + "<div class=\"gallery\">";
  for (std::size_t k = 0; k < worst.size(); ++k) {
    const Answer& answer = report.answers[worst[k]];
    const LookedAt* looked = k < report.looked_at.size() ? &report.looked_at[k] : nullptr;
    html += image_figure(repository, report.entry(answer), caption(report, answer, looked),
                         looked == nullptr ? std::vector<Overlay>() : overlays_of(repository, report, *looked));
  }
  return html + "</div></section>";
}

}  // namespace imago::app
