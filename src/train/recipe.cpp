// SPDX-License-Identifier: Apache-2.0
#include "train/recipe.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <limits>

namespace imago::train {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr double kMaxMinutes = 60.0 * 24 * 365;

/// One JSON object of a recipe, read key by key; the first thing wrong is kept and everything after it is ignored.
class Section {
 public:
  Section(const json::Value& parent, std::string name) : name_(std::move(name)) {
    if (name_.empty()) {
      value_ = parent;
    } else if (parent.is_object() && parent.contains(name_)) {
      value_ = parent[name_];
    }
    if (!value_.is_object()) error_ = Error{ErrorCode::InvalidArgument, fmt::format("{} must be an object", label())};
  }

  void read(const char* key, bool& into) { take(key, into); }
  void read(const char* key, std::string& into) { take(key, into); }

  void read(const char* key, double& into, double least, double most) {
    take(key, into);
    check_range(key, into, least, most);
  }

  void read(const char* key, int& into, int least, int most) {
    take(key, into);
    check_range(key, into, least, most);
  }

  /// A nested object that somebody else reads.
  void allow(const std::string& key) { known_.push_back(key); }

  /// The first failure, or a key that nobody read.
  [[nodiscard]] Result<void> finish() const {
    if (error_) return tl::unexpected<Error>(*error_);
    for (const auto& [key, unused] : value_.items()) {
      if (std::ranges::find(known_, key) == known_.end())
        return fail(ErrorCode::InvalidArgument, "{} has no setting '{}': there are {}", label(), key,
                    fmt::join(known_, ", "));
    }
    return {};
  }

 private:
  [[nodiscard]] std::string label() const { return name_.empty() ? "the recipe" : "recipe." + name_; }

  template <class T>
  void take(const char* key, T& into) {
    known_.emplace_back(key);
    if (error_) return;
    auto found = json::get_or<T>(value_, key, into);
    if (found) {
      into = std::move(*found);
    } else {
      error_ = std::move(found.error()).with(label());
    }
  }

  template <class T>
  void check_range(const char* key, T found, T least, T most) {
    if (error_ || (found >= least && found <= most)) return;  // false for nan
    error_ = Error{ErrorCode::InvalidArgument,
                   fmt::format("{}: {} is {}, not in [{}, {}]", label(), key, found, least, most)};
  }

