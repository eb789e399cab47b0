// SPDX-License-Identifier: Apache-2.0
#include "base/hash.hpp"

#include <gtest/gtest.h>

#include "base/files.hpp"

namespace imago {
namespace {

// The examples of FIPS 180-2 appendix B, and the empty message of NIST's CAVP vectors.
TEST(Sha256, GivesTheKnownAnswersOfFips180) {
  EXPECT_EQ(sha256(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(sha256(std::string(1'000'000, 'a')), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256, IsTheSameInPieces) {
  Sha256 hash;
  for (int i = 0; i < 1000; ++i) hash.update(std::string(1000, 'a'));
  hash.update("");
  Sha256 moved = std::move(hash);
  EXPECT_EQ(moved.finish(), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256, HashesAFile) {
  auto folder = TemporaryDirectory::create(fs::temp_directory_path(), "hash-test").value();
  const fs::path path = folder.path() / "abc";
  EXPECT_EQ(sha256_file(path).error().code, ErrorCode::NotFound);
  ASSERT_TRUE(write_file(path, "abc").has_value());
  EXPECT_EQ(sha256_file(path).value(), sha256("abc"));
  ASSERT_TRUE(write_file(path, "").has_value());
  EXPECT_EQ(sha256_file(path).value(), sha256(""));
}

}  // namespace
}  // namespace imago
