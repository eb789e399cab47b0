// SPDX-License-Identifier: Apache-2.0
#include "pipeline/lineage_data.hpp"

#include <gmock/gmock.h>

#include "base/files.hpp"

namespace imago::pipeline {
namespace {

using testing::HasSubstr;

class LineageData : public testing::Test {
 protected:
  /// A version of `name` with so many images.
  std::string publish(const std::string& name, std::size_t images) {
    data::Manifest manifest{name, {"cat", "dog"}, {}, {}};
    for (std::size_t i = 0; i < images; ++i) {
      const std::string bytes = fmt::format("{} {}", name, i);
      manifest.entries.push_back(
          {fmt::format("{}.png", i), repository.put_object(bytes).value(), 0, data::Split::Train, 1, 1, "test"});
    }
    return repository.publish(manifest, {}).value();
  }

  TemporaryDirectory folder = TemporaryDirectory::create(fs::temp_directory_path(), "lineage-test").value();
  data::Repository repository{folder.path()};
};

TEST_F(LineageData, IsTheVersionItselfWhereItIsHere) {
  const auto first = publish("pets", 1);
  publish("pets", 2);
  EXPECT_EQ(load_or_newest(repository, "pets@" + first)->entries.size(), 1U);
}

TEST_F(LineageData, IsTheNewestOfThatNameElsewhere) {
  publish("pets", 1);
  publish("pets", 2);
  EXPECT_EQ(load_or_newest(repository, "pets@0123456789ab")->entries.size(), 2U);
}

TEST_F(LineageData, NamesTheCommandThatBringsItIn) {
  publish("pets", 1);
  const auto own = load_or_newest(repository, "birds@0123456789ab");
  ASSERT_FALSE(own);
  EXPECT_EQ(own.error().code, ErrorCode::NotFound);
  EXPECT_THAT(own.error().message, HasSubstr("`imago data import FOLDER --name birds`"));
  EXPECT_THAT(load_or_newest(repository, "cifar10@0123456789ab").error().message,
              HasSubstr("no data set 'cifar10' is here: bring it in with `imago data import cifar10`"));
}

}  // namespace
}  // namespace imago::pipeline
