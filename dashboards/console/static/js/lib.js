// The one place that knows where the vendored libraries lie.
export { html, svg, render, nothing } from "../vendor/lit-html-3.3.3/lit-html.js";
export { repeat } from "../vendor/lit-html-3.3.3/directives/repeat.js";
export { ref } from "../vendor/lit-html-3.3.3/directives/ref.js";
export { live } from "../vendor/lit-html-3.3.3/directives/live.js";
export { ifDefined } from "../vendor/lit-html-3.3.3/directives/if-defined.js";
export { default as uPlot } from "../vendor/uplot-1.6.32/uPlot.esm.js";

export const ICONS = "/static/vendor/lucide-1.62.0/icons.svg";
