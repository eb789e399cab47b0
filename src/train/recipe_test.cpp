// SPDX-License-Identifier: Apache-2.0
#include "train/recipe.hpp"

#include <gmock/gmock.h>

#include "base/files.hpp"
#include "base/source_dir.hpp"

namespace imago::train {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

json::Value least() { return {{"name", "tiny"}, {"architecture", {{"name", "simple-cnn"}}}}; }

std::string refusal(const json::Value& recipe) {
  const auto parsed = recipe_from_json(recipe);
  if (parsed) return "accepted";
  EXPECT_EQ(parsed.error().code, ErrorCode::InvalidArgument);
  return parsed.error().message;
}

std::string refusal_of(const char* section, const char* key, const json::Value& value) {
  auto recipe = least();
  if (*section == '\0') {
    recipe[key] = value;
  } else {
    recipe[section][key] = value;
  }
  return refusal(recipe);
}

TEST(Recipe, NeedsANameAndAnArchitectureAndHasDefaultsForTheRest) {
  const auto recipe = recipe_from_json(least());
  ASSERT_TRUE(recipe) << recipe.error().message;
  EXPECT_EQ(recipe->name, "tiny");
  EXPECT_EQ(recipe->architecture, "simple-cnn");
  EXPECT_EQ(recipe->training.epochs, TrainSettings{}.epochs);
  EXPECT_EQ(recipe->training.max_time.count(), 0);
  EXPECT_EQ(recipe->learner.optimizer.kind, nn::OptimizerKind::Adam);
  EXPECT_EQ(recipe->preprocess, image::Preprocess{});
  EXPECT_EQ(recipe->training.augmentation, data::Augmentation{});
  EXPECT_THAT(refusal({{"architecture", {{"name", "simple-cnn"}}}}), HasSubstr("no name"));
  EXPECT_THAT(refusal({{"name", "x"}}), HasSubstr("recipe.architecture must be an object"));
  EXPECT_THAT(refusal({{"name", "x"}, {"architecture", "simple-cnn"}}), HasSubstr("must be an object"));
  EXPECT_THAT(refusal({{"name", "x"}, {"architecture", json::Value::object()}}), HasSubstr("name"));
  EXPECT_THAT(refusal(json::Value::array()), HasSubstr("the recipe must be an object"));
  EXPECT_THAT(refusal(nullptr), HasSubstr("the recipe must be an object"));
}

TEST(Recipe, ComesBackFromItsJsonWithEverySetting) {
  json::Value all{
      {"name", "all"},
      {"description", "every setting, none at its default"},
      {"architecture", {{"name", "improved-cnn"}, {"dropout", 0.25}}},
      {"preprocess",
       {{"width", 16}, {"height", 24}, {"fit", "crop"}, {"mean", {0.5, 0.25, 0.125}}, {"stddev", {0.25, 0.5, 2.0}}}},
      {"augmentation",
       {{"flip", "alternating"},
        {"crop_padding", 2},
        {"rotation", 0.125},
        {"zoom", 0.25},
        {"brightness", 0.5},
        {"contrast", 0.25},
        {"saturation", 0.125},
        {"hue", 0.0625},
        {"cutout", 4},
        {"randaugment_operations", 2},
        {"randaugment_magnitude", 14},
        {"mixup", 0.2},
        {"cutmix", 1.0}}},
      {"optimizer",
       {{"kind", "adamw"},
        {"momentum", 0.5},
        {"nesterov", false},
        {"beta1", 0.75},
        {"beta2", 0.875},
        {"eps", 1e-6},
        {"weight_decay", 0.01},
        {"decay_bias_and_norm", false},
        {"norm_bias_lr_factor", 64.0},
        {"whitening_bias_lr_factor", 8.0},
        {"muon_momentum", 0.5},
        {"muon_sgd_lr_factor", 16.0}}},
      {"loss", {{"label_smoothing", 0.2}, {"class_weights", {{"cat", 2.0}}}}},
      {"schedule",
       {{"kind", "triangle"},
        {"peak", 0.75},
        {"start_factor", 0.2},
        {"end_factor", 0.07},
        {"warmup_share", 0.23},
        {"step_epochs", 5},
        {"step_factor", 0.9},
        {"plateau_patience", 4},
        {"plateau_threshold", 0.01}}},
      {"epochs", 8},
      {"batch_size", 512},
      {"max_minutes", 0.1},
      {"early_stopping_patience", 3},
      {"restore_best", false},
      {"whitening_bias_epochs", 3},
      {"whitening_bias_to_zero", true},
      {"lookahead_steps", 0},
      {"lookahead_decay", 0.9},
      {"unfreeze_epoch", 2},
      {"unfreeze_rate_factor", 0.05},
      {"freeze", "backbone"},
      {"pretrained", "weights.safetensors"},
      {"views", "flip"},
      {"evaluation_views", "multi"},
      {"precision", "bfloat16"},
      {"data_on", "device"},
      {"gradient_clip_norm", 1.5},
      {"ema_decay", 0.99},
      {"checkpoint_seconds", 7}};
  all["preprocess"]["fit"] = image::to_json(image::Preprocess{.fit = image::Fit::CropCentre})["fit"];
  const auto recipe = recipe_from_json(all);
  ASSERT_TRUE(recipe) << recipe.error().message;
  EXPECT_EQ(json::dump(to_json(*recipe)), json::dump(all));
  EXPECT_EQ(recipe->training.max_time, std::chrono::seconds(6));
  EXPECT_EQ(recipe->training.checkpoint_every, std::chrono::seconds(7));
  EXPECT_EQ(recipe->learner.optimizer.kind, nn::OptimizerKind::AdamW);
  EXPECT_EQ(recipe->training.schedule.kind, ScheduleKind::Triangle);
  // The complete form of a short recipe is a recipe, and the same one.
  const auto complete = to_json(recipe_from_json(least()).value());
  EXPECT_EQ(json::dump(to_json(recipe_from_json(complete).value())), json::dump(complete));
}

TEST(Recipe, NamesAKeyItDoesNotKnowAndThoseItKnows) {
  EXPECT_THAT(refusal_of("", "epoch", 3), AllOf(HasSubstr("the recipe has no setting 'epoch'"), HasSubstr("epochs")));
  EXPECT_THAT(refusal_of("optimizer", "lr", 0.1),
              AllOf(HasSubstr("recipe.optimizer has no setting 'lr' (it is schedule.peak here)"),
                    HasSubstr("norm_bias_lr_factor")));
  EXPECT_THAT(refusal_of("", "learning_rate", 0.1), HasSubstr("schedule.peak"));
  EXPECT_THAT(refusal_of("schedule", "warmup", 0.1),
              AllOf(HasSubstr("recipe.schedule has no setting 'warmup'"), HasSubstr("warmup_share")));
  EXPECT_THAT(refusal_of("loss", "smoothing", 0.1), HasSubstr("label_smoothing"));
  EXPECT_THAT(refusal_of("augmentation", "flips", true), HasSubstr("flips"));
  EXPECT_THAT(refusal_of("preprocess", "size", 32), HasSubstr("size"));
}

TEST(Recipe, RefusesValuesOfAWrongTypeByName) {
  EXPECT_THAT(refusal_of("", "epochs", "ten"), HasSubstr("epochs"));
  EXPECT_THAT(refusal_of("", "name", 7), HasSubstr("name"));
  EXPECT_THAT(refusal_of("", "restore_best", 1), HasSubstr("restore_best"));
  EXPECT_THAT(refusal_of("optimizer", "nesterov", "yes"), AllOf(HasSubstr("recipe.optimizer"), HasSubstr("nesterov")));
  EXPECT_THAT(refusal_of("", "schedule", "triangle"), HasSubstr("recipe.schedule must be an object"));
  EXPECT_THAT(refusal_of("", "optimizer", json::Value::array()), HasSubstr("recipe.optimizer must be an object"));
  EXPECT_NE(refusal_of("", "preprocess", 3), "accepted");
  EXPECT_NE(refusal_of("", "augmentation", "flip"), "accepted");
}

struct Range {
  const char* section;
  const char* key;
  json::Value least, most, below, above;
};

TEST(Recipe, HoldsNumbersToTheirRanges) {
  const std::vector<Range> ranges{
      {"", "epochs", 0.001, 100'000, 0, 100'001},
      {"", "batch_size", 1, 65'536, 0, 65'537},
      {"", "max_minutes", 0, 525'600, -0.5, 525'601},
      {"", "early_stopping_patience", 0, 100'000, -1, 100'001},
      {"", "whitening_bias_epochs", 0, 100'000, -1, 100'001},
      {"", "gradient_clip_norm", 0, 1e9, -1, 1e10},
      {"", "ema_decay", 0, 0.999999, -0.1, 1.0},
      {"", "checkpoint_seconds", 1, 86'400, 0, 86'401},
      {"optimizer", "momentum", 0, 0.9999, -0.1, 1.0},
      {"optimizer", "beta1", 0, 0.9999, -0.1, 1.0},
      {"optimizer", "beta2", 0, 0.9999, -0.1, 1.0},
      {"optimizer", "eps", 1e-30, 1.0, 0.0, 2.0},
      {"optimizer", "weight_decay", 0, 10, -0.1, 11},
      {"optimizer", "norm_bias_lr_factor", 1e-6, 1e6, 0, 1e7},
      {"loss", "label_smoothing", 0, 0.999, -0.1, 1.0},
      {"optimizer", "whitening_bias_lr_factor", 1e-6, 1e6, 0, 1e7},
      {"optimizer", "muon_momentum", 0, 0.9999, -0.1, 1.0},
      {"optimizer", "muon_sgd_lr_factor", 1e-6, 1e6, 0, 1e7},
      {"", "lookahead_steps", 0, 1'000'000, -1, 1'000'001},
      {"", "lookahead_decay", 0, 1, -0.1, 1.1},
      {"", "unfreeze_rate_factor", 1e-9, 1e3, 0, 1e4},
      {"schedule", "plateau_patience", 0, 100'000, -1, 100'001},
      {"schedule", "plateau_threshold", 0, 0.999, -0.1, 1.0},
      {"schedule", "peak", 1e-12, 1e6, 0, 1e7},
      {"schedule", "start_factor", 0, 1, -0.1, 1.1},
      {"schedule", "end_factor", 0, 1, -0.1, 1.1},
      {"schedule", "warmup_share", 0, 1, -0.1, 1.1},
      {"schedule", "step_epochs", 1, 1'000'000, 0, 1'000'001},
      {"schedule", "step_factor", 1e-9, 1, 0, 1.1},
  };
  for (const Range& range : ranges) {
    EXPECT_EQ(refusal_of(range.section, range.key, range.least), "accepted") << range.key;
    EXPECT_EQ(refusal_of(range.section, range.key, range.most), "accepted") << range.key;
    for (const json::Value& outside : {range.below, range.above}) {
      EXPECT_THAT(refusal_of(range.section, range.key, outside), AllOf(HasSubstr(range.key), HasSubstr("not in [")));
    }
  }
}

TEST(Recipe, RefusesSettingsThatContradictEachOther) {
  auto both = least();
  both["ema_decay"] = 0.99;
  both["lookahead_steps"] = 5;
  EXPECT_THAT(refusal(both), HasSubstr("ema_decay and lookahead_steps exclude each other"));
  EXPECT_THAT(refusal_of("", "unfreeze_epoch", 2), HasSubstr("unfreeze_epoch is 2, but freeze is none"));
  EXPECT_THAT(refusal_of("loss", "class_weights", "equal"), HasSubstr("recipe.loss: class_weights"));
}

TEST(Recipe, ListsTheKindsThereAre) {
  EXPECT_THAT(refusal_of("", "views", "ten"), HasSubstr("no views 'ten': there are none, flip and multi"));
  EXPECT_THAT(refusal_of("optimizer", "kind", "lion"),
              HasSubstr("no optimiser 'lion': there are sgd, adam, adamw and muon"));
  EXPECT_THAT(refusal_of("schedule", "kind", "linear"), HasSubstr("no schedule 'linear'"));
}

TEST(Recipe, HasEverySettingOnItsPage) {
  const auto page = read_file(std::filesystem::path(source_dir()) / "docs/formats/recipe.md").value();
  const auto all = to_json(recipe_from_json(least()).value());
  for (const auto& [key, value] : all.items()) {
    if (key == "augmentation" || key == "architecture") continue;  // pages of their own, and the table of architectures
    EXPECT_THAT(page, HasSubstr(value.is_object() ? key : "`" + key + "`"));
    if (!value.is_object()) continue;
    for (const auto& [inner, unused] : value.items()) EXPECT_THAT(page, HasSubstr("`" + inner)) << key;
  }
  for (const std::string& name : model::architecture_names()) EXPECT_THAT(page, HasSubstr(name));
}

TEST(Recipe, BuildsItsNetworkForTheClassesOfTheData) {
  auto json = least();
  json["preprocess"] = {{"width", 20}, {"height", 16}};
  const auto graph = recipe_from_json(json).value().graph(7);
  ASSERT_TRUE(graph) << graph.error().message;
  EXPECT_EQ(graph->input, (model::InputShape{3, 16, 20}));
  EXPECT_EQ(model::summarize(*graph).value().back().output, model::Shape{7});
  json["architecture"]["width"] = 3;
  EXPECT_THAT(recipe_from_json(json).value().graph(7).error().message, HasSubstr("width"));
  json["architecture"] = {{"name", "no-such-net"}};
  EXPECT_EQ(recipe_from_json(json).value().graph(7).error().code, ErrorCode::NotFound);
}

}  // namespace
}  // namespace imago::train
