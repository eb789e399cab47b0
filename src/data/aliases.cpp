// SPDX-License-Identifier: Apache-2.0
#include "data/aliases.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <vector>

namespace imago::data {
namespace {

std::string lower_case(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return lower;
}

/// Words that mean the same class in the data sets people use.
constexpr std::array<std::array<std::string_view, 5>, 16> kSynonyms{{
    {"airplane", "aeroplane", "plane", "aircraft", ""},
    {"automobile", "car", "auto", "", ""},
    {"bird", "birdie", "", "", ""},
    {"cat", "kitten", "kitty", "", ""},
    {"dog", "puppy", "hound", "", ""},
    {"frog", "toad", "", "", ""},
    {"horse", "pony", "", "", ""},
    {"ship", "boat", "vessel", "", ""},
    {"truck", "lorry", "", "", ""},
    {"bicycle", "bike", "", "", ""},
    {"motorcycle", "motorbike", "", "", ""},
    {"person", "human", "people", "", ""},
    {"couch", "sofa", "", "", ""},
    {"television", "tv", "tvmonitor", "", ""},
    {"telephone", "phone", "", "", ""},
    {"checkerboard", "chessboard", "chequerboard", "", ""},
}};

constexpr std::array<std::array<std::string_view, 2>, 12> kIrregular{{{"person", "persons"},
                                                                      {"mouse", "mice"},
                                                                      {"goose", "geese"},
                                                                      {"man", "men"},
                                                                      {"woman", "women"},
                                                                      {"child", "children"},
                                                                      {"wolf", "wolves"},
                                                                      {"leaf", "leaves"},
                                                                      {"knife", "knives"},
                                                                      {"calf", "calves"},
                                                                      {"deer", "deers"},
                                                                      {"sheep", "sheeps"}}};

bool ends_in_any(std::string_view word, std::initializer_list<std::string_view> endings) {
  return std::any_of(endings.begin(), endings.end(), [&](std::string_view ending) { return word.ends_with(ending); });
}

std::string plural(const std::string& word) {
  for (const auto& [one, many] : kIrregular)
    if (word == one) return std::string(many);
  if (ends_in_any(word, {"s", "x", "z", "ch", "sh"})) return word + "es";
  if (word.size() > 1 && word.back() == 'y' &&
      std::string_view("aeiou").find(word[word.size() - 2]) == std::string_view::npos)
    return word.substr(0, word.size() - 1) + "ies";
  return word + "s";
}

/// The word whose plural `word` is, or nothing: labels are plural words too ("cats").
std::optional<std::string> singular(const std::string& word) {
  std::vector<std::string> candidates;
  for (const auto& [one, many] : kIrregular) candidates.emplace_back(one);
  if (word.size() > 3 && word.ends_with("ies")) candidates.push_back(word.substr(0, word.size() - 3) + "y");
  if (word.size() > 3 && word.ends_with("es")) candidates.push_back(word.substr(0, word.size() - 2));
  if (word.size() > 2 && word.ends_with("s") && !word.ends_with("ss"))
    candidates.push_back(word.substr(0, word.size() - 1));
  for (auto& candidate : candidates)
    if (plural(candidate) == word) return candidate;
  return std::nullopt;
}

/// All spellings of one label, itself among them.
std::set<std::string> spellings(const std::string& label) {
  const auto word = lower_case(label);
  std::set<std::string> found{word, plural(word)};
  const auto base = singular(word).value_or(word);
  found.insert(base);
  for (const auto& group : kSynonyms) {
    if (std::find(group.begin(), group.end(), base) == group.end()) continue;
    for (const auto synonym : group)
      if (!synonym.empty()) found.insert({std::string(synonym), plural(std::string(synonym))});
  }
  return found;
}

}  // namespace

std::map<std::string, std::string> default_aliases(std::span<const std::string> labels) {
  std::map<std::string, std::set<std::string>> claims;
  for (const auto& label : labels)
    for (const auto& spelling : spellings(label)) claims[spelling].insert(label);
  for (const auto& label : labels) {  // its own name is no alias of another's, nor of itself
    claims.erase(label);
    if (const auto own = claims.find(lower_case(label)); own != claims.end()) own->second = {label};
  }
  std::map<std::string, std::string> aliases;
  for (const auto& [spelling, claimants] : claims)
    if (claimants.size() == 1) aliases[spelling] = *claimants.begin();
  return aliases;
}

std::optional<std::string> resolve_label(std::string_view name, std::span<const std::string> labels,
                                         const std::map<std::string, std::string>& aliases) {
  const auto exact = std::find(labels.begin(), labels.end(), name);
  if (exact != labels.end()) return *exact;
  const auto lower = lower_case(name);
  for (const auto& label : labels)
    if (lower_case(label) == lower) return label;
  const auto alias = aliases.find(lower);
  if (alias == aliases.end()) return std::nullopt;
  return alias->second;
}

}  // namespace imago::data
