// SPDX-License-Identifier: Apache-2.0
#include "train/recipe.hpp"

#include <cmath>
#include <initializer_list>

#include "train/recipe_section.hpp"

namespace imago::train {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr double kMaxMinutes = 60.0 * 24 * 365;

std::string_view to_string(nn::Precision precision) {
  switch (precision) {
    case nn::Precision::Float32: return "float32";
    case nn::Precision::Bfloat16: return "bfloat16";
    case nn::Precision::Auto: return "auto";
  }
  return "float32";
}

Result<nn::Precision> precision_from(std::string_view name) {
  for (const auto precision : {nn::Precision::Float32, nn::Precision::Bfloat16, nn::Precision::Auto}) {
    if (name == to_string(precision)) return precision;
  }
  return fail(ErrorCode::InvalidArgument, "the recipe: precision is '{}', not float32, bfloat16 or auto", name);
}

std::string_view to_string(nn::DataOn place) {
  switch (place) {
    case nn::DataOn::Auto: return "auto";
    case nn::DataOn::Device: return "device";
    case nn::DataOn::Host: return "host";
  }
  return "auto";
}

Result<nn::DataOn> data_on_from(std::string_view name) {
  for (const auto place : {nn::DataOn::Auto, nn::DataOn::Device, nn::DataOn::Host}) {
    if (name == to_string(place)) return place;
  }
  return fail(ErrorCode::InvalidArgument, "the recipe: data_on is '{}', not auto, device or host", name);
}

std::string_view to_string(nn::OptimizerKind kind) {
  switch (kind) {
    case nn::OptimizerKind::Sgd: return "sgd";
    case nn::OptimizerKind::Adam: return "adam";
    case nn::OptimizerKind::AdamW: return "adamw";
    case nn::OptimizerKind::Muon: return "muon";
  }
  EXPECTS(false, "an optimiser without a name");
}

Result<nn::OptimizerKind> optimizer_kind_from(std::string_view name) {
  for (const auto kind :
       {nn::OptimizerKind::Sgd, nn::OptimizerKind::Adam, nn::OptimizerKind::AdamW, nn::OptimizerKind::Muon}) {
    if (to_string(kind) == name) return kind;
  }
  return fail(ErrorCode::InvalidArgument, "recipe.optimizer: no optimiser '{}': there are sgd, adam, adamw and muon",
              name);
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
  section.read("whitening_bias_lr_factor", optimizer.whitening_bias_lr_factor, 1e-6, 1e6);
  section.read("muon_momentum", optimizer.muon_momentum, 0.0, 0.9999);
  section.read("muon_sgd_lr_factor", optimizer.muon_sgd_lr_factor, 1e-6, 1e6);
  for (const char* rate : {"lr", "learning_rate"}) section.elsewhere(rate, "schedule.peak");
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
  section.read("plateau_patience", schedule.plateau_patience, 0, 100'000);
  section.read("plateau_threshold", schedule.plateau_threshold, 0.0, 0.999);
  TRY_VOID(section.finish());
  TRY(schedule.kind, schedule_kind_from(kind));
  return {};
}

Result<void> read_loss(const json::Value& recipe, Recipe& into) {
  Section section(recipe, "loss");
  section.read("label_smoothing", into.learner.loss.label_smoothing, 0.0, 0.999);
  section.allow("class_weights");
  TRY_VOID(section.finish());
  const json::Value loss = recipe.value("loss", json::Value::object());
  if (!loss.contains("class_weights")) return {};
  auto weighting = class_weighting_from_json(loss["class_weights"]);
  if (!weighting) return pass(weighting, "recipe.loss: class_weights");
  into.class_weighting = *std::move(weighting);
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
  for (const char* rate : {"lr", "learning_rate"}) section.elsewhere(rate, "schedule.peak");
  double max_minutes = 0.0;
  int checkpoint_seconds = static_cast<int>(recipe.training.checkpoint_every.count());
  section.read("name", recipe.name);
  section.read("description", recipe.description);
  section.read("epochs", recipe.training.epochs, 0.001, 100'000.0);
  section.read("batch_size", recipe.training.batch_size, 1, 65'536);
  section.read("max_minutes", max_minutes, 0.0, kMaxMinutes);
  section.read("early_stopping_patience", recipe.training.early_stopping_patience, 0, 100'000);
  section.read("restore_best", recipe.training.restore_best);
  section.read("whitening_bias_epochs", recipe.training.whitening_bias_epochs, 0, 100'000);
  section.read("whitening_bias_to_zero", recipe.training.whitening_bias_to_zero);
  section.read("lookahead_steps", recipe.training.lookahead_steps, 0, 1'000'000);
  section.read("lookahead_decay", recipe.training.lookahead_decay, 0.0, 1.0);
  section.read("unfreeze_epoch", recipe.training.unfreeze_epoch, 0, 100'000);
  section.read("unfreeze_rate_factor", recipe.training.unfreeze_rate_factor, 1e-9, 1e3);
  std::string freeze = recipe.learner.freeze_backbone ? "backbone" : "none";
  section.read("freeze", freeze);
  section.read("pretrained", recipe.pretrained);
  std::string views(to_string(recipe.views)), evaluation_views(to_string(recipe.evaluation_views));
  section.read("views", views);
  section.read("evaluation_views", evaluation_views);
  std::string precision(to_string(recipe.learner.precision));
  section.read("precision", precision);
  std::string data_on(to_string(recipe.learner.data_on));
  section.read("data_on", data_on);
  section.read("gradient_clip_norm", recipe.learner.gradient_clip_norm, 0.0, 1e9);
  section.read("ema_decay", recipe.learner.ema_decay, 0.0, 0.999999);
  section.read("checkpoint_seconds", checkpoint_seconds, 1, 86'400);
  TRY_VOID(section.finish());
  if (freeze != "none" && freeze != "backbone")
    return fail(ErrorCode::InvalidArgument, "the recipe: freeze is '{}', not none or backbone", freeze);
  recipe.learner.freeze_backbone = freeze == "backbone";
  recipe.learner.lookahead = recipe.training.lookahead_steps > 0;
  if (recipe.learner.lookahead && recipe.learner.ema_decay > 0.0)
    return fail(ErrorCode::InvalidArgument, "the recipe: ema_decay and lookahead_steps exclude each other");
  if (recipe.training.unfreeze_epoch > 0 && !recipe.learner.freeze_backbone)
    return fail(ErrorCode::InvalidArgument, "the recipe: unfreeze_epoch is {}, but freeze is none",
                recipe.training.unfreeze_epoch);
  TRY(recipe.learner.precision, precision_from(precision));
  TRY(recipe.learner.data_on, data_on_from(data_on));
  TRY(recipe.views, model::views_from(views));
  TRY(recipe.evaluation_views, model::views_from(evaluation_views));
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
  TRY_VOID(read_loss(value, recipe));
  return recipe;
}

json::Value epochs_to_json(double epochs) {
  return epochs == std::floor(epochs) ? json::Value(std::llround(epochs)) : json::Value(epochs);
}

json::Value to_json(const Recipe& recipe) {
  json::Value architecture{{"name", recipe.architecture}};
  architecture.update(recipe.architecture_settings);
  const nn::OptimizerSettings& o = recipe.learner.optimizer;
  const ScheduleSettings& s = recipe.training.schedule;
  const TrainSettings& t = recipe.training;
  return {
      {"name", recipe.name},
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
        {"norm_bias_lr_factor", o.norm_bias_lr_factor},
        {"whitening_bias_lr_factor", o.whitening_bias_lr_factor},
        {"muon_momentum", o.muon_momentum},
        {"muon_sgd_lr_factor", o.muon_sgd_lr_factor}}},
      {"loss",
       {{"label_smoothing", recipe.learner.loss.label_smoothing}, {"class_weights", to_json(recipe.class_weighting)}}},
      {"schedule",
       {{"kind", to_string(s.kind)},
        {"peak", s.peak},
        {"start_factor", s.start_factor},
        {"end_factor", s.end_factor},
        {"warmup_share", s.warmup_share},
        {"step_epochs", s.step_epochs},
        {"step_factor", s.step_factor},
        {"plateau_patience", s.plateau_patience},
        {"plateau_threshold", s.plateau_threshold}}},
      {"epochs", epochs_to_json(t.epochs)},
      {"batch_size", t.batch_size},
      {"max_minutes", std::chrono::duration<double, std::ratio<60>>(t.max_time).count()},
      {"early_stopping_patience", t.early_stopping_patience},
      {"restore_best", t.restore_best},
      {"whitening_bias_epochs", t.whitening_bias_epochs},
      {"whitening_bias_to_zero", t.whitening_bias_to_zero},
      {"lookahead_steps", t.lookahead_steps},
      {"lookahead_decay", t.lookahead_decay},
      {"unfreeze_epoch", t.unfreeze_epoch},
      {"unfreeze_rate_factor", t.unfreeze_rate_factor},
      {"freeze", recipe.learner.freeze_backbone ? "backbone" : "none"},
      {"pretrained", recipe.pretrained},
      {"views", to_string(recipe.views)},
      {"evaluation_views", to_string(recipe.evaluation_views)},
      {"precision", to_string(recipe.learner.precision)},
      {"data_on", to_string(recipe.learner.data_on)},
      {"gradient_clip_norm", recipe.learner.gradient_clip_norm},
      {"ema_decay", recipe.learner.ema_decay},
      {"checkpoint_seconds", t.checkpoint_every.count()}};
}

}  // namespace imago::train
