// SPDX-License-Identifier: Apache-2.0
// `npm run dev` serves the dashboard with live reload and passes API calls on to a running `imago serve`.
import { defineConfig } from 'vite';

const api = [
  '/status',
  '/metrics',
  '/predict',
  '/health',
  '/ready',
  '/uptime',
  '/v1',
  '/training-status',
  '/docs',
  '/openapi.json',
];

export default defineConfig({
  esbuild: { jsx: 'automatic', jsxImportSource: 'preact' },
  build: {
    target: 'es2022',
    modulePreload: { polyfill: false },
    // Data URLs would need exceptions in the Content-Security-Policy.
    assetsInlineLimit: 0,
    reportCompressedSize: false,
  },
  server: { proxy: Object.fromEntries(api.map((path) => [path, 'http://localhost:8000'])) },
});
