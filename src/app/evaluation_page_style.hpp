// SPDX-License-Identifier: Apache-2.0
// Inside app/: what the pages of an evaluation and a comparison add to the common head.
#pragma once

#include <string>
#include <string_view>

#include "app/page_head.hpp"
#include "app/page_parts.hpp"

namespace imago::app {

inline constexpr std::string_view kEvaluationStyle = R"(<style>
.figures { display: grid; grid-template-columns: repeat(auto-fill, minmax(12rem, 1fr)); gap: .25rem 1.5rem; margin: .75rem 0 0; }
.figures div { border-bottom: 1px solid var(--line); padding: .3rem 0; }
.figures dt { color: var(--soft); font-size: 13px; } .figures dd { margin: 0; font-variant-numeric: tabular-nums; }
.large { font-size: 2rem; font-weight: 600; line-height: 1.2; }
.lead { font-size: 1.05rem; }
.matrix { font-variant-numeric: tabular-nums; } .matrix th, .matrix td { border: 0; padding: 0; font-size: 13px; }
.matrix th { font-weight: 400; padding: .2rem .5rem; } .matrix thead th { text-align: center; vertical-align: bottom; }
.matrix thead th span { writing-mode: vertical-rl; transform: rotate(180deg); }
.matrix td { text-align: center; min-width: 2.6rem; border: 1px solid var(--card);
  background: color-mix(in srgb, var(--cell) var(--s), var(--page)); }
.matrix { --cell: #d9822b; } .matrix .right { --cell: #4a90c2; }
.matrix a { display: block; padding: .35rem .25rem; text-decoration: none; color: inherit; }
.matrix a:hover, .matrix a:focus-visible { outline: 2px solid var(--ink); outline-offset: -2px; }
.view { display: none; border-top: 1px solid var(--line); margin-top: 1rem; padding-top: .75rem; scroll-margin-top: 40vh; }
.view:target { display: block; } .gallery { display: flex; flex-wrap: wrap; gap: .75rem; margin-top: .75rem; }
.gallery figcaption span.said { display: block; }
.gallery figure.explained { width: 304px; max-width: 100%; } .explained .images > span { width: 96px; }
.for { display: block; color: var(--soft); font-size: 12px; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.range { width: 12rem; height: 16px; display: block; } .range line { stroke: var(--soft); stroke-width: 2; }
.range .whole { stroke: var(--line); stroke-width: 1; } .range circle { fill: var(--bar); }
.range .low { fill: var(--bad); } .range .high { fill: var(--bar); }
.plots { display: flex; flex-wrap: wrap; gap: 1rem; } .plot { min-width: 0; max-width: 100%; } .plot svg { max-width: 100%; height: auto; display: block; }
code { overflow-wrap: anywhere; } .plot svg > rect:first-child { fill: none; } pre { overflow-x: auto; font-size: 13px; white-space: pre-wrap; overflow-wrap: anywhere; }
details summary { cursor: pointer; }
@media screen and (prefers-color-scheme: dark) { .plot svg { filter: invert(.885) hue-rotate(180deg); } }
@media print { body { max-width: none; padding: 0; background: #fff; font-size: 11px; }
  section { border: 0; padding: .5rem 0; } tr, figure, .plot { break-inside: avoid; } .view, .screen { display: none !important; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; } }
</style>
)";

/// All before the page's content.
inline std::string evaluation_head(const std::string& title) {
  return fmt::format("{}{}<title>{}</title></head><body>", kPageHead, kEvaluationStyle, escape(title));
}

}  // namespace imago::app
