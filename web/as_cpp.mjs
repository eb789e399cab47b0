// SPDX-License-Identifier: Apache-2.0
// Files as C++: one function that returns them all, declared in web_assets.hpp.
import { createHash } from 'node:crypto';
import { extname } from 'node:path';

const mediaTypes = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.json': 'application/json',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.webmanifest': 'application/manifest+json',
  '.woff2': 'font/woff2',
  '.txt': 'text/plain; charset=utf-8',
};

export function fail(message) {
  console.error(`web: ${message}`);
  process.exit(1);
}

function bytesAsCpp(bytes) {
  const lines = [];
  for (let i = 0; i < bytes.length; i += 32) lines.push([...bytes.subarray(i, i + 32)].join(','));
  return lines.join(',\n');
}

/** `files` are { path, bytes }: the path in the URL and a Buffer; `name` is the function's. */
export function filesAsCpp(name, files) {
  const arrays = [];
  const rows = [];
  files.forEach(({ path, bytes, type = mediaTypes[extname(path)] }, i) => {
    if (!type) fail(`${path}: no media type known for its ending; add it to as_cpp.mjs`);
    if (bytes.length === 0) fail(`${path} is empty`);
    const etag = createHash('sha256').update(bytes).digest('hex').slice(0, 16);
    arrays.push(`constexpr unsigned char kFile${i}[] = {\n${bytesAsCpp(bytes)}};`);
    rows.push(`      {"${path}", "${type}", view(kFile${i}), "\\"${etag}\\""},`);
  });
  return `// Made by web/as_cpp.mjs.
#include "web_assets.hpp"

namespace imago::web {
namespace {

${arrays.join('\n')}

template <std::size_t N>
std::string_view view(const unsigned char (&bytes)[N]) {
  return {reinterpret_cast<const char*>(bytes), N};
}

}  // namespace

std::span<const Asset> ${name}() {
  static const Asset kAssets[] = {
${rows.join('\n')}
  };
  return kAssets;
}

}  // namespace imago::web
`;
}
