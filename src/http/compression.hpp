// SPDX-License-Identifier: Apache-2.0
// Bodies that come or go compressed: gzip and deflate, as Content-Encoding has them (RFC 9110, 8.4.1).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "http/server.hpp"

namespace imago::http {

enum class Coding { Identity, Gzip, Deflate };

/// Of a Content-Encoding header; an empty one is Identity. Unsupported, naming what is taken, for any other, and for
/// two of them.
Result<Coding> parse_coding(std::string_view header);

/// The best of what an Accept-Encoding header wants and we have; Identity when it wants none of it.
Coding accepted_coding(std::string_view accept_encoding);

/// The bytes as they were. "deflate" is read in zlib's format, and bare, as some clients send it. ResourceExhausted
/// when they are more than `most` (nothing beyond that is kept); InvalidArgument when they are cut off, damaged or
/// followed by others.
Result<std::string> decompress(std::string_view bytes, Coding coding, std::size_t most);

/// Quick rather than small. Not for Identity.
std::string compress(std::string_view bytes, Coding coding);

/// Compresses the body of a 200 that is worth it (text, JSON or tensors of 4 KiB and more) as `request` accepts it, and
/// says so in its headers.
void compress_answer(const Request& request, Response& response);

}  // namespace imago::http
