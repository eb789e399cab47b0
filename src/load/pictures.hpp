// SPDX-License-Identifier: Apache-2.0
// What is sent: encoded images, and requests' bodies made of them.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "data/repository.hpp"

namespace imago::load {

/// Encoded images.
using Pictures = std::vector<std::string>;

/// Of a folder and those below it, spread evenly over its files; what is no image is passed over. NotFound when there
/// is none.
Result<Pictures> pictures_in_folder(const std::filesystem::path& folder, std::size_t most);
/// @param reference NAME:SPLIT or NAME@VERSION:SPLIT; spread evenly over the split.
Result<Pictures> pictures_of_dataset(const data::Repository& repository, const std::string& reference,
                                     std::size_t most);
/// JPEGs that the program draws itself: the same ones each time.
Result<Pictures> drawn_pictures(int side, std::size_t count);

enum class Form { Multipart, Raw, Json };

std::string_view content_type(Form form) noexcept;
/// The body of a request to /predict. Json: the pixels as nested arrays of 0 to 255.
Result<std::string> body_of(Form form, std::string_view encoded);

}  // namespace imago::load
