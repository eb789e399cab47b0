// SPDX-License-Identifier: Apache-2.0
// Inside app/: how the pages of a check, an evaluation and a comparison begin. No script, and nothing from elsewhere.
#pragma once

#include <string_view>

namespace imago::app {

inline constexpr std::string_view kPageHead = R"(<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<style>
:root { color-scheme: light dark; --ink: #1c2430; --soft: #5b6675; --line: #d9dee5; --card: #fff; --page: #f5f6f8;
  --bad: #b3261e; --poor: #8a4f00; --note: #33628f; --bar: #4a7fb5; }
@media screen and (prefers-color-scheme: dark) { :root { --ink: #e6e9ee; --soft: #9aa5b3; --line: #353d49; --card: #1d232c;
  --page: #14181e; --bad: #ff8a80; --poor: #f0b45a; --note: #8ab8e6; --bar: #6fa3d8; } }
body { margin: 0 auto; max-width: 76rem; padding: 1.5rem; background: var(--page); color: var(--ink);
  font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem; margin: 0 0 .25rem; } h2 { font-size: 1.1rem; margin: 0 0 .25rem; }
p { margin: .25rem 0; max-width: 60rem; } .soft { color: var(--soft); }
section { background: var(--card); border: 1px solid var(--line); border-radius: .5rem; padding: 1rem; margin: 1rem 0; }
table { border-collapse: collapse; } th, td { text-align: left; padding: .3rem 1.25rem .3rem 0;
  border-bottom: 1px solid var(--line); vertical-align: top; } tr:last-child td { border-bottom: 0; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; }
.severity { display: inline-block; border: 1px solid currentColor; border-radius: 1rem; padding: 0 .6rem;
  font-size: 13px; font-weight: 600; }
.bad { color: var(--bad); } .poor { color: var(--poor); } .note { color: var(--note); }
a { color: inherit; } h2 .severity { margin-left: .5rem; vertical-align: .1em; }
code { font-size: 13px; color: var(--soft); }
.items { display: flex; flex-wrap: wrap; gap: .75rem; margin-top: .75rem; }
.item { border: 1px solid var(--line); border-radius: .4rem; padding: .5rem; max-width: 100%; box-sizing: border-box; }
.item > p { font-size: 13px; } .item.alone { width: 114px; }
.images { display: flex; flex-wrap: wrap; gap: .5rem; } figure { margin: 0; width: 96px; }
figure img, .none { width: 96px; height: 96px; object-fit: contain; background: var(--page); display: block;
  border-radius: .25rem; }
.none { display: grid; place-items: center; font-size: 12px; color: var(--soft); }
img.small { image-rendering: pixelated; }
figcaption { font-size: 12px; line-height: 1.35; margin-top: .25rem; overflow-wrap: anywhere; }
.path { display: block; color: var(--soft); white-space: nowrap; overflow: hidden; text-overflow: ellipsis;
  direction: rtl; text-align: left; }
.charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(11rem, 1fr)); gap: 1rem 1.5rem; margin-top: .5rem; }
.charts p { font-size: 13px; margin: 0; }
.charts svg { width: 100%; height: 72px; display: block; border-bottom: 1px solid var(--line); }
.charts rect { fill: var(--bar); }
.scroll { overflow-x: auto; }
@media (max-width: 40rem) { body { padding: .75rem; } .found td { display: block; border: 0; padding: 0; }
  .found tr { display: block; padding: .5rem 0; border-bottom: 1px solid var(--line); } }
.share { min-width: 6rem; background: linear-gradient(var(--bar), var(--bar)) no-repeat 0 100% / 0 3px; }
</style>
)";

}  // namespace imago::app
