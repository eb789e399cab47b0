// SPDX-License-Identifier: Apache-2.0
#include "load/server_view.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>
#include <utility>

namespace imago::load {
namespace {

constexpr std::array<std::pair<std::string_view, double ServerView::*>, 5> kStages{
    {{"stage=\"decode\"", &ServerView::decode},
     {"stage=\"preprocess\"", &ServerView::preprocess},
     {"stage=\"queue\"", &ServerView::queue},
     {"stage=\"infer\"", &ServerView::infer},
     {"stage=\"total\"", &ServerView::total}}};

/// `name{labels} value` or `name value`.
void add_line(std::string_view line, ServerView& view) {
  const auto space = line.rfind(' ');
  if (line.starts_with('#') || space == std::string_view::npos) return;
  double value = 0.0;
  std::from_chars(line.data() + space + 1, line.data() + line.size(), value);
  const std::string_view series = line.substr(0, space);
  const std::string_view name = series.substr(0, series.find('{'));
  if (name == "imago_batch_size_sum") view.batch_sizes += value;
  if (name == "imago_batch_size_count") view.images += value;
  if (name == "process_cpu_seconds_total") view.cpu_seconds += value;
  if (name == "imago_model_requests_total" && series.find("outcome=\"rejected\"") != std::string_view::npos)
    view.rejected += value;
  if (name != "imago_prediction_stage_seconds_sum") return;
  for (const auto& [label, member] : kStages) {
    if (series.find(label) != std::string_view::npos) view.*member += value;
  }
}

}  // namespace

ServerView read_prometheus(std::string_view text) {
  ServerView view;
  while (!text.empty()) {
    const auto end = text.find('\n');
    add_line(text.substr(0, end), view);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return view;
}

ServerView difference(const ServerView& later, const ServerView& earlier) {
  ServerView view = later;
  for (const auto member :
       {&ServerView::images, &ServerView::batch_sizes, &ServerView::decode, &ServerView::preprocess, &ServerView::queue,
        &ServerView::infer, &ServerView::total, &ServerView::rejected, &ServerView::cpu_seconds})
    view.*member -= earlier.*member;
  return view;
}

json::Value to_json(const ServerView& view) {
  return {{"images", view.images},
          {"mean_batch", view.mean_batch()},
          {"rejected", view.rejected},
          {"mean_ms",
           {{"decode", view.mean_ms(&ServerView::decode)},
            {"preprocess", view.mean_ms(&ServerView::preprocess)},
            {"queue", view.mean_ms(&ServerView::queue)},
            {"infer", view.mean_ms(&ServerView::infer)},
            {"total", view.mean_ms(&ServerView::total)}}}};
}

std::string in_words(const ServerView& view) {
  return fmt::format(
      "the server: batches of {:.1f}; an image took {:.2f} ms: decode {:.2f}, preprocess {:.2f}, queue {:.2f}, infer "
      "{:.2f}\n",
      view.mean_batch(), view.mean_ms(&ServerView::total), view.mean_ms(&ServerView::decode),
      view.mean_ms(&ServerView::preprocess), view.mean_ms(&ServerView::queue), view.mean_ms(&ServerView::infer));
}

std::string advice_for_server(const ServerView& view) {
  const double queue = view.mean_ms(&ServerView::queue);
  const double infer = view.mean_ms(&ServerView::infer);
  const int larger = static_cast<int>(std::exp2(std::ceil(std::log2(std::max(1.0, 1.5 * view.mean_batch())))));
  if (view.images < 1.0) return "The server computed nothing meanwhile.";
  if (view.rejected > 0.0)
    return fmt::format(
        "{:.0f} requests were rejected: this is more than it can do. --max-queue lets more wait, and longer.",
        view.rejected);
  if (queue > 2.0 * infer)
    return fmt::format(
        "Images wait longer than they are computed: try --max-batch {}; `imago bench MODEL` shows what "
        "batches and workers gain.",
        larger);
  if (view.mean_batch() < 1.5) return "Images hardly ever wait: the settings are right for this load.";
  return "Batches form by themselves: the settings are right for this load.";
}

}  // namespace imago::load
