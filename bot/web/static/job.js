// Follows one job: history first, then live; a lost connection resumes where it stopped (EventSource sends Last-Event-ID).
"use strict";
(() => {
  const root = document.getElementById("job");
  const log = document.getElementById("log");
  const follow = document.getElementById("follow");
  const jump = document.getElementById("jump");
  const search = document.getElementById("search");
  const banner = document.getElementById("banner");
  const MOST_LINES = 20000;
  const ANSI = /\u001b\[[0-9;?]*[ -/]*[@-~]/g;
  let ended = root.dataset.final === "true";

  const atEnd = () => log.scrollHeight - log.scrollTop - log.clientHeight < 40;
  const toEnd = () => { log.scrollTop = log.scrollHeight; };
  log.addEventListener("scroll", () => { follow.checked = atEnd(); });
  follow.addEventListener("change", () => { if (follow.checked) toEnd(); });
  jump.addEventListener("click", () => { follow.checked = true; toEnd(); });

  const matches = (line) => search.value && line.textContent.toLowerCase().includes(search.value.toLowerCase());
  search.addEventListener("input", () => {
    let first = null;
    for (const line of log.children) {
      const found = Boolean(matches(line));
      line.classList.toggle("found", found);
      first = first || (found ? line : null);
    }
    if (first) { follow.checked = false; first.scrollIntoView({ block: "center" }); }
  });

  function addLine(text, kind) {
    const line = document.createElement("div");
    line.className = kind;
    line.textContent = text.replace(ANSI, "");
    if (matches(line)) line.classList.add("found");
    return line;
  }

  function addLines(lines, kind) {
    const part = document.createDocumentFragment();
    for (const text of lines) part.append(addLine(text, kind));
    log.append(part);
    while (log.childElementCount > MOST_LINES) log.firstElementChild.remove();
    if (follow.checked) toEnd();
  }

  const ICONS = { waiting: "○", running: "◐", done: "✓", failed: "✗", stopped: "⊘" };
  function showStage(row) {
    const tr = document.getElementById(`stage-${row.stage}`);
    if (!tr) return;
    const cell = tr.querySelector(".stage-state");
    cell.className = `stage-state ${row.state}`;
    cell.textContent = `${ICONS[row.state]} ${row.word}`;
    if (row.seconds != null) tr.querySelector(".time").textContent = `${row.seconds.toFixed(1)} s`;
    if (row.note) tr.querySelector(".note").textContent = row.note;
  }

  function showState(data) {
    const state = document.getElementById("state");
    state.textContent = data.title;
    state.className = `state ${data.tone}`;
    document.getElementById("said").textContent = data.message || "";
    if (data.url) {
      const link = document.getElementById("url");
      link.href = link.textContent = data.url;
      link.hidden = false;
    }
  }

  const source = new EventSource(root.dataset.events);
  const on = (name, act) => source.addEventListener(name, (event) => act(JSON.parse(event.data)));
  source.addEventListener("open", () => { banner.hidden = true; });
  source.addEventListener("error", () => {
    if (ended) source.close(); else banner.hidden = false;
  });
  on("log", (data) => addLines(data.lines, "line"));
  on("stage", (data) => { showStage(data); addLines([data.message], "line step"); });
  on("state", showState);
  on("done", (data) => {
    const wasUnderWay = !ended;
    ended = true;
    showState(data);
    for (const row of data.stages) showStage(row);
    source.close();
    if (wasUnderWay && root.dataset.renew === "true") location.reload();
  });
})();
