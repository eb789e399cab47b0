// SPDX-License-Identifier: Apache-2.0
#include "app/training_display.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>

#include "app/plot.hpp"

namespace imago::app {
namespace {

std::chrono::milliseconds seconds_to_ms(double seconds) {
  return std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1000));
}

/// "[=======             ]": ASCII, as the live line is cut by bytes.
std::string bar(double share) {
  constexpr int kWidth = 20;
  const int full = static_cast<int>(std::clamp(share, 0.0, 1.0) * kWidth);
  return fmt::format("[{:<{}}]", std::string(static_cast<std::size_t>(full), '='), kWidth);
}

}  // namespace

void TrainingDisplay::on_event(const json::Value& event) {
  const std::string kind = event.value("event", "");
  if (kind == "run") run_ = event.value("run", "");
  if (kind == "note") progress_.print(event.value("message", ""));
  if (kind == "prepare")
    progress_.update("decoding " + event.value("stage", ""), event.value("done", 0U), event.value("total", 0U));
  if (kind == "start") on_start(event);
  if (kind == "weights") on_weights(event);
  if (kind == "replay")
    progress_.print(fmt::format("{} new images, {} of the old", event.value("new", 0), event.value("replayed", 0)));
  if (kind == "step") on_step(event);
  if (kind == "epoch") on_epoch(event);
  if (kind == "done") on_done(event);
  if (kind == "package") progress_.print("writing the model package");
  if (kind == "evaluate") progress_.update("evaluating", event.value("done", 0U), event.value("total", 0U));
}

void TrainingDisplay::on_start(const json::Value& event) {
  progress_.print(fmt::format(
      "run {}: {} images to train on, {} to validate, {} classes, {:.3f} M parameters, {:.1f} M MACs an image, {}",
      run_, event.value("train_images", 0), event.value("validation_images", 0), event.value("classes", 0),
      event.value("parameters", 0.0) / 1e6, event.value("macs", 0.0) / 1e6, event.value("backend", "")));
}

void TrainingDisplay::on_weights(const json::Value& event) {
  const std::size_t kept = event["kept"].size();
  progress_.print(fmt::format("starting from {}: {} tensors taken{}", event.value("file", ""), event.value("taken", 0),
                              kept > 0 ? fmt::format(", {} left as drawn ({})", kept,
                                                     fmt::join(event["kept"].get<std::vector<std::string>>(), ", "))
                                       : ""));
}

void TrainingDisplay::on_step(const json::Value& event) {
  const double steps = std::max(event.value("total_steps", 1.0), 1.0);
  // What matters most comes first: a narrow terminal cuts the end.
  progress_.show(fmt::format("{}  epoch {}/{}  ETA {}  loss {:.4f}  accuracy {:.4f}  {:.0f} images/s  step {}/{}",
                             bar(event.value("step", 0.0) / steps), event.value("epoch", 0), event.value("epochs", 0),
                             format_duration(seconds_to_ms(event.value("remaining", 0.0))), event.value("loss", 0.0),
                             event.value("accuracy", 0.0), event.value("images_per_second", 0.0),
                             event.value("step", 0), event.value("total_steps", 0)));
}

void TrainingDisplay::keep(const json::Value& epoch) {
  for (const char* name : {"loss", "accuracy", "val_loss", "val_accuracy"})
    if (epoch.contains(name) && epoch[name].is_number()) epochs_[name].push_back(epoch[name].get<double>());
}

/// A resumed run's history has the epochs before the resume too.
void TrainingDisplay::on_done(const json::Value& event) {
  const auto history = event.value("history", json::Value::array());
  if (history.empty()) return;
  epochs_.clear();
  for (const auto& epoch : history) keep(epoch);
}

std::string TrainingDisplay::curves() const {
  std::string text;
  for (const auto& [name, values] : epochs_)
    if (values.size() > 1) text += (text.empty() ? "" : "\n") + plot_blocks(name, values);
  return text;
}

bool TrainingDisplay::on_key(char key) {
  if (key == 'q') return true;
  const auto drawn = key == 'c' ? curves() : "";
  if (key == 'c')
    progress_.print(drawn.empty() ? "curves: after the second epoch" : drawn);
  else
    progress_.print("keys: c the curves so far, q stop and keep a checkpoint");
  return false;
}

void TrainingDisplay::on_epoch(const json::Value& event) {
  keep(event);
  progress_.print(fmt::format("epoch {:>3}  loss {:.4f}  accuracy {:.4f}  val_loss {:.4f}  val_accuracy {:.4f}{}  {}",
                              event.value("epoch", 0), event.value("loss", 0.0), event.value("accuracy", 0.0),
                              event.value("val_loss", 0.0), event.value("val_accuracy", 0.0),
                              event.value("best", false) ? " *" : "  ",
                              format_duration(seconds_to_ms(event.value("elapsed", 0.0)))));
}

}  // namespace imago::app
