import { ICONS, html } from "../lib.js";

const PREFIX = "icon-";

/** A decorative icon by its lucide name; what it means stands beside it as text or in the control's label. */
export const icon = (name) =>
  html`<svg class="icon" aria-hidden="true" focusable="false"><use href=${`#${PREFIX}${name}`}></use></svg>`;

/** Takes the icons into the page, so that those of a lost connection do not have to be fetched over it. */
export async function loadIcons() {
  const text = await (await fetch(ICONS)).text();
  const sprite = new DOMParser().parseFromString(text, "image/svg+xml").documentElement;
  for (const symbol of sprite.querySelectorAll("symbol")) symbol.id = PREFIX + symbol.id;
  sprite.setAttribute("hidden", "");
  document.body.append(document.importNode(sprite, true));
}
