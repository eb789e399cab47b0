// SPDX-License-Identifier: Apache-2.0
// What needs no trainer; tests/end_to_end/test_explain.py has the rest.
#include "serve/explainer.hpp"

#include <gmock/gmock.h>

#include <fstream>

#include "base/files.hpp"

namespace imago::serve {
namespace {

using ::testing::HasSubstr;

model::ModelSpec digits() {
  model::ModelSpec spec;
  spec.labels = {"1", "cat", "0"};
  spec.aliases = {{"kitten", "cat"}};
  spec.preprocess = {.width = 2, .height = 2};
  return spec;
}

image::Image grey() { return {2, 2, std::vector<std::uint8_t>(12, 128)}; }

class ExplainerTest : public ::testing::Test {
 protected:
  /// A program in place of imago-trainer.
  Explainer script(const std::string& text) {
    const auto path = folder.path() / "trainer";
    std::ofstream(path) << "#!/bin/sh\ncat > /dev/null\n" << text << "\n";
    fs::permissions(path, fs::perms::owner_all);
    return {.trainer = path, .package = folder.path(), .should_stop = {}};
  }

  TemporaryDirectory folder = TemporaryDirectory::create(fs::temp_directory_path(), "explainer-test").value();
};

TEST_F(ExplainerTest, KnowsAClassByLabelOtherSpellingOrIndex) {
  const auto spec = digits();
  EXPECT_EQ(class_from(spec, "cat").value(), 1);
  EXPECT_EQ(class_from(spec, "kitten").value(), 1);
  EXPECT_EQ(class_from(spec, "0").value(), 2);  // a label before an index
  EXPECT_EQ(class_from(spec, "2").value(), 2);
  EXPECT_EQ(class_from(spec, "").value(), std::nullopt);
  for (const auto* text : {"dog", "3", "-1", "1.0", "2 ", "99999999999999999999"})
    EXPECT_THAT(class_from(spec, text).error().message, HasSubstr("labels: 1, cat, 0")) << text;
}

TEST_F(ExplainerTest, TakesWhatTheTrainerSays) {
  const auto explainer =
      script(R"(echo '{"event":"explanations","explanations":[{"class_index":1,"predicted_index":0,)"
             R"("probabilities":[0.5,0.25,0.25],"layer":"conv","method":"grad-cam","heatmap":[[0,1,0.5]],)"
             R"("faithfulness":{"deletion":0.25,"insertion":0.75}}]}')");
  const auto explained = explain(explainer, digits(), grey(), grey(), 1);
  ASSERT_TRUE(explained) << explained.error().message;
  EXPECT_EQ(explained->layer, "conv");
  EXPECT_EQ(explained->heatmap.width, 3);
  EXPECT_EQ(explained->heatmap.height, 1);
  EXPECT_TRUE(explained->overlay_png.starts_with("\x89PNG"));
  const auto value = to_json(*explained, digits().labels);
  EXPECT_EQ(value["class"], "cat");
  EXPECT_EQ(value["confidence"], 0.25);
  EXPECT_EQ(value["faithfulness"].dump(), R"({"deletion":0.25,"insertion":0.75})");
}

TEST_F(ExplainerTest, AsksForManyAtOnce) {
  const auto explainer =
      script(R"(a='{"class_index":1,"predicted_index":0,"probabilities":[0.5,0.25,0.25],"layer":"c","method":"m",)"
             R"("heatmap":[[0]],"faithfulness":null}'; echo "{\"event\":\"explanations\",\"explanations\":[$a,$a]}")");
  const std::vector<Question> questions(2, {.pixels = grey(), .class_index = 1});
  const auto explained = explain(explainer, digits(), questions);
  ASSERT_TRUE(explained) << explained.error().message;
  EXPECT_EQ(explained->size(), 2U);
  EXPECT_TRUE(to_json(explained->front(), digits().labels)["faithfulness"].is_null());
  const std::vector<Question> more(3, questions.front());
  EXPECT_THAT(explain(explainer, digits(), more).error().message, HasSubstr("2 of 3"));
}

TEST_F(ExplainerTest, PassesOnWhyItFailed) {
  const auto refused = script(R"(echo '{"event":"error","code":"unsupported","message":"no planes"}'; exit 1)");
  EXPECT_EQ(explain(refused, digits(), grey(), grey(), {}).error().message, "no planes");
  const auto died = script("echo broken >&2; exit 3");
  EXPECT_THAT(explain(died, digits(), grey(), grey(), {}).error().message, HasSubstr("ended with status 3: broken"));
  const auto odd = script(
      R"(echo '{"event":"explanations","explanations":[{"class_index":1,"predicted_index":0,"probabilities":[1],)"
      R"("layer":"x","method":"y","heatmap":[["a"]]}]}')");
  EXPECT_FALSE(explain(odd, digits(), grey(), grey(), {}));
  const Explainer none{.trainer = folder.path() / "none", .package = folder.path(), .should_stop = {}};
  EXPECT_EQ(explain(none, digits(), grey(), grey(), {}).error().code, ErrorCode::Unavailable);
}

TEST_F(ExplainerTest, EndsATrainerThatTakesTooLong) {
  auto explainer = script("exec sleep 60");
  explainer.timeout = std::chrono::milliseconds(1);
  EXPECT_EQ(explain(explainer, digits(), grey(), grey(), {}).error().code, ErrorCode::Timeout);
}

}  // namespace
}  // namespace imago::serve
