// Keeps a repository's overview as it is now: each message brings the parts of the page, and those that changed are put in.
"use strict";
(() => {
  const root = document.getElementById("overview");
  const banner = document.getElementById("banner");
  const shown = new Map();
  const source = new EventSource(root.dataset.events);
  source.addEventListener("open", () => { banner.hidden = true; });
  source.addEventListener("error", () => { banner.hidden = false; });
  source.addEventListener("parts", (event) => {
    for (const [id, html] of Object.entries(JSON.parse(event.data))) {
      if (shown.has(id) && shown.get(id) !== html) document.getElementById(id).innerHTML = html;
      shown.set(id, html);
    }
  });
})();
