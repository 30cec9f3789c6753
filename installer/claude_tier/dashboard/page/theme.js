// Before anything is drawn, so that the page does not flash in the other colours.
"use strict";
(() => {
  const KEY = "claude-tier-theme";
  const NAMES = ["system", "light", "dark"];
  let chosen = "system";
  try {
    chosen = localStorage.getItem(KEY) || chosen;
  } catch {
    // A browser that keeps nothing follows the system.
  }
  const show = (name) => {
    chosen = NAMES.includes(name) ? name : "system";
    document.documentElement.dataset.theme = chosen;
    const button = document.getElementById("theme");
    if (button) button.textContent = `Theme: ${chosen}`;
  };
  show(chosen);
  document.addEventListener("DOMContentLoaded", () => {
    show(chosen);
    document.getElementById("theme").addEventListener("click", () => {
      show(NAMES[(NAMES.indexOf(chosen) + 1) % NAMES.length]);
      try {
        localStorage.setItem(KEY, chosen);
      } catch {
        // As above.
      }
    });
  });
})();
