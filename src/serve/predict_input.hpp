// SPDX-License-Identifier: Apache-2.0
// The image in a request to /predict, in every form that the clients of requirements 1.8 C4 send.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/error.hpp"
#include "base/hash.hpp"
#include "http/server.hpp"
#include "image/preprocess.hpp"

namespace imago::serve {

/// An encoded image: in the request's body, or decoded from base64 and owned.
struct Encoded {
  std::string_view in_body;
  std::string owned;

  [[nodiscard]] Bytes bytes() const;
};

struct PredictInput {
  std::variant<Encoded, image::Image> image;
  std::optional<std::string> filename;  ///< as the client named it
};

/// A failure with the status it has: 415 is not to be told from the ErrorCode.
struct InputError {
  int status;
  Error error;
};

/// Finds the image:
/// - multipart/form-data: the first file part of a name known to be used (file, image, data, files, files[]), else any
/// file part;
/// - image/* or application/octet-stream, or no type: the body itself;
/// - application/json: `image` as see pixels.hpp, or a base64 string, bare or as a data: URL; `filename` is optional.
/// The result looks into `request.body`. 400 for a form without a file, an empty body, bad JSON; 415 for another type.
tl::expected<PredictInput, InputError> find_image(const http::Request& request, const image::Preprocess& preprocess);

/// The encoded image in base64 text, bare or as a data: URL.
Result<std::string> image_bytes(std::string_view text);

/// One image of several: what was found, or what is wrong with it, which does not touch the others.
struct OneOfMany {
  std::optional<std::string> filename;
  Result<PredictInput> input;
};

/// Finds many images:
/// - multipart/form-data: every file part, of whatever name, in order;
/// - application/json: `images`, an array of what `image` may be there, or of objects with `image`; `layout` and
///   `range` beside it are for all that do not say otherwise.
/// Looks into `request.body`. 400 when there is none, 413 for more than `most`, 415 for another type.
tl::expected<std::vector<OneOfMany>, InputError> find_images(const http::Request& request,
                                                             const image::Preprocess& preprocess, std::size_t most);

}  // namespace imago::serve
