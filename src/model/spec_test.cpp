// SPDX-License-Identifier: Apache-2.0
#include "model/spec.hpp"

#include <gmock/gmock.h>

#include "model/architectures.hpp"

namespace imago::model {
namespace {

using testing::HasSubstr;

ModelSpec pets() {
  ModelSpec spec;
  spec.name = "pets";
  spec.graph = *build_graph("gap-cnn", {.input = {3, 64, 48}, .classes = 2});
  spec.labels = {"cat", "dog"};
  spec.aliases = {{"cats", "cat"}};
  spec.preprocess.height = 64;
  spec.preprocess.width = 48;
  spec.preprocess.mean = {0.5F, 0.4F, 0.3F};
  spec.temperature = 1.5;
  spec.views = Views::Flip;
  spec.evaluation_views = Views::Multi;
  return spec;
}

std::string refusal(const ModelSpec& spec) {
  const auto back = spec_from_json(to_json(spec));
  return back ? "accepted" : back.error().message;
}

TEST(ModelSpec, ComesBackFromJsonAsItWas) {
  const ModelSpec spec = pets();
  const auto back = spec_from_json(*json::parse(json::dump_pretty(to_json(spec))));
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(back->name, spec.name);
  EXPECT_EQ(back->graph, spec.graph);
  EXPECT_EQ(back->labels, spec.labels);
  EXPECT_EQ(back->aliases, spec.aliases);
  EXPECT_EQ(back->preprocess, spec.preprocess);
  EXPECT_EQ(back->temperature, spec.temperature);
  EXPECT_EQ(back->views, spec.views);
  EXPECT_EQ(back->evaluation_views, spec.evaluation_views);
}

TEST(ModelSpec, LooksOnceAtAnImageUnlessItSaysOtherwise) {
  json::Value json = to_json(pets());
  json.erase("views");
  json.erase("evaluation_views");
  const auto before_there_were_views = spec_from_json(json);
  ASSERT_TRUE(before_there_were_views);
  EXPECT_EQ(before_there_were_views->views, Views::None);
  EXPECT_EQ(before_there_were_views->evaluation_views, Views::None);
  json["views"] = "ten";
  EXPECT_THAT(spec_from_json(json).error().message, HasSubstr("'views': no views 'ten'"));
}

TEST(ModelSpec, RefusesWhatDoesNotFitTogether) {
  ModelSpec spec = pets();
  spec.labels = {"cat"};
  EXPECT_THAT(refusal(spec), HasSubstr("'labels' has 1, at least 2"));
  spec = pets();
  spec.labels = {"cat", "cat"};
  EXPECT_THAT(refusal(spec), HasSubstr("'labels' has 'cat' twice"));
  spec = pets();
  spec.labels = {"cat", "dog", "hen"};
  EXPECT_THAT(refusal(spec), HasSubstr("'labels' has 3, but the graph has 1 outputs"));
  spec = pets();
  spec.aliases["hens"] = "hen";
  EXPECT_THAT(refusal(spec), HasSubstr("'hens' stands for 'hen', which is no label"));
  spec = pets();
  spec.preprocess.width = 64;
  EXPECT_THAT(refusal(spec), HasSubstr("'preprocess' makes [3, 64, 64], but the graph takes [3, 64, 48]"));
  spec = pets();
  spec.temperature = 0.0;
  EXPECT_THAT(refusal(spec), HasSubstr("'temperature' is 0"));
}

TEST(ModelSpec, RefusesAFormatItDoesNotKnow) {
  json::Value value = to_json(pets());
  value["format"] = 2;
  const auto refused = spec_from_json(value);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::Unsupported);
  EXPECT_THAT(refused.error().message, HasSubstr("spec format 2, this program reads 1"));
}

}  // namespace
}  // namespace imago::model
