// SPDX-License-Identifier: Apache-2.0
#include "http/compression.hpp"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "http/trim.hpp"

namespace imago::http {
namespace {

constexpr std::size_t kLeastWorthIt = 4096;  // below, it would save a packet or two and cost more
constexpr std::size_t kPiece = 64 * 1024;
// zlib's own numbers: a window of 32 KiB; +16: gzip around it; negative: nothing around it.
constexpr int kZlib = 15;
constexpr int kGzip = 15 + 16;
constexpr int kBare = -15;
constexpr int kFast = 1;
constexpr int kMemory = 8;

std::string lower(std::string_view text) {
  std::string small(text);
  std::ranges::transform(small, small.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c; });
  return small;
}

Bytef* input(std::string_view bytes) {
  return const_cast<Bytef*>(reinterpret_cast<const Bytef*>(bytes.data()));  // zlib only reads it
}

/// A zlib stream that ends with its scope.
struct Inflater {
  z_stream stream{};
  bool good;
  explicit Inflater(int window) : good(inflateInit2(&stream, window) == Z_OK) {}
  ~Inflater() {
    if (good) inflateEnd(&stream);
  }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
};

Result<std::string> inflate_all(std::string_view bytes, int window, std::size_t most) {
  Inflater inflater(window);
  if (!inflater.good) return fail(ErrorCode::Internal, "zlib did not start");
  z_stream& stream = inflater.stream;
  stream.next_in = input(bytes);
  stream.avail_in = static_cast<uInt>(bytes.size());
  std::string out;
  int code = Z_OK;
  while (code != Z_STREAM_END) {
    std::array<char, kPiece> piece;
    stream.next_out = reinterpret_cast<Bytef*>(piece.data());
    stream.avail_out = static_cast<uInt>(piece.size());
    code = inflate(&stream, Z_NO_FLUSH);
    if (code != Z_OK && code != Z_STREAM_END)
      return fail(ErrorCode::InvalidArgument, "the compressed body is damaged or cut off after {} of its {} bytes",
                  bytes.size() - stream.avail_in, bytes.size());
    const std::size_t got = piece.size() - stream.avail_out;
    if (out.size() + got > most)
      return fail(ErrorCode::ResourceExhausted, "the body's {} bytes are over {} when unpacked", bytes.size(), most);
    out.append(piece.data(), got);
  }
  if (stream.avail_in != 0)
    return fail(ErrorCode::InvalidArgument, "{} bytes follow the end of the compressed body", stream.avail_in);
  return out;
}

/// zlib's header is two bytes whose number is a multiple of 31, with 8 as the low half of the first (RFC 1950).
bool has_zlib_header(std::string_view bytes) {
  if (bytes.size() < 2) return false;
  const auto first = static_cast<unsigned char>(bytes[0]);
  const auto second = static_cast<unsigned char>(bytes[1]);
  return (first & 0x0f) == 8 && (first * 256 + second) % 31 == 0;
}

double weight_of(std::string_view parameters) {
  const auto q = parameters.find("q=");
  if (q == std::string_view::npos) return 1.0;
  double weight = 0.0;
  std::from_chars(parameters.data() + q + 2, parameters.data() + parameters.size(), weight);
  return weight;
}

bool is_worth_it(const Response& response) {
  if (response.status != 200 || response.body.size() < kLeastWorthIt || response.headers.contains("Content-Encoding"))
    return false;
  const auto type = response.headers.find("Content-Type");
  return type != response.headers.end() &&
         (type->second.starts_with("application/json") || type->second.starts_with("text/") ||
          type->second.starts_with("application/octet-stream"));
}

}  // namespace

Result<Coding> parse_coding(std::string_view header) {
  const std::string name = lower(trim(header));
  if (name.empty() || name == "identity") return Coding::Identity;
  if (name == "gzip" || name == "x-gzip") return Coding::Gzip;
  if (name == "deflate") return Coding::Deflate;
  return fail(ErrorCode::Unsupported, "Content-Encoding '{}' is not taken: gzip and deflate are", name.substr(0, 64));
}

Coding accepted_coding(std::string_view accept_encoding) {
  Coding best = Coding::Identity;
  double best_weight = 0.0;
  while (!accept_encoding.empty()) {
    const auto comma = accept_encoding.find(',');
    const auto item = accept_encoding.substr(0, comma);
    const auto coding = parse_coding(item.substr(0, item.find(';')));
    const double weight = weight_of(item);
    if (coding && *coding != Coding::Identity && weight > best_weight) {
      best = *coding;
      best_weight = weight;
    }
    accept_encoding.remove_prefix(comma == std::string_view::npos ? accept_encoding.size() : comma + 1);
  }
  return best;
}

Result<std::string> decompress(std::string_view bytes, Coding coding, std::size_t most) {
  if (coding == Coding::Identity) return std::string(bytes);
  if (coding == Coding::Gzip) return inflate_all(bytes, kGzip, most);
  return inflate_all(bytes, has_zlib_header(bytes) ? kZlib : kBare, most);
}

std::string compress(std::string_view bytes, Coding coding) {
  z_stream stream{};
  const int window = coding == Coding::Gzip ? kGzip : kZlib;
  const bool began = deflateInit2(&stream, kFast, Z_DEFLATED, window, kMemory, Z_DEFAULT_STRATEGY) == Z_OK;
  EXPECTS(began && coding != Coding::Identity, "a coding that zlib knows");
  std::string out(deflateBound(&stream, bytes.size()), '\0');
  stream.next_in = input(bytes);
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int code = deflate(&stream, Z_FINISH);
  EXPECTS(code == Z_STREAM_END, "the bound holds");
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

void compress_answer(const Request& request, Response& response) {
  if (!is_worth_it(response)) return;
  auto& vary = response.headers["Vary"];
  vary += vary.empty() ? "Accept-Encoding" : ", Accept-Encoding";
  const Coding coding = accepted_coding(request.header("Accept-Encoding"));
  if (coding == Coding::Identity) return;
  response.body = compress(response.body, coding);
  response.headers["Content-Encoding"] = coding == Coding::Gzip ? "gzip" : "deflate";
}

}  // namespace imago::http
