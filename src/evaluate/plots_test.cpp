// SPDX-License-Identifier: Apache-2.0
#include "evaluate/plots.hpp"

#include <gmock/gmock.h>

#include <cmath>

namespace imago::evaluate {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

int count(const std::string& text, std::string_view what) {
  int found = 0;
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++found;
  return found;
}

std::vector<double> rounded(std::vector<double> values) {
  for (double& value : values) value = std::round(value * 1e9) / 1e9;
  return values;
}

TEST(AxisMarks, AreRoundNumbersInsideTheRange) {
  EXPECT_THAT(rounded(axis_marks(0.0, 1.0, 5)), ElementsAre(0.0, 0.2, 0.4, 0.6, 0.8, 1.0));
  EXPECT_THAT(rounded(axis_marks(0.37, 0.52, 5)), ElementsAre(0.4, 0.45, 0.5));
  EXPECT_THAT(rounded(axis_marks(1.0, 300.0, 6)), ElementsAre(50, 100, 150, 200, 250, 300));
  EXPECT_THAT(rounded(axis_marks(-3.0, 2.0, 5)), ElementsAre(-3, -2, -1, 0, 1, 2));
  EXPECT_THAT(axis_marks(2.0, 2.0, 5), ElementsAre(2.0));
}

TEST(CurvePanels, PutTrainingAndValidationOfAMeasureTogether) {
  const std::vector<std::pair<double, double>> points{{1, 0.5}};
  const auto panels = curve_panels(std::vector<Series>{{"accuracy", points},
                                                       {"learning_rate", points},
                                                       {"loss", points},
                                                       {"val_accuracy", points},
                                                       {"val_loss", {{1, std::nan("")}}}});
  ASSERT_EQ(panels.size(), 3U);
  EXPECT_EQ(panels[0].title, "accuracy");
  EXPECT_EQ(panels[0].series[1].name, "val_accuracy");
  EXPECT_EQ(panels[1].title, "learning_rate");
  EXPECT_EQ(panels[2].series.size(), 1U) << "a series without a finite point has no curve";
}

TEST(CurvePanels, ReadTheHistoryOfAReport) {
  const auto panels = curve_panels(json::Value{{{"epoch", 3}, {"loss", 2.0}, {"val_loss", nullptr}},
                                               {{"epoch", 4}, {"loss", 1.0}, {"val_loss", 1.5}}});
  ASSERT_EQ(panels.size(), 1U);
  EXPECT_THAT(panels[0].series[0].points, ElementsAre(std::pair(3.0, 2.0), std::pair(4.0, 1.0)));
  EXPECT_THAT(panels[0].series[1].points, ElementsAre(std::pair(4.0, 1.5)));
  EXPECT_TRUE(curve_panels(json::Value(nullptr)).empty());
}

TEST(DrawCurves, DrawsALinePerSeriesAndBreaksItWhereThereIsNoValue) {
  const auto svg = draw_curves(
      {{"loss", {{"loss", {{1, 3}, {2, std::nan("")}, {3, 1}, {4, 2}}}, {"val_loss", {{1, 2}, {4, 1}}}}}}, "epoch");
  EXPECT_THAT(svg, testing::StartsWith("<svg xmlns=\"http://www.w3.org/2000/svg\""));
  EXPECT_THAT(svg, testing::EndsWith("</svg>\n"));
  EXPECT_THAT(svg, HasSubstr(">val_loss<"));
  EXPECT_THAT(svg, HasSubstr(">epoch<"));
  // The box is 360 x 210 from (60, 40): 3 is its top, 1 its bottom, the gap at 2 begins a new line at 3.
  EXPECT_THAT(svg, HasSubstr("d=\"M60.0 40.0M300.0 250.0L420.0 145.0\""));
  EXPECT_EQ(count(svg, "<circle"), 5);
}

TEST(DrawCurves, WrapsPanelsIntoRowsAndLongLegendsIntoLines) {
  const std::vector<std::pair<double, double>> points{{1, 3}, {2, 1}};
  std::vector<Panel> panels(5, Panel{"loss", {{"loss", points}}});
  EXPECT_THAT(draw_curves(panels, "epoch"), HasSubstr("width=\"1760\" height=\"640\""));
  panels = {{"loss", std::vector<Series>(4, Series{"20261121-041600", points}), "step"}};
  const auto svg = draw_curves(panels, "epoch");
  EXPECT_THAT(svg, HasSubstr("width=\"440\" height=\"338\"")) << "two names a line";
  EXPECT_THAT(svg, HasSubstr(">step<"));
  EXPECT_THAT(svg, Not(HasSubstr(">epoch<")));
}

TEST(EncodePicture, WritesWhatTheNameSays) {
  const auto drawing = curves_drawing({{"loss", {{"loss", {{1, 3}, {2, 1}}}}}}, "epoch");
  EXPECT_THAT(encode_picture(drawing, "a/curves.svg").value(), testing::StartsWith("<svg "));
  EXPECT_THAT(encode_picture(drawing, "curves.png").value(), testing::StartsWith("\x89PNG\r\n"));
  EXPECT_EQ(encode_picture(drawing, "curves.gif").error().code, ErrorCode::InvalidArgument);
}

TEST(DrawCurves, DrawsOnePointALevelLineAndNothing) {
  EXPECT_THAT(draw_curves({{"loss", {{"loss", {{1, 2}}}}}}, "epoch"), Not(HasSubstr("nan")));
  EXPECT_THAT(draw_curves({{"loss", {{"loss", {{1, 0}, {2, 0}}}}}}, "epoch"), Not(HasSubstr("nan")));
  EXPECT_THAT(draw_curves({}, "epoch"), HasSubstr("no curves"));
}

TEST(DrawConfusion, ShowsEveryCountAndShadesByShareOfTheRow) {
  const auto svg = draw_confusion({"cat", "dog"}, {{8, 2}, {0, 0}});
  EXPECT_THAT(svg, HasSubstr("8 of 10 cat predicted as cat"));
  EXPECT_THAT(svg, HasSubstr("2 of 10 cat predicted as dog"));
  EXPECT_THAT(svg, HasSubstr("0 of 0 dog predicted as dog"));
  EXPECT_THAT(svg, HasSubstr("fill=\"rgb(51,123,179)\"")) << "four fifths of the way from white to (0, 90, 160)";
  EXPECT_EQ(count(svg, "fill=\"rgb(255,255,255)\""), 3) << "the paper, and both cells of the row without images";
}

TEST(DrawConfusion, TakesLabelsThatLookLikeMarkup) {
  const auto svg = draw_confusion({"<script>alert(1)</script>", "a&\"b\""}, {{1, 0}, {0, 1}});
  EXPECT_THAT(svg, Not(HasSubstr("<script")));
  EXPECT_THAT(svg, HasSubstr("a&amp;&quot;b&quot;"));
}

TEST(DrawConfusion, LeavesNumbersOutWhereThereIsNoRoom) {
  const std::size_t n = 100;
  std::vector<std::string> labels;
  for (std::size_t i = 0; i < n; ++i) labels.push_back(fmt::format("class {}", i));
  const auto svg = draw_confusion(labels, std::vector(n, std::vector<std::int64_t>(n, 1)));
  EXPECT_EQ(count(svg, "<rect"), 10'001);
  EXPECT_EQ(count(svg, "<text"), 2);
}

}  // namespace
}  // namespace imago::evaluate
