// SPDX-License-Identifier: Apache-2.0
#include "data/array_names.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <tuple>

#include "data/layout.hpp"

namespace imago::data {
namespace {

/// What images are called, and their labels then. The surest first.
constexpr std::array<std::pair<std::string_view, std::string_view>, 8> kPixelWords{{{"x", "y"},
                                                                                    {"images", "labels"},
                                                                                    {"image", "label"},
                                                                                    {"pixels", "labels"},
                                                                                    {"imgs", "labels"},
                                                                                    {"img", "label"},
                                                                                    {"inputs", "targets"},
                                                                                    {"data", "labels"}}};
constexpr std::array<std::pair<std::string_view, std::string_view>, 5> kLabelWords{
    {{"y", "x"}, {"labels", "images"}, {"label", "image"}, {"targets", "data"}, {"target", "data"}}};

bool is_letter_or_digit(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         static_cast<unsigned char>(c) > 127;
}
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

/// In lower case. "xtrain" is two, since many write so.
std::vector<std::string> words_of(std::string_view name) {
  std::vector<std::string> words(1);
  for (const char c : name) {
    if (is_letter_or_digit(c)) {
      words.back() += lower(c);
    } else if (!words.back().empty()) {
      words.emplace_back();
    }
  }
  if (words.back().empty()) words.pop_back();
  if (!words.empty() && (words[0][0] == 'x' || words[0][0] == 'y') &&
      split_meant(std::string_view(words[0]).substr(1))) {
    words.insert(words.begin() + 1, words[0].substr(1));
    words[0].resize(1);
  }
  return words;
}

template <class Table>
std::size_t rank_in(const Table& table, std::string_view word) {
  return static_cast<std::size_t>(std::ranges::find_if(table, [&](const auto& entry) { return entry.first == word; }) -
                                  table.begin());
}

}  // namespace

std::optional<ArrayName> read_array_name(std::string_view name) {
  if (name == "arr_0") return ArrayName{false, std::nullopt, {}, kPixelWords.size(), "arr_1"};
  if (name == "arr_1") return ArrayName{true, std::nullopt, {}, kLabelWords.size(), "arr_0"};
  auto words = words_of(name);
  ArrayName meaning;
  bool found = false;
  std::vector<std::string> rest;
  for (auto& word : words) {
    const auto split = split_meant(word);
    const auto pixels = rank_in(kPixelWords, word);
    const auto labels = rank_in(kLabelWords, word);
    if (split && !meaning.split) {
      meaning.split = split;
    } else if (labels < kLabelWords.size() || pixels < kPixelWords.size()) {
      const bool is_labels = labels < kLabelWords.size();
      if (found && (meaning.labels || !is_labels)) continue;  // "data_labels" are labels, "image_data" images
      found = true;
      meaning.labels = is_labels;
      meaning.rank = is_labels ? labels : pixels;
      word = is_labels ? kLabelWords[labels].second : kPixelWords[pixels].second;
    } else {
      rest.push_back(word);
    }
  }
  if (!found) return std::nullopt;
  meaning.rest = fmt::format("{}", fmt::join(rest, "_"));
  meaning.partner = fmt::format("{}", fmt::join(words, "_"));
  return meaning;
}

bool names_classes(std::string_view name) {
  std::string small(name);
  std::ranges::transform(small, small.begin(), lower);
  return small == "class_names" || small == "label_names" || small == "classes";
}

std::vector<ArrayPair> pair_arrays(const std::vector<std::string>& names) {
  struct Best {
    std::string name;
    ArrayName meaning;
  };
  std::map<std::tuple<std::string, std::optional<Split>>, std::array<std::optional<Best>, 2>> groups;
  for (const auto& name : names) {
    auto meaning = read_array_name(name);
    if (!meaning || names_classes(name)) continue;
    auto& best = groups[{meaning->rest, meaning->split}][meaning->labels ? 1 : 0];
    if (!best || meaning->rank < best->meaning.rank) best = Best{name, std::move(*meaning)};
  }
  std::vector<ArrayPair> pairs;
  for (auto& [key, both] : groups)
    if (both[0]) pairs.push_back({both[0]->name, both[1] ? both[1]->name : std::string(), std::move(both[0]->meaning)});
  return pairs;
}

Result<std::vector<std::pair<Split, ArrayPair>>> choose_splits(const std::vector<ArrayPair>& pairs) {
  // A set that says which split is which is meant, before one that does not.
  std::map<std::string, std::map<Split, const ArrayPair*>> sets;
  for (const bool named : {true, false})
    for (const auto& pair : pairs)
      if (pair.meaning.split.has_value() == named)
        sets[pair.meaning.rest].try_emplace(pair.meaning.split.value_or(Split::Train), &pair);
  const bool any_named =
      std::ranges::any_of(pairs, [](const ArrayPair& pair) { return pair.meaning.split == Split::Train; });
  std::vector<std::string> trained;
  for (const auto& [rest, splits] : sets)
    if (const auto train = splits.find(Split::Train);
        train != splits.end() && (!any_named || train->second->meaning.split.has_value()))
      trained.push_back(rest);
  if (trained.empty())
    return fail(ErrorCode::InvalidArgument, "no images for training: name the arrays x_train and y_train, or x and y");
  const auto& chosen = sets[trained[0]];
  if (trained.size() > 1)
    return fail(ErrorCode::InvalidArgument, "{} and {} are both images for training: leave one",
                chosen.at(Split::Train)->pixels, sets[trained[1]].at(Split::Train)->pixels);
  std::vector<std::pair<Split, ArrayPair>> found;
  for (const auto& [split, pair] : chosen) {
    if (pair->labels.empty() && split != Split::Train) continue;  // to be guessed at: no use to us
    if (pair->labels.empty())
      return fail(ErrorCode::InvalidArgument, "it has {} but no {}", pair->pixels, pair->meaning.partner);
    found.emplace_back(split, *pair);
  }
  return found;
}

}  // namespace imago::data
