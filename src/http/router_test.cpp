// SPDX-License-Identifier: Apache-2.0
#include "http/router.hpp"

#include <gmock/gmock.h>

namespace imago::http {
namespace {

Router make_router() {
  return Router({{"GET", "/", {}},
                 {"POST", "/predict", {}},
                 {"GET", "/models/{name}", {}},
                 {"GET", "/models/latest", {}},
                 {"POST", "/models/{name}", {}},
                 {"GET", "/models/{name}/versions/{version}", {}},
                 {"GET", "/assets/{path...}", {}}});
}

TEST(Router, PutsALiteralPathBeforeACapture) {
  const auto router = make_router();
  const auto match = router.match("GET", "/models/latest");
  ASSERT_NE(match.route, nullptr);
  EXPECT_EQ(match.route->pattern, "/models/latest");
  EXPECT_TRUE(match.captures.empty());
}

TEST(Router, CapturesSegmentsByName) {
  const auto router = make_router();
  const auto match = router.match("GET", "/models/cifar10/versions/3");
  ASSERT_NE(match.route, nullptr);
  EXPECT_EQ(match.captures.at("name"), "cifar10");
  EXPECT_EQ(match.captures.at("version"), "3");
  EXPECT_EQ(router.match("POST", "/models/x").route->method, "POST");
  EXPECT_EQ(router.match("GET", "/assets/a/b.js").captures.at("path"), "a/b.js");
}

TEST(Router, FindsNothingForOtherPaths) {
  const auto router = make_router();
  for (const auto* path :
       {"/model", "/models", "/models/", "/models/a//", "/models/a/versions", "//", "", "/predict//"}) {
    const auto match = router.match("GET", path);
    EXPECT_EQ(match.route, nullptr) << path;
    EXPECT_EQ(match.allow, "") << path;
  }
}

TEST(Router, PassesOverASlashAtTheEnd) {
  const auto router = make_router();
  EXPECT_EQ(router.match("POST", "/predict/").route->pattern, "/predict");
  EXPECT_EQ(router.match("GET", "/models/a/").captures.at("name"), "a");
  EXPECT_EQ(router.match("GET", "/predict/").allow, "POST");
  EXPECT_EQ(router.match("GET", "/assets/a/").captures.at("path"), "a/");
}

TEST(Router, SaysWhichMethodsAPathTakes) {
  const auto router = make_router();
  EXPECT_EQ(router.match("GET", "/predict").allow, "POST");
  EXPECT_EQ(router.match("DELETE", "/models/a").allow, "GET, HEAD, POST");
}

TEST(Router, AnswersHeadByTheGetRoute) {
  const auto router = make_router();
  const auto match = router.match("HEAD", "/");
  ASSERT_NE(match.route, nullptr);
  EXPECT_EQ(match.route->method, "GET");
}

}  // namespace
}  // namespace imago::http