  std::string name_;
  json::Value value_ = json::Value::object();
  std::vector<std::string> known_;
  std::optional<Error> error_;
};

std::string_view to_string(nn::OptimizerKind kind) {
  switch (kind) {
    case nn::OptimizerKind::Sgd: return "sgd";
    case nn::OptimizerKind::Adam: return "adam";
    case nn::OptimizerKind::AdamW: return "adamw";
  }
  EXPECTS(false, "an optimiser without a name");
}

Result<nn::OptimizerKind> optimizer_kind_from(std::string_view name) {
  for (const auto kind : {nn::OptimizerKind::Sgd, nn::OptimizerKind::Adam, nn::OptimizerKind::AdamW}) {
    if (to_string(kind) == name) return kind;
  }
  return fail(ErrorCode::InvalidArgument, "recipe.optimizer: no optimiser '{}': there are sgd, adam and adamw", name);
}

Result<void> read_optimizer(const json::Value& recipe, nn::OptimizerSettings& optimizer) {
  Section section(recipe, "optimizer");
  std::string kind(to_string(optimizer.kind));
  section.read("kind", kind);
  section.read("momentum", optimizer.momentum, 0.0, 0.9999);
  section.read("nesterov", optimizer.nesterov);
  section.read("beta1", optimizer.beta1, 0.0, 0.9999999);
  section.read("beta2", optimizer.beta2, 0.0, 0.9999999);
  section.read("eps", optimizer.eps, 1e-30, 1.0);
  section.read("weight_decay", optimizer.weight_decay, 0.0, 10.0);
  section.read("decay_bias_and_norm", optimizer.decay_bias_and_norm);
  section.read("norm_bias_lr_factor", optimizer.norm_bias_lr_factor, 1e-6, 1e6);
  TRY_VOID(section.finish());
  TRY(optimizer.kind, optimizer_kind_from(kind));
  return {};
}

Result<void> read_schedule(const json::Value& recipe, ScheduleSettings& schedule) {
  Section section(recipe, "schedule");
  std::string kind(to_string(schedule.kind));
  section.read("kind", kind);
  section.read("peak", schedule.peak, 1e-12, 1e6);
  section.read("start_factor", schedule.start_factor, 0.0, 1.0);
  section.read("end_factor", schedule.end_factor, 0.0, 1.0);
  section.read("warmup_share", schedule.warmup_share, 0.0, 1.0);
  section.read("step_epochs", schedule.step_epochs, 1, 1'000'000);
  section.read("step_factor", schedule.step_factor, 1e-9, 1.0);
  TRY_VOID(section.finish());
  TRY(schedule.kind, schedule_kind_from(kind));
  return {};
}

Result<void> read_preprocess(const json::Value& recipe, image::Preprocess& preprocess) {
  Section section(recipe, "preprocess");
  json::Value complete = image::to_json(preprocess);  // a model package must name every field, a recipe need not
  for (const auto& [key, unused] : complete.items()) section.allow(key);
  TRY_VOID(section.finish());
  if (recipe.contains("preprocess")) complete.update(recipe["preprocess"]);
  auto read = image::preprocess_from_json(complete);
  if (!read) return pass(read, "recipe.preprocess");
  preprocess = *read;
  return {};
}

Result<void> read_architecture(const json::Value& value, Recipe& recipe) {
  const auto found = value.find("architecture");
  if (found == value.end() || !found->is_object())
    return fail(ErrorCode::InvalidArgument, "recipe.architecture must be an object with a name and its settings");
  TRY(recipe.architecture, json::get<std::string>(*found, "name"));
  recipe.architecture_settings = *found;
  recipe.architecture_settings.erase("name");
  return {};
}

Result<void> read_top(const json::Value& value, Recipe& recipe) {
  Section section(value, "");
  for (const char* nested : {"architecture", "preprocess", "augmentation", "optimizer", "loss", "schedule"})
    section.allow(nested);
  double max_minutes = 0.0;
  int checkpoint_seconds = static_cast<int>(recipe.training.checkpoint_every.count());
  section.read("name", recipe.name);
  section.read("description", recipe.description);
  section.read("epochs", recipe.training.epochs, 1, 100'000);
  section.read("batch_size", recipe.training.batch_size, 1, 65'536);
  section.read("max_minutes", max_minutes, 0.0, kMaxMinutes);
  section.read("early_stopping_patience", recipe.training.early_stopping_patience, 0, 100'000);
  section.read("restore_best", recipe.training.restore_best);
  section.read("whitening_bias_epochs", recipe.training.whitening_bias_epochs, 0, 100'000);
  std::string freeze = recipe.learner.freeze_backbone ? "backbone" : "none";
  section.read("freeze", freeze);
  section.read("pretrained", recipe.pretrained);
  section.read("gradient_clip_norm", recipe.learner.gradient_clip_norm, 0.0, 1e9);
  section.read("ema_decay", recipe.learner.ema_decay, 0.0, 0.999999);
  section.read("checkpoint_seconds", checkpoint_seconds, 1, 86'400);
  TRY_VOID(section.finish());
  if (freeze != "none" && freeze != "backbone")
    return fail(ErrorCode::InvalidArgument, "the recipe: freeze is '{}', not none or backbone", freeze);
  recipe.learner.freeze_backbone = freeze == "backbone";
  recipe.training.max_time = milliseconds(std::llround(max_minutes * 60'000.0));
  recipe.training.checkpoint_every = seconds(checkpoint_seconds);
  return {};
}

json::Value child(const json::Value& value, const char* key) {
  return value.contains(key) ? value[key] : json::Value::object();
}

}  // namespace

Result<model::Graph> Recipe::graph(int classes) const {
  return model::build_graph(
      architecture,
      {.input = {3, preprocess.height, preprocess.width}, .classes = classes, .settings = architecture_settings});
}

Result<Recipe> recipe_from_json(const json::Value& value) {
  Recipe recipe;
  TRY_VOID(read_top(value, recipe));
  if (recipe.name.empty()) return fail(ErrorCode::InvalidArgument, "the recipe has no name");
  TRY_VOID(read_architecture(value, recipe));
  TRY_VOID(read_preprocess(value, recipe.preprocess));
  TRY(recipe.training.augmentation, data::augmentation_from_json(child(value, "augmentation")));
  TRY_VOID(read_optimizer(value, recipe.learner.optimizer));
  TRY_VOID(read_schedule(value, recipe.training.schedule));
  Section loss(value, "loss");
  loss.read("label_smoothing", recipe.learner.loss.label_smoothing, 0.0, 0.999);
  TRY_VOID(loss.finish());
  return recipe;
}

json::Value to_json(const Recipe& recipe) {
  json::Value architecture{{"name", recipe.architecture}};
  architecture.update(recipe.architecture_settings);
  const nn::OptimizerSettings& o = recipe.learner.optimizer;
  const ScheduleSettings& s = recipe.training.schedule;
  const TrainSettings& t = recipe.training;
  return {{"name", recipe.name},
          {"description", recipe.description},
          {"architecture", architecture},
          {"preprocess", image::to_json(recipe.preprocess)},
          {"augmentation", data::to_json(t.augmentation)},
          {"optimizer",
           {{"kind", to_string(o.kind)},
            {"momentum", o.momentum},
            {"nesterov", o.nesterov},
            {"beta1", o.beta1},
            {"beta2", o.beta2},
            {"eps", o.eps},
            {"weight_decay", o.weight_decay},
            {"decay_bias_and_norm", o.decay_bias_and_norm},
            {"norm_bias_lr_factor", o.norm_bias_lr_factor}}},
          {"loss", {{"label_smoothing", recipe.learner.loss.label_smoothing}}},
          {"schedule",
           {{"kind", to_string(s.kind)},
            {"peak", s.peak},
            {"start_factor", s.start_factor},
            {"end_factor", s.end_factor},
            {"warmup_share", s.warmup_share},
            {"step_epochs", s.step_epochs},
            {"step_factor", s.step_factor}}},
          {"epochs", t.epochs},
          {"batch_size", t.batch_size},
          {"max_minutes", std::chrono::duration<double, std::ratio<60>>(t.max_time).count()},
          {"early_stopping_patience", t.early_stopping_patience},
          {"restore_best", t.restore_best},
          {"whitening_bias_epochs", t.whitening_bias_epochs},
          {"freeze", recipe.learner.freeze_backbone ? "backbone" : "none"},
          {"pretrained", recipe.pretrained},
          {"gradient_clip_norm", recipe.learner.gradient_clip_norm},
          {"ema_decay", recipe.learner.ema_decay},
          {"checkpoint_seconds", t.checkpoint_every.count()}};
}

}  // namespace imago::train
